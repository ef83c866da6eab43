//! Support vector regression.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::Deserialize;
use smartcore::linalg::basic::{arrays::Array2 as _, matrix::DenseMatrix};
use smartcore::svm::Kernels;
use smartcore::svm::svr::{SVR, SVRParameters};

use super::{FittedRegressor, Regressor, check, check_features};
use crate::EvaluateError;

/// Epsilon-support vector regression with the radial basis function `exp(-gamma * |a - b|^2)` as its kernel, where
/// `gamma` is 1 by the number of features and the variance of all their values: scikit-learn's `gamma="scale"`. The
/// features are to be of like scale, and so is the target: see
/// [`TransformedTargetRegressor::standard`](super::TransformedTargetRegressor::standard).
///
/// The optimiser is smartcore's, whose predictions are LIBSVM's to within the tolerance of both. As it gives up without
/// a word after 50,000 steps, what it found is held against the conditions of an optimum. Time and memory grow with the
/// pairs of rows.
///
/// Source: `sklearn.svm.SVR`; Smola, A., Schölkopf, B. (2004), A tutorial on support vector regression,
/// doi:10.1023/B:STCO.0000035301.49549.88; Fan, R., Chen, P., Lin, C. (2005), Working set selection using second order
/// information for training support vector machines, Journal of Machine Learning Research 6.
///
/// ```
/// use drivetrain_evaluate::regressor::{Regressor, Svr};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((40, 1), |(row, _)| row as f64 / 10.0);
/// let y: Vec<f64> = x.iter().map(|x| x.sin()).collect();
/// let fitted = Svr::new(10.0, 0.01)?.fit(x.view(), &y)?;
/// let found = fitted.predict(ndarray::array![[1.25]].view())?[0];
/// assert!((found - 1.25_f64.sin()).abs() < 0.015);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Svr {
    c: f64,
    epsilon: f64,
    tol: f64,
}

impl Svr {
    /// With a penalty of `c` on each unit by which a row is missed, beyond the `epsilon` that costs nothing.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] unless `c` is finite and above 0, and `epsilon` finite and not below.
    pub fn new(c: f64, epsilon: f64) -> Result<Self, EvaluateError> {
        positive("C", c)?;
        if !(epsilon >= 0.0 && epsilon.is_finite()) {
            let expected = "a finite number of at least 0";
            return Err(EvaluateError::InvalidParameter { name: "epsilon", value: epsilon.to_string(), expected });
        }
        Ok(Self { c, epsilon, ..Self::default() })
    }

    /// By how much the conditions of an optimum may be missed, in units of the target.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] unless it is finite and above 0.
    pub fn tol(self, tol: f64) -> Result<Self, EvaluateError> {
        positive("tol", tol)?;
        Ok(Self { tol, ..self })
    }

    /// The lowest and the highest weight that a row may have at an optimum when it is missed by `residual`.
    fn weights_of(&self, residual: f64) -> (f64, f64) {
        if residual.is_nan() {
            // Nothing will do.
            return (f64::INFINITY, f64::NEG_INFINITY);
        }
        let side = |residual: f64| {
            if residual > self.epsilon {
                self.c
            } else if residual >= -self.epsilon {
                0.0
            } else {
                -self.c
            }
        };
        (side(residual - self.tol), side(residual + self.tol))
    }
}

impl Default for Svr {
    /// scikit-learn's: `C=1.0, epsilon=0.1, tol=0.001`.
    fn default() -> Self {
        Self { c: 1.0, epsilon: 0.1, tol: 1e-3 }
    }
}

fn positive(name: &'static str, value: f64) -> Result<(), EvaluateError> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(EvaluateError::InvalidParameter { name, value: value.to_string(), expected: "a finite number above 0" })
}

/// What smartcore serialises of a fitted [`SVR`], which has no other way to them and borrows its parameters.
#[derive(Debug, Deserialize)]
struct Found {
    instances: Vec<Vec<f64>>,
    w: Vec<f64>,
    b: f64,
}

#[derive(Debug)]
struct FittedSvr {
    gamma: f64,
    support: Array2<f64>,
    weights: Vec<f64>,
    intercept: f64,
}

impl Regressor for Svr {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        Ok(Box::new(self.learn(&x, y)?))
    }
}

