//! The laws about missing values, for estimators that write one column for each column that they read.

use drivetrain_plan::{Column, ColumnTable, DataType, Table};
use drivetrain_transform::Fitted;

use super::{chain, transform};
use crate::observed::Observed;

const MISSING: &str = "NaN";

/// What comes out, if it has as many columns as went in.
fn one_to_one(fitted: &impl Fitted, table: &ColumnTable) -> Result<Option<Observed>, String> {
    let Ok(output) = transform(fitted, table) else { return Ok(None) };
    let (found, expected) = (output.names.len(), table.schema().len());
    if found == expected { Ok(Some(output)) } else { Err(format!("{expected} columns became {found}")) }
}

pub(super) fn stays(fitted: &impl Fitted, train: &ColumnTable, probe: &ColumnTable) -> Result<(), String> {
    let Some(output) = one_to_one(fitted, probe)? else { return Ok(()) };
    for (index, name) in probe.schema().names().enumerate() {
        let (Some(learned), Some(column)) = (train.column(name), probe.column(name)) else { continue };
        // Nothing is known about a column of which nothing was seen.
        if (0..learned.len()).all(|row| learned.is_missing(row)) {
            continue;
        }
        for (row, cells) in output.rows.iter().enumerate() {
            let (before, after) = (column.describe(row), &cells[index]);
            let finite = !before.ends_with("inf");
            if finite && column.is_missing(row) != (after == MISSING) {
                return Err(format!("`{name}`, row {row}: {before} became {after}"));
            }
        }
    }
    Ok(())
}

pub(super) fn alone(fitted: &impl Fitted, probe: &ColumnTable) -> Result<(), String> {
    let Some(before) = one_to_one(fitted, probe)? else { return Ok(()) };
    for (emptied, field) in probe.schema().fields().iter().enumerate() {
        let column = match field.dtype {
            DataType::Boolean => Column::from(vec![None::<bool>; probe.n_rows()]),
            DataType::Int64 => Column::from(vec![None::<i64>; probe.n_rows()]),
            DataType::Float64 => Column::from(vec![f64::NAN; probe.n_rows()]),
            DataType::String | DataType::Categorical(_) => continue,
        };
        let mut columns = Vec::from(probe.clone());
        columns[emptied].1 = column;
        let probe = ColumnTable::new(columns).map_err(|error| chain(&error))?;
        let after =
            transform(fitted, &probe).map_err(|error| format!("without values in `{}`: {error}", field.name))?;
        for (row, (before, after)) in before.rows.iter().zip(&after.rows).enumerate() {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                if index != emptied && before != after {
                    let name = &probe.schema().fields()[index].name;
                    return Err(format!(
                        "`{name}`, row {row}: {before} became {after} when `{}` had no values",
                        field.name
                    ));
                }
            }
        }
    }
    Ok(())
}
