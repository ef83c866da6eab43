//! linfa-preprocessing, which scales numbers and has no encoder for categories: only the numbers go through it.

use linfa::DatasetBase;
use linfa::traits::{Fit, Transformer};
use linfa_preprocessing::linear_scaling::LinearScaler;
use ndarray_of_linfa::Array2;

use super::{FIT, TRANSFORM};
use crate::data::{Columns, NUMBERS};
use crate::{Failure, Printer};

pub(super) fn run(columns: &Columns, meter: &mut Printer) -> Result<(), Failure> {
    let rows = columns.numbers[0].len();
    let numbers = Array2::from_shape_fn((rows, NUMBERS), |(row, column)| columns.numbers[column][row]);
    let dataset = DatasetBase::from(numbers);
    let scaler = meter.measure(FIT, || LinearScaler::standard().fit(&dataset))?;
    // It takes its input for itself; whoever goes on using it makes a copy.
    meter.measure(TRANSFORM, || scaler.transform(dataset.records.clone()));
    Ok(())
}