impl Svr {
    fn learn(&self, x: &ArrayView2<'_, f64>, y: &[f64]) -> Result<FittedSvr, EvaluateError> {
        check(x, y)?;
        EvaluateError::at_least("the number of features", x.ncols(), 1, "a number of at least 1")?;
        let gamma = scale(x);
        let failed = |problem: String| EvaluateError::SupportVectors { n_rows: y.len(), problem };
        let parameters = SVRParameters::default().with_c(self.c).with_eps(self.epsilon).with_tol(self.tol);
        let parameters = parameters.with_kernel(Kernels::rbf().with_gamma(gamma));
        let matrix = DenseMatrix::from_iterator(x.iter().copied(), x.nrows(), x.ncols(), 0);
        let targets = y.to_vec();
        let found = SVR::fit(&matrix, &targets, &parameters).map_err(|error| failed(error.to_string()))?;
        let found = serde_json::to_value(found).and_then(serde_json::from_value);
        let Found { instances, w, b } = found.map_err(|error| failed(error.to_string()))?;
        let support = Array2::from_shape_fn((instances.len(), x.ncols()), |(row, column)| instances[row][column]);
        let fitted = FittedSvr { gamma, support, weights: w, intercept: b };
        if fitted.is_optimal(self, x, y) {
            return Ok(fitted);
        }
        let problem = "the optimiser ended, after 50000 steps at the latest, where more of them are missed than";
        Err(failed(format!("{problem} tol = {:?} allows", self.tol)))
    }
}

/// scikit-learn's `gamma="scale"`.
fn scale(x: &ArrayView2<'_, f64>) -> f64 {
    let variance = x.var(0.0);
    if variance == 0.0 { 1.0 } else { 1.0 / (x.ncols() as f64 * variance) }
}

impl FittedSvr {
    fn of(&self, row: &ArrayView1<'_, f64>) -> f64 {
        let terms = self.support.rows().into_iter().zip(&self.weights).map(|(support, weight)| {
            let squared: f64 = support.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum();
            weight * (-self.gamma * squared).exp()
        });
        self.intercept + terms.sum::<f64>()
    }

    /// Whether the conditions of Karush, Kuhn and Tucker hold: the weights add up to nothing, and each is such as the
    /// side on which its row is missed asks for.
    ///
    /// Whose of several rows with the same features a weight is cannot be told: what they ask for is added up.
    fn is_optimal(&self, of: &Svr, x: &ArrayView2<'_, f64>, y: &[f64]) -> bool {
        let bits = |row: ArrayView1<'_, f64>| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let mut groups: HashMap<Vec<u64>, (f64, f64)> = HashMap::new();
        for (row, &target) in x.rows().into_iter().zip(y) {
            let (low, high) = of.weights_of(target - self.of(&row));
            let group = groups.entry(bits(row)).or_default();
            *group = (group.0 + low, group.1 + high);
        }
        for (row, weight) in self.support.rows().into_iter().zip(&self.weights) {
            let group = groups.entry(bits(row)).or_default();
            *group = (group.0 - weight, group.1 - weight);
        }
        // Weights are sums of many steps.
        let rounding = 1e-9 * of.c * y.len() as f64;
        groups.values().all(|(low, high)| *low <= rounding && *high >= -rounding)
            && self.weights.iter().sum::<f64>().abs() <= rounding
    }
}

impl FittedRegressor for FittedSvr {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        let (expected, found) = (self.support.ncols(), x.ncols());
        if expected != found {
            return Err(EvaluateError::FeatureCount { expected, found });
        }
        check_features(&x)?;
        Ok(x.rows().into_iter().map(|row| self.of(&row)).collect())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_learned_from_says_why() {
        let new = |c, epsilon| Svr::new(c, epsilon).unwrap_err().to_string();
        assert_eq!(new(0.0, 0.1), "C is 0: expected a finite number above 0");
        assert_eq!(new(f64::NAN, 0.1), "C is NaN: expected a finite number above 0");
        assert_eq!(new(1.0, -0.1), "epsilon is -0.1: expected a finite number of at least 0");
        assert_eq!(Svr::default().tol(0.0).unwrap_err().to_string(), "tol is 0: expected a finite number above 0");
        let message = |x: Array2<f64>, y: &[f64]| Svr::default().fit(x.view(), y).unwrap_err().to_string();
        assert_eq!(message(array![[1.0], [2.0]], &[1.0]), "the table has 2 rows but y has 1 values");
        assert_eq!(message(array![[f64::INFINITY]], &[1.0]), "row 0, feature `0` is inf: expected a finite number");
        assert_eq!(message(array![[1.0]], &[f64::NAN]), "y[0] is NaN: expected a finite number");
        assert!(message(Array2::zeros((0, 1)), &[]).starts_with("the number of rows is 0"));
        assert!(message(Array2::zeros((2, 0)), &[1.0, 2.0]).starts_with("the number of features is 0"));
        // Their variance is too large a number.
        let vast = message(array![[-1e300], [1e300], [0.0]], &[1.0, 2.0, 9.0]);
        assert!(vast.starts_with("no support vectors were found among 3 rows: "), "{vast}");
        let fitted = Svr::default().fit(array![[1.0], [2.0]].view(), &[1.0, 2.0]).unwrap();
        assert!(fitted.predict(array![[1.0, 2.0]].view()).is_err());
        assert!(fitted.predict(array![[f64::NAN]].view()).is_err());
    }

