//! The rows of a request as a typed table.
//!
//! Rows are counted from 0, so that a row has the same number in an error as its prediction has as `id`. A CSV header
//! line and blank lines do not count.
//!
//! A row is a list of values in the order of the model's columns, or, with a CSV header or a JSON object, values by name.
//! Where the model reads raw rows, a list may hold one value more than the model reads: the target, first, which is
//! dropped.

mod cell;
mod csv;
mod json;
mod npy;

use std::collections::BTreeSet;

use cell::{Cell, Expected};
use drivetrain_plan::{CategoricalColumn, CategoryType, Column, ColumnTable, DataType, ExtraColumns, Plan, Schema};

use super::{request::InputFormat, response::Rejection};

/// The columns that rows are read into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSchema {
    schema: Schema,
    extra: Extra,
    optional: BTreeSet<String>,
}

/// What to do with values that the model does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// No row has any.
    Refuse,
    /// A row may carry the target: the first of a list, any one by name.
    Target,
    /// As [`Target`](Self::Target), and any number of columns by name.
    Ignore,
}

impl RowSchema {
    /// Rows of the columns of `schema`, which has at least one.
    #[must_use]
    pub const fn new(schema: Schema, extra: Extra) -> Self {
        Self { schema, extra, optional: BTreeSet::new() }
    }

    /// The rows that `plan` reads, the target being allowed. Columns that no feature depends on may be absent by name.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let extra = match plan.extra_columns() {
            ExtraColumns::Ignore => Extra::Ignore,
            ExtraColumns::Reject => Extra::Target,
        };
        let required = plan.required_inputs();
        let optional = plan.inputs().fields().iter().filter(|field| !required.contains(field));
        let optional = optional.map(|field| field.name.clone()).collect();
        Self { schema: plan.inputs().clone(), extra, optional }
    }

    /// The columns.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// A [`Rejection`] of status 400 that names the row, the column and the value at fault where there is one.
    pub fn read(&self, format: InputFormat, body: &[u8]) -> Result<ColumnTable, Rejection> {
        // Some editors begin a text with a byte order mark.
        let text = |body| <[u8]>::strip_prefix(body, b"\xef\xbb\xbf").unwrap_or(body);
        match format {
            InputFormat::Csv => csv::read(text(body), self),
            InputFormat::Json => json::read(text(body), self),
            InputFormat::JsonLines => json::read_lines(text(body), self),
            InputFormat::Npy => npy::read(body, self),
        }
    }

    /// How many leading values of a list of `width` values are to be dropped, or what is wrong with the width.
    fn surplus(&self, row: usize, width: usize) -> Result<usize, Rejection> {
        let expected = self.schema.len();
        match width.checked_sub(expected) {
            Some(0) => Ok(0),
            Some(1) if self.extra != Extra::Refuse => Ok(1),
            _ => {
                let names = self.schema.names().collect::<Vec<_>>().join(", ");
                let target = if self.extra == Extra::Refuse {
                    String::new()
                } else {
                    format!(", or {} with the target first", expected + 1)
                };
                let message = format!("row {row} has {width} values; the model reads {expected} ({names}){target}");
                Err(Rejection::bad_request(message).row(row))
            }
        }
    }

    /// For each column of the schema its place among `names`; none where it is absent and may be.
    fn places<'n>(&self, names: &(impl Iterator<Item = &'n str> + Clone)) -> Result<Vec<Option<usize>>, Naming> {
        let mut naming = Naming::default();
        let mut places = Vec::with_capacity(self.schema.len());
        for field in self.schema.fields() {
            let place = names.clone().position(|name| name == field.name);
            if place.is_none() && !self.optional.contains(&field.name) {
                naming.missing.push(field.name.clone());
            }
            places.push(place);
        }
        let others = names.clone().enumerate().filter(|(place, _)| !places.contains(&Some(*place)));
        let (repeated, extra): (Vec<_>, Vec<_>) = others.partition(|(_, name)| self.schema.field(name).is_some());
        naming.repeated = repeated.into_iter().map(|(_, name)| name.to_owned()).collect();
        let allowed = match self.extra {
            Extra::Refuse => 0,
            Extra::Target => 1,
            Extra::Ignore => usize::MAX,
        };
        if extra.len() > allowed {
            naming.extra = extra.into_iter().map(|(_, name)| name.to_owned()).collect();
        }
        if naming == Naming::default() { Ok(places) } else { Err(naming) }
    }
}

