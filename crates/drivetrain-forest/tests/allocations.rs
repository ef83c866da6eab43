//! What a server does for each row takes no memory.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use allocation_counter::measure;
use drivetrain_forest::ndarray::{Array2, ArrayView2};
use drivetrain_forest::{Forest, RandomForestRegressor};

/// Forests of numbers, of numbers some of which are missing, and of categories; and rows for them.
fn forests() -> [(&'static str, Forest, Array2<f64>); 3] {
    let regressor =
        |builder: drivetrain_forest::RandomForestRegressorBuilder| builder.n_estimators(21).build().unwrap();
    let y: Vec<f64> = (0..120).map(|row| f64::from(row * row % 37)).collect();
    let numbers = Array2::from_shape_fn((120, 3), |(row, column)| (row * (column + 3) % 19) as f64);
    let mut missing = numbers.clone();
    missing.iter_mut().step_by(5).for_each(|value| *value = f64::NAN);
    let plain = regressor(RandomForestRegressor::builder());
    let sets = regressor(RandomForestRegressor::builder().categorical_features(vec![0, 2]));
    [
        ("numbers", plain.fit(numbers.view(), &y).unwrap(), numbers.clone()),
        ("missing values", plain.fit(missing.view(), &y).unwrap(), missing),
        ("categories", sets.fit(numbers.view(), &y).unwrap(), numbers),
    ]
}

#[test]
fn one_row_is_predicted_without_allocating() {
    for (name, forest, rows) in forests() {
        let mut sum = 0.0;
        let counted = measure(|| {
            for row in rows.outer_iter() {
                sum += forest.predict_row(row.as_slice().unwrap()).unwrap();
            }
        });
        assert!(sum > 0.0);
        assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{name}");
    }
}

#[test]
fn a_batch_of_one_row_allocates_its_answer_and_nothing_else() {
    for (name, forest, rows) in forests() {
        let row = rows.row(7).to_vec();
        let view = ArrayView2::from_shape((1, 3), &row).unwrap();
        let counted = measure(|| {
            assert_eq!(forest.predict(view).unwrap().len(), 1);
        });
        assert_eq!((counted.count_total, counted.bytes_total), (1, 8), "{name}");
    }
}

#[test]
fn a_row_that_is_refused_takes_no_memory_either() {
    for (name, forest, _) in forests() {
        let counted = measure(|| {
            assert!(forest.predict_row(&[1.0, f64::INFINITY, 2.0]).is_err());
            assert!(forest.predict_row(&[1.0]).is_err());
        });
        assert_eq!(counted.count_total, 0, "{name}");
    }
}
