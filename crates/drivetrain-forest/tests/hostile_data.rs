//! Data nobody should have, and bytes nobody should trust.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::ndarray::Array2;
use drivetrain_forest::{Forest, RandomForestRegressor, ReadableForest};
use proptest::prelude::*;
use serde_json::{Value, json};

fn fit(x: &Array2<f64>, y: &[f64]) -> Forest {
    let builder = RandomForestRegressor::builder().n_estimators(8);
    builder.build().unwrap().fit(x.view(), y).unwrap()
}

#[test]
fn a_constant_target_is_one_leaf_per_tree() {
    let x = Array2::from_shape_fn((50, 2), |(i, j)| (i * (j + 3) % 11) as f64);
    // Multiples of 0.1 are rounded, those of 0.25 are not.
    for constant in [0.25, 0.1, -15.1] {
        let forest = fit(&x, &[constant; 50]);
        assert_eq!(forest.n_nodes(), 8);
        let prediction = forest.predict_row(&[100.0, -100.0]).unwrap();
        assert!((prediction - constant).abs() < 1e-14);
        assert_eq!(forest.feature_importances(), [0.0, 0.0]);
    }
}

#[test]
fn constant_columns_are_one_leaf_per_tree() {
    let y: Vec<f64> = (0..50).map(f64::from).collect();
    let forest = fit(&Array2::from_elem((50, 3), 1.0), &y);
    assert_eq!(forest.n_nodes(), 8);
    let mean = forest.predict_row(&[1.0; 3]).unwrap();
    assert!((15.0..35.0).contains(&mean));
}

#[test]
fn huge_tiny_and_opposite_features_are_told_apart() {
    for size in [1e-300, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324] {
        let x = Array2::from_shape_fn((40, 1), |(i, _)| if i % 2 == 0 { size } else { -size });
        let y: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 10.0 } else { -10.0 }).collect();
        let forest = fit(&x, &y);
        assert_eq!(forest.predict_row(&[size]).unwrap(), 10.0, "{size}");
        assert_eq!(forest.predict_row(&[-size]).unwrap(), -10.0, "{size}");
    }
}

#[test]
fn huge_and_tiny_targets_are_learned() {
    let x = Array2::from_shape_fn((40, 1), |(i, _)| (i % 2) as f64);
    for size in [1e300, 1e-300, 5e-324] {
        let y: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { size } else { -size }).collect();
        let forest = fit(&x, &y);
        for (feature, target) in [(0.0, size), (1.0, -size)] {
            let prediction = forest.predict_row(&[feature]).unwrap();
            assert!((prediction / target - 1.0).abs() < 1e-14, "{prediction} for {target}");
        }
    }
}

#[test]
fn a_tree_as_deep_as_it_has_rows_neither_overflows_nor_hangs() {
    // Each row is worth more than all before it together: splits peel off one row at a time.
    let n_rows = 900;
    let x = Array2::from_shape_fn((n_rows, 1), |(i, _)| i as f64);
    let y: Vec<f64> = (0..n_rows).map(|i| 2.0_f64.powf(i as f64)).collect();
    let builder = RandomForestRegressor::builder().n_estimators(1).bootstrap(false);
    let forest = builder.build().unwrap().fit(x.view(), &y).unwrap();
    assert!(forest.n_nodes() > 100);
    let json = serde_json::to_string(&forest).unwrap();
    assert_eq!(serde_json::from_str::<Forest>(&json).unwrap(), forest);
    assert_eq!(forest.predict_row(&[899.0]).unwrap(), y[899]);
}

/// A stump on column 0 of 2 and a single leaf.
fn stored() -> Value {
    json!({
        "n_features": 2,
        "n_nodes": [3, 1],
        "feature": [0, null, null, null],
        "value": [0.5, 1.0, 2.0, 4.0],
        "feature_importances": [1.0, 0.0],
    })
}

#[test]
fn a_stored_forest_reads_as_described() {
    let forest: Forest = serde_json::from_value(stored()).unwrap();
    assert_eq!((forest.n_features(), forest.n_trees(), forest.n_nodes()), (2, 2, 4));
    assert_eq!(forest.predict_row(&[0.5, 9.0]).unwrap(), 2.5);
    assert_eq!(forest.predict_row(&[0.500_000_1, 9.0]).unwrap(), 3.0);
    assert_eq!(serde_json::to_value(&forest).unwrap(), stored());
}

/// What serde writes for a forest; JSON cannot hold the values that are not finite.
#[derive(serde::Serialize)]
struct Stored {
    n_features: u32,
    n_nodes: [u32; 1],
    feature: [Option<u32>; 1],
    value: [f64; 1],
    feature_importances: [f64; 1],
}

