//! Statistics that can be computed in parts and merged.
//!
//! A block of values is looked at several times while it is in the cache, each time for what fits the vector registers:
//! the sum and the number of values, then the squares about their mean. All three at once about a shift took 1.8 times as
//! long, because registers spill, and are less exact. Imputed values written to a buffer and looked at there, in a second
//! pass over the rows, took 2.1 times as long, at a million rows, as moments that follow from those of the values present.

mod extremes;
mod in_blocks;
mod lanes;
mod moments;
mod order;

pub use self::{
    extremes::Extremes,
    in_blocks::InBlocks,
    moments::{Mean, Moments},
};
pub(crate) use self::{
    moments::WeightedMoments,
    order::{between, median, percentile},
};

/// A statistic of numbers, NaN left out, that can be fed in parts and merged.
pub trait Statistic: Default {
    /// Adds values. False when one of them may be infinite; one that is must not be hidden.
    fn feed(&mut self, values: &[f64]) -> bool;

    /// Adds what `later` was fed.
    fn merge(&mut self, later: Self);

    /// The statistic of the `n_rows` values that were fed once those that were missing are `fill`; `None` where that does
    /// not follow from what is known.
    #[must_use]
    fn filled(&self, _fill: f64, _n_rows: usize) -> Option<Self> {
        None
    }
}

/// A statistic of a block of values that is merged with those of other blocks, up to rounding: what [`InBlocks`] is
/// made of.
pub trait BlockStatistic: Default + Clone {
    /// The statistic of `values`, and false when one of them may be infinite.
    fn of_block(values: &[f64]) -> (Self, bool);

    /// Adds the values behind `later`.
    fn merge(&mut self, later: Self);

    /// As [`Statistic::filled`].
    #[must_use]
    fn filled(&self, _fill: f64, _n_rows: usize) -> Option<Self> {
        None
    }
}

/// No statistic: for what learns nothing but the columns, and refuses infinite values all the same.
impl Statistic for () {
    fn feed(&mut self, values: &[f64]) -> bool {
        !values.iter().fold(false, |any, value| any | value.is_infinite())
    }

    fn merge(&mut self, (): Self) {}
}

/// Two statistics of the same values.
impl<A: Statistic, B: Statistic> Statistic for (A, B) {
    fn feed(&mut self, values: &[f64]) -> bool {
        let finite = self.0.feed(values);
        self.1.feed(values) && finite
    }

    fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
        self.1.merge(later.1);
    }

    fn filled(&self, fill: f64, n_rows: usize) -> Option<Self> {
        Some((self.0.filled(fill, n_rows)?, self.1.filled(fill, n_rows)?))
    }
}

/// A scale to divide by: 1 instead of one that is too small to tell from 0, as scikit-learn's `_handle_zeros_in_scale`.
pub(crate) fn scale_or_one(scale: f64) -> f64 {
    if scale < 10.0 * f64::EPSILON { 1.0 } else { scale }
}
