//! An entry of a sorted list: which sample, and how its value stands to the one before it.
//!
//! The top bit says that the value begins a run of equal values, the next one that it is missing, which
//! sorts last; the others number the sample.

/// The bit of an entry whose value differs from the one before it in its list.
pub(super) const BEGINS: u32 = 1 << 31;

/// The bit of an entry whose value is missing.
pub(super) const MISSING: u32 = 1 << 30;

/// The bits that number the sample.
pub(super) const SAMPLE: u32 = MISSING - 1;

/// The bits that do not. An entry that is left out of a list hands them on to the next one that is not: if a
/// value is missing, so are all behind it.
pub(super) const FLAGS: u32 = !SAMPLE;

pub(super) const fn new(sample: u32, begins: bool) -> u32 {
    sample | (begins as u32) << 31
}

/// The number of the sample.
pub(super) const fn sample(entry: u32) -> usize {
    (entry & SAMPLE) as usize
}

/// Whether the value differs from the one before it.
pub(super) const fn begins(entry: u32) -> bool {
    entry & BEGINS != 0
}

/// Whether the value is missing.
pub(super) const fn is_missing(entry: u32) -> bool {
    entry & MISSING != 0
}
