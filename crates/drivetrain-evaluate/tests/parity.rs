//! The same folds and the same scores as scikit-learn, from the fixtures in data/fixtures/selection.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;

use drivetrain_autompg::{BUNDLED, FEATURES, PipelineOptions, pipeline};
use drivetrain_evaluate::regressor::{
    DummyRegressor, LinearRegression, Regressor, Ridge, Svr, TransformedTargetRegressor,
};
use drivetrain_evaluate::{
    Fold, FoldScore, Grid, GroupKFold, KFold, Model, PipelineModel, TimeSeriesSplit, cross_validate, partial_dependence,
};
use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_forest::{ExtraTreesRegressor, RandomForestRegressor};
use drivetrain_plan::{Column, ColumnTable, DataType, Table};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Splits {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    splitter: String,
    params: BTreeMap<String, usize>,
    n_rows: usize,
    groups: Option<Vec<String>>,
    folds: Vec<Rows>,
}

#[derive(Debug, Deserialize)]
struct Rows {
    train: Vec<usize>,
    test: Vec<usize>,
}

#[test]
fn folds_are_those_of_scikit_learn() {
    let splits: Splits = serde_json::from_str(include_str!("../../../data/fixtures/selection/splits.json")).unwrap();
    assert_eq!(splits.cases.len(), 10);
    for case in splits.cases {
        let parameter = |name: &str| case.params.get(name).copied().unwrap_or(0);
        let n_splits = parameter("n_splits");
        let folds = match case.splitter.as_str() {
            "KFold" => KFold::new(n_splits).unwrap().split(case.n_rows),
            "GroupKFold" => GroupKFold::new(n_splits).unwrap().split(case.groups.as_ref().unwrap()),
            "TimeSeriesSplit" => TimeSeriesSplit::new(n_splits)
                .unwrap()
                .test_size(parameter("test_size"))
                .gap(parameter("gap"))
                .max_train_size(parameter("max_train_size"))
                .split(case.n_rows),
            other => panic!("no splitter is called {other}"),
        };
        let expected: Vec<Fold> = case.folds.into_iter().map(|Rows { train, test }| Fold { train, test }).collect();
        assert_eq!(folds.unwrap(), expected, "{} {:?}", case.splitter, case.params);
    }
}

#[derive(Debug, Deserialize)]
struct AutoMpg {
    folds: Vec<String>,
    exact: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    #[serde(rename = "SVR")]
    svr: BTreeMap<String, Vec<f64>>,
    forest: BTreeMap<String, Vec<f64>>,
    #[serde(rename = "extra trees")]
    extra_trees: BTreeMap<String, Vec<f64>>,
    #[serde(rename = "forest from 79 to later years")]
    forest_from_79: Vec<f64>,
    #[serde(rename = "partial dependence of ridge")]
    dependence: BTreeMap<String, Dependence>,
}

#[derive(Debug, Deserialize)]
struct Dependence {
    grid: Vec<f64>,
    average: Vec<f64>,
    individual: Vec<Vec<f64>>,
}

fn fixture() -> AutoMpg {
    serde_json::from_str(include_str!("../../../data/fixtures/selection/auto_mpg.json")).unwrap()
}

/// The raw features, gaps and all, and the targets.
fn auto_mpg() -> (ColumnTable, Vec<f64>) {
    let text = std::str::from_utf8(BUNDLED).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .map(|line| {
            let (numbers, _name) = line.split_once('\t').unwrap();
            numbers.split_whitespace().map(|field| field.parse().unwrap_or(f64::NAN)).collect()
        })
        .collect();
    let values = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<f64>>();
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 100")]
    let whole = |values: Vec<f64>| Column::from(values.into_iter().map(|value| value as i64).collect::<Vec<_>>());
    let columns = FEATURES.into_iter().enumerate().map(|(index, (name, dtype))| {
        let values = values(index + 1);
        (name.to_owned(), if dtype == DataType::Int64 { whole(values) } else { Column::from(values) })
    });
    (ColumnTable::new(columns.collect()).unwrap(), values(0))
}

/// scikit-learn's `RepeatedKFold(n_splits=10, n_repeats=5, random_state=42)`.
fn folds(fixture: &AutoMpg) -> Vec<Fold> {
    let of_repeat = |repeat: &String| {
        let digits = repeat.clone().into_bytes();
        (b'0'..=b'9').map(move |digit| {
            let (test, train) = (0..digits.len()).partition(|&row| digits[row] == digit);
            Fold { train, test }
        })
    };
    fixture.folds.iter().flat_map(of_repeat).collect()
}

fn model(regressor: impl Regressor + 'static) -> PipelineModel {
    PipelineModel::new(pipeline(&PipelineOptions::default()).unwrap(), regressor)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

type Metric = fn(&RegressionMetrics) -> f64;
const METRICS: [(&str, Metric); 3] =
    [("rmse", |metrics| metrics.rmse), ("mae", |metrics| metrics.mae), ("r2", |metrics| metrics.r2)];

fn of_folds(scores: &[FoldScore], metric: Metric) -> Vec<f64> {
    scores.iter().map(|score| metric(&score.metrics)).collect()
}

fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_within(1e-9, what, found, expected);
}

