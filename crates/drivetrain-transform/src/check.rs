//! Checks that every estimator makes before it learns.

use std::borrow::Cow;

use drivetrain_plan::{CategoricalColumn, Column, Field, Table};

use crate::FitError;

/// Checks that there is something to learn from, and that the target, if there is one, fits.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::check_input;
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 2.0]))])?;
/// assert!(check_input(&table, Some(&[0.5, 1.5])).is_ok());
/// let error = check_input(&table, Some(&[0.5])).unwrap_err();
/// assert_eq!(error.to_string(), "the target has 1 values for 2 rows");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FitError::Empty`] and [`FitError::TargetLength`].
pub fn check_input(x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
    let (rows, columns) = (x.n_rows(), x.schema().len());
    if rows == 0 || columns == 0 {
        return Err(FitError::Empty { rows, columns });
    }
    match y {
        Some(y) if y.len() != rows => Err(FitError::TargetLength { rows, found: y.len() }),
        _ => Ok(()),
    }
}

/// The column that `field` describes.
pub(crate) fn column<'t>(x: &'t dyn Table, field: &Field) -> Result<Column<'t>, FitError> {
    x.column(&field.name)
        .filter(|column| column.dtype() == field.dtype && column.len() == x.n_rows())
        .ok_or_else(|| FitError::AbsentColumn { column: field.name.clone(), dtype: field.dtype })
}

/// The values of a numeric column, NaN where missing.
pub(crate) fn numeric<'t>(
    x: &'t dyn Table,
    field: &Field,
    estimator: &'static str,
) -> Result<Cow<'t, [f64]>, FitError> {
    let values = match column(x, field)? {
        Column::Float64(values) => Some(values),
        other => other.to_f64().map(|values| Cow::Owned(values.into_owned())),
    };
    values.ok_or_else(|| FitError::NotNumeric { estimator, column: field.name.clone(), dtype: field.dtype })
}

/// Whether a value is missing.
pub(crate) fn has_missing(column: &Column<'_>) -> bool {
    match column {
        Column::Float64(values) => values.iter().any(|value| value.is_nan()),
        Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }) => {
            codes.iter().any(|code| usize::try_from(*code).is_ok_and(|code| code >= dictionary.len()))
        }
        column => (0..column.len()).any(|row| column.is_missing(row)),
    }
}

/// The values of a numeric column, NaN where missing, none of them infinite.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, Table};
/// use drivetrain_transform::check_numeric;
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::INFINITY]))])?;
/// let error = check_numeric(&table, &table.schema().fields()[0], "Doubler").unwrap_err();
/// assert_eq!(error.to_string(), "column `x`, row 1: inf is not finite");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FitError::NotNumeric`] in the name of `estimator`, and [`FitError::NotFinite`] with the row.
pub fn check_numeric<'t>(x: &'t dyn Table, field: &Field, estimator: &'static str) -> Result<Cow<'t, [f64]>, FitError> {
    let values = numeric(x, field, estimator)?;
    // Whole blocks are looked at without a branch per value.
    let infinite = |block: &[f64]| block.iter().fold(false, |any, value| any | value.is_infinite());
    let suspect = values.chunks(1024).any(infinite);
    match values.iter().position(|value| suspect && value.is_infinite()) {
        Some(row) => Err(FitError::NotFinite { column: field.name.clone(), row, value: values[row] }),
        None => Ok(values),
    }
}
