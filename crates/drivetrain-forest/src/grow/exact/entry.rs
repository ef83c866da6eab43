//! An entry of a sorted list: which sample, and whether its value differs from the one before it.
//!
//! The top bit says that the value begins a run of equal values; the others number the sample.

/// The bit of an entry whose value differs from the one before it in its list.
pub(super) const BEGINS: u32 = 1 << 31;

pub(super) const fn new(sample: u32, begins: bool) -> u32 {
    sample | (begins as u32) << 31
}

/// The number of the sample.
pub(super) const fn sample(entry: u32) -> usize {
    (entry & !BEGINS) as usize
}

/// Whether the value differs from the one before it.
pub(super) const fn begins(entry: u32) -> bool {
    entry & BEGINS != 0
}
