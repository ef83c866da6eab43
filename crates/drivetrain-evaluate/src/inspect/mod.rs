//! What a fitted model makes of its columns.

mod importance;
mod origin;
mod partial_dependence;

pub use importance::{ColumnImportance, permutation_importance};
pub use origin::fold_back;
pub use partial_dependence::{Grid, PartialDependence, partial_dependence};

use drivetrain_plan::{Column, ColumnTable, Table};

use crate::EvaluateError;

/// `x` with another column in the place of the one called `name`.
fn with_column(x: &ColumnTable, name: &str, column: Column<'static>) -> Result<ColumnTable, EvaluateError> {
    let mut columns: Vec<(String, Column<'static>)> = x.clone().into();
    let found = columns.iter_mut().find(|(known, _)| known == name).ok_or_else(|| unknown(name))?;
    found.1 = column;
    Ok(ColumnTable::new(columns)?)
}

/// The column called `name`.
fn column<'a>(x: &'a ColumnTable, name: &str) -> Result<Column<'a>, EvaluateError> {
    x.column(name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> EvaluateError {
    EvaluateError::UnknownColumn { column: name.to_owned() }
}
