//! Numbers of few bits side by side, and numbers of as many bytes as they need.

/// How many bits it takes to tell `n` things apart.
pub(super) fn width(n: usize) -> u32 {
    usize::BITS - n.saturating_sub(1).leading_zeros()
}

/// Numbers of few bits, one after the other, from the lowest bit of the first byte on.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    n_pending: u32,
}

impl BitWriter {
    /// Appends the lowest `width` bits of `value`, which has no others; at most 32.
    #[expect(clippy::cast_possible_truncation, reason = "the lowest byte is wanted")]
    pub(super) fn push(&mut self, value: u32, width: u32) {
        self.pending |= u64::from(value) << self.n_pending;
        self.n_pending += width;
        while self.n_pending >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.n_pending -= 8;
        }
    }

    /// The bytes, the last one filled up with zeros.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than eight bits are left")]
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.n_pending > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

/// Reads what a [`BitWriter`] wrote.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    pending: u64,
    n_pending: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pending: 0, n_pending: 0 }
    }

    /// The next number of `width` bits, at most 32; none if there are no more.
    #[expect(clippy::cast_possible_truncation, reason = "at most 32 bits are kept")]
    pub(super) fn next(&mut self, width: u32) -> Option<u32> {
        while self.n_pending < width {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            self.pending |= u64::from(byte) << self.n_pending;
            self.n_pending += 8;
        }
        let value = self.pending & ((1 << width) - 1);
        self.pending >>= width;
        self.n_pending -= width;
        Some(value as u32)
    }

    /// Whether nothing is left but the zeros that fill up the last byte.
    pub(super) fn is_at_end(&self) -> bool {
        self.bytes.is_empty() && self.n_pending < 8 && self.pending == 0
    }
}

/// Appends `value` in groups of seven bits, the lowest first; all but the last byte have the highest bit set
/// (LEB128).
#[expect(clippy::cast_possible_truncation, reason = "the lowest seven bits are wanted")]
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes what [`push_varint`] wrote off the front of `bytes`; none if it is cut off, too large for 64 bits or
/// longer than it need be.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let group = u64::from(byte & 0x7f);
        if group << shift >> shift != group || (byte == 0 && shift > 0) {
            return None;
        }
        value |= group << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_many_bits_as_it_takes() {
        assert_eq!([0, 1, 2, 3, 4, 5, 256, 257].map(width), [0, 0, 1, 2, 2, 3, 8, 9]);
    }

    #[test]
    fn numbers_longer_than_they_need_be_are_refused() {
        for bytes in
            [&[][..], &[0x80], &[0x80, 0], &[0xff; 10], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]]
        {
            assert_eq!(take_varint(&mut &*bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn bits_are_read_as_written(numbers in prop::collection::vec((any::<u32>(), 0_u32..=32), 0..50)) {
            let mut writer = BitWriter::default();
            let numbers: Vec<(u32, u32)> = numbers
                .into_iter()
                .map(|(value, width)| (value.checked_shr(u32::BITS - width).unwrap_or(0), width))
                .collect();
            for &(value, width) in &numbers {
                writer.push(value, width);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for &(value, width) in &numbers {
                prop_assert_eq!(reader.next(width), Some(value));
            }
            prop_assert!(reader.is_at_end());
            prop_assert_eq!(reader.next(8), None);
        }

        #[test]
        fn varints_are_read_as_written(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            push_varint(&mut bytes, value);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_varint(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
        }
    }
}