/// What is wrong with the names of a header or of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Naming {
    missing: Vec<String>,
    repeated: Vec<String>,
    extra: Vec<String>,
}

impl Naming {
    fn into_rejection(self, place: &str) -> Rejection {
        let parts: Vec<_> = [("missing", &self.missing), ("repeated", &self.repeated), ("not expected", &self.extra)]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what}: `{}`", names.join("`, `")))
            .collect();
        let first = [self.missing, self.repeated, self.extra].into_iter().flatten().next();
        let rejection = Rejection::bad_request(format!("{place}: columns {}", parts.join("; ")));
        match first {
            Some(column) => rejection.column(column),
            None => rejection,
        }
    }
}

/// A table that grows row by row.
#[derive(Debug)]
struct TableBuilder<'s> {
    schema: &'s Schema,
    columns: Vec<Values>,
    n_rows: usize,
}

/// The values of a column so far.
#[derive(Debug)]
enum Values {
    Boolean(Vec<Option<bool>>),
    Int64(Vec<Option<i64>>),
    Float64(Vec<f64>),
    String(Vec<Option<String>>),
    Categorical(Box<Values>),
}

impl Values {
    fn new(dtype: DataType) -> Self {
        match dtype {
            DataType::Boolean => Self::Boolean(Vec::new()),
            DataType::Int64 => Self::Int64(Vec::new()),
            DataType::Float64 => Self::Float64(Vec::new()),
            DataType::String => Self::String(Vec::new()),
            DataType::Categorical(CategoryType::Int64) => Self::Categorical(Box::new(Self::Int64(Vec::new()))),
            DataType::Categorical(CategoryType::String) => Self::Categorical(Box::new(Self::String(Vec::new()))),
        }
    }

    fn push(&mut self, cell: &Cell<'_>) -> Result<(), Expected> {
        match self {
            Self::Boolean(values) => values.push(cell.boolean()?),
            Self::Int64(values) => values.push(cell.integer()?),
            Self::Float64(values) => values.push(cell.float()?),
            Self::String(values) => values.push(cell.text()?),
            Self::Categorical(values) => values.push(cell)?,
        }
        Ok(())
    }

    fn finish(self) -> Column<'static> {
        match self {
            Self::Boolean(values) => values.into(),
            Self::Int64(values) => values.into(),
            Self::Float64(values) => values.into(),
            Self::String(values) => values.into(),
            Self::Categorical(values) => match values.finish() {
                Column::Int64(values) => Column::Categorical(CategoricalColumn::Int64(values)),
                Column::String(values) => Column::Categorical(CategoricalColumn::String(values)),
                other => other,
            },
        }
    }
}

impl<'s> TableBuilder<'s> {
    fn new(schema: &'s Schema) -> Self {
        let columns = schema.fields().iter().map(|field| Values::new(field.dtype)).collect();
        Self { schema, columns, n_rows: 0 }
    }

    /// Appends a row; `cell` gives the value of a column by its place in the schema.
    fn push<'c>(&mut self, mut cell: impl FnMut(usize) -> Cell<'c>) -> Result<(), Rejection> {
        for (index, (values, field)) in self.columns.iter_mut().zip(self.schema.fields()).enumerate() {
            let cell = cell(index);
            values.push(&cell).map_err(|Expected(expected)| {
                let (row, column, value) = (self.n_rows, &field.name, cell.to_string());
                Rejection::bad_request(format!("row {row}, column `{column}`: `{value}` is not {expected}"))
                    .row(row)
                    .column(column)
                    .value(value)
            })?;
        }
        self.n_rows += 1;
        Ok(())
    }

    fn finish(self) -> Result<ColumnTable, Rejection> {
        if self.n_rows == 0 {
            return Err(Rejection::bad_request("the request holds no rows"));
        }
        let names = self.schema.names().map(str::to_owned);
        let columns = names.zip(self.columns.into_iter().map(Values::finish)).collect();
        ColumnTable::new(columns).map_err(|error| Rejection::internal(&error))
    }
}
