//! Rows drawn with replacement.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::random;

/// How the rows of each tree are drawn.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// All of them, each with its weight.
    All { weights: Vec<f64> },
    /// So many draws, every row as likely as the others.
    Uniform { n_rows: usize, n_draws: usize },
    /// So many draws, a row as likely as its weight says.
    Weighted { cumulated: Vec<f64>, n_draws: usize },
}

impl Rows {
    /// Draws in proportion to the weights, which are not all zero.
    pub(super) fn weighted(weights: &[f64], n_draws: usize) -> Self {
        let mut sum = 0.0;
        let cumulated = weights.iter().map(|weight| {
            sum += weight;
            sum
        });
        Self::Weighted { cumulated: cumulated.collect(), n_draws }
    }

    /// The weight of each row in one tree: how often it was drawn.
    ///
    /// Counts serve as weights, as in scikit-learn: a row drawn three times is still one row to
    /// `min_samples_split` and `min_samples_leaf`.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        match self {
            Self::All { weights } => weights.clone(),
            Self::Uniform { n_rows, n_draws } => counts(*n_rows, *n_draws, || random::below(rng, *n_rows)),
            Self::Weighted { cumulated, n_draws } => {
                let total = cumulated.last().copied().unwrap_or(0.0);
                counts(cumulated.len(), *n_draws, || {
                    loop {
                        // 53 random bits, the most that a number below one can have.
                        let share = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                        let row = cumulated.partition_point(|&sum| sum <= share * total);
                        if row < cumulated.len() {
                            break row;
                        }
                    }
                })
            }
        }
    }
}

fn counts(n_rows: usize, n_draws: usize, mut draw: impl FnMut() -> usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_rows];
    for _ in 0..n_draws {
        counts[draw()] += 1.0;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_draws_as_rows_and_a_third_left_out() {
        let counts = Rows::Uniform { n_rows: 10_000, n_draws: 10_000 }.draw(&mut random::stream(5, 0));
        assert!((counts.iter().sum::<f64>() - 10_000.0).abs() < f64::EPSILON);
        let left_out = counts.iter().filter(|&&count| count == 0.0).count();
        // 1/e of the rows, with six standard deviations to spare.
        assert!(left_out.abs_diff(3679) < 190, "{left_out}");
    }

    #[test]
    fn draws_follow_the_weights() {
        let counts = Rows::weighted(&[0.0, 3.0, 0.0, 1.0, 0.0], 4000).draw(&mut random::stream(6, 0));
        assert_eq!([counts[0], counts[2], counts[4]], [0.0; 3]);
        assert_eq!(counts.iter().sum::<f64>(), 4000.0);
        // Six standard deviations of a count of mean 3000.
        assert!((counts[1] - 3000.0).abs() < 165.0, "{counts:?}");
    }
}
