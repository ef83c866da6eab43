//! Checks of a caller's numbers, before anything is computed from them.

use std::borrow::Cow;

use ndarray::ArrayView2;

use crate::ForestError;

/// The largest magnitude of a target: sums over every row and every tree stay finite below it.
pub(crate) const MAX_TARGET: f64 = 1e300;

/// The largest magnitude of a prediction: a mean of targets may be rounded up.
pub(crate) const MAX_PREDICTION: f64 = 2.0 * MAX_TARGET;

/// The values of `x`, row after row; copied only when they do not lie so in memory.
pub(crate) fn row_major<'a>(x: &'a ArrayView2<'_, f64>) -> Cow<'a, [f64]> {
    match x.as_slice() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(x.iter().copied().collect()),
    }
}

/// Refuses a width other than the fitted one.
pub(crate) fn width(expected: usize, found: usize) -> Result<(), ForestError> {
    if expected == found { Ok(()) } else { Err(ForestError::FeatureCount { expected, found }) }
}

/// Refuses the first value that is not finite in `values`, which holds rows of `n_columns` values each.
pub(crate) fn features(values: &[f64], n_columns: usize) -> Result<(), ForestError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            Err(ForestError::InvalidFeature { row: index / n_columns, column: index % n_columns, value: values[index] })
        }
    }
}

/// Refuses a training set that is empty, too large, of unequal lengths or not finite.
#[cfg(feature = "train")]
pub(crate) fn training_set(x: &ArrayView2<'_, f64>, y: &[f64]) -> Result<(), ForestError> {
    let (n_rows, n_columns) = x.dim();
    if n_rows == 0 || n_columns == 0 {
        return Err(ForestError::EmptyTrainingSet { n_rows, n_columns });
    }
    // The engine numbers rows in 31 bits, all ones being a mark of its own.
    let limit = i32::MAX as usize;
    if n_rows > limit || n_columns > limit {
        return Err(ForestError::TrainingSetTooLarge { n_rows, n_columns, limit });
    }
    if n_rows != y.len() {
        return Err(ForestError::TargetLength { n_rows, n_targets: y.len() });
    }
    features(&row_major(x), n_columns)?;
    match y.iter().position(|value| value.is_nan() || value.abs() > MAX_TARGET) {
        None => Ok(()),
        Some(row) => Err(ForestError::InvalidTarget { row, value: y[row], limit: MAX_TARGET }),
    }
}
