//! Metrics over folds, with intervals.

use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_transform::{Draws, QuantileMethod};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cross_validate::select;
use crate::{EvaluateError, FoldScore};

/// A metric over folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The mean over the folds.
    pub mean: f64,
    /// The standard deviation over the folds (ddof 0).
    pub std: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// The metrics of a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Root mean squared error, in units of the target.
    pub rmse: Estimate,
    /// Mean absolute error, in units of the target.
    pub mae: Estimate,
    /// Coefficient of determination.
    pub r2: Estimate,
}

/// How intervals are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    n_resamples: usize,
    confidence_level: f64,
    random_state: u64,
}

impl Bootstrap {
    /// Intervals that hold the share `confidence_level` of `n_resamples` resamples.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if there are no resamples or the level is not between 0 and 1.
    pub fn new(n_resamples: usize, confidence_level: f64, random_state: u64) -> Result<Self, EvaluateError> {
        EvaluateError::at_least("n_resamples", n_resamples, 1, "a number of at least 1")?;
        if confidence_level > 0.0 && confidence_level < 1.0 {
            return Ok(Self { n_resamples, confidence_level, random_state });
        }
        let (name, value) = ("confidence_level", confidence_level.to_string());
        Err(EvaluateError::InvalidParameter { name, value, expected: "a number between 0 and 1" })
    }