#[test]
fn what_is_not_a_forest_is_refused_by_name() {
    let message = |field: &str, value: Value| {
        let mut stored = stored();
        stored[field] = value;
        serde_json::from_value::<Forest>(stored).unwrap_err().to_string()
    };
    let at_least = "not a forest: it needs at least one tree and one feature";
    assert_eq!(message("n_features", json!(0)), at_least);
    assert_eq!(message("n_nodes", json!([])), at_least);
    assert_eq!(
        message("n_nodes", json!([3, 4_294_967_295_u32])),
        "not a forest: n_nodes adds up to 4294967298, feature has 4 entries and value has 4"
    );
    assert_eq!(
        message("feature", json!([0])),
        "not a forest: n_nodes adds up to 4, feature has 1 entries and value has 4"
    );
    assert_eq!(message("n_nodes", json!([4, 0])), "not a forest: node 3 of tree 0 has no parent");
    assert_eq!(
        message("feature", json!([2, null, null, null])),
        "not a forest: node 0 of tree 0 asks about a feature that does not exist"
    );
    assert_eq!(message("feature", json!([0, 1, null, null])), "not a forest: node 1 of tree 0 has no children");
    assert_eq!(message("feature", json!([null, 0, null, null])), "not a forest: node 1 of tree 0 has no parent");
    assert_eq!(
        message("value", json!([0.5, 1e301, 2.0, 4.0])),
        "not a forest: node 1 of tree 0 holds a prediction that is too large"
    );
    assert_eq!(message("feature_importances", json!([1.0])), "not a forest: it has 2 features but 1 importances");
    assert_eq!(message("feature_importances", json!([-0.5, 1.5])), "not a forest: the importance of feature 0 is -0.5");
    assert!(message("children", json!([])).starts_with("unknown field `children`"));
    let bytes = rmp_serde::to_vec_named(&stored()).unwrap();
    assert!(rmp_serde::from_slice::<Forest>(&bytes).is_err());
    assert_eq!(
        rmp_serde::from_slice::<ReadableForest>(&bytes).unwrap().into_forest(),
        serde_json::from_value::<Forest>(stored()).unwrap()
    );

    let empty_tree = json!({
        "n_features": 1, "n_nodes": [0], "feature": [], "value": [], "feature_importances": [0.0],
    });
    let error = serde_json::from_value::<Forest>(empty_tree).unwrap_err();
    assert_eq!(error.to_string(), "not a forest: node 0 of tree 0 is missing");

    let nan = Stored { n_features: 1, n_nodes: [1], feature: [None], value: [f64::NAN], feature_importances: [0.0] };
    let bytes = rmp_serde::to_vec_named(&nan).unwrap();
    let error = rmp_serde::from_slice::<ReadableForest>(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "not a forest: node 0 of tree 0 holds a value that is not finite");
}

proptest! {
    #[test]
    fn arbitrary_arrays_are_refused_or_predict(
        n_features in 0_u32..4,
        n_nodes in prop::collection::vec(prop::sample::select(vec![0_u32, 1, 3, 5, 7]), 0..4),
        feature in prop::collection::vec(prop::option::of(0_u32..4), 16),
        value in prop::collection::vec(-1e308_f64..1e308, 16),
        tidy: bool,
    ) {
        let total = n_nodes.iter().sum::<u32>() as usize;
        let length = if tidy { total } else { 16 };
        let stored = json!({
            "n_features": n_features,
            "n_nodes": n_nodes,
            "feature": feature.iter().cycle().take(length).collect::<Vec<_>>(),
            "value": value.iter().map(|v| v / 1e10).cycle().take(length).collect::<Vec<_>>(),
            "feature_importances": vec![0.0; n_features as usize],
        });
        if let Ok(forest) = serde_json::from_value::<Forest>(stored.clone()) {
            let row = vec![0.0; forest.n_features()];
            prop_assert!(forest.predict_row(&row).unwrap().is_finite());
            prop_assert_eq!(serde_json::to_value(&forest).unwrap(), stored);
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_predict(position in 0_usize..10_000, byte: u8, cut: bool) {
        let x = Array2::from_shape_fn((20, 2), |(i, j)| (i * (j + 1) % 7) as f64);
        let y: Vec<f64> = (0..20).map(f64::from).collect();
        let mut bytes = rmp_serde::to_vec_named(&fit(&x, &y)).unwrap();
        let position = position % bytes.len();
        if cut {
            bytes.truncate(position);
        } else {
            bytes[position] = byte;
        }
        if let Ok(forest) = rmp_serde::from_slice::<Forest>(&bytes) {
            let row = vec![1.0; forest.n_features()];
            prop_assert!(forest.predict_row(&row).unwrap().is_finite());
        }
    }
}
