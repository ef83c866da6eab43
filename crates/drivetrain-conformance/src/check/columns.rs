//! The laws about which columns go in and come out.

use drivetrain_plan::{Column, ColumnTable, DataType, Plan, Table};
use drivetrain_transform::Fitted;

use super::{chain, same_result, transform};

/// `table` without the column `name`.
fn without(table: &ColumnTable, name: &str) -> Result<ColumnTable, String> {
    let columns = Vec::from(table.clone()).into_iter().filter(|(column, _)| column != name);
    ColumnTable::new(columns.collect()).map_err(|error| chain(&error))
}

pub(super) fn columns_named(fitted: &impl Fitted, plan: &Plan, probe: &ColumnTable) -> Result<(), String> {
    for field in plan.required_inputs() {
        let columns = Vec::from(probe.clone());
        let other = if field.dtype == DataType::Boolean {
            Column::from(vec![0.0; probe.n_rows()])
        } else {
            Column::from(vec![Some(true); probe.n_rows()])
        };
        let retyped = columns
            .iter()
            .map(|(name, column)| (name.clone(), if *name == field.name { other.clone() } else { column.clone() }));
        let retyped = ColumnTable::new(retyped.collect()).map_err(|error| chain(&error))?;
        for (table, what) in [(without(probe, &field.name)?, "removed"), (retyped, "retyped")] {
            match transform(fitted, &table) {
                Ok(_) => return Err(format!("`{}` {what} was not noticed", field.name)),
                Err(error) if error.contains(&field.name) => {}
                Err(error) => return Err(format!("`{}` {what} gives an error without its name: {error}", field.name)),
            }
        }
    }
    Ok(())
}

pub(super) fn width_named(fitted: &impl Fitted, plan: &Plan, probe: &ColumnTable) -> Result<(), String> {
    let Some(field) = plan.required_inputs().first().copied() else { return Ok(()) };
    let Err(error) = transform(fitted, &without(probe, &field.name)?) else {
        return Err(format!("a table without `{}` was transformed", field.name));
    };
    let (fitted, found) = (plan.inputs().len(), probe.schema().len() - 1);
    if error.contains(&fitted.to_string()) && error.contains(&found.to_string()) {
        Ok(())
    } else {
        Err(format!("{found} columns where {fitted} were fitted give an error without these numbers: {error}"))
    }
}

pub(super) fn extra_columns(fitted: &impl Fitted, probe: &ColumnTable) -> Result<(), String> {
    let mut extra = "extra".to_owned();
    while probe.schema().field(&extra).is_some() {
        extra.push('_');
    }
    let mut columns = Vec::from(probe.clone());
    columns.insert(0, (extra.clone(), Column::from(vec![1.0; probe.n_rows()])));
    let widened = transform(fitted, &ColumnTable::new(columns).map_err(|error| chain(&error))?);
    match &widened {
        Err(error) if error.contains(&extra) => Ok(()),
        _ => same_result(&widened, &transform(fitted, probe), "one more column", "as fitted"),
    }
}

pub(super) fn feature_names(fitted: &impl Fitted, plan: &Plan, probe: &ColumnTable) -> Result<(), String> {
    let Ok(output) = transform(fitted, probe) else { return Ok(()) };
    let mut names = output.names.clone();
    let width = output.rows.first().map_or(names.len(), Vec::len);
    if names != plan.feature_names() || width != names.len() {
        return Err(format!("{width} columns called {names:?}; the plan says {:?}", plan.feature_names()));
    }
    names.sort_unstable();
    names.dedup();
    if names.len() == width { Ok(()) } else { Err(format!("a name appears twice in {:?}", output.names)) }
}