    /// The metrics over all folds, with percentile intervals of the mean over the folds.
    ///
    /// What is drawn with replacement are the rows of the table: a row that is drawn twice counts twice in every fold
    /// that scores it, so repeats of the folds do not pass for more rows than there are. The models are not fitted
    /// again: the interval says what other rows of the same kind to score on would have changed, not what other rows to
    /// learn from would have. R2 needs two rows: a resample of a fold without two different targets is left out.
    ///
    /// Source: Efron, B. (1979), Bootstrap methods, doi:10.1214/aos/1176344552; `scipy.stats.bootstrap` with
    /// `method="percentile"`.
    ///
    /// # Errors
    /// [`EvaluateError::NoFolds`] without scores, [`EvaluateError::FoldOutOfRange`] if they are not of `y`.
    pub fn summarise(&self, scores: &[FoldScore], y: &[f64]) -> Result<Summary, EvaluateError> {
        if scores.is_empty() {
            return Err(EvaluateError::NoFolds);
        }
        let n_rows = y.len();
        if let Some(&row) = scores.iter().flat_map(|score| &score.test).find(|row| **row >= n_rows) {
            return Err(EvaluateError::FoldOutOfRange { row, n_rows });
        }
        let folds: Vec<Vec<[f64; 2]>> = scores
            .iter()
            .map(|score| {
                select(y, &score.test).into_iter().zip(score.predictions.iter().copied()).map(|(t, p)| [t, p]).collect()
            })
            .collect();
        let resamples: Vec<[f64; 3]> = (0..self.n_resamples as u64)
            .into_par_iter()
            .map(|index| {
                let mut weights = vec![0.0; n_rows];
                let drawn = Draws::stream(self.random_state, index).with_replacement(n_rows, n_rows);
                for row in drawn {
                    weights[row] += 1.0;
                }
                let weighted =
                    |(score, pairs): (&FoldScore, &Vec<[f64; 2]>)| metrics(pairs, &select(&weights, &score.test));
                mean_of_each(scores.iter().zip(&folds).map(weighted))
            })
            .collect();
        let estimate = |metric: usize, of: fn(&RegressionMetrics) -> f64| {
            let values: Vec<f64> = scores.iter().map(|score| of(&score.metrics)).collect();
            let (mean, std) = mean_and_std(&values);
            let mut sorted: Vec<f64> = resamples.iter().map(|found| found[metric]).filter(|v| v.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            let tail = f64::midpoint(0.0, 1.0 - self.confidence_level);
            let [low, high] =
                [tail, 1.0 - tail].map(|share| QuantileMethod::Linear.quantile(&sorted, share).unwrap_or(f64::NAN));
            Estimate { mean, std, low, high }
        };
        Ok(Summary { rmse: estimate(0, |m| m.rmse), mae: estimate(1, |m| m.mae), r2: estimate(2, |m| m.r2) })
    }
}

/// The mean of some numbers and their standard deviation (ddof 0); NaN without any.
pub(crate) fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// Root mean squared error, mean absolute error and R2 of weighted pairs of truth and prediction; NaN where they have none.
fn metrics(pairs: &[[f64; 2]], weights: &[f64]) -> [f64; 3] {
    let total: f64 = weights.iter().sum();
    let mean = |of: &dyn Fn(f64, f64) -> f64| {
        pairs.iter().zip(weights).map(|([truth, predicted], weight)| weight * of(*truth, *predicted)).sum::<f64>()
            / total
    };
    let centre = mean(&|truth, _| truth);
    let squared = mean(&|truth, predicted| (truth - predicted).powi(2));
    let spread = mean(&|truth, _| (truth - centre).powi(2));
    // Drawing with replacement narrows the spread by 1 / total on average, which would pass for a worse R2.
    let r2 = if spread > 0.0 { 1.0 - squared / spread * (1.0 - 1.0 / total) } else { f64::NAN };
    [squared.sqrt(), mean(&|truth, predicted| (truth - predicted).abs()), r2]
}

/// The mean of each metric over the folds that have it.
fn mean_of_each(folds: impl Iterator<Item = [f64; 3]>) -> [f64; 3] {
    let mut sums = [(0.0, 0.0); 3];
    for fold in folds {
        for (sum, value) in sums.iter_mut().zip(fold) {
            if value.is_finite() {
                *sum = (sum.0 + value, sum.1 + 1.0);
            }
        }
    }
    sums.map(|(sum, n)| sum / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(test: Vec<usize>, predictions: Vec<f64>, y: &[f64]) -> FoldScore {
        let metrics = RegressionMetrics::new(&select(y, &test), &predictions).unwrap();
        FoldScore { n_train: 1, test, predictions, metrics }
    }

    #[test]
    fn weights_count_rows_as_often_as_they_were_drawn() {
        let y = [1.0, 2.0, 4.0];
        let pairs = [[1.0, 1.5], [2.0, 2.0], [4.0, 3.0]];
        let twice = RegressionMetrics::new(&[1.0, 1.0, 4.0], &[1.5, 1.5, 3.0]).unwrap();
        let found = metrics(&pairs, &[2.0, 0.0, 1.0]);
        let r2 = 1.0 - (1.0 - twice.r2) * 2.0 / 3.0;
        for (found, expected) in found.iter().zip([twice.rmse, twice.mae, r2]) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert!(metrics(&pairs, &[0.0; 3])[0].is_nan() && metrics(&pairs, &[3.0, 0.0, 0.0])[2].is_nan());
        let bootstrap = Bootstrap::new(200, 0.95, 7).unwrap();
        let scores = [score(vec![0, 2], vec![1.5, 3.0], &y), score(vec![1], vec![2.0], &y)];
        let found = bootstrap.summarise(&scores, &y).unwrap();
        assert_eq!(found, bootstrap.summarise(&scores, &y).unwrap());
        assert!(found.mae.low <= found.mae.mean && found.mae.mean <= found.mae.high, "{found:?}");
        assert_eq!(found.mae.mean, 0.375);
    }

    #[test]
    fn the_interval_covers_the_true_error_about_as_often_as_it_says() {
        // Errors of normal distribution and deviation 1, whose mean magnitude is sqrt(2 / pi).
        let truth = (2.0 / std::f64::consts::PI).sqrt();
        let (n, repeats) = (80, 150);
        let normal = |seed: u64| -> Vec<f64> {
            let uniform = Draws::new(seed).with_replacement(1 << 20, 24 * n);
            // A sum of many uniform numbers.
            uniform
                .chunks(24)
                .map(|draws| draws.iter().map(|d| *d as f64 / f64::from(1 << 20) - 0.5).sum::<f64>() / 2.0_f64.sqrt())
                .collect()
        };
        let covered = (0..repeats).filter(|&seed| {
            let (y, predictions) = (vec![0.0; n], normal(seed));
            let score = score((0..n).collect(), predictions, &y);
            let found = Bootstrap::new(200, 0.9, seed).unwrap().summarise(&[score], &y).unwrap().mae;
            found.low <= truth && truth <= found.high
        });
        let share = covered.count() as f64 / repeats as f64;
        // Four standard deviations of a share of 0.9 in 150 are 0.1.
        assert!((share - 0.9).abs() < 0.1, "{share}");
    }

    #[test]
    fn bad_parameters_and_scores_are_refused() {
        assert!(Bootstrap::new(0, 0.9, 0).is_err() && Bootstrap::new(9, 1.0, 0).is_err());
        let bootstrap = Bootstrap::new(9, 0.9, 0).unwrap();
        assert!(matches!(bootstrap.summarise(&[], &[1.0]), Err(EvaluateError::NoFolds)));
        let scores = [score(vec![1], vec![1.0], &[1.0, 2.0])];
        assert!(matches!(
            bootstrap.summarise(&scores, &[1.0]),
            Err(EvaluateError::FoldOutOfRange { row: 1, n_rows: 1 })
        ));
    }
}
