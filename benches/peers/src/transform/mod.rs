//! Eight numbers scaled and two columns of categories one-hot encoded, and before that, if numbers are missing, imputed.

mod by_hand;
mod datarust;
#[cfg(feature = "featrs")]
mod featrs;
mod linfa;
mod ours;
mod smartcore;

use drivetrain_bench::Task;

use crate::data::{self, Columns};
use crate::{Failure, Printer, unknown};

pub(crate) use by_hand::{CATEGORIES, FEATURES, NUMBERS, TEXTS};
pub(crate) use ours::{Lent, column_transformer};

const FIT: &str = "fit";
const TRANSFORM: &str = "transform";
const INTO: &str = "transform into warm memory";

pub(crate) fn run(task: &Task, rows: usize, missing: bool, meter: &mut Printer) -> Result<(), Failure> {
    let columns = data::columns(&task.folder, rows, missing)?;
    match task.engine.as_str() {
        "drivetrain" => ours::run(columns, missing, meter),
        "by hand" => by_hand::run(&columns, meter),
        "copying the output" => copy(rows, meter),
        "smartcore" if !missing => smartcore::run(&columns, meter),
        "datarust" => datarust::run(columns, missing, meter),
        "linfa" if !missing => linfa::run(&columns, meter),
        #[cfg(feature = "featrs")]
        "featrs" => featrs::run(columns, missing, meter),
        _ => Err(unknown(task)),
    }
}

/// What any engine has to do at least: put the features somewhere.
fn copy(rows: usize, meter: &mut Printer) -> Result<(), Failure> {
    let features: Vec<f64> = (0..rows * FEATURES).map(|index| index as f64).collect();
    meter.measure(TRANSFORM, || features.clone());
    let mut warm = features.clone();
    meter.measure(INTO, || warm.copy_from_slice(&features));
    Ok(())
}

/// The mean size of a feature: the same for all engines, in whatever order the features are.
fn mean_size<'a>(features: impl IntoIterator<Item = &'a f64>, rows: usize) -> f64 {
    features.into_iter().map(|feature| feature.abs()).sum::<f64>() / (rows * FEATURES) as f64
}

/// The table as most engines for numbers want it: a row-major matrix, numbers first, then codes.
fn matrix(columns: &Columns) -> Vec<f64> {
    let row = |row: usize| {
        let numbers = columns.numbers.iter().map(move |column| column[row]);
        numbers.chain(columns.codes.iter().map(move |column| f64::from(column[row])))
    };
    (0..columns.numbers[0].len()).flat_map(row).collect()
}
