//! The laws of estimators, as far as they concern a model, through the public API.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};

use drivetrain_forest::ndarray::{Array2, ArrayView2, Axis};
use drivetrain_forest::{
    FitOptions, Forest, ForestError, MaxFeatures, RandomForestRegressor, RegressionCriterion, Samples,
};
use proptest::prelude::*;

fn regressor(n_estimators: usize) -> RandomForestRegressor {
    let builder = RandomForestRegressor::builder();
    builder.n_estimators(n_estimators).random_state(3).build().unwrap()
}

/// Mixed columns: continuous, gridded, constant; a target that depends on the first two.
fn table(n_rows: usize) -> (Array2<f64>, Vec<f64>) {
    let x = Array2::from_shape_fn((n_rows, 4), |(i, j)| match j {
        0 => (i as f64 * 0.7).sin(),
        1 => (i % 5) as f64,
        2 => 1.5,
        _ => (i * 31 % 17) as f64,
    });
    let y = x.rows().into_iter().map(|row| 10.0 * row[0] + row[1]).collect();
    (x, y)
}

fn first(x: &Array2<f64>, axis: Axis, n: usize) -> ArrayView2<'_, f64> {
    x.view().split_at(axis, n).0
}

fn bytes(forest: &Forest) -> Vec<u8> {
    rmp_serde::to_vec_named(forest).unwrap()
}

