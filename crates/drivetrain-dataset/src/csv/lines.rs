//! Line numbers as an editor counts them.

/// Counts lines up to where a record starts.
///
/// The reader's own count is behind: it reads the line ends left over from the record before, and blank lines, as part
/// of the next record.
#[derive(Debug)]
pub(crate) struct LineCounter<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    /// A counter at the start of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, line: 1 }
    }

    /// The current line, from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// Moves on to the first byte from `offset` that is not a line end.
    pub(crate) fn advance(&mut self, offset: u64) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        while let Some(&byte) = self.bytes.get(self.offset) {
            if self.offset >= offset && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += usize::from(byte == b'\n');
            self.offset += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_before_a_record_are_not_part_of_it() {
        let mut lines = LineCounter::new(b"a\r\nb\r\n\r\nc");
        for (offset, line) in [(0, 1), (2, 2), (3, 2), (5, 4), (8, 4), (1000, 4)] {
            lines.advance(offset);
            assert_eq!(lines.line(), line, "offset {offset}");
        }
    }
}
