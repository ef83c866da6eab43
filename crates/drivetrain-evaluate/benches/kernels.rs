//! What an evaluation spends its time on beside the fitting of forests: milliseconds of each part by itself.
//!
//! ```console
//! $ cargo bench -p drivetrain-evaluate
//! ```
//!
//! 400 rows of eight columns, ten folds five times over, as the reference evaluation has; the best of many runs, on as many
//! threads as there are processors. The whole evaluation beside scikit-learn's: `cargo xtask bench evaluate`.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use drivetrain_evaluate::regressor::{LinearRegression, Ridge};
use drivetrain_evaluate::{
    Bootstrap, CvPlus, Grid, GroupKFold, KFold, Model, PipelineModel, RepeatedKFold, cross_validate,
    partial_dependence, permutation_importance,
};
use drivetrain_plan::{Column, ColumnTable};
use drivetrain_transform::{Draws, StandardScaler};

const ROWS: usize = 400;
const COLUMNS: usize = 8;
/// How long each measurement goes on.
const BUDGET: Duration = Duration::from_millis(500);

fn main() {
    let (x, y) = table();
    let line = PipelineModel::new(StandardScaler::new(), LinearRegression);
    let ridge = PipelineModel::new(StandardScaler::new(), Ridge::default());
    let folds = RepeatedKFold::new(10, 5, 42).unwrap().split(ROWS).unwrap();
    let scores = cross_validate(&line, &x, &y, &folds, None).unwrap();
    let bootstrap = Bootstrap::new(2000, 0.95, 42).unwrap();
    let fitted = line.fit(&x, &y).unwrap();
    let plus = CvPlus::fit(&line, &x, &y, &KFold::new(10).unwrap()).unwrap();
    let groups: Vec<usize> = (0..ROWS).map(|row| row * 7 % 91).collect();
    let group_k_fold = GroupKFold::new(10).unwrap();
    let grid = Grid::new(24, (0.05, 0.95)).unwrap();

    println!("{:>36}  {:>10}", "", "ms");
    measure("splits, 10 folds x 5", || RepeatedKFold::new(10, 5, 42).unwrap().split(ROWS).unwrap());
    measure("splits by 91 groups, 10 folds", || group_k_fold.split(&groups).unwrap());
    measure("cross-validation of a line", || cross_validate(&line, &x, &y, &folds, None).unwrap());
    measure("cross-validation of a ridge", || cross_validate(&ridge, &x, &y, &folds, None).unwrap());
    measure("bootstrap, 2000 resamples", || bootstrap.summarise(&scores, &y).unwrap());
    measure("permutation importances, 5 shuffles", || permutation_importance(&*fitted, &x, &y, 5, 42).unwrap());
    measure("partial dependence of a column", || partial_dependence(&*fitted, &x, "0", &grid).unwrap());
    measure("CV+ intervals of all rows", || plus.predict_intervals(&x, &[0.5, 0.8, 0.9, 0.95]).unwrap());
}

/// Normal-ish numbers, and a target that is a line through them and something more.
fn table() -> (ColumnTable, Vec<f64>) {
    let mut draws = Draws::new(42);
    let mut column = || -> Vec<f64> {
        draws.with_replacement(1 << 20, ROWS).into_iter().map(|draw| draw as f64 / f64::from(1 << 20)).collect()
    };
    let columns: Vec<Vec<f64>> = (0..COLUMNS).map(|_| column()).collect();
    let noise = column();
    let target = |row: usize| columns.iter().map(|column| column[row]).sum::<f64>() + noise[row];
    let y = (0..ROWS).map(target).collect();
    let named = columns.into_iter().enumerate().map(|(index, values)| (index.to_string(), Column::from(values)));
    (ColumnTable::new(named.collect()).unwrap(), y)
}

/// Prints the time of the fastest run.
fn measure<T>(what: &str, mut work: impl FnMut() -> T) {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while best == Duration::MAX || start.elapsed() < BUDGET {
        let begun = Instant::now();
        black_box(work());
        best = best.min(begun.elapsed());
    }
    println!("{what:>36}  {:>10.3}", best.as_secs_f64() * 1e3);
}
