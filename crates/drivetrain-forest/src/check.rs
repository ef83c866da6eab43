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

/// Refuses weights of another number than rows, not finite or negative.
pub(crate) fn each_weight(weights: &[f64], n_rows: usize) -> Result<(), ForestError> {
    if weights.len() != n_rows {
        return Err(ForestError::WeightLength { n_rows, n_weights: weights.len() });
    }
    match weights.iter().position(|weight| !(0.0..f64::INFINITY).contains(weight)) {
        Some(row) => Err(ForestError::InvalidWeight { row, value: weights[row] }),
        None => Ok(()),
    }
}

/// Refuses weights of another number than rows, not finite, negative, or all zero.
#[cfg(feature = "train")]
pub(crate) fn weights(weights: &[f64], n_rows: usize) -> Result<(), ForestError> {
    each_weight(weights, n_rows)?;
    if weights.iter().all(|&weight| weight == 0.0) { Err(ForestError::NoWeight { n_rows }) } else { Ok(()) }
}

/// Refuses a training set that is empty, too large, of unequal lengths or infinite.
#[cfg(feature = "train")]
pub(crate) fn training_set(x: &ArrayView2<'_, f64>, n_targets: usize) -> Result<(), ForestError> {
    let (n_rows, n_columns) = x.dim();
    if n_rows == 0 || n_columns == 0 {
        return Err(ForestError::EmptyTrainingSet { n_rows, n_columns });
    }
    // The engine numbers rows in 30 bits, all ones being a mark of its own.
    let limit = (1 << 30) - 1;
    if n_rows > limit || n_columns > limit {
        return Err(ForestError::TrainingSetTooLarge { n_rows, n_columns, limit });
    }
    if n_rows != n_targets {
        return Err(ForestError::TargetLength { n_rows, n_targets });
    }
    // Where all is well, no position is counted.
    if !x.iter().any(|value| value.is_infinite()) {
        return Ok(());
    }
    match x.indexed_iter().find(|(_, value)| value.is_infinite()) {
        None => Ok(()),
        Some(((row, column), &value)) => Err(ForestError::InvalidFeature { row, column, value }),
    }
}

/// Refuses targets that are not finite or too large.
#[cfg(feature = "train")]
pub(crate) fn targets(y: &[f64]) -> Result<(), ForestError> {
    match y.iter().position(|value| value.is_nan() || value.abs() > MAX_TARGET) {
        None => Ok(()),
        Some(row) => Err(ForestError::InvalidTarget { row, value: y[row], limit: MAX_TARGET }),
    }
}

/// Refuses targets that the Poisson criterion cannot take.
#[cfg(feature = "train")]
pub(crate) fn counts(y: &[f64]) -> Result<(), ForestError> {
    match y.iter().position(|&target| target < 0.0) {
        Some(row) => Err(ForestError::NegativeTarget { row, value: y[row] }),
        None if y.iter().all(|&target| target == 0.0) => Err(ForestError::NoPositiveTarget { n_targets: y.len() }),
        None => Ok(()),
    }
}

/// Whether each column holds categories, empty where none does; refuses values that are neither categories nor
/// missing, and columns that do not exist.
#[cfg(feature = "train")]
pub(crate) fn categories(x: &ArrayView2<'_, f64>, columns: &[usize]) -> Result<Vec<bool>, ForestError> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let mut categorical = vec![false; x.ncols()];
    for &column in columns {
        if column >= x.ncols() {
            return Err(ForestError::InvalidParameter {
                name: "categorical_features",
                value: column.to_string(),
                expected: "numbers of columns of x",
            });
        }
        categorical[column] = true;
        let is_other = |value: &f64| !value.is_nan() && crate::forest::category(*value).is_none();
        if let Some(row) = x.column(column).iter().position(is_other) {
            return Err(ForestError::InvalidCategory { row, column, value: x[[row, column]] });
        }
    }
    Ok(categorical)
}
