//! Seeded draws of rows, made here so that no other crate's release changes what is learned.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Draws of row numbers that depend on a seed alone.
///
/// ```
/// use drivetrain_transform::Draws;
///
/// assert_eq!(Draws::new(42).permutation(5, 5).len(), 5);
/// assert_eq!(Draws::stream(42, 0).with_replacement(100, 3), Draws::new(42).with_replacement(100, 3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The draws of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::stream(seed, 0)
    }

    /// The `index`-th of the independent streams of draws that a seed stands for.
    #[must_use]
    pub fn stream(seed: u64, index: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(index);
        Self(generator)
    }

    /// A number from `0..n`, each equally likely; `n` is at least 1.
    ///
    /// Source: Lemire, D. (2019), Fast random integer generation in an interval, doi:10.1145/3230636.
    #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted of one, and the other is below n")]
    fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let surplus = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(n);
            if product as u64 >= surplus {
                return (product >> 64) as usize;
            }
        }
    }

    /// The numbers `0..n` in random order, or the first `count` of them: a sample without replacement.
    pub fn permutation(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..n).collect();
        for first in 0..count.min(n) {
            let other = first + self.below(n - first);
            rows.swap(first, other);
        }
        rows.truncate(count);
        rows
    }

    /// `count` numbers from `0..n`, each drawn from all of them: a sample with replacement; none where `n` is 0.
    pub fn with_replacement(&mut self, n: usize, count: usize) -> Vec<usize> {
        (0..if n == 0 { 0 } else { count }).map(|_| self.below(n)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draws_of_a_seed_never_change() {
        assert_eq!(Draws::new(42).permutation(10, 10), [6, 9, 5, 7, 2, 4, 3, 1, 0, 8]);
        assert_ne!(Draws::new(42).permutation(10, 10), Draws::new(43).permutation(10, 10));
    }

    #[test]
    fn a_sample_without_replacement_repeats_nothing_and_one_with_does() {
        let mut sample = Draws::new(1).permutation(1000, 300);
        sample.sort_unstable();
        sample.dedup();
        assert_eq!(sample.len(), 300);
        let mut sample = Draws::new(1).with_replacement(100, 1000);
        assert!(sample.iter().all(|row| *row < 100));
        sample.sort_unstable();
        sample.dedup();
        assert!(sample.len() > 90);
    }

    #[test]
    fn every_row_is_drawn_about_equally_often() {
        let mut counts = [0_u32; 7];
        for row in Draws::new(0).with_replacement(7, 7000) {
            counts[row] += 1;
        }
        // Six standard deviations of a count of mean 1000.
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 176), "{counts:?}");
    }
}
