//! Rows drawn with replacement.

use rand_chacha::ChaCha8Rng;

use crate::random;

/// How often each of `n_rows` rows is drawn in as many draws with replacement.
///
/// Counts serve as weights, as in scikit-learn: a row drawn three times is still one row to
/// `min_samples_split` and `min_samples_leaf`.
pub(super) fn counts(rng: &mut ChaCha8Rng, n_rows: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_rows];
    for _ in 0..n_rows {
        counts[random::below(rng, n_rows)] += 1.0;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_draws_as_rows_and_a_third_left_out() {
        let counts = counts(&mut random::stream(5, 0), 10_000);
        assert!((counts.iter().sum::<f64>() - 10_000.0).abs() < f64::EPSILON);
        let left_out = counts.iter().filter(|&&count| count == 0.0).count();
        // 1/e of the rows, with six standard deviations to spare.
        assert!(left_out.abs_diff(3679) < 190, "{left_out}");
    }
}
