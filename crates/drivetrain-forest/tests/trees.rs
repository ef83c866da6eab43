//! Single trees equal those of scikit-learn where nothing depends on the order of features; forests are
//! as good where it does.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::metrics::root_mean_squared_error;
use drivetrain_forest::ndarray::Array2;
use drivetrain_forest::{FitOptions, NodeView, RandomForestRegressor, RandomForestRegressorBuilder, Tree, TreeFormat};
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
    #[serde(default)]
    sample_weight: Option<Vec<f64>>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    left: Vec<i64>,
    right: Vec<i64>,
    value: Vec<f64>,
    leaf: Vec<usize>,
    importances: Vec<f64>,
    text: String,
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
                NodeView::CategorySplit { .. } => panic!("{} has no categories", self.name),
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
    assert!(fixtures.cases.len() >= 15);
    for case in fixtures.cases {
        let x = case.matrix();
        let options =
            case.sample_weight.iter().fold(FitOptions::new(), |options, weights| options.sample_weight(weights));
        let forest = case.regressor().fit_with(x.view(), &case.y, options).unwrap();
        let numbers = case.assert_same(forest.tree(0).unwrap());
        let text = forest.tree(0).unwrap().export_text(TreeFormat::new().max_depth(4).decimals(3)).unwrap();
        assert_eq!(text, case.text, "{}", case.name);
        let leaves = forest.apply(x.view()).unwrap();
        let expected: Vec<usize> = case.leaf.iter().map(|&leaf| numbers[leaf]).collect();
        assert_eq!(leaves.column(0).to_vec(), expected, "{}", case.name);
        for (ours, theirs) in forest.feature_importances().iter().zip(&case.importances) {
            assert!((ours - theirs).abs() < 1e-12, "{}", case.name);
        }
    }
}

#[derive(Deserialize)]
struct DataSets {
    cases: Vec<DataSet>,
}

#[derive(Deserialize)]
struct DataSet {
    name: String,
    params: serde_json::Map<String, serde_json::Value>,
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    rmse: Vec<f64>,
}

impl DataSet {
    /// Our error for one seed.
    fn error(&self, seed: usize) -> f64 {
        let mut params = self.params.clone();
        // Ours are written as text.
        if let Some(max_features) = params.get_mut("max_features") {
            *max_features = max_features.to_string().trim_matches('"').into();
        }
        params.insert("random_state".into(), seed.into());
        let regressor: RandomForestRegressor = serde_json::from_value(params.into()).unwrap();
        let part = |tested: bool| {
            let rows = (0..self.y.len()).filter(|row| (row % 3 == 2) == tested);
            let (x, y): (Vec<_>, Vec<_>) = rows.map(|row| (self.x[row].clone(), self.y[row])).unzip();
            (Array2::from_shape_vec((x.len(), x[0].len()), x.concat()).unwrap(), y)
        };
        let ((x, y), (x_test, y_test)) = (part(false), part(true));
        let forest = regressor.fit(x.view(), &y).unwrap();
        root_mean_squared_error(&y_test, &forest.predict(x_test.view()).unwrap()).unwrap()
    }
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, squares / (values.len() - 1) as f64)
}

#[test]
fn forests_are_as_good_as_those_of_scikit_learn() {
    let text = include_str!("../../../data/fixtures/forest/forests.json");
    let data_sets: DataSets = serde_json::from_str(text).unwrap();
    assert!(data_sets.cases.len() >= 6);
    for data_set in data_sets.cases {
        let errors: Vec<f64> = (0..10).map(|seed| data_set.error(seed)).collect();
        let ((ours, our_variance), (theirs, their_variance)) =
            (mean_and_variance(&errors), mean_and_variance(&data_set.rmse));
        // Three standard deviations of the difference of two means of ten.
        let allowed = 3.0 * ((our_variance + their_variance) / 10.0).sqrt();
        assert!((ours - theirs).abs() < allowed, "{}: {ours} and {theirs}, {allowed} apart", data_set.name);
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
