//! Trees of every criterion, of classes, with missing values and with monotonic constraints equal those of
//! scikit-learn where nothing depends on the order of features; forests of every kind are as good where it does.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_forest::metrics::root_mean_squared_error;
use drivetrain_forest::ndarray::Array2;
use drivetrain_forest::{
    ClassificationForest, DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreesClassifier, ExtraTreesRegressor,
    FitOptions, Forest, NodeView, RandomForestClassifier, RandomForestRegressor,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Fixtures<T> {
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    classifier: bool,
    params: Map<String, Value>,
    /// Null where a value is missing.
    x: Vec<Vec<Option<f64>>>,
    y: Vec<f64>,
    #[serde(default)]
    sample_weight: Option<Vec<f64>>,
    feature: Vec<i64>,
    threshold: Vec<f64>,
    missing_left: Vec<bool>,
    left: Vec<i64>,
    right: Vec<i64>,
    /// For each node the prediction, or the shares of the classes.
    value: Vec<Vec<f64>>,
    leaf: Vec<usize>,
    importances: Vec<f64>,
}

fn matrix(x: &[Vec<Option<f64>>]) -> Array2<f64> {
    Array2::from_shape_fn((x.len(), x[0].len()), |(row, column)| x[row][column].unwrap_or(f64::NAN))
}

/// An estimator of parameters that Python wrote.
fn estimator<T: DeserializeOwned>(params: &Map<String, Value>) -> T {
    let mut params = params.clone();
    // Ours are written as text, and weights in the order of the classes.
    if let Some(max_features) = params.get_mut("max_features") {
        *max_features = max_features.to_string().trim_matches('"').into();
    }
    if let Some(Value::Object(weights)) = params.get_mut("class_weight") {
        let weights: Vec<Value> = weights.values().cloned().collect();
        params["class_weight"] = serde_json::json!({"given": weights});
    }
    serde_json::from_value(params.into()).unwrap()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "labels are small whole numbers")]
fn labels(y: &[f64]) -> Vec<u8> {
    y.iter().map(|&label| label as u8).collect()
}

