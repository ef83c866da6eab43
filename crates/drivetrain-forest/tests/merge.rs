//! Forests grown apart and joined, and forests that are grown further: the same as grown at once.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::ndarray::{Array2, Axis};
use drivetrain_forest::{
    ClassificationForest, ExtraTreesClassifier, ExtraTreesRegressor, FitOptions, Forest, ForestError, MaxFeatures,
    RandomForestClassifier, RandomForestRegressor,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A number, a category, a constant, a number that is missing at times; and a target.
fn table(n_rows: usize) -> (Array2<f64>, Vec<f64>) {
    let x = Array2::from_shape_fn((n_rows, 4), |(row, column)| match column {
        0 => (row as f64 * 0.7).sin(),
        1 => (row % 5) as f64,
        2 => 1.5,
        _ if row % 7 == 3 => f64::NAN,
        _ => (row * 31 % 17) as f64,
    });
    let y = (0..n_rows).map(|row| 10.0 * (row as f64 * 0.7).sin() + [3.0, 1.0, 4.0, 1.0, 5.0][row % 5]).collect();
    (x, y)
}

fn labels(y: &[f64]) -> Vec<&'static str> {
    y.iter()
        .map(|&y| {
            if y < 0.0 {
                "low"
            } else if y < 6.0 {
                "middle"
            } else {
                "high"
            }
        })
        .collect()
}

fn regressor(n_estimators: usize) -> RandomForestRegressor {
    let builder = RandomForestRegressor::builder().n_estimators(n_estimators).categorical_features(vec![1]);
    builder.max_features(MaxFeatures::Sqrt).random_state(5).build().unwrap()
}

fn classifier(n_estimators: usize) -> RandomForestClassifier {
    let builder = RandomForestClassifier::builder().n_estimators(n_estimators).categorical_features(vec![1]);
    builder.random_state(5).build().unwrap()
}

fn bytes(forest: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(forest).unwrap()
}

/// What another process reads that a forest was sent to, in either form.
fn sent<F: Serialize + DeserializeOwned>(forest: &F, as_json: bool) -> F {
    if as_json {
        serde_json::from_str(&serde_json::to_string(forest).unwrap()).unwrap()
    } else {
        rmp_serde::from_slice(&bytes(forest)).unwrap()
    }
}

