//! Plans as lazy queries, and queries to fit on.
//!
//! [`select`] and [`with_columns`] append a plan to a query. Nothing runs before the query does: polars reads only the
//! columns that are needed, and its streaming engine takes the rows through in pieces, so neither the input nor the
//! result has to fit into memory.
//!
//! A query gives the bits that [`Plan::run`] gives. polars moves, casts, fills and compares; whatever computes a number
//! calls the plan's own operation, because polars has other bits: it divides by a constant by multiplying with the
//! reciprocal, and returns -0.0 from `-0.0 + 0.0`.
//!
//! | plan | query |
//! |---|---|
//! | `boolean`, `int64`, `string` | `Boolean`, `Int64`, `String` |
//! | `float64` | `Float64`, NaN where missing, never null |
//! | `categorical[string]` | `Categorical` where it comes out, `String` on the way; never a physical code |
//! | `categorical[int64]` | `Int64` |
//!
//! An unknown category is an error of the query that names column and value: the first one of any piece of the rows. It
//! does not name the row, because the engine does not say where the pieces lie; nor does the error of a number that stands
//! for no category, or of a missing value that is refused, which every output waits for.
//!
//! ```
//! use drivetrain_frame::{FrameTable, lazy, polars::prelude::*};
//! # use drivetrain_plan::{Op, PlanBuilder, Table};
//!
//! let cars = df!["name" => ["a", "b"], "weight" => [3500.0, 2500.0]]?;
//! # let mut builder = PlanBuilder::new(FrameTable::new(&cars)?.schema().clone());
//! # builder.push(Op::Scale { column: "weight".into(), center: 3000.0, scale: 500.0, output: "scaled".into() });
//! # builder.output("weight", "scaled");
//! # let plan = builder.build()?;
//! let scaled = lazy::with_columns(cars.lazy(), &plan)?.filter(col("weight").gt(lit(0))).collect()?;
//! assert_eq!(scaled, df!["name" => ["a"], "weight" => [1.0]]?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **To fit on a query**, name the columns that the estimator reads: [`Rows`] takes them, and no others, from the query, in
//! chunks where the estimator can be fed so.
//!
//! **To write what is larger than memory**, end the query in `LazyFrame::sink` instead of `collect`: rows are transformed
//! and written as they are read. CSV is compiled in; for Parquet, depend on polars with its feature `parquet` as well.

mod rows;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use drivetrain_plan::{
    ApplyError, CategoryType, Column as TableColumn, DataType, Field, Function, Op, Operand, Operator, Plan,
    PlanBuilder, Program, Registry, Schema, Table, UnknownCategory, UnknownValue, Value,
};
use polars::prelude::{
    Categories, Column, DataFrame, DataType as PolarsType, Expr, Field as PolarsField, LazyFrame, PolarsError,
    PolarsResult, Schema as PolarsSchema, lit, map_multiple,
};

pub use self::rows::Rows;
use crate::{FrameError, FrameTable, export::export, table::table_type};

/// The outputs of `plan`, and no other column.
///
/// # Errors
/// [`FrameError`] when the frame does not have the columns that the plan needs, or the plan uses an extension.
pub fn select(frame: LazyFrame, plan: &Plan) -> Result<LazyFrame, FrameError> {
    let Lowered { frame, outputs, .. } = lower(frame, plan)?;
    Ok(frame.select(outputs))
}

/// All columns of `frame` and then the outputs of `plan`; an output takes the place of the column that has its name.
///
/// # Errors
/// [`FrameError`] when the frame does not have the columns that the plan needs, or the plan uses an extension.
pub fn with_columns(frame: LazyFrame, plan: &Plan) -> Result<LazyFrame, FrameError> {
    let Lowered { frame, columns, outputs } = lower(frame, plan)?;
    let mut outputs: Vec<(&str, Expr)> = plan.output_schema().names().zip(outputs).collect();
    let mut selected = Vec::with_capacity(columns.len() + outputs.len());
    for name in columns {
        match outputs.iter().position(|(output, _)| *output == name) {
            Some(index) => selected.push(outputs.remove(index).1),
            None => selected.push(column(&name)),
        }
    }
    selected.extend(outputs.into_iter().map(|(_, output)| output));
    Ok(frame.select(selected))
}

