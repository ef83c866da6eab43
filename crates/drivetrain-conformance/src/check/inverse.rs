//! The law about the way back.

use drivetrain_plan::{ApplyError, Column, ColumnTable, Table};
use drivetrain_transform::{Fitted, TransformError};

use super::chain;

/// How far a number may be from the one it came from, relative to the largest magnitude of its column.
const ROUNDING: f64 = 1e-9;

/// A row in which the transform made something infinite or missing has lost it, and is passed over.
pub(super) fn leads_back(fitted: &impl Fitted, train: &ColumnTable) -> Result<(), String> {
    let Some(inverse) = fitted.inverse().map_err(|error| chain(&error))? else { return Ok(()) };
    let features = match fitted.transform(train) {
        Ok(matrix) => ColumnTable::try_from(&matrix).map_err(|error| chain(&error))?,
        Err(TransformError::Apply(ApplyError::NotNumeric { .. })) => {
            fitted.run(train).map_err(|error| chain(&error))?
        }
        Err(_) => return Ok(()),
    };
    let back = inverse.run(&features).map_err(|error| format!("the inverse is refused: {}", chain(&error)))?;
    if back.n_rows() != train.n_rows() {
        return Err(format!("{} rows came back as {}", train.n_rows(), back.n_rows()));
    }
    let columns = |table: &ColumnTable| Vec::from(table.clone());
    let missing = |columns: &[(String, Column<'_>)], row| columns.iter().filter(|(_, c)| c.is_missing(row)).count();
    let (before, between) = (columns(train), columns(&features));
    let infinite = |column: &Column<'_>, row: usize| column.to_f64().is_some_and(|values| values[row].is_infinite());
    let lost = |row: usize| {
        missing(&between, row) > missing(&before, row) || between.iter().any(|(_, column)| infinite(column, row))
    };
    for (name, found) in columns(&back) {
        let expected = train.column(&name).ok_or_else(|| format!("the inverse gives `{name}`, which was no input"))?;
        for row in (0..train.n_rows()).filter(|row| !lost(*row)) {
            if !same_value(&expected, &found, row) {
                let (expected, found) = (expected.describe(row), found.describe(row));
                return Err(format!("column `{name}`, row {row}: {expected} came back as {found}"));
            }
        }
    }
    Ok(())
}

/// Numbers within rounding, everything else in value and type.
fn same_value(expected: &Column<'_>, found: &Column<'_>, row: usize) -> bool {
    match (expected.to_f64(), found.to_f64()) {
        (Some(expected), Some(found)) => {
            let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            let (expected, found) = (expected[row], found[row]);
            expected.is_nan() && found.is_nan() || (expected - found).abs() <= ROUNDING * largest
        }
        _ => expected.dtype() == found.dtype() && expected.describe(row) == found.describe(row),
    }
}