    #[test]
    fn one_row_and_one_value_are_predicted_as_they_are() {
        for (x, y) in [(array![[3.0]], vec![7.0]), (array![[1.0], [2.0], [2.0]], vec![-4.0; 3])] {
            let found = Svr::default().fit(x.view(), &y).unwrap().predict(array![[9.0]].view()).unwrap();
            assert_eq!(found, [y[0]]);
        }
        // Features without variance: all that is left is a number between the targets.
        let found = Svr::default().fit(array![[5.0], [5.0], [5.0]].view(), &[1.0, 2.0, 9.0]).unwrap();
        let found = found.predict(array![[5.0]].view()).unwrap()[0];
        assert!((found - 2.0).abs() <= 0.101, "{found}");
    }

    #[test]
    fn an_optimiser_that_gives_up_is_noticed() {
        let x = Array2::from_shape_fn((30, 2), |(row, column)| ((row * (column + 7) * 31) % 17) as f64);
        let y: Vec<f64> = (0..30).map(|row| f64::from((row * 11) % 7)).collect();
        let error = Svr::new(100.0, 0.01).unwrap().tol(1e-300).unwrap().fit(x.view(), &y).unwrap_err().to_string();
        assert!(error.ends_with("missed than tol = 1e-300 allows"), "{error}");
    }

    /// What a support vector regression minimises, of the rows' weights.
    fn objective(of: &Svr, kernel: &Array2<f64>, y: &[f64], weights: &Array1<f64>, intercept: f64) -> f64 {
        let values = kernel.dot(weights);
        let missed = values.iter().zip(y).map(|(value, y)| ((y - value - intercept).abs() - of.epsilon).max(0.0));
        0.5 * weights.dot(&values) + of.c * missed.sum::<f64>()
    }

    prop_compose! {
        fn rows()(n in 2_usize..25)(
            x in prop::collection::vec(-2.0_f64..2.0, 2 * n), y in prop::collection::vec(-3.0_f64..3.0, n),
            // Some rows twice, with targets of their own.
            twice in prop::bool::ANY,
        ) -> (Array2<f64>, Vec<f64>) {
            let n = y.len();
            let x = Array2::from_shape_fn((n, 2), |(row, column)| x[2 * (if twice { row / 2 } else { row }) + column]);
            (x, y)
        }
    }

    proptest! {
        #[test]
        fn no_other_weights_are_better(
            (x, y) in rows(), c in 0.1_f64..50.0, epsilon in 0.0_f64..1.0,
            direction in prop::collection::vec(-1.0_f64..1.0, 26),
        ) {
            let svr = Svr::new(c, epsilon).unwrap().tol(1e-6).unwrap();
            let fitted = svr.learn(&x.view(), &y).unwrap();
            let gamma = fitted.gamma;
            // Each support vector's weight is put on one of the rows that have its features.
            let mut weights = Array1::zeros(y.len());
            for (support, weight) in fitted.support.rows().into_iter().zip(&fitted.weights) {
                weights[x.rows().into_iter().position(|row| row == support).unwrap()] += weight;
            }
            let kernel = Array2::from_shape_fn((y.len(), y.len()), |(a, b)| {
                let difference = &x.row(a) - &x.row(b);
                (-gamma * difference.dot(&difference)).exp()
            });
            let best = objective(&svr, &kernel, &y, &weights, fitted.intercept);
            for step in [1e-4, 1e-2, 1.0, 10.0] {
                let moved = &weights + step * &Array1::from_iter(direction.iter().copied().take(y.len()));
                let other = objective(&svr, &kernel, &y, &moved, fitted.intercept + step * direction[25]);
                prop_assert!(other >= best - 1e-5 * c * y.len() as f64, "{other} {best}");
            }

            let mut wrong = fitted;
            wrong.intercept += 1e3;
            prop_assert!(!wrong.is_optimal(&svr, &x.view(), &y));
        }

        #[test]
        fn the_order_of_the_rows_does_not_matter((x, y) in rows(), seed: u64) {
            let mut order: Vec<usize> = (0..y.len()).collect();
            order.sort_by_key(|row| (*row as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
            let svr = Svr::new(10.0, 0.1).unwrap().tol(1e-8).unwrap();
            let one = svr.fit(x.view(), &y).unwrap().predict(x.view()).unwrap();
            let sorted: Vec<f64> = order.iter().map(|row| y[*row]).collect();
            let other = svr.fit(x.select(ndarray::Axis(0), &order).view(), &sorted).unwrap().predict(x.view()).unwrap();
            for (one, other) in one.iter().zip(&other) {
                prop_assert!((one - other).abs() < 1e-3, "{one} {other}");
            }
        }

        #[test]
        fn whatever_the_numbers_there_is_an_end_and_no_panic(
            x in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 12),
            y in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 6),
        ) {
            let x = Array2::from_shape_fn((6, 2), |(row, column)| x[2 * row + column]);
            if let Ok(fitted) = Svr::default().fit(x.view(), &y) {
                prop_assert!(fitted.predict(x.view()).unwrap().iter().all(|value| value.is_finite()));
            }
        }
    }
}
