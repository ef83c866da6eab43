//! Our forest, smartcore's and scikit-learn's in turns, on one thread.
//!
//! ```console
//! $ cargo bench -p drivetrain-forest
//! $ FOREST_PYTHON=venv/bin/python FOREST_ROWS=20000 FOREST_TREES=20 cargo bench -p drivetrain-forest
//! ```
//!
//! `FOREST_PYTHON` names a Python that can import scikit-learn; without it scikit-learn is left out.
//! Everyone fits the table of `data.rs` and predicts its rows: many in one call, then one a call. Times
//! are the best of three turns.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]

mod data;
mod reference;

use std::env;
use std::hint::black_box;
use std::str::FromStr;
use std::time::Instant;

use drivetrain_forest::ndarray::{Array2, ArrayView2};
use drivetrain_forest::{MaxFeatures, RandomForestRegressor};
use reference::ScikitLearn;
use smartcore::ensemble::random_forest_regressor as smartcore_forest;
use smartcore::linalg::basic::matrix::DenseMatrix;

/// What is fitted.
#[derive(Debug, Clone, Copy)]
struct Cell {
    n_trees: usize,
    max_depth: Option<u16>,
    /// None for all.
    max_features: Option<usize>,
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
struct Measured {
    fit_seconds: f64,
    rows_per_second: f64,
    row_microseconds: f64,
}

impl Measured {
    fn best(self, other: Self) -> Self {
        Self {
            fit_seconds: self.fit_seconds.min(other.fit_seconds),
            rows_per_second: self.rows_per_second.max(other.rows_per_second),
            row_microseconds: self.row_microseconds.min(other.row_microseconds),
        }
    }
}

fn seconds<R>(work: impl FnOnce() -> R) -> (R, f64) {
    let start = Instant::now();
    let result = black_box(work());
    (result, start.elapsed().as_secs_f64())
}

/// Microseconds a row for single rows.
fn single_rows(x: &ArrayView2<'_, f64>, n: usize, mut predict: impl FnMut(&[f64]) -> f64) -> f64 {
    let (_, time) = seconds(|| {
        let rows = x.rows().into_iter().take(n);
        rows.map(|row| predict(row.as_slice().unwrap())).sum::<f64>()
    });
    time * 1e6 / n as f64
}

fn ours(cell: Cell, x: &Array2<f64>, y: &[f64]) -> Measured {
    let mut builder =
        RandomForestRegressor::builder().n_estimators(cell.n_trees).max_depth(cell.max_depth.map(usize::from));
    if let Some(count) = cell.max_features {
        builder = builder.max_features(MaxFeatures::count(count).unwrap());
    }
    let regressor = builder.build().unwrap();
    let (forest, fit_seconds) = seconds(|| regressor.fit(x.view(), y).unwrap());
    let (_, time) = seconds(|| forest.predict(x.view()).unwrap());
    let row_microseconds = single_rows(&x.view(), 2000, |row| forest.predict_row(row).unwrap());
    Measured { fit_seconds, rows_per_second: x.nrows() as f64 / time, row_microseconds }
}

fn smartcore(cell: Cell, x: &DenseMatrix<f64>, rows: &Array2<f64>, y: &Vec<f64>) -> Measured {
    let parameters = smartcore_forest::RandomForestRegressorParameters {
        max_depth: cell.max_depth.map(|depth| depth + 1),
        min_samples_leaf: 1,
        min_samples_split: 2,
        n_trees: cell.n_trees,
        m: Some(cell.max_features.unwrap_or(data::N_FEATURES)),
        keep_samples: false,
        seed: 0,
    };
    let fit = || smartcore_forest::RandomForestRegressor::fit(x, y, parameters).unwrap();
    let (forest, fit_seconds) = seconds(fit);
    let (_, time) = seconds(|| forest.predict(x).unwrap());
    let row_microseconds = single_rows(&rows.view(), 200, |row| {
        let row = DenseMatrix::new(1, row.len(), row.to_vec(), false).unwrap();
        forest.predict(&row).unwrap()[0]
    });
    Measured { fit_seconds, rows_per_second: rows.nrows() as f64 / time, row_microseconds }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn print(name: &str, measured: Measured, ours: Measured) {
    println!(
        "  {name:<14}{:>9.3} s {:>5.1}x {:>12.0} rows/s {:>5.1}x {:>10.2} us {:>7.1}x",
        measured.fit_seconds,
        measured.fit_seconds / ours.fit_seconds,
        measured.rows_per_second,
        ours.rows_per_second / measured.rows_per_second,
        measured.row_microseconds,
        measured.row_microseconds / ours.row_microseconds,
    );
}

fn main() {
    let n_rows = setting("FOREST_ROWS", 20_000);
    let n_trees = setting("FOREST_TREES", 20);
    let (x, y) = data::table(n_rows);
    let matrix = DenseMatrix::new(n_rows, data::N_FEATURES, x.iter().copied().collect(), false).unwrap();
    let mut scikit_learn = env::var("FOREST_PYTHON").ok().map(|python| ScikitLearn::start(&python, &x, &y));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();

    println!("{n_rows} rows, {} features, {n_trees} trees, one thread", data::N_FEATURES);
    println!("fit, rows a second in one call, one row; in how many times our time");
    for (max_depth, max_features) in
        [(None, None), (Some(10), None), (None, Some(data::N_FEATURES / 3)), (Some(10), Some(data::N_FEATURES / 3))]
    {
        let cell = Cell { n_trees, max_depth, max_features };
        let mut best: Vec<(&str, Measured)> = Vec::new();
        for _ in 0..3 {
            let mut turn =
                vec![("ours", pool.install(|| ours(cell, &x, &y))), ("smartcore", smartcore(cell, &matrix, &x, &y))];
            turn.extend(scikit_learn.as_mut().map(|python| ("scikit-learn", python.measure(cell))));
            if best.is_empty() {
                best = turn;
            } else {
                for (best, turn) in best.iter_mut().zip(turn) {
                    best.1 = best.1.best(turn.1);
                }
            }
        }
        let depth = max_depth.map_or("full depth".to_owned(), |depth| format!("depth {depth}"));
        let features = max_features.map_or("all features".to_owned(), |count| format!("{count} features a split"));
        println!("{depth}, {features}");
        for &(name, measured) in &best {
            print(name, measured, best[0].1);
        }
    }
}
