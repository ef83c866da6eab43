//! The law about the way back.

use drivetrain_plan::{ApplyError, Column, ColumnTable, Table};
use drivetrain_transform::{Estimator, Fitted, TransformError};

use super::chain;

/// How far a number may be from the one it came from, relative to the largest magnitude of its column.
const ROUNDING: f64 = 1e-9;

/// A row in which the transform made something infinite or missing has lost it, and is passed over.
pub(super) fn leads_back<E: Estimator>(estimator: &E, fitted: &E::Fitted, train: &ColumnTable) -> Result<(), String> {
    let Some((features, back)) = there_and_back(fitted, train)? else { return Ok(()) };
    if back.n_rows() != train.n_rows() {
        return Err(format!("{} rows came back as {}", train.n_rows(), back.n_rows()));
    }
    let returned = compare(train, &features, back)?;
    if returned.other.is_empty() {
        return Ok(());
    }
    if returned.widened.is_empty() {
        return alike(fitted, &features, returned);
    }
    // What came back can be transformed again where its numbers were fitted as floats, as they came back.
    let columns = Vec::from(train.clone()).into_iter().map(|(name, column)| match column.to_f64() {
        Some(values) if returned.widened.contains(&name) => (name, Column::from(values.into_owned())),
        _ => (name, column),
    });
    let train = ColumnTable::new(columns.collect()).map_err(|error| chain(&error))?;
    let Ok(fitted) = estimator.fit(&train, None) else { return Ok(()) };
    let Some((features, back)) = there_and_back(&fitted, &train)? else { return Ok(()) };
    let returned = compare(&train, &features, back)?;
    alike(&fitted, &features, returned)
}

/// The features and what the inverse makes of them; `None` where there is no inverse or the table is refused.
fn there_and_back(fitted: &impl Fitted, train: &ColumnTable) -> Result<Option<(ColumnTable, ColumnTable)>, String> {
    if fitted.inverse().map_err(|error| chain(&error))?.is_none() {
        return Ok(None);
    }
    let Ok(features) = features(fitted, train) else { return Ok(None) };
    match fitted.inverse_transform(&features) {
        Ok(back) => Ok(Some((features, back))),
        Err(error) => Err(format!("the inverse is refused: {}", chain(&error))),
    }
}

/// The transform of `table`, its numbers as `float64` where there is nothing else.
fn features(fitted: &impl Fitted, table: &ColumnTable) -> Result<ColumnTable, String> {
    match fitted.transform(table) {
        Ok(matrix) => ColumnTable::try_from(&matrix).map_err(|error| chain(&error)),
        Err(TransformError::Apply(ApplyError::NotNumeric { .. })) => fitted.run(table).map_err(|error| chain(&error)),
        Err(refused) => Err(chain(&refused)),
    }
}

/// What came back, held to what it came from.
struct Returned {
    /// The table, with what came back but for rounding as it was before.
    table: Vec<(String, Column<'static>)>,
    /// Numbers that were of another type.
    widened: Vec<String>,
    /// Rows of which something else came back, with what is to be said of the first value.
    other: Vec<(usize, String)>,
}

fn compare(train: &ColumnTable, features: &ColumnTable, back: ColumnTable) -> Result<Returned, String> {
    let columns = |table: &ColumnTable| Vec::from(table.clone());
    let missing = |columns: &[(String, Column<'_>)], row| columns.iter().filter(|(_, c)| c.is_missing(row)).count();
    let (before, between) = (columns(train), columns(features));
    let infinite = |column: &Column<'_>, row: usize| column.to_f64().is_some_and(|values| values[row].is_infinite());
    let lost = |row: usize| {
        missing(&between, row) > missing(&before, row) || between.iter().any(|(_, column)| infinite(column, row))
    };
    let kept: Vec<usize> = (0..train.n_rows()).filter(|row| !lost(*row)).collect();
    let mut returned = Returned { table: Vec::new(), widened: Vec::new(), other: Vec::new() };
    for (name, found) in Vec::from(back) {
        let expected = train.column(&name).ok_or_else(|| format!("the inverse gives `{name}`, which was no input"))?;
        let constant = (1..train.n_rows()).all(|row| expected.describe(row) == expected.describe(0));
        for &row in &kept {
            // Of a column that says nothing there may be nothing to come back.
            let nothing = constant && found.is_missing(row);
            if !nothing && !same_value(&expected, &found, row) {
                let (expected, found) = (expected.describe(row), found.describe(row));
                returned.other.push((row, format!("column `{name}`, row {row}: {expected} came back as {found}")));
            }
        }
        if expected.dtype() != found.dtype() {
            returned.widened.push(name.clone());
        }
        returned.table.push((name, with_the_same(&expected, found)));
    }
    Ok(returned)
}

/// `found` with those numbers of `expected` that it has but for rounding.
fn with_the_same(expected: &Column<'_>, found: Column<'static>) -> Column<'static> {
    let (Column::Float64(old), Column::Float64(new)) = (expected, &found) else { return found };
    let rows = (0..new.len()).map(|row| if same_value(expected, &found, row) { old[row] } else { new[row] });
    Column::from(rows.collect::<Vec<_>>())
}

/// Whether rows of which something else came back transform to the same features.
fn alike(fitted: &impl Fitted, features: &ColumnTable, returned: Returned) -> Result<(), String> {
    let Some((_, first)) = returned.other.first() else { return Ok(()) };
    let table = ColumnTable::new(returned.table).map_err(|error| chain(&error))?;
    let again = self::features(fitted, &table).map_err(|refused| format!("{first}, which is refused: {refused}"))?;
    for (row, what) in &returned.other {
        for name in features.schema().names() {
            let (Some(before), Some(after)) = (features.column(name), again.column(name)) else { continue };
            if !same_value(&before, &after, *row) {
                let (before, after) = (before.describe(*row), after.describe(*row));
                return Err(format!("{what}, and that transforms to `{name}` {after} instead of {before}"));
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
