//! Trees of shapes that nobody expects: far too deep, far too flat. Nothing may recur as deep as they are.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::ndarray::Array2;
use drivetrain_forest::{
    DecisionTreeRegressor, ExtraTreesRegressor, FitOptions, Forest, RandomForestRegressor, ThreadPoolBuilder,
    TreeFormat,
};
use serde_json::json;

/// The stack of a thread that walks, stores, draws and drops: a frame for each of some thousand levels would not fit.
const SMALL_STACK: usize = 192 << 10;

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(SMALL_STACK).spawn(work).unwrap().join().unwrap();
}

/// Everything that can be done with a forest of one deep tree.
fn use_up(forest: Forest, rows: &Array2<f64>) {
    let predictions = forest.predict(rows.view()).unwrap();
    for (row, prediction) in rows.outer_iter().zip(&predictions) {
        assert_eq!(forest.predict_row(row.as_slice().unwrap()).unwrap().to_bits(), prediction.to_bits());
    }
    let leaves = forest.apply(rows.view()).unwrap();
    let paths = forest.decision_path(rows.view()).unwrap();
    for row in 0..rows.nrows() {
        assert_eq!(paths.path(row, 0).unwrap().last(), Some(&leaves[[row, 0]]));
    }
    let statistics = forest.node_statistics(0, rows.view(), &predictions, None).unwrap();
    let bytes = rmp_serde::to_vec_named(&forest).unwrap();
    assert_eq!(rmp_serde::from_slice::<Forest>(&bytes).unwrap(), forest);
    let merged = Forest::merge([forest.clone(), forest.clone()]).unwrap();
    assert_eq!(merged.predict(rows.view()).unwrap(), predictions);
    let tree = forest.tree(0).unwrap();
    let graph = tree.export_graphviz(TreeFormat::new().max_depth(None)).unwrap();
    assert_eq!(graph.matches(" -> ").count(), tree.n_nodes() - 1);
    assert!(tree.export_text(TreeFormat::new()).unwrap().contains("truncated branch of depth"));
    assert!(tree.export_svg(TreeFormat::new().statistics(&statistics)).unwrap().contains("levels more"));
    drop(merged);
    drop(forest);
}

/// Each value is a hundred and forty-third above the one before, over 600 orders of magnitude: a threshold drawn between the
/// smallest and the largest parts few of them from all the others.
#[test]
fn a_tree_of_thousands_of_levels_is_grown_used_and_dropped() {
    let n_rows = 200_000;
    // In two halves: the whole power would be infinite.
    let half = |row: usize| (row as f64 * 0.003_45).exp();
    let x = Array2::from_shape_fn((n_rows, 1), |(row, _)| half(row) * 1e-300 * half(row));
    assert!(x[[n_rows - 1, 0]].is_finite());
    let y: Vec<f64> = (0..n_rows).map(|row| (row % 7) as f64).collect();
    let pool = ThreadPoolBuilder::new().num_threads(2).stack_size(SMALL_STACK).build().unwrap();
    let regressor = ExtraTreesRegressor::builder().n_estimators(1).build().unwrap();
    let forest = regressor.fit_with(x.view(), &y, FitOptions::new().thread_pool(&pool)).unwrap();
    let depth = forest.tree(0).unwrap().depth();
    assert!(depth > 1000, "{depth}");
    assert_eq!(forest.predict_row(&[x[[4321, 0]]]).unwrap(), y[4321]);
    let some = Array2::from_shape_fn((20, 1), |(row, _)| x[[row * 9999, 0]]);
    on_a_small_stack(move || use_up(forest, &some));
}

#[test]
fn a_stored_chain_of_splits_is_read_used_and_dropped() {
    let n_splits = 50_000_u32;
    on_a_small_stack(move || {
        // Each split has the next one on its left, and a leaf on its right.
        let mut feature = vec![json!(0)];
        let mut value = vec![json!(f64::from(n_splits))];
        for split in 1..=n_splits {
            let is_last = split == n_splits;
            feature.extend([if is_last { json!(null) } else { json!(0) }, json!(null)]);
            value.extend([json!(f64::from(n_splits - split)), json!(f64::from(split))]);
        }
        let stored = json!({
            "n_features": 1, "n_nodes": [2 * n_splits + 1], "feature": feature, "value": value,
            "feature_importances": [1.0],
        });
        let forest: Forest = serde_json::from_value(stored).unwrap();
        assert_eq!(forest.tree(0).unwrap().depth(), n_splits as usize);
        let rows = Array2::from_shape_fn((5, 1), |(row, _)| row as f64 * 10_000.5);
        use_up(forest, &rows);
    });
}

