//! Prediction intervals that hold what they promise, whatever the model and the distribution.
//!
//! The rows to be predicted must come from where the rows learned from come from, in no order: not from a later time, say.

use drivetrain_plan::{ColumnTable, Table};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cross_validate::{check_target, select};
use crate::{EvaluateError, FittedModel, Fold, KFold, Model};

/// A prediction and an interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies within, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A share of rows, between 0 and 1, both excluded.
fn check_coverage(coverage: f64) -> Result<(), EvaluateError> {
    if coverage > 0.0 && coverage < 1.0 {
        return Ok(());
    }
    let (name, value) = ("coverage", coverage.to_string());
    Err(EvaluateError::InvalidParameter { name, value, expected: "a number between 0 and 1" })
}

/// The position, from 1, of the residual that a share `coverage` of `n + 1` do not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
pub(crate) fn position(n: usize, coverage: f64) -> Result<usize, EvaluateError> {
    check_coverage(coverage)?;
    // 0.9 / 0.1 comes out as a little more than 9, and 10 is not what is meant.
    let up = |exact: f64| (exact - 1e-9 * exact).ceil() as usize;
    let position = up(coverage * (n + 1) as f64);
    if position <= n {
        return Ok(position);
    }
    let needed = up(coverage / (1.0 - coverage));
    Err(EvaluateError::TooFewResiduals { n_residuals: n, coverage, needed })
}

/// Split conformal intervals: a model fitted on some rows, and its errors on others.
///
/// An interval of coverage `c` holds the target of a new row with probability at least `c`, and at most `c + 1 / (n + 1)`
/// for `n` rows to calibrate on whose errors are all different.
///
/// Source: Papadopoulos, H. et al. (2002), doi:10.1007/3-540-36755-1_29; Lei, J. et al. (2018),
/// doi:10.1080/01621459.2017.1307116.
#[derive(Debug)]
pub struct SplitConformal {
    model: Box<dyn FittedModel>,
    residuals: Vec<f64>,
}

impl SplitConformal {
    /// Learns from the rows `fold.train`, and calibrates on the rows `fold.test`.
    ///
    /// # Errors
    /// As [`cross_validate`](crate::cross_validate).
    pub fn fit(model: &dyn Model, x: &ColumnTable, y: &[f64], fold: &Fold) -> Result<Self, EvaluateError> {
        let (model, mut residuals) = residuals_of(model, x, y, fold)?;
        residuals.sort_by(f64::total_cmp);
        Ok(Self { model, residuals })
    }

    /// An interval for each row, around its prediction and as wide for all.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewResiduals`], and as [`FittedModel::predict`].
    pub fn predict_interval(&self, x: &dyn Table, coverage: f64) -> Result<Vec<Interval>, EvaluateError> {
        let residual = self.residuals[position(self.residuals.len(), coverage)? - 1];
        let around = |prediction| Interval { low: prediction - residual, high: prediction + residual };
        Ok(self.model.predict(x)?.into_iter().map(around).collect())
    }
}

/// CV+ intervals: the models of a cross-validation and their errors on the rows each of them has not seen; with as many
/// folds as rows, jackknife+.
///
/// An interval of coverage `c` holds the target of a new row with probability at least `2 * c - 1`, less about
/// `sqrt(2 / n)` where there are fewer folds than rows; what is seen in practice is `c`.
///
/// Source: Barber, R. et al. (2021), Predictive inference with the jackknife+, doi:10.1214/20-AOS1965.
#[derive(Debug)]
pub struct CvPlus {
    models: Vec<Box<dyn FittedModel>>,
    /// For each row its error under the model of its fold, and that model.
    residuals: Vec<(f64, usize)>,
}

impl CvPlus {
    /// Cross-validates `model`, in parallel.
    ///
    /// # Errors
    /// As [`KFold::split`] and [`cross_validate`](crate::cross_validate).
    pub fn fit(model: &dyn Model, x: &ColumnTable, y: &[f64], folds: &KFold) -> Result<Self, EvaluateError> {
        let folds = folds.split(x.n_rows())?;
        let fitted: Vec<Result<_, EvaluateError>> =
            folds.par_iter().map(|fold| residuals_of(model, x, y, fold)).collect();
        let (models, of_folds): (Vec<_>, Vec<_>) =
            fitted.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let residuals = of_folds.into_iter().enumerate().flat_map(|(fold, residuals): (usize, Vec<f64>)| {
            residuals.into_iter().map(move |residual| (residual, fold))
        });
        Ok(Self { residuals: residuals.collect(), models })
    }

    /// For each of the coverages an interval for each row.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewResiduals`], and as [`FittedModel::predict`].
    pub fn predict_intervals(&self, x: &dyn Table, coverages: &[f64]) -> Result<Vec<Vec<Interval>>, EvaluateError> {
        let n = self.residuals.len();
        let positions = coverages.iter().map(|&coverage| position(n, coverage)).collect::<Result<Vec<_>, _>>()?;
        let predictions = self.models.iter().map(|model| model.predict(x)).collect::<Result<Vec<_>, _>>()?;
        let mut intervals = vec![Vec::with_capacity(x.n_rows()); positions.len()];
        for row in 0..x.n_rows() {
            let found: Vec<f64> = predictions.iter().map(|of_model| of_model[row]).collect();
            let ends = |sign: f64| {
                let of = |(residual, fold): &(f64, usize)| found[*fold] + sign * residual;
                let mut ends: Vec<f64> = self.residuals.iter().map(of).collect();
                ends.sort_by(f64::total_cmp);
                ends
            };
            let (lows, highs) = (ends(-1.0), ends(1.0));
            for (of_row, &position) in intervals.iter_mut().zip(&positions) {
                of_row.push(Interval { low: lows[n - position], high: highs[position - 1] });
            }
        }
        Ok(intervals)
    }
}

