//! Sorted numbers without repetition, in few bytes.

use super::bits::{push_varint, take_varint};

/// The different numbers of a list, in ascending order; 0.0 and -0.0 are two.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dictionary(Vec<f64>);

impl Dictionary {
    /// Of finite `values`.
    pub(super) fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        values.dedup_by_key(|value| value.to_bits());
        Self(values)
    }

    pub(super) fn values(&self) -> &[f64] {
        &self.0
    }

    /// Where `value` lies, which is one of the values.
    #[expect(clippy::cast_possible_truncation, reason = "there are no more values than nodes, which 32 bits count")]
    pub(super) fn position(&self, value: f64) -> u32 {
        self.0.partition_point(|other| other.total_cmp(&value).is_lt()) as u32
    }

    /// Appends the values: how many there are; how many zero bits each of them ends in; the first without
    /// those, as a whole number; and how far on from the one before each of the others is.
    ///
    /// Finite floats are in the order of their bits, read as a whole number. Measured values and what lies
    /// midway between two of them mostly use few of the 52 bits behind the point.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        push_varint(bytes, self.0.len() as u64);
        let Some((first, rest)) = self.0.split_first() else { return };
        let zeros = self.zeros();
        push_varint(bytes, u64::from(zeros));
        let mut last = key(*first, zeros);
        push_varint(bytes, zigzag(last));
        for &value in rest {
            let next = key(value, zeros);
            // At least one apart, at most as far as 64 bits can say.
            push_varint(bytes, next.wrapping_sub(last).cast_unsigned() - 1);
            last = next;
        }
    }

    /// How many zero bits every value ends in.
    fn zeros(&self) -> u32 {
        let all = self.0.iter().fold(0, |all, value| all | magnitude(*value));
        all.trailing_zeros().min(63)
    }

    /// Takes what [`Dictionary::write`] wrote off the front of `bytes`; none if it is anything else, such as the same
    /// numbers with fewer zero bits left out.
    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let n = usize::try_from(take_varint(bytes)?).ok()?;
        // Every value takes a byte.
        if n > bytes.len() {
            return None;
        }
        let mut read = Self(Vec::with_capacity(n));
        if n > 0 {
            let values = &mut read.0;
            let zeros = u32::try_from(take_varint(bytes)?).ok().filter(|&zeros| zeros < 64)?;
            let mut last = unzigzag(take_varint(bytes)?);
            values.push(value(last, zeros)?);
            for _ in 1..n {
                let step = i128::from(take_varint(bytes)?) + 1;
                last = i64::try_from(i128::from(last) + step).ok()?;
                values.push(value(last, zeros)?);
            }
            if zeros != read.zeros() {
                return None;
            }
        }
        Some(read)
    }
}

fn magnitude(value: f64) -> u64 {
    value.abs().to_bits()
}

/// Finite floats whose magnitudes end in `zeros` zero bits as whole numbers in their order, -0.0 before 0.0.
fn key(value: f64, zeros: u32) -> i64 {
    let magnitude = (magnitude(value) >> zeros).cast_signed();
    if value.is_sign_negative() { !magnitude } else { magnitude }
}

/// The finite float whose key is `key`, if there is one.
fn value(key: i64, zeros: u32) -> Option<f64> {
    let magnitude = if key < 0 { !key } else { key }.cast_unsigned();
    let bits = magnitude << zeros;
    let value = f64::from_bits(bits);
    (bits >> zeros == magnitude && bits >> 63 == 0 && value.is_finite()).then_some(if key < 0 { -value } else { value })
}

/// Small numbers of either sign as small numbers.
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(values: &[f64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Dictionary::new(values.to_vec()).write(&mut bytes);
        bytes
    }

    #[test]
    fn grids_take_a_byte_a_value() {
        let grid: Vec<f64> = (0..100).map(|i| f64::from(i) + 0.5).collect();
        assert!(written(&grid).len() < 120, "{}", written(&grid).len());
        assert_eq!(written(&[]), [0]);
    }

    #[test]
    fn what_was_not_written_is_refused() {
        // Cut off; more values than bytes; infinity; too many zeros; fewer zeros than there are, of 0 and of 2^-1073.
        let infinity = [&[1, 52][..], &[0xfe, 0x1f]].concat();
        for bytes in [&[][..], &[2, 0, 0], &[200], &infinity, &[1, 64, 2], &[1, 62, 0], &[1, 0, 4]] {
            assert_eq!(Dictionary::read(&mut &*bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn every_finite_value_comes_back_to_the_bit(
            values in prop::collection::vec(
                prop_oneof![
                    prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
                    prop::sample::select(vec![f64::MAX, f64::MIN, 1.0, 1.5]),
                ],
                0..50,
            )
        ) {
            let dictionary = Dictionary::new(values.clone());
            let mut bytes = Vec::new();
            dictionary.write(&mut bytes);
            let mut rest = bytes.as_slice();
            let read = Dictionary::read(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            for value in values {
                let position = read.position(value) as usize;
                prop_assert_eq!(read.values()[position].to_bits(), value.to_bits());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(dictionary) = Dictionary::read(&mut bytes.as_slice()) {
                prop_assert!(dictionary.values().iter().all(|value| value.is_finite()));
                let again = written(dictionary.values());
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }
}