/// A frame that holds every column of a plan under a name of its own.
struct Lowered {
    frame: LazyFrame,
    /// The columns that the frame had before.
    columns: Vec<String>,
    /// The outputs, named.
    outputs: Vec<Expr>,
}

fn lower(mut frame: LazyFrame, plan: &Plan) -> Result<Lowered, FrameError> {
    let schema = frame.collect_schema()?;
    plan.check_schema(&table_schema(&schema, plan)?).map_err(ApplyError::Schema)?;
    let columns: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    let mut lowering = Lowering::new(&columns, plan);
    for op in plan.required_ops() {
        lowering.push(op)?;
    }
    let outputs = plan.outputs().iter().zip(plan.output_schema().fields()).map(|(output, field)| {
        let held = lowering.checked(column(&lowering.held(&output.column).name));
        let held = if field.dtype == DataType::Categorical(CategoryType::String) {
            held.cast(PolarsType::from_categories(Categories::global()))
        } else {
            held
        };
        held.alias(output.name.as_str())
    });
    let outputs = outputs.collect();
    let frame = lowering.stages.into_iter().fold(frame, LazyFrame::with_columns);
    Ok(Lowered { frame, columns, outputs })
}

/// The frame's schema as a table's. Of a column that the plan does not know only the name matters.
fn table_schema(schema: &PolarsSchema, plan: &Plan) -> Result<Schema, FrameError> {
    let fields = schema.iter().map(|(name, dtype)| match table_type(dtype) {
        Some(dtype) => Ok(Field::new(name.as_str(), dtype)),
        None if plan.inputs().field(name).is_none() => Ok(Field::new(name.as_str(), DataType::String)),
        None => Err(FrameError::UnsupportedType { column: name.to_string(), dtype: dtype.to_string() }),
    });
    Ok(Schema::new(fields.collect::<Result<_, _>>()?)?)
}

/// The column called `name`, whatever characters it has; polars' `col` would take some for patterns.
fn column(name: &str) -> Expr {
    Expr::Column(name.into())
}

/// A column of the plan in the frame.
#[derive(Debug, Clone)]
struct Held {
    /// Its name in the frame.
    name: String,
    /// The type in which the frame holds it.
    dtype: DataType,
    /// What a message calls it: the column whose values it holds, cast or without missing ones.
    origin: String,
    /// The number of stages after which it is there.
    stage: usize,
}

/// The type in which a frame holds columns of type `dtype`.
const fn held_type(dtype: DataType) -> DataType {
    match dtype {
        DataType::Categorical(CategoryType::Int64) => DataType::Int64,
        DataType::Categorical(CategoryType::String) => DataType::String,
        dtype => dtype,
    }
}

/// The polars type of a held column.
const fn polars_type(dtype: DataType) -> PolarsType {
    match dtype {
        DataType::Boolean => PolarsType::Boolean,
        DataType::Int64 | DataType::Categorical(CategoryType::Int64) => PolarsType::Int64,
        DataType::Float64 => PolarsType::Float64,
        DataType::String | DataType::Categorical(CategoryType::String) => PolarsType::String,
    }
}

/// `expr`, of type `dtype`, as a float that is NaN where missing.
fn float(expr: Expr, dtype: DataType) -> Expr {
    if dtype == DataType::Float64 { expr } else { expr.cast(PolarsType::Float64).fill_null(lit(f64::NAN)) }
}

/// Operations on their way into stages: every expression of a stage reads columns of earlier ones.
struct Lowering {
    stages: Vec<Vec<Expr>>,
    columns: BTreeMap<String, Held>,
    /// Names that the frame or the plan has.
    taken: BTreeSet<String>,
    /// Columns of the frame that are there for the errors of computing them.
    checks: Vec<String>,
}