#[test]
fn a_million_equal_rows_are_one_leaf_a_tree() {
    let n_rows = 1_000_000;
    let x = Array2::from_elem((n_rows, 2), 1.5);
    let y: Vec<f64> = (0..n_rows).map(|row| f64::from(u8::from(row % 2 == 0))).collect();
    let forest = RandomForestRegressor::builder().n_estimators(2).build().unwrap().fit(x.view(), &y).unwrap();
    assert_eq!(forest.n_nodes(), 2);
    assert!((forest.predict_row(&[1.5, 1.5]).unwrap() - 0.5).abs() < 0.01);
    let forest =
        ExtraTreesRegressor::builder().n_estimators(2).build().unwrap().fit(x.view(), &vec![3.0; n_rows]).unwrap();
    assert_eq!((forest.n_nodes(), forest.predict_row(&[0.0, 9.0]).unwrap()), (2, 3.0));
}

/// A row that is there k times is as good as one of weight k.
#[test]
fn repeated_rows_are_rows_of_more_weight() {
    let rows = Array2::from_shape_fn((60, 2), |(row, column)| (row * (5 + column) % 23) as f64);
    let y: Vec<f64> = (0..60).map(|row| f64::from(row * row % 41)).collect();
    let times = |row: usize| row % 4;
    let repeated: Vec<usize> = (0..60).flat_map(|row| std::iter::repeat_n(row, times(row))).collect();
    let x = Array2::from_shape_fn((repeated.len(), 2), |(row, column)| rows[[repeated[row], column]]);
    let repeated_y: Vec<f64> = repeated.iter().map(|&row| y[row]).collect();
    let weights: Vec<f64> = (0..60).map(|row| times(row) as f64).collect();
    let tree = DecisionTreeRegressor::builder().max_depth(4).build().unwrap();
    let by_weight = tree.fit_with(rows.view(), &y, FitOptions::new().sample_weight(&weights)).unwrap();
    let by_rows = tree.fit(x.view(), &repeated_y).unwrap();
    let predict = |forest: &Forest| forest.predict(rows.view()).unwrap();
    assert!(predict(&by_weight).iter().zip(predict(&by_rows)).all(|(a, b)| (a - b).abs() < 1e-9));
    let nothing = tree.fit_with(rows.view(), &y, FitOptions::new().sample_weight(&[0.0; 60])).unwrap_err();
    assert_eq!(nothing.to_string(), "all 60 values of sample_weight are 0");
}

#[test]
fn statistics_of_a_chain_of_splits_are_those_of_all_rows() {
    let n_splits = 20_000_u32;
    let mut feature = vec![json!(0)];
    let mut value = vec![json!(f64::from(n_splits))];
    for split in 1..=n_splits {
        feature.extend([if split == n_splits { json!(null) } else { json!(0) }, json!(null)]);
        value.extend([json!(f64::from(n_splits - split)), json!(f64::from(split))]);
    }
    let stored = json!({
        "n_features": 1, "n_nodes": [2 * n_splits + 1], "feature": feature, "value": value, "feature_importances": [1.0],
    });
    let forest: Forest = serde_json::from_value(stored).unwrap();
    // Only the first half of the rows goes all the way down.
    let n_rows = 500;
    let x = Array2::from_shape_fn((n_rows, 1), |(row, _)| if row < n_rows / 2 { 0.0 } else { 1e9 });
    let y: Vec<f64> = (0..n_rows).map(|row| if row < n_rows / 2 { 1.0 } else { 4.0 }).collect();
    let statistics = forest.node_statistics(0, x.view(), &y, None).unwrap();
    assert_eq!((statistics[0].n_node_samples, statistics[0].value, statistics[0].impurity), (n_rows, 2.5, 2.25));
    let deepest = statistics[2 * n_splits as usize - 1];
    assert_eq!((deepest.n_node_samples, deepest.value, deepest.impurity), (n_rows / 2, 1.0, 0.0));
}

#[test]
fn statistics_of_huge_and_tiny_numbers_are_right_or_refused() {
    let x = Array2::from_shape_fn((4, 1), |(row, _)| row as f64);
    let forest = DecisionTreeRegressor::default().fit(x.view(), &[0.0, 1.0, 2.0, 3.0]).unwrap();
    let root =
        |y: [f64; 4], weights: [f64; 4]| forest.node_statistics(0, x.view(), &y, Some(&weights)).map(|all| all[0]);
    let huge = root([1e300, -1e300, 1e300, -1e300], [1e308, 1e308, 1e-300, 0.0]).unwrap();
    // The third weighs nothing beside the others.
    assert_eq!((huge.n_node_samples, huge.value, huge.impurity), (2, 0.0, f64::INFINITY));
    assert_eq!(huge.weighted_n_node_samples, f64::INFINITY);
    let tiny = root([1e-160, 3e-160, 1e-160, 3e-160], [5e-324; 4]).unwrap();
    assert!((tiny.value / 2e-160 - 1.0).abs() < 1e-15 && (tiny.impurity / 1e-320 - 1.0).abs() < 1e-3, "{tiny:?}");
    let message = |y, weights| root(y, weights).unwrap_err().to_string();
    assert_eq!(message([0.0, f64::NAN, 0.0, 0.0], [1.0; 4])[..11], *"y[1] is NaN");
    assert_eq!(
        message([0.0; 4], [1.0, 1.0, -2.0, 1.0]),
        "sample_weight[2] is -2: expected a finite number of at least 0"
    );
}
