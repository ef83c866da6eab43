//! Blocks at fixed positions, so that a statistic does not depend on where the values are cut.

use super::{BlockStatistic, Statistic};
use crate::partial_fit::GROUP_ROWS;

/// Values that are summed directly before they are merged.
const BLOCK: usize = 1024;

/// A statistic of blocks of 1024 values: the same bits wherever the values are cut on their way in.
///
/// Blocks begin at fixed positions, so a block that is not full waits for the next values. Sixteen blocks are merged
/// into a group, and groups are kept until the end: whoever merges parts of whole groups gets the same bits as from
/// feeding them one after the other.
///
/// ```
/// use drivetrain_transform::{InBlocks, Moments, Statistic};
///
/// let values: Vec<f64> = (0..3000).map(|row| 0.1 * f64::from(row)).collect();
/// let (mut cut, mut whole) = (InBlocks::<Moments>::default(), InBlocks::<Moments>::default());
/// whole.feed(&values);
/// for part in values.chunks(7) {
///     cut.feed(part);
/// }
/// assert_eq!(cut.total(), whole.total());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InBlocks<S> {
    groups: Vec<S>,
    open: S,
    blocks: usize,
    waiting: Vec<f64>,
}

impl<S: BlockStatistic> InBlocks<S> {
    fn add(&mut self, values: &[f64]) -> bool {
        let (block, finite) = S::of_block(values);
        self.open.merge(block);
        self.blocks += 1;
        if self.blocks == GROUP_ROWS / BLOCK {
            self.close();
        }
        finite
    }

    /// Ends the group.
    fn close(&mut self) {
        self.groups.push(std::mem::take(&mut self.open));
        self.blocks = 0;
    }

    /// The statistic of all values.
    #[must_use]
    pub fn total(&self) -> S {
        let mut open = self.open.clone();
        if !self.waiting.is_empty() {
            open.merge(S::of_block(&self.waiting).0);
        }
        self.closed(open)
    }

    /// The statistic of all groups, the last of which is `open`.
    fn closed(&self, open: S) -> S {
        let mut total = S::default();
        for group in self.groups.iter().cloned().chain([open]) {
            total.merge(group);
        }
        total
    }
}

impl<S: BlockStatistic> Statistic for InBlocks<S> {
    fn feed(&mut self, mut values: &[f64]) -> bool {
        let mut finite = true;
        if !self.waiting.is_empty() {
            let (more, rest) = values.split_at(values.len().min(BLOCK - self.waiting.len()));
            self.waiting.extend_from_slice(more);
            finite &= !more.iter().any(|value| value.is_infinite());
            values = rest;
            if self.waiting.len() < BLOCK {
                return finite;
            }
            let block = std::mem::take(&mut self.waiting);
            finite &= self.add(&block);
        }
        let blocks = values.chunks_exact(BLOCK);
        let rest = blocks.remainder();
        for block in blocks {
            finite &= self.add(block);
        }
        self.waiting.extend_from_slice(rest);
        finite && !rest.iter().any(|value| value.is_infinite())
    }

    fn merge(&mut self, later: Self) {
        if !self.waiting.is_empty() {
            let block = std::mem::take(&mut self.waiting);
            self.open.merge(S::of_block(&block).0);
            self.blocks += 1;
        }
        if self.blocks > 0 {
            self.close();
        }
        self.groups.extend(later.groups);
        self.open = later.open;
        self.blocks = later.blocks;
        self.waiting = later.waiting;
    }

    /// To the bit as if the filled values had been fed where there are fewer than a block of them.
    fn filled(&self, fill: f64, n_rows: usize) -> Option<Self> {
        let blocks = self.closed(self.open.clone()).filled(fill, n_rows.checked_sub(self.waiting.len())?)?;
        let waiting = self.waiting.iter().map(|value| if value.is_nan() { fill } else { *value }).collect();
        Some(Self { groups: vec![blocks], waiting, ..Self::default() })
    }
}
