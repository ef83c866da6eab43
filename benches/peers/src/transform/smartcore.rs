//! smartcore, which has no column transformer: the encoder goes over the whole matrix, then the scaler over the numbers.

use ::smartcore::api::{Transformer, UnsupervisedEstimator};
use ::smartcore::linalg::basic::arrays::{Array, MutArray};
use ::smartcore::linalg::basic::matrix::DenseMatrix;
use ::smartcore::preprocessing::categorical::{OneHotEncoder, OneHotEncoderParams};
use ::smartcore::preprocessing::numerical::{StandardScaler, StandardScalerParameters};

use super::{FIT, TRANSFORM, matrix, mean_size};
use crate::data::{Columns, FEATURES, NUMBERS, TEXTS};
use crate::{Failure, Printer};

pub(super) fn run(columns: &Columns, meter: &mut Printer) -> Result<(), Failure> {
    let rows = columns.numbers[0].len();
    let table = DenseMatrix::new(rows, NUMBERS + TEXTS, matrix(columns), false)?;
    let numbers = DenseMatrix::new(rows, NUMBERS, columns.numbers.concat(), true)?;
    let texts: Vec<usize> = (NUMBERS..NUMBERS + TEXTS).collect();
    let (encoder, scaler) = meter.measure(FIT, || {
        let encoder = OneHotEncoder::fit(&table, OneHotEncoderParams::from_cat_idx(&texts));
        encoder.and_then(|encoder| Ok((encoder, StandardScaler::fit(&numbers, StandardScalerParameters::default())?)))
    })?;
    let features = meter.measure(TRANSFORM, || {
        let mut features = encoder.transform(&table)?;
        let scaled = scaler.transform(&numbers)?;
        for row in 0..rows {
            for column in 0..NUMBERS {
                features.set((row, column), *scaled.get((row, column)));
            }
        }
        Ok::<_, ::smartcore::error::Failed>(features)
    })?;
    let each = (0..rows).flat_map(|row| (0..FEATURES).map(move |column| (row, column)));
    meter.check(mean_size(each.map(|place| features.get(place)), rows));
    Ok(())
}