/// The numbers of trees of the parts, and where each part starts.
fn parts(sizes: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    sizes.iter().scan(0, |start, &size| {
        *start += size;
        Some((*start - size, size))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn grown_apart_and_merged_is_grown_at_once(
        sizes in prop::collection::vec(1_usize..6, 1..5),
        first in 0_usize..9,
        n_rows in 1_usize..80,
        as_json: bool,
    ) {
        let (x, y) = table(n_rows);
        let all = sizes.iter().sum();
        let options = |start: usize| FitOptions::new().first_tree(first + start);

        let grow = |(start, n)| regressor(n).fit_with(x.view(), &y, options(start)).unwrap();
        let merged = Forest::merge(parts(&sizes).map(|part| sent(&grow(part), as_json))).unwrap();
        let at_once = grow((0, all));
        prop_assert_eq!(bytes(&merged), bytes(&at_once));
        prop_assert_eq!(serde_json::to_string(&merged).unwrap(), serde_json::to_string(&at_once).unwrap());
        prop_assert_eq!(&merged, &at_once);
        let further = regressor(all).warm_start(&grow((0, sizes[0])), x.view(), &y, options(0)).unwrap();
        prop_assert_eq!(&further, &at_once);
        prop_assert_eq!(merged.predict(x.view()).unwrap(), at_once.predict(x.view()).unwrap());

        let y = labels(&y);
        let grow = |(start, n)| classifier(n).fit_with(x.view(), &y, options(start)).unwrap();
        let merged = ClassificationForest::merge(parts(&sizes).map(grow)).unwrap();
        let at_once = grow((0, all));
        prop_assert_eq!(bytes(&merged), bytes(&at_once));
        let further = classifier(all).warm_start(&grow((0, sizes[0])), x.view(), &y, options(0)).unwrap();
        prop_assert_eq!(&further, &at_once);
        prop_assert_eq!(merged.predict_proba(x.view()).unwrap(), at_once.predict_proba(x.view()).unwrap());
    }

    /// Importances do not depend on which forest comes first, nor predictions of trees.
    #[test]
    fn the_order_of_forests_is_the_order_of_trees(n_first in 1_usize..5, n_second in 1_usize..5) {
        let (x, y) = table(40);
        let (first, second) = (regressor(n_first), regressor(n_second));
        let first = first.fit(x.view(), &y).unwrap();
        let second = second.fit_with(x.view(), &y, FitOptions::new().first_tree(n_first)).unwrap();
        let there = Forest::merge([first.clone(), second.clone()]).unwrap();
        let back = Forest::merge([second.clone(), first.clone()]).unwrap();
        prop_assert_eq!(there.feature_importances(), back.feature_importances());
        let (own, other) = (back.predict_trees(x.view()).unwrap(), first.predict_trees(x.view()).unwrap());
        prop_assert_eq!(own.view().split_at(Axis(1), n_second).1, other.view());
    }
}

#[test]
fn extra_trees_are_grown_further_as_well() {
    let (x, y) = table(50);
    let fit = |n| ExtraTreesRegressor::builder().n_estimators(n).build().unwrap();
    let three = fit(3).fit(x.view(), &y).unwrap();
    let further = fit(8).warm_start(&three, x.view(), &y, FitOptions::new()).unwrap();
    assert_eq!(further, fit(8).fit(x.view(), &y).unwrap());
    assert_eq!(fit(3).warm_start(&three, x.view(), &y, FitOptions::new()).unwrap(), three);

    let fit = |n| ExtraTreesClassifier::builder().n_estimators(n).build().unwrap();
    let y = labels(&y);
    let three = fit(3).fit(x.view(), &y).unwrap();
    let further = fit(8).warm_start(&three, x.view(), &y, FitOptions::new()).unwrap();
    assert_eq!(further, fit(8).fit(x.view(), &y).unwrap());
}

#[test]
fn unseen_rows_are_those_of_the_trees_that_were_grown() {
    let (x, y) = table(60);
    let options = FitOptions::new().first_tree(7);
    let forest = regressor(1).fit_with(x.view(), &y, options).unwrap();
    let n_unseen = |options| {
        let unseen = regressor(1).out_of_bag(&forest, x.view(), options).unwrap();
        unseen.iter().map(|value| !value.is_nan()).collect::<Vec<_>>()
    };
    assert_ne!(n_unseen(options), n_unseen(FitOptions::new()));
}

#[test]
fn forests_that_differ_are_not_merged() {
    let (x, y) = table(30);
    let grow = |builder: fn() -> RandomForestRegressor, n_columns| {
        builder().fit(x.view().split_at(Axis(1), n_columns).0, &y).unwrap()
    };
    let plain = || RandomForestRegressor::builder().n_estimators(2).build().unwrap();
    let message = |forests: [Forest; 2]| Forest::merge(forests).unwrap_err().to_string();
    assert_eq!(Forest::merge([]), Err(ForestError::NothingToMerge));
    assert_eq!(
        message([grow(plain, 4), grow(plain, 3)]),
        "forest 1 cannot be merged with the first: its number of features is 3, not 4"
    );
    assert_eq!(
        message([grow(plain, 4), grow(|| regressor(2), 4)]),
        "forest 1 cannot be merged with the first: its kind of features is feature 1 of categories, not feature 1 of \
         numbers"
    );
    let mut old = serde_json::to_value(grow(plain, 4)).unwrap();
    old.as_object_mut().unwrap().remove("missing_left");
    let old: Forest = serde_json::from_value(old).unwrap();
    assert_eq!(
        message([old, grow(plain, 4)]),
        "forest 1 cannot be merged with the first: its ways of missing values is known, not unknown"
    );

    let labels = labels(&y);
    let all = classifier(2).fit(x.view(), &labels).unwrap();
    let low: Vec<&str> = labels.iter().map(|&label| if label == "high" { "middle" } else { label }).collect();
    let low = classifier(2).fit(x.view(), &low).unwrap();
    assert_eq!(
        ClassificationForest::merge([all, low]).unwrap_err().to_string(),
        "forest 1 cannot be merged with the first: its classes is 2, 2 of them in both, not 3, 2 of them in both"
    );
}

#[test]
fn a_warm_start_refuses_what_cannot_be_added_to() {
    let (x, y) = table(30);
    let forest = regressor(4).fit(x.view(), &y).unwrap();
    let message = |n, n_columns, options| {
        let x = x.view().split_at(Axis(1), n_columns).0;
        regressor(n).warm_start(&forest, x, &y, options).unwrap_err().to_string()
    };
    let options = FitOptions::new();
    assert_eq!(message(3, 4, options), "n_estimators is 3: expected at least the number of trees of the forest");
    assert_eq!(message(5, 3, options), "x has 3 columns but the forest was fitted on 4");
    assert_eq!(message(9, 4, options.stop(&|| true)), "after 0 of 5 trees: the fit was cancelled");
    // The numbers of trees go round.
    let last = options.first_tree(usize::MAX);
    assert_eq!(regressor(4).fit_with(x.view(), &y, last).unwrap().n_trees(), 4);
}

#[test]
fn forests_stored_without_sums_are_merged() {
    let (x, y) = table(40);
    let [first, second] = [2, 6].map(|n| regressor(n).fit(x.view(), &y).unwrap());
    let older = |forest: &Forest| -> Forest {
        let mut value = serde_json::to_value(forest).unwrap();
        value.as_object_mut().unwrap().remove("importance_sums").unwrap();
        let older: Forest = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&older).unwrap(), value);
        assert_eq!(bytes(&sent(&older, false)), bytes(&older));
        older
    };
    let merged = Forest::merge([older(&first), older(&second)]).unwrap();
    let expected = first.feature_importances().iter().zip(second.feature_importances());
    for (share, (first, second)) in merged.feature_importances().iter().zip(expected) {
        assert!((share - (0.25 * first + 0.75 * second)).abs() < 1e-12);
    }
}