/// The model of a fold, and its errors on the rows it has not seen.
fn residuals_of(
    model: &dyn Model,
    x: &ColumnTable,
    y: &[f64],
    fold: &Fold,
) -> Result<(Box<dyn FittedModel>, Vec<f64>), EvaluateError> {
    check_target(x.n_rows(), y)?;
    crate::cross_validate::check_folds(std::slice::from_ref(fold), y.len())?;
    let fitted = model.fit(&x.take(&fold.train), &select(y, &fold.train))?;
    let predictions = fitted.predict(&x.take(&fold.test))?;
    let residuals = select(y, &fold.test).iter().zip(predictions).map(|(truth, found)| (truth - found).abs()).collect();
    Ok((fitted, residuals))
}

#[cfg(test)]
mod tests {
    use drivetrain_forest::RandomForestRegressor;
    use drivetrain_plan::Column;
    use drivetrain_transform::{Draws, StandardScaler};

    use super::*;
    use crate::PipelineModel;
    use crate::regressor::LinearRegression;

    /// Rows of a curve with errors that are not normal and grow with the feature.
    fn simulated(n: usize, seed: u64) -> (ColumnTable, Vec<f64>) {
        let mut draws = Draws::new(seed);
        let mut uniform =
            || draws.with_replacement(1 << 24, n).into_iter().map(|draw| draw as f64 / f64::from(1 << 24));
        let x: Vec<f64> = uniform().collect();
        let noise: Vec<f64> = uniform().map(|u| -(1.0 - u).ln() - 1.0).collect();
        let y = x.iter().zip(noise).map(|(x, noise)| (6.0 * x).sin() + (0.2 + x) * noise).collect();
        (ColumnTable::new(vec![("x".into(), Column::from(x))]).unwrap(), y)
    }

    fn covered(intervals: &[Interval], y: &[f64]) -> f64 {
        intervals.iter().zip(y).filter(|(interval, y)| interval.contains(**y)).count() as f64
    }

    #[test]
    fn intervals_cover_what_they_promise_with_a_model_that_is_wrong_and_one_that_overfits() {
        let trees = RandomForestRegressor::builder().n_estimators(10).build().unwrap();
        let models = [
            PipelineModel::new(StandardScaler::new(), LinearRegression),
            PipelineModel::new(StandardScaler::new(), trees),
        ];
        let (n, n_new, repeats) = (60, 40, 40);
        for model in &models {
            let mut shares = [0.0; 2];
            for seed in 0..repeats {
                let (x, y) = simulated(n, 2 * seed);
                let (new_x, new_y) = simulated(n_new, 2 * seed + 1);
                let fold = Fold { train: (0..n / 2).collect(), test: (n / 2..n).collect() };
                let split = SplitConformal::fit(model, &x, &y, &fold).unwrap();
                shares[0] += covered(&split.predict_interval(&new_x, 0.8).unwrap(), &new_y);
                let plus = CvPlus::fit(model, &x, &y, &KFold::new(6).unwrap().shuffle(seed)).unwrap();
                shares[1] += covered(&plus.predict_intervals(&new_x, &[0.8]).unwrap()[0], &new_y);
            }
            let [split, plus] = shares.map(|covered| covered / (n_new as f64 * repeats as f64));
            // From 0.8 to 0.8 + 1 / 31, give or take the spread of calibrations over 40 repeats.
            assert!((0.76..0.88).contains(&split), "{split}");
            assert!((0.76..0.9).contains(&plus), "{plus}");
        }
    }

    #[test]
    fn intervals_of_higher_coverage_hold_those_of_lower() {
        let (x, y) = simulated(50, 3);
        let model = PipelineModel::new(StandardScaler::new(), LinearRegression);
        // As many folds as rows: jackknife+.
        let plus = CvPlus::fit(&model, &x, &y, &KFold::new(50).unwrap()).unwrap();
        let found = plus.predict_intervals(&x, &[0.5, 0.9]).unwrap();
        for (narrow, wide) in found[0].iter().zip(&found[1]) {
            assert!(wide.low <= narrow.low && narrow.low <= narrow.high && narrow.high <= wide.high);
        }
    }

    #[test]
    fn too_few_residuals_for_a_coverage_say_how_many_it_takes() {
        assert_eq!(position(19, 0.9).unwrap(), 18);
        assert_eq!(position(9, 0.9).unwrap(), 9);
        let message = |n, coverage| position(n, coverage).unwrap_err().to_string();
        let expected = "8 residuals are too few for intervals of coverage 0.9: at least 9 are needed";
        assert_eq!(message(8, 0.9), expected);
        assert_eq!(message(8, 1.0), "coverage is 1: expected a number between 0 and 1");
        assert!(position(8, f64::NAN).is_err());
    }
}
