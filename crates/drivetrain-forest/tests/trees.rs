//! Single trees equal those of scikit-learn where nothing depends on the order of features.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::ndarray::Array2;
use drivetrain_forest::{NodeView, RandomForestRegressor, RandomForestRegressorBuilder, Tree};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixtures {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    params: serde_json::Map<String, serde_json::Value>,
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    left: Vec<i64>,
    right: Vec<i64>,
    value: Vec<f64>,
    leaf: Vec<usize>,
    importances: Vec<f64>,
}

impl Case {
    fn matrix(&self) -> Array2<f64> {
        Array2::from_shape_vec((self.x.len(), self.x[0].len()), self.x.concat()).unwrap()
    }

    fn regressor(&self) -> RandomForestRegressor {
        let mut params = self.params.clone();
        params.insert("n_estimators".into(), 1.into());
        params.insert("bootstrap".into(), false.into());
        let builder: RandomForestRegressorBuilder = serde_json::from_value(params.into()).unwrap();
        builder.build().unwrap()
    }

    /// Walks both trees; for each of scikit-learn's nodes our number of it.
    fn assert_same(&self, tree: Tree<'_>) -> Vec<usize> {
        assert_eq!(tree.n_nodes(), self.value.len(), "{}", self.name);
        let mut numbers = vec![0; self.value.len()];
        let mut pairs = vec![(0, 0)];
        while let Some((theirs, ours)) = pairs.pop() {
            numbers[theirs] = ours;
            match tree.node(ours).unwrap() {
                NodeView::Leaf { value } => {
                    assert_eq!(self.feature[theirs], -1, "{}", self.name);
                    assert!((value - self.value[theirs]).abs() <= 1e-12 * value.abs().max(1.0), "{}", self.name);
                }
                NodeView::Split { feature, threshold, left, right } => {
                    assert_eq!(
                        (i64::try_from(feature).unwrap(), threshold),
                        (self.feature[theirs], self.threshold[theirs]),
                        "{}",
                        self.name
                    );
                    pairs.push((usize::try_from(self.left[theirs]).unwrap(), left));
                    pairs.push((usize::try_from(self.right[theirs]).unwrap(), right));
                }
            }
        }
        numbers
    }
}

#[test]
fn thresholds_values_leaves_and_importances_are_those_of_scikit_learn() {
    let text = include_str!("../../../data/fixtures/forest/trees.json");
    let fixtures: Fixtures = serde_json::from_str(text).unwrap();
    assert!(fixtures.cases.len() >= 6);
    for case in fixtures.cases {
        let x = case.matrix();
        let forest = case.regressor().fit(x.view(), &case.y).unwrap();
        let numbers = case.assert_same(forest.tree(0).unwrap());
        let leaves = forest.apply(x.view()).unwrap();
        let expected: Vec<usize> = case.leaf.iter().map(|&leaf| numbers[leaf]).collect();
        assert_eq!(leaves.column(0).to_vec(), expected, "{}", case.name);
        for (ours, theirs) in forest.feature_importances().iter().zip(&case.importances) {
            assert!((ours - theirs).abs() < 1e-12, "{}", case.name);
        }
    }
}

#[test]
fn predictions_are_the_mean_of_the_trees() {
    let x = Array2::from_shape_fn((50, 3), |(i, j)| (i * (j + 3) % 17) as f64);
    let y: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
    let forest = RandomForestRegressor::builder().n_estimators(8).build().unwrap().fit(x.view(), &y).unwrap();
    let trees = forest.predict_trees(x.view()).unwrap();
    assert_eq!(trees.dim(), (50, 8));
    let leaves = forest.apply(x.view()).unwrap();
    for (index, tree) in forest.trees().enumerate() {
        for (&leaf, &value) in leaves.column(index).iter().zip(trees.column(index)) {
            assert_eq!(tree.node(leaf), Some(NodeView::Leaf { value }));
        }
    }
    let means: Vec<f64> = trees.rows().into_iter().map(|row| row.iter().sum::<f64>() / 8.0).collect();
    assert_eq!(forest.predict(x.view()).unwrap(), means);
    assert_eq!(forest.trees().map(|tree| tree.n_nodes()).sum::<usize>(), forest.n_nodes());
    assert!(forest.tree(8).is_none());
}
