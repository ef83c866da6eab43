//! A random forest grown, and asked for rows that it has not seen: all in one call, then one a call.

mod biosphere;
mod datarust;
mod ours;
mod rafor;
mod smartcore;

use drivetrain_bench::Task;

use crate::data::{self, Rows};
use crate::{Failure, Printer, unknown};

const FIT: &str = "fit";
const BATCH: &str = "predict, per row of a batch";
const ROW: &str = "predict one row";

/// How many single rows are predicted in a row; the slow engines need less of them.
const SINGLE_ROWS: usize = 1000;

/// What is grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) trees: usize,
    pub(crate) max_depth: Option<usize>,
    /// None for all.
    pub(crate) max_features: Option<usize>,
    pub(crate) threads: usize,
}

pub(crate) fn run(task: &Task, rows: usize, shape: Shape, meter: &mut Printer) -> Result<(), Failure> {
    let [train, test] = data::train_and_test(&task.folder, rows)?;
    match task.engine.as_str() {
        "drivetrain" => ours::run(&train, &test, shape, meter),
        "smartcore" if shape.threads == 1 => smartcore::run(&train, &test, shape, meter),
        "biosphere" => biosphere::run(&train, &test, shape, meter),
        "rafor" => rafor::run(&train, &test, shape, meter),
        "datarust" if shape.threads == 1 => datarust::run(&train, &test, shape, meter),
        _ => Err(unknown(task)),
    }
}

pub(crate) use ours::regressor;
pub(crate) use rafor::forest as rafor_forest;

/// Measures prediction, the rows of a batch and then single ones. The check is the error for the batch.
fn predict(
    test: &Rows,
    meter: &mut Printer,
    mut batch: impl FnMut() -> Result<Vec<f64>, Failure>,
    mut one: impl FnMut(&[f64]) -> Result<f64, Failure>,
) -> Result<(), Failure> {
    let predictions = meter.measure(BATCH, &mut batch)?;
    meter.check(root_mean_squared_error(&test.y, &predictions));
    meter.each_of(test.y.len());
    let width = test.x.ncols();
    let values = data::row_major(&test.x.view());
    let count = SINGLE_ROWS.min(test.y.len());
    let sum =
        meter.measure(ROW, || values.chunks_exact(width).take(count).map(&mut one).sum::<Result<f64, Failure>>())?;
    meter.each_of(count);
    let expected: f64 = predictions.iter().take(count).sum();
    if (sum - expected).abs() > 1e-3 * expected.abs() {
        return Err(format!("single rows add up to {sum}, the same rows in a batch to {expected}").into());
    }
    Ok(())
}

fn root_mean_squared_error(y: &[f64], predictions: &[f64]) -> f64 {
    let squares = y.iter().zip(predictions).map(|(y, prediction)| (y - prediction).powi(2));
    (squares.sum::<f64>() / y.len() as f64).sqrt()
}