impl Lowering {
    fn new(columns: &[String], plan: &Plan) -> Self {
        let taken = columns.iter().map(String::as_str).chain(plan.inputs().names());
        let taken = taken.chain(plan.ops().iter().flat_map(Op::writes)).map(str::to_owned).collect();
        let mut lowering = Self { stages: Vec::new(), columns: BTreeMap::new(), taken, checks: Vec::new() };
        for field in plan.required_inputs() {
            let input = column(&field.name);
            let expr = match held_type(field.dtype) {
                DataType::Int64 => input.cast(PolarsType::Int64),
                DataType::Float64 => input.cast(PolarsType::Float64).fill_null(lit(f64::NAN)),
                DataType::String => input.cast(PolarsType::String),
                _ => input,
            };
            lowering.write(&field.name, held_type(field.dtype), 0, expr);
        }
        lowering
    }

    /// A name that nothing has yet.
    fn fresh(&mut self) -> String {
        let mut count = self.taken.len();
        loop {
            let name = format!("plan#{count}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            count += 1;
        }
    }

    /// The plan's column `name`. A valid plan reads only what it has; anything else polars would name.
    fn held(&self, name: &str) -> Held {
        let absent = || Held { name: name.to_owned(), dtype: DataType::Float64, origin: name.to_owned(), stage: 0 };
        self.columns.get(name).cloned().unwrap_or_else(absent)
    }

    /// Adds the plan's column `output`, which `expr` computes from columns that are there after `stage` stages.
    fn write(&mut self, output: &str, dtype: DataType, stage: usize, expr: Expr) {
        let name = self.fresh();
        while self.stages.len() <= stage {
            self.stages.push(Vec::new());
        }
        self.stages[stage].push(expr.alias(name.as_str()));
        self.columns.insert(output.to_owned(), Held { name, dtype, origin: output.to_owned(), stage: stage + 1 });
    }

    /// Messages about `output` name `input` instead, or what that came from: it holds the same values.
    fn comes_from(&mut self, output: &str, input: &str) {
        let origin = self.held(input).origin;
        if let Some(held) = self.columns.get_mut(output) {
            held.origin = origin;
        }
    }

    /// Adds `output`, which polars computes from `input`.
    fn native(&mut self, input: &str, output: &str, dtype: DataType, expr: impl FnOnce(Expr, DataType) -> Expr) {
        let held = self.held(input);
        let expr = expr(column(&held.name), held.dtype);
        self.write(output, dtype, held.stage, expr);
    }

    /// Adds the column `output` of type `dtype`, which `function` computes from a table of the columns `inputs`.
    fn map<F>(&mut self, inputs: &[&str], output: &str, dtype: DataType, function: F)
    where
        F: Fn(&FrameTable<'_>) -> Result<TableColumn<'static>, ApplyError> + Send + Sync + 'static,
    {
        let held: Vec<Held> = inputs.iter().map(|input| self.held(input)).collect();
        let stage = held.iter().map(|held| held.stage).max().unwrap_or_default();
        let exprs: Vec<Expr> = held.iter().map(|held| column(&held.name)).collect();
        let names: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let origins: BTreeMap<String, String> =
            names.iter().cloned().zip(held.into_iter().map(|held| held.origin)).collect();
        let function = move |columns: &mut [Column]| {
            let height = columns.first().map_or(0, Column::len);
            let columns = columns.iter().zip(&names).map(|(column, name)| column.clone().with_name(name.into()));
            let frame = DataFrame::new(height, columns.collect())?;
            let table = FrameTable::new(&frame).map_err(|error| failed(error.to_string()))?;
            let column = function(&table).map_err(|error| match error {
                ApplyError::UnknownCategory { column, value, .. } => {
                    let column = origins.get(&column).unwrap_or(&column);
                    failed(format!("column `{column}`: unknown category `{value}`"))
                }
                ApplyError::UnknownCode { column, value, .. } => {
                    let column = origins.get(&column).unwrap_or(&column);
                    failed(format!("column `{column}`: {value} stands for no category"))
                }
                ApplyError::Missing { column, .. } => {
                    let column = origins.get(&column).unwrap_or(&column);
                    failed(format!("a value of column `{column}` is missing; at fit no value of the column was"))
                }
                other => failed(other.to_string()),
            })?;
            export("", &column).map_err(|error| failed(error.to_string()))
        };
        let polars_type = polars_type(dtype);
        let field = move |_: &PolarsSchema, fields: &[PolarsField]| -> PolarsResult<PolarsField> {
            let name = fields.first().map_or("".into(), |field| field.name.clone());
            Ok(PolarsField::new(name, polars_type.clone()))
        };
        self.write(output, dtype, stage, map_multiple(function, exprs, field));
    }

    /// Adds what `op` writes, computed by the interpreter.
    fn own(&mut self, op: &Op) -> Result<(), FrameError> {
        let inputs: BTreeSet<&str> = op.reads().into_iter().collect();
        let fields = inputs.iter().map(|input| Field::new(*input, self.held(input).dtype));
        let mut alone = PlanBuilder::new(Schema::new(fields.collect())?);
        alone.push(op.clone());
        let inputs: Vec<&str> = inputs.into_iter().collect();
        for output in op.writes() {
            let mut plan = alone.clone();
            plan.output(output, output);
            let program = Program::new(&plan.build()?, &Registry::new())?;
            let dtype = program.plan().output_schema().dtype(output).unwrap_or(DataType::Float64);
            self.map(&inputs, output, held_type(dtype), move |table| {
                let column = Vec::from(program.run(table)?).into_iter().next();
                Ok(column.map_or_else(|| TableColumn::from(Vec::<f64>::new()), |(_, column)| column))
            });
        }
        Ok(())
    }

    /// Adds a column that cannot be computed where `op` refuses a row.
    fn check(&mut self, op: &Op) -> Result<(), FrameError> {
        let inputs: Vec<&str> = op.reads().into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let Some(first) = inputs.first() else { return Ok(()) };
        let fields = inputs.iter().map(|input| Field::new(*input, self.held(input).dtype));
        let mut plan = PlanBuilder::new(Schema::new(fields.collect())?);
        plan.push(op.clone());
        plan.output(first, first);
        let program = Program::new(&plan.build()?, &Registry::new())?;
        let check = self.fresh();
        self.map(&inputs, &check, DataType::Float64, move |table| {
            program.run(table)?;
            Ok(TableColumn::from(vec![0.0; table.n_rows()]))
        });
        self.checks.push(self.held(&check).name);
        Ok(())
    }

    /// `output`, which cannot be had without the checks.
    fn checked(&self, output: Expr) -> Expr {
        if self.checks.is_empty() {
            return output;
        }
        let exprs: Vec<Expr> = std::iter::once(output).chain(self.checks.iter().map(|check| column(check))).collect();
        let first = |columns: &mut [Column]| {
            columns.first().cloned().ok_or_else(|| failed("an output without its column".to_owned()))
        };
        let field = |_: &PolarsSchema, fields: &[PolarsField]| -> PolarsResult<PolarsField> {
            fields.first().cloned().ok_or_else(|| failed("an output without its type".to_owned()))
        };
        map_multiple(first, exprs, field)
    }

    fn push(&mut self, op: &Op) -> Result<(), FrameError> {
        match op {
            Op::RefuseMissing { .. } => self.check(op)?,
            Op::Decode { column, categories, values, missing, unknown, to, output } => self.own(&Op::Decode {
                column: column.clone(),
                categories: categories.clone(),
                values: values.clone(),
                missing: *missing,
                unknown: *unknown,
                to: held_type(*to),
                output: output.clone(),
            })?,
            Op::Cast { column, to, output } => {
                match (self.held(column), held_type(*to)) {
                    (held, to) if held.dtype == to => {
                        self.columns.insert(output.clone(), held);
                    }
                    (_, DataType::Float64) => self.native(column, output, DataType::Float64, float),
                    (_, to) => self.native(column, output, to, |expr, _| expr.cast(PolarsType::Int64)),
                }
                self.comes_from(output, column);
            }
            Op::Impute { column, value, output } => {
                let dtype =
                    if matches!(value, Value::Float64(_)) { DataType::Float64 } else { self.held(column).dtype };
                self.native(column, output, dtype, |expr, dtype| match value {
                    Value::Float64(value) => float(expr, dtype).fill_nan(lit(*value)),
                    Value::Boolean(value) => expr.fill_null(lit(*value)),
                    Value::Int64(value) => expr.fill_null(lit(*value)),
                    Value::String(value) => expr.fill_null(lit(value.as_str())),
                });
                self.comes_from(output, column);
            }
            Op::Function { function: Function::IsMissing, column, output } => {
                self.native(column, output, DataType::Float64, |expr, dtype| {
                    let missing = if dtype == DataType::Float64 { expr.is_nan() } else { expr.is_null() };
                    missing.cast(PolarsType::Float64)
                });
            }
            Op::OneHot { column, categories, missing, unknown, outputs } => {
                let code = self.fresh();
                let codes = (0..categories.len() + usize::from(*missing)).map(|code| code as f64);
                self.own(&Op::Encode {
                    column: column.clone(),
                    categories: categories.clone(),
                    values: codes.clone().take(categories.len()).collect(),
                    missing: missing.then_some(categories.len() as f64),
                    unknown: match unknown {
                        UnknownCategory::Error => UnknownValue::Error,
                        UnknownCategory::Ignore => UnknownValue::Value(-1.0),
                    },
                    output: code.clone(),
                })?;
                for (output, value) in outputs.iter().zip(codes) {
                    self.native(&code, output, DataType::Float64, |code, _| {
                        code.eq(lit(value)).cast(PolarsType::Float64)
                    });
                }
            }
            Op::Normalize { norm, columns, outputs } => {
                let (norm, divisor) = (*norm, self.fresh());
                let distinct: Vec<&str> =
                    columns.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect();
                let read = columns.clone();
                self.map(&distinct, &divisor, DataType::Float64, move |table| {
                    let columns: Vec<_> = read.iter().filter_map(|name| table.column(name)).collect();
                    let columns: Vec<Cow<'_, [f64]>> = columns.iter().map(floats).collect();
                    let divisor = |row: usize| norm.divisor(columns.iter().map(|column| column[row]));
                    Ok(TableColumn::from((0..table.n_rows()).map(divisor).collect::<Vec<_>>()))
                });
                for (column, output) in columns.iter().zip(outputs) {
                    self.own(&Op::Arithmetic {
                        operator: Operator::Divide,
                        left: Operand::Column(column.clone()),
                        right: Operand::Column(divisor.clone()),
                        output: output.clone(),
                    })?;
                }
            }
            Op::Arithmetic { operator, left: Operand::Constant(left), right: right @ Operand::Constant(_), output } => {
                // An operation without a column has no rows of its own.
                let constant = self.fresh();
                self.write(&constant, DataType::Float64, 0, lit(*left));
                let left = Operand::Column(constant);
                self.own(&Op::Arithmetic { operator: *operator, left, right: right.clone(), output: output.clone() })?;
            }
            op => self.own(op)?,
        }
        Ok(())
    }
}

/// A numeric column as floats.
fn floats<'a>(column: &'a TableColumn<'_>) -> Cow<'a, [f64]> {
    column.to_f64().unwrap_or_default()
}

fn failed(message: String) -> PolarsError {
    PolarsError::ComputeError(message.into())
}

#[cfg(test)]
mod tests;
