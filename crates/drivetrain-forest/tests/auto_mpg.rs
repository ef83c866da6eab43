//! The forest on real data: as accurate as scikit-learn's on the Auto MPG table.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_forest::model_selection::{Fold, cross_validate};
use drivetrain_forest::ndarray::{Array2, Axis};
use drivetrain_forest::{ForestError, RandomForestRegressor};

/// Rows of cylinders, displacement, horsepower (NaN where missing), weight, acceleration, year and
/// three indicators of origin; and the targets.
fn auto_mpg() -> (Array2<f64>, Vec<f64>) {
    let mut values = Vec::new();
    let mut y = Vec::new();
    for line in include_str!("../../../data/auto-mpg.data").lines() {
        let (numbers, _name) = line.split_once('\t').unwrap();
        let fields: Vec<f64> = numbers.split_whitespace().map(|field| field.parse().unwrap_or(f64::NAN)).collect();
        let [mpg, .., origin] = fields[..] else { panic!("an empty line") };
        y.push(mpg);
        values.extend_from_slice(&fields[1..7]);
        values.extend([1.0, 2.0, 3.0].map(|category| f64::from(u8::from(origin == category))));
    }
    (Array2::from_shape_vec((y.len(), 9), values).unwrap(), y)
}

/// The table with missing values replaced by the mean of the fold's training rows.
fn impute(x: &Array2<f64>, fold: &Fold) -> Array2<f64> {
    let mut x = x.clone();
    for column in 0..x.ncols() {
        let known = fold.train.iter().map(|&row| x[[row, column]]);
        let known: Vec<f64> = known.filter(|value| !value.is_nan()).collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        for value in x.column_mut(column).iter_mut().filter(|value| value.is_nan()) {
            *value = mean;
        }
    }
    x
}

/// The folds of scikit-learn's `RepeatedKFold(n_splits=10, n_repeats=5, random_state=42)`: a line per
/// repeat, holding for each row the digit of the fold that tests it.
fn folds() -> impl Iterator<Item = Fold> {
    include_str!("auto_mpg_folds.txt").lines().flat_map(|repeat| {
        (b'0'..=b'9').map(move |digit| {
            let (test, train) = (0..repeat.len()).partition(|&row| repeat.as_bytes()[row] == digit);
            Fold { train, test }
        })
    })
}

#[test]
fn cross_validation_on_the_folds_of_scikit_learn_matches_it() {
    let (x, y) = auto_mpg();
    assert_eq!(x.dim(), (398, 9));
    assert_eq!(x.iter().filter(|value| value.is_nan()).count(), 6);
    let regressor = RandomForestRegressor::default();
    let scores = cross_validate(folds(), &y, |fold| {
        let x = impute(&x, fold);
        let y_train: Vec<f64> = fold.train.iter().map(|&row| y[row]).collect();
        let forest = regressor.fit(x.select(Axis(0), &fold.train).view(), &y_train)?;
        forest.predict(x.select(Axis(0), &fold.test).view())
    })
    .map_err(|error: ForestError| error.to_string())
    .unwrap();
    assert_eq!(scores.len(), 50);

    // scikit-learn 1.9.1, same rows, imputation and parameters, random_state 0 to 7: RMSE 2.65 to
    // 2.69 (mean 2.677), MAE 1.865 to 1.88, R2 0.875 to 0.878.
    let mean = |metric: fn(&RegressionMetrics) -> f64| scores.iter().map(metric).sum::<f64>() / 50.0;
    let (rmse, mae, r2) = (mean(|s| s.rmse), mean(|s| s.mae), mean(|s| s.r2));
    assert!((rmse - 2.677).abs() < 0.03, "rmse {rmse}");
    assert!((rmse - 2.64).abs() < 0.05, "rmse {rmse}");
    assert!((mae - 1.87).abs() < 0.03, "mae {mae}");
    assert!((r2 - 0.877).abs() < 0.005, "r2 {r2}");
}