fn on_threads<R: Send>(n: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Trees of more than 4,096 nodes are walked in another form than small ones.
#[test]
fn many_rows_are_predicted_as_each_alone_by_large_trees_too() {
    // Of float32; no two apart by more than a few bits of float64; both of many sizes.
    let close = |i: usize| 1.0 + (i * 7919 % 6007) as f64 * f64::EPSILON;
    let x = Array2::from_shape_fn((6007, 3), |(i, j)| match j {
        0 => close(i),
        1 => f64::from((i as f32 * 0.37).sin()),
        _ => (i * 31 % 17) as f64 - 8.0,
    });
    let y: Vec<f64> = (0..x.nrows()).map(|i| (i * 101 % 997) as f64).collect();
    for columns in [0..3, 1..3, 0..1] {
        let x = x.slice_axis(Axis(1), columns.clone().into());
        let forest = regressor(3).fit(x, &y).unwrap();
        assert!(forest.n_nodes() > 3 * 4096, "{} nodes", forest.n_nodes());
        for factor in [1.0, -1.0, 3.0] {
            let x = x.mapv(|value| value * factor);
            let alone: Vec<f64> = x.rows().into_iter().map(|row| forest.predict_row(&row.to_vec()).unwrap()).collect();
            for threads in [1, 2, 3] {
                let found = on_threads(threads, || forest.predict(x.view()).unwrap());
                assert_eq!(bits(&found), bits(&alone), "columns {columns:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let (x, y) = table(120);
    for max_features in ["all", "sqrt"] {
        let regressor = RandomForestRegressor::builder()
            .n_estimators(30)
            .max_features(max_features.parse().unwrap())
            .build()
            .unwrap();
        let fit = || bytes(&regressor.fit(x.view(), &y).unwrap());
        let once = on_threads(1, fit);
        assert_eq!(once, on_threads(1, fit));
        for threads in [2, 3, 8] {
            assert_eq!(once, on_threads(threads, fit), "{max_features}, {threads} threads");
        }
    }
}

#[test]
fn another_seed_gives_another_forest_and_more_trees_keep_the_first() {
    let (x, y) = table(60);
    let fit = |n, seed| {
        let builder = RandomForestRegressor::builder().n_estimators(n).random_state(seed);
        builder.build().unwrap().fit(x.view(), &y).unwrap()
    };
    assert_ne!(fit(5, 1), fit(5, 2));
    let (five, six) = (serde_json::to_value(fit(5, 1)).unwrap(), serde_json::to_value(fit(6, 1)).unwrap());
    let start = |value: &serde_json::Value| value["value"].as_array().unwrap().clone();
    assert_eq!(start(&six)[..start(&five).len()], start(&five)[..]);
}

#[test]
fn each_row_alone_any_chunks_and_any_threads_give_the_same_bits() {
    let (x, y) = table(3000);
    let forest = regressor(12).fit(first(&x, Axis(0), 200), &y[..200]).unwrap();
    let all = forest.predict(x.view()).unwrap();
    assert_eq!(all.len(), 3000);
    for threads in [1, 3] {
        assert_eq!(bits(&on_threads(threads, || forest.predict(x.view()).unwrap())), bits(&all));
    }
    for size in [1, 7, 64, 1000] {
        let chunks = x.axis_chunks_iter(Axis(0), size);
        let parts: Vec<f64> = chunks.flat_map(|rows| forest.predict(rows).unwrap()).collect();
        assert_eq!(bits(&parts), bits(&all), "chunks of {size}");
    }
    let rows = x.rows().into_iter();
    let alone: Vec<f64> = rows.map(|row| forest.predict_row(row.as_slice().unwrap()).unwrap()).collect();
    assert_eq!(bits(&alone), bits(&all));

    let column_major = x.t().as_standard_layout().into_owned();
    assert_eq!(bits(&forest.predict(column_major.t()).unwrap()), bits(&all));
    assert_eq!(forest.predict(first(&x, Axis(0), 0)).unwrap(), Vec::<f64>::new());
}

#[test]
fn fitting_does_not_depend_on_the_memory_layout() {
    let (x, y) = table(50);
    let column_major = x.t().as_standard_layout().into_owned();
    let forest = regressor(4).fit(x.view(), &y).unwrap();
    assert_eq!(regressor(4).fit(column_major.t(), &y).unwrap(), forest);
}

#[test]
fn saving_and_loading_keeps_every_bit() {
    let (x, y) = table(80);
    let forest = regressor(10).fit(x.view(), &y).unwrap();
    let predictions = bits(&forest.predict(x.view()).unwrap());
    let packed: Forest = rmp_serde::from_slice(&bytes(&forest)).unwrap();
    let json: Forest = serde_json::from_str(&serde_json::to_string(&forest).unwrap()).unwrap();
    for loaded in [packed, json] {
        assert_eq!(loaded, forest);
        assert_eq!(bytes(&loaded), bytes(&forest));
        assert_eq!(bits(&loaded.predict(x.view()).unwrap()), predictions);
        assert_eq!(loaded.feature_importances(), forest.feature_importances());
    }
}

#[test]
fn a_wrong_width_names_both_numbers() {
    let (x, y) = table(20);
    let forest = regressor(2).fit(x.view(), &y).unwrap();
    let message = "x has 3 columns but the forest was fitted on 4";
    assert_eq!(forest.predict(first(&x, Axis(1), 3)).unwrap_err().to_string(), message);
    assert_eq!(forest.predict_row(&[1.0; 3]).unwrap_err().to_string(), message);
    assert!(forest.predict_row(&[1.0; 5]).is_err());
    assert!(forest.predict(Array2::zeros((3, 0)).view()).is_err());
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    let fit = |shape, y: &[f64]| regressor(2).fit(Array2::zeros(shape).view(), y).unwrap_err();
    assert_eq!(fit((0, 3), &[]), ForestError::EmptyTrainingSet { n_rows: 0, n_columns: 3 });
    assert_eq!(fit((2, 0), &[1.0, 2.0]), ForestError::EmptyTrainingSet { n_rows: 2, n_columns: 0 });
    assert_eq!(fit((2, 1), &[1.0]).to_string(), "x has 2 rows but y has 1 values");
    assert_eq!(fit((2, 1), &[1.0; 3]).to_string(), "x has 2 rows but y has 3 values");
}

#[test]
fn one_row_and_one_column_work() {
    let row = Array2::from_elem((1, 3), 4.0);
    let forest = regressor(5).fit(row.view(), &[7.5]).unwrap();
    assert_eq!(forest.predict(row.view()).unwrap(), [7.5]);
    assert_eq!(forest.feature_importances(), [0.0; 3]);
    assert_eq!(forest.n_nodes(), 5);

    let column = Array2::from_shape_fn((40, 1), |(i, _)| i as f64);
    let y: Vec<f64> = (0..40).map(f64::from).collect();
    let forest = regressor(20).fit(column.view(), &y).unwrap();
    assert_eq!(forest.feature_importances(), [1.0]);
    assert!(forest.predict_row(&[3.0]).unwrap() < forest.predict_row(&[30.0]).unwrap());
}

#[test]
fn values_that_are_not_finite_are_refused_by_row_and_column() {
    let (x, y) = table(20);
    let forest = regressor(2).fit(x.view(), &y).unwrap();
    for (value, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut spoilt = x.clone();
        spoilt[[7, 2]] = value;
        let message = format!("x[7, 2] is {text}: expected a finite number");
        let fitted = regressor(2).fit(spoilt.view(), &y);
        let row = spoilt.row(7).to_vec();
        if value.is_nan() {
            // A missing value is one to learn from. Column 2 is otherwise constant, so of the forest that never
            // saw one missing no tree asks about it.
            assert!(fitted.is_ok());
            assert_eq!(forest.predict(spoilt.view()).unwrap(), forest.predict(x.view()).unwrap());
        } else {
            assert_eq!(fitted.unwrap_err().to_string(), message);
            assert_eq!(forest.predict(spoilt.view()).unwrap_err().to_string(), message);
            let alone = forest.predict_row(&row).unwrap_err().to_string();
            assert_eq!(alone, format!("x[0, 2] is {text}: expected a finite number"));
        }

        let mut spoilt = y.clone();
        spoilt[4] = value;
        let message = regressor(2).fit(x.view(), &spoilt).unwrap_err().to_string();
        assert!(message.starts_with(&format!("y[4] is {text}: expected a finite")), "{message}");
    }
    let mut huge = y;
    huge[3] = -1e301;
    let message = regressor(2).fit(x.view(), &huge).unwrap_err().to_string();
    assert!(message.starts_with("y[3] is -1"), "{message}");
}

#[test]
fn some_features_without_bootstrap_give_trees_that_differ() {
    let (x, y) = table(20);
    let build = |max_features| {
        let builder = RandomForestRegressor::builder().n_estimators(2).bootstrap(false);
        builder.max_features(max_features).build().unwrap()
    };
    let forest = build(MaxFeatures::Sqrt).fit(x.view(), &y).unwrap();
    assert_eq!(forest.predict(x.view()).unwrap(), y);
    let json = serde_json::to_value(&forest).unwrap();
    let n_first = usize::try_from(json["n_nodes"][0].as_u64().unwrap()).unwrap();
    let features = json["feature"].as_array().unwrap();
    assert_ne!(features[..n_first], features[n_first..]);
    assert!(build(MaxFeatures::count(9).unwrap()).fit(x.view(), &y).is_ok());
}

#[cfg(feature = "smartcore")]
#[test]
fn smartcore_refuses_some_features_without_bootstrap_with_both_numbers() {
    use drivetrain_forest::Engine;

    let (x, y) = table(20);
    let builder = RandomForestRegressor::builder().bootstrap(false).max_features(MaxFeatures::Sqrt);
    let options = FitOptions::new().engine(Engine::Smartcore);
    let error = builder.build().unwrap().fit_with(x.view(), &y, options).unwrap_err();
    assert_eq!(error, ForestError::FeatureSubsetWithoutBootstrap { n_candidates: 2, n_features: 4 });
}

#[test]
fn a_fit_that_is_stopped_keeps_the_first_trees() {
    let (x, y) = table(60);
    let stopped = |threads: usize, after: usize| {
        let done = AtomicUsize::new(0);
        let progress = |n, _| done.store(n, Ordering::Relaxed);
        let stop = || done.load(Ordering::Relaxed) >= after;
        let options = FitOptions::new().progress(&progress).stop(&stop);
        on_threads(threads, || regressor(10_000).fit_with(x.view(), &y, options))
    };
    for threads in [1, 2, 8] {
        let forest = stopped(threads, 5).unwrap();
        // What the other threads had begun by then is grown.
        assert!((5..10_000).contains(&forest.n_trees()), "{} trees", forest.n_trees());
        assert_eq!(bytes(&forest), bytes(&regressor(forest.n_trees()).fit(x.view(), &y).unwrap()));
        assert_eq!(stopped(threads, 0), Err(ForestError::Cancelled { n_grown: 0, n_trees: 10_000 }));
    }
    assert_eq!(stopped(1, 5).unwrap().n_trees(), 5);
}

#[test]
fn weights_that_cannot_be_are_refused() {
    let (x, y) = table(4);
    let message = |weights: &[f64]| {
        let options = FitOptions::new().sample_weight(weights);
        regressor(2).fit_with(x.view(), &y, options).unwrap_err().to_string()
    };
    assert_eq!(message(&[1.0; 3]), "x has 4 rows but sample_weight has 3 values");
    assert_eq!(message(&[1.0, 1.0, -0.5, 1.0]), "sample_weight[2] is -0.5: expected a finite number of at least 0");
    assert_eq!(message(&[1.0, f64::NAN, 1.0, 1.0]), "sample_weight[1] is NaN: expected a finite number of at least 0");
    assert_eq!(message(&[0.0; 4]), "all 4 values of sample_weight are 0");
}

#[test]
fn a_row_of_weight_zero_is_as_good_as_absent() {
    let (x, y) = table(60);
    let weights: Vec<f64> = (0..60).map(|row| if row < 40 { 1.0 } else { 0.0 }).collect();
    let regressor = RandomForestRegressor::builder().n_estimators(1).bootstrap(false).build().unwrap();
    let weighted = regressor.fit_with(x.view(), &y, FitOptions::new().sample_weight(&weights)).unwrap();
    let absent = regressor.fit(first(&x, Axis(0), 40), &y[..40]).unwrap();
    assert_eq!(weighted, absent);
    // Huge and tiny weights change nothing but the unit.
    for factor in [2.0_f64.powi(1000), 2.0_f64.powi(-1000)] {
        let weights: Vec<f64> = weights.iter().map(|weight| weight * factor).collect();
        let scaled = regressor.fit_with(x.view(), &y, FitOptions::new().sample_weight(&weights)).unwrap();
        assert_eq!(scaled, absent);
    }
}

#[test]
fn unseen_rows_are_predicted_by_the_trees_that_left_them_out() {
    let (x, y) = table(80);
    let forest = regressor(1).fit(x.view(), &y).unwrap();
    let unseen = regressor(1).out_of_bag(&forest, x.view(), FitOptions::new()).unwrap();
    let own = forest.predict(x.view()).unwrap();
    let n_unseen = unseen.iter().zip(&own).filter(|(unseen, own)| unseen == own).count();
    assert_eq!(unseen.iter().filter(|value| value.is_nan()).count(), 80 - n_unseen);
    // 1/e of the rows, with five standard deviations to spare.
    assert!(n_unseen.abs_diff(29) <= 20, "{n_unseen}");

    let other = regressor(2).out_of_bag(&forest, x.view(), FitOptions::new()).unwrap_err();
    assert_eq!(other.to_string(), "n_estimators is 2: expected the number of trees of the forest");
}

#[test]
fn fewer_draws_make_smaller_trees() {
    let (x, y) = table(200);
    let nodes = |samples: Samples| {
        let builder = RandomForestRegressor::builder().n_estimators(5).max_samples(samples);
        builder.build().unwrap().fit(x.view(), &y).unwrap().n_nodes()
    };
    assert!(nodes(Samples::Fraction(0.1)) < nodes(Samples::Fraction(0.5)));
    assert_eq!(nodes(Samples::Count(1)), 5);
    assert_eq!(nodes(Samples::Count(20)), nodes(Samples::Fraction(0.1)));
}

#[test]
fn every_public_type_is_a_value() {
    fn value<T: Send + Sync + Debug + Clone + PartialEq>() {}
    use drivetrain_forest::*;
    value::<Forest>();
    value::<DecisionPaths>();
    value::<NodeStatistics>();
    value::<QuantileForest<'_>>();
    value::<inspection::PermutationImportance>();
    value::<PackedForest>();
    value::<ReadableForest>();
    value::<ForestError>();
    value::<FeatureFraction>();
    value::<MaxFeatures>();
    value::<RandomForestRegressor>();
    value::<RandomForestRegressorBuilder>();
    value::<Samples>();
    value::<Engine>();
    value::<Tree<'_>>();
    value::<TreeFormat<'_>>();
    value::<NodeView>();
    value::<metrics::RegressionMetrics>();
}

#[test]
fn progress_is_told_once_per_tree() {
    let (x, y) = table(30);
    let told = std::sync::Mutex::new(Vec::new());
    let forest =
        regressor(9).fit_with_progress(x.view(), &y, &|done, total| told.lock().unwrap().push((done, total))).unwrap();
    let mut told = told.into_inner().unwrap();
    told.sort_unstable();
    assert_eq!(told, (1..=9).map(|done| (done, 9)).collect::<Vec<_>>());
    assert_eq!(forest, regressor(9).fit(x.view(), &y).unwrap());
}

/// Numbers that lie as close to each other as numbers can, and as far apart.
fn close_or_far() -> impl Strategy<Value = f64> {
    let near = (prop::sample::select(vec![0.0, 1.0, -1.0, 1e9, -3e-308]), 0_u8..4)
        .prop_map(|(start, steps)| (0..steps).fold(start, |value: f64, _| value.next_up()));
    prop_oneof![near, prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO]
}

fn own_predictions(x: &Array2<f64>, y: &[f64]) -> Vec<f64> {
    regressor(5).fit(x.view(), y).unwrap().predict(x.view()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn predictions_stay_within_the_targets(
        cells in prop::collection::vec((-1e3_f64..1e3, 0_u8..4, -1e6_f64..1e6), 1..40)
    ) {
        let x = Array2::from_shape_fn((cells.len(), 2), |(i, j)| {
            if j == 0 { cells[i].0 } else { f64::from(cells[i].1) }
        });
        let y: Vec<f64> = cells.iter().map(|cell| cell.2).collect();
        let (low, high) = y.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        let slack = 1e-9 * (high - low).max(high.abs());
        for prediction in own_predictions(&x, &y) {
            prop_assert!((low - slack..=high + slack).contains(&prediction));
        }
    }

    /// Many rows at once are compared otherwise than one row alone.
    #[test]
    fn many_rows_go_where_each_goes_alone(
        thresholds in prop::collection::vec((0_u32..2, close_or_far()), 1..8),
        cells in prop::collection::vec(prop::array::uniform2(close_or_far()), 40),
    ) {
        // A tree that splits its left child again and again, and a stump.
        let (mut feature, mut value) = (Vec::new(), Vec::new());
        for (index, &(column, threshold)) in thresholds.iter().enumerate() {
            feature.extend(if index == 0 { vec![Some(column)] } else { vec![Some(column), None] });
            value.extend(if index == 0 { vec![threshold] } else { vec![threshold, index as f64] });
        }
        feature.extend([None, None, Some(1), None, None]);
        value.extend([-1.0, -2.0, thresholds[0].1, 0.25, 0.5]);
        let stored = serde_json::json!({
            "n_features": 2, "n_nodes": [2 * thresholds.len() + 1, 3], "feature": feature, "value": value,
            "feature_importances": [0.5, 0.5],
        });
        let forest: Forest = serde_json::from_value(stored).unwrap();
        let mut x = Array2::from_shape_fn((40, 2), |(row, column)| cells[row][column]);
        for (row, &(column, threshold)) in thresholds.iter().enumerate() {
            x[[3 * row, column as usize]] = threshold;
        }
        let alone: Vec<f64> =
            x.rows().into_iter().map(|row| forest.predict_row(row.as_slice().unwrap()).unwrap()).collect();
        prop_assert_eq!(forest.predict(x.view()).unwrap(), alone);
        let packed: Forest = rmp_serde::from_slice(&bytes(&forest)).unwrap();
        prop_assert_eq!(packed, forest);
    }

    #[test]
    fn targets_of_any_size_give_the_same_trees(exponent in -900_i32..900) {
        let (x, y) = table(40);
        let factor = 2.0_f64.powi(exponent);
        let scaled: Vec<f64> = y.iter().map(|value| value * factor).collect();
        let expected: Vec<f64> = own_predictions(&x, &y).iter().map(|p| p * factor).collect();
        prop_assert_eq!(own_predictions(&x, &scaled), expected);
    }
}

/// A zero has a sign, which no other row may have a say in.
#[test]
fn a_missing_value_elsewhere_changes_no_bit() {
    let x = Array2::from_shape_fn((30, 1), |(row, _)| if row == 7 { f64::NAN } else { row as f64 });
    let regressor = RandomForestRegressor::builder().criterion(RegressionCriterion::AbsoluteError).build().unwrap();
    let forest = regressor.fit(x.view(), &[-0.0; 30]).unwrap();
    for (row, prediction) in x.outer_iter().zip(forest.predict(x.view()).unwrap()) {
        assert_eq!(forest.predict_row(&row.to_vec()).unwrap().to_bits(), prediction.to_bits(), "{row}");
    }
}