impl Case {
    fn options(&self) -> FitOptions<'_> {
        self.sample_weight.iter().fold(FitOptions::new(), |options, weights| options.sample_weight(weights))
    }

    /// Walks both trees; for each of scikit-learn's nodes our number of it. A leaf says what `leaf` makes of its
    /// value.
    fn assert_same(&self, forest: &Forest, leaf: impl Fn(f64) -> Vec<f64>) -> Vec<usize> {
        let tree = forest.tree(0).unwrap();
        assert_eq!(tree.n_nodes(), self.value.len(), "{}", self.name);
        let mut numbers = vec![0; self.value.len()];
        let mut pairs = vec![(0, 0)];
        while let Some((theirs, ours)) = pairs.pop() {
            numbers[theirs] = ours;
            match tree.node(ours).unwrap() {
                NodeView::CategorySplit { .. } => panic!("{} has no categories", self.name),
                NodeView::Leaf { value } => {
                    assert_eq!(self.feature[theirs], -1, "{}", self.name);
                    for (ours, theirs) in leaf(value).iter().zip(&self.value[theirs]) {
                        assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{}", self.name);
                    }
                }
                NodeView::Split { feature, threshold, left, right } => {
                    assert_eq!(
                        (i64::try_from(feature).unwrap(), threshold, tree.missing_goes_left(ours)),
                        (self.feature[theirs], self.threshold[theirs], self.missing_left[theirs]),
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

    fn assert_leaves(&self, forest: &Forest, x: &Array2<f64>, numbers: &[usize]) {
        let expected: Vec<usize> = self.leaf.iter().map(|&leaf| numbers[leaf]).collect();
        assert_eq!(forest.apply(x.view()).unwrap().column(0).to_vec(), expected, "{}", self.name);
        for (ours, theirs) in forest.feature_importances().iter().zip(&self.importances) {
            assert!((ours - theirs).abs() < 1e-11, "{}: {ours} {theirs}", self.name);
        }
    }
}

#[test]
fn trees_of_every_kind_are_those_of_scikit_learn() {
    let text = include_str!("../../../data/fixtures/forest/kinds.json");
    let fixtures: Fixtures<Case> = serde_json::from_str(text).unwrap();
    assert!(fixtures.cases.len() >= 25);
    for case in fixtures.cases {
        let x = matrix(&case.x);
        if case.classifier {
            let classifier: DecisionTreeClassifier = estimator(&case.params);
            let forest = classifier.fit_with(x.view(), &labels(&case.y), case.options()).unwrap();
            let shares = |leaf: f64| {
                let number = (0..forest.leaves().n_nodes()).find(|&number| number as f64 == leaf).unwrap();
                forest.leaf_shares(number).unwrap().to_vec()
            };
            let numbers = case.assert_same(forest.leaves(), shares);
            case.assert_leaves(forest.leaves(), &x, &numbers);
            let proba = forest.predict_proba(x.view()).unwrap();
            for (ours, &leaf) in proba.rows().into_iter().zip(&case.leaf) {
                assert!(ours.iter().zip(&case.value[leaf]).all(|(ours, theirs)| (ours - theirs).abs() < 1e-12));
            }
        } else {
            let regressor: DecisionTreeRegressor = estimator(&case.params);
            let forest = regressor.fit_with(x.view(), &case.y, case.options()).unwrap();
            let numbers = case.assert_same(&forest, |value| vec![value]);
            case.assert_leaves(&forest, &x, &numbers);
        }
    }
}

#[derive(Deserialize)]
struct DataSet {
    name: String,
    kind: String,
    params: Map<String, Value>,
    x: Vec<Vec<Option<f64>>>,
    y: Vec<f64>,
    scores: Vec<f64>,
}

/// The rows that are tested on, every third, or the others.
fn part(data: &DataSet, tested: bool) -> (Array2<f64>, Vec<f64>) {
    let rows = (0..data.y.len()).filter(|row| (row % 3 == 2) == tested);
    let (x, y): (Vec<_>, Vec<_>) = rows.map(|row| (data.x[row].clone(), data.y[row])).unzip();
    (matrix(&x), y)
}

fn accuracy(forest: &ClassificationForest<u8>, x: &Array2<f64>, y: &[f64]) -> f64 {
    let predicted = forest.predict(x.view()).unwrap();
    let n_right = predicted.iter().zip(labels(y)).filter(|(ours, theirs)| *ours == theirs).count();
    n_right as f64 / y.len() as f64
}

impl DataSet {
    /// Our error or accuracy for one seed.
    fn score(&self, seed: usize) -> f64 {
        let mut params = self.params.clone();
        params.insert("random_state".into(), seed.into());
        let ((x, y), (x_test, y_test)) = (part(self, false), part(self, true));
        let error = |forest: Forest| root_mean_squared_error(&y_test, &forest.predict(x_test.view()).unwrap()).unwrap();
        match self.kind.as_str() {
            "RandomForestRegressor" => error(estimator::<RandomForestRegressor>(&params).fit(x.view(), &y).unwrap()),
            "ExtraTreesRegressor" => error(estimator::<ExtraTreesRegressor>(&params).fit(x.view(), &y).unwrap()),
            "RandomForestClassifier" => {
                let forest = estimator::<RandomForestClassifier>(&params).fit(x.view(), &labels(&y)).unwrap();
                accuracy(&forest, &x_test, &y_test)
            }
            "ExtraTreesClassifier" => {
                let forest = estimator::<ExtraTreesClassifier>(&params).fit(x.view(), &labels(&y)).unwrap();
                accuracy(&forest, &x_test, &y_test)
            }
            other => panic!("unknown kind {other}"),
        }
    }
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, squares / (values.len() - 1) as f64)
}

#[test]
fn forests_of_every_kind_are_as_good_as_those_of_scikit_learn() {
    let text = include_str!("../../../data/fixtures/forest/kinds_of_forests.json");
    let fixtures: Fixtures<DataSet> = serde_json::from_str(text).unwrap();
    assert!(fixtures.cases.len() >= 11);
    for data in fixtures.cases {
        let scores: Vec<f64> = (0..10).map(|seed| data.score(seed)).collect();
        let ((ours, our_variance), (theirs, their_variance)) =
            (mean_and_variance(&scores), mean_and_variance(&data.scores));
        // Three standard deviations of the difference of two means of ten.
        let allowed = 3.0 * ((our_variance + their_variance) / 10.0).sqrt();
        assert!((ours - theirs).abs() < allowed, "{}, {}: {ours} and {theirs}", data.name, data.kind);
    }
}