fn assert_within(tolerance: f64, what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let within = tolerance * expected.abs().max(1.0);
        assert!((found - expected).abs() < within, "{what}, {index}: {found}, not {expected}");
    }
}

#[test]
fn baselines_have_scikit_learns_metrics_on_every_fold() {
    let (x, y) = auto_mpg();
    let fixture = fixture();
    let folds = folds(&fixture);
    assert_eq!((folds.len(), fixture.exact.len()), (50, 4));
    for (name, expected) in &fixture.exact {
        let model = match name.as_str() {
            "mean" => model(DummyRegressor),
            "linear" => model(LinearRegression),
            "ridge" => model(Ridge::default()),
            "linear, log target" => model(TransformedTargetRegressor::log(LinearRegression)),
            other => panic!("no baseline is called {other}"),
        };
        let scores = cross_validate(&model, &x, &y, &folds, None).unwrap();
        for (metric, of) in METRICS {
            assert_close(&format!("{name}, {metric}"), &of_folds(&scores, of), &expected[metric]);
        }
    }
}

#[test]
fn the_forest_is_as_good_as_scikit_learns() {
    let (x, y) = auto_mpg();
    let fixture = fixture();
    let scores = cross_validate(&model(RandomForestRegressor::default()), &x, &y, &folds(&fixture), None).unwrap();
    // The mean over the folds moves by about a third of this with the seed of the trees.
    for ((metric, of), spread) in METRICS.into_iter().zip([0.05, 0.04, 0.005]) {
        let (found, expected) = (mean(&of_folds(&scores, of)), mean(&fixture.forest[metric]));
        assert!((found - expected).abs() < spread, "{metric}: {found}, not {expected}");
    }
}

#[test]
fn support_vectors_are_scikit_learns() {
    let (x, y) = auto_mpg();
    let (expected, folds) = (fixture().svr, folds(&fixture()));
    let svr = |tol| TransformedTargetRegressor::standard(Svr::new(10.0, 0.1).unwrap().tol(tol).unwrap());
    let scores = cross_validate(&model(svr(1e-6)), &x, &y, &folds, None).unwrap();
    // LIBSVM keeps its kernel in single precision.
    assert_within(1e-4, "predictions", &scores[0].predictions, &expected["predictions of the first fold"]);
    for (metric, of) in METRICS {
        assert_within(1e-4, metric, &of_folds(&scores, of), &expected[metric]);
    }
    // The reference of the whole table: 2.55, 1.82, 0.888, there with medians for what is missing.
    let scores = cross_validate(&model(svr(1e-3)), &x, &y, &folds, None).unwrap();
    for ((metric, of), reference) in METRICS.into_iter().zip([2.55, 1.82, 0.888]) {
        let found = mean(&of_folds(&scores, of));
        assert!((found - mean(&expected[metric])).abs() < 1e-3, "{metric}: {found}");
        assert!((found - reference).abs() < 0.006, "{metric}: {found}, not {reference}");
    }
}

#[test]
fn extra_trees_are_as_good_as_scikit_learns() {
    let (x, y) = auto_mpg();
    let fixture = fixture();
    let extra = ExtraTreesRegressor::builder().n_estimators(300).build().unwrap();
    let scores = cross_validate(&model(extra), &x, &y, &folds(&fixture), None).unwrap();
    for (metric, of) in METRICS {
        let theirs = &fixture.extra_trees[metric];
        // Five standard errors of the difference between one seed and the mean of eight.
        let variance = theirs.iter().map(|value| (value - mean(theirs)).powi(2)).sum::<f64>() / 7.0;
        let spread = 5.0 * (variance * (1.0 + 1.0 / 8.0)).sqrt();
        let (found, expected) = (mean(&of_folds(&scores, of)), mean(theirs));
        assert!((found - expected).abs() < spread, "{metric}: {found}, not {expected} within {spread}");
    }
}

#[test]
fn forests_do_not_extrapolate_here_as_there() {
    let (x, y) = auto_mpg();
    let years = x.column("model year").unwrap().to_f64().unwrap().into_owned();
    let fold = Fold::cut_at(&years, 79.0).unwrap();
    let scores = cross_validate(&model(RandomForestRegressor::default()), &x, &y, &[fold], None).unwrap();
    let (found, expected) = (scores[0].metrics.rmse, mean(&fixture().forest_from_79));
    assert!((found - expected).abs() < 0.25, "{found}, not {expected}");
}

#[test]
fn partial_dependence_is_scikit_learns() {
    let (x, y) = auto_mpg();
    let fitted = model(Ridge::default()).fit(&x, &y).unwrap();
    let dependence = fixture().dependence;
    assert_eq!(dependence.len(), 3);
    for (column, expected) in dependence {
        let found = partial_dependence(&*fitted, &x, &column, &Grid::default()).unwrap();
        assert_close(&format!("grid of {column}"), &found.grid, &expected.grid);
        assert_close(&format!("average by {column}"), &found.average, &expected.average);
        for (row, expected) in expected.individual.iter().enumerate() {
            assert_close(&format!("row {row} by {column}"), &found.individual[row], expected);
        }
    }
}
