//! Random plans.

use drivetrain_plan::{
    Categories, CategoryType, DataType, Field, Function, Norm, Op, Operand, Operator, Plan, PlanBuilder, Schema,
    UnknownCategory, UnknownValue, Value,
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select, subsequence},
};

use crate::{TableOptions, strategy::float};

/// The largest number of operations of a plan.
const MAX_OPS: usize = 8;

/// Valid plans over tables of `schema`, with every kind of operation but extensions, chained at random; their constants are
/// those that tables of the same options hold.
///
/// For property tests of whatever runs plans: it must give the bits that [`Plan::run`] gives, or refuse as it does.
///
/// ```
/// use drivetrain_conformance::{TableOptions, plans, proptest::prelude::*, tables};
/// use drivetrain_plan::{DataType, Field, Plan, Schema};
///
/// let schema = Schema::new(vec![Field::new("height", DataType::Float64), Field::new("name", DataType::String)])?;
/// let options = TableOptions::default().min_rows(0).edges(true);
/// proptest!(|(plan in plans(&schema, &options), table in tables(&schema, &options))| {
///     let loaded: Plan = rmp_serde::from_slice(&rmp_serde::to_vec_named(&plan).unwrap()).unwrap();
///     match (plan.apply(&table), loaded.apply(&table)) {
///         (Ok(before), Ok(after)) => prop_assert!(before.bit_eq(&after)),
///         (before, after) => prop_assert_eq!(before.is_ok(), after.is_ok()),
///     }
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plans(schema: &Schema, options: &TableOptions) -> BoxedStrategy<Plan> {
    let schema = schema.clone();
    let outputs = vec((any::<Index>(), any::<bool>()), 1..6);
    (vec(draft(options), 0..=MAX_OPS), outputs)
        .prop_filter_map("the schema has no column", move |(drafts, outputs)| assemble(&schema, drafts, &outputs))
        .boxed()
}

fn assemble(schema: &Schema, drafts: Vec<Draft>, outputs: &[(Index, bool)]) -> Option<Plan> {
    if schema.is_empty() {
        return None;
    }
    let mut builder = PlanBuilder::new(schema.clone());
    let mut columns = schema.fields().to_vec();
    for draft in drafts {
        if let Some((op, written)) = draft.op(&columns, &mut builder) {
            builder.push(op);
            columns.extend(written);
        }
    }
    let mut names: Vec<String> = Vec::new();
    for (number, (index, keeps_name)) in outputs.iter().enumerate() {
        // The column that was written last depends on the most.
        let index = if number == 0 { columns.len() - 1 } else { index.index(columns.len()) };
        let column = &columns[index].name;
        let name = if *keeps_name { column.clone() } else { format!("{column}, output {number}") };
        if !names.contains(&name) {
            builder.output(&name, column);
            names.push(name);
        }
    }
    builder.build().ok()
}

/// An operation that knows its constants, but not yet its columns.
#[derive(Debug, Clone)]
struct Draft {
    kind: Kind,
    columns: Vec<Index>,
    constants: Constants,
}

#[derive(Debug, Clone)]
enum Kind {
    Cast,
    Arithmetic(Operator, Option<f64>, Option<f64>),
    Scale(f64, f64),
    Impute { as_float: bool },
    OneHot(UnknownCategory),
    Function(Function),
    Encode(UnknownValue),
    Normalize(Norm),
    ArgMax,
    Decode { unknown: UnknownCategory, missing: Option<f64> },
    RefuseMissing,
}

/// A value and categories for every type of column.
#[derive(Debug, Clone)]
struct Constants {
    flag: bool,
    flags: Vec<bool>,
    integers: Vec<i64>,
    floats: Vec<f64>,
    texts: Vec<String>,
    float: f64,
    numbers: Vec<f64>,
}

fn draft(options: &TableOptions) -> BoxedStrategy<Draft> {
    let finite = || float(options).prop_filter("constants are finite", |value| value.is_finite()).boxed();
    let divisor = finite().prop_filter("nothing is divided by 0", |value| *value != 0.0);
    let operator = select(vec![Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide]);
    let constant = || option::weighted(0.3, finite());
    let unknown = prop_oneof![
        1 => Just(UnknownValue::Error),
        1 => float(options).prop_map(UnknownValue::Value),
        1 => Just(UnknownValue::Value(f64::NAN))
    ];
    let missing = select(vec![None, Some(-1.0), Some(f64::NAN)]);
    let kind = prop_oneof![
        2 => Just(Kind::Cast),
        3 => (operator, constant(), constant()).prop_map(|(operator, left, right)| Kind::Arithmetic(operator, left, right)),
        2 => (prop_oneof![9 => finite(), 1 => Just(f64::NAN)], divisor)
            .prop_map(|(center, scale)| Kind::Scale(center, scale)),
        2 => any::<bool>().prop_map(|as_float| Kind::Impute { as_float }),
        2 => select(vec![UnknownCategory::Error, UnknownCategory::Ignore, UnknownCategory::Ignore]).prop_map(Kind::OneHot),
        4 => function(options).prop_map(Kind::Function),
        2 => unknown.prop_map(Kind::Encode),
        1 => select(vec![Norm::L1, Norm::L2, Norm::Max]).prop_map(Kind::Normalize),
        1 => Just(Kind::ArgMax),
        2 => (select(vec![UnknownCategory::Error, UnknownCategory::Ignore, UnknownCategory::Ignore]), missing)
            .prop_map(|(unknown, missing)| Kind::Decode { unknown, missing }),
        1 => Just(Kind::RefuseMissing),
    ];
    // Floats that tables hold often, and integers and integer categories likewise.
    let floats = vec![0.0, 1.0, -1.0, 2.0, -2.0, 3.0, f64::INFINITY];
    let integers: Vec<i64> = (-2..20).collect();
    let texts: Vec<String> = options.texts().into_iter().map(str::to_owned).collect();
    let constants = (
        any::<bool>(),
        subsequence(vec![false, true], 0..=2).prop_shuffle(),
        subsequence(integers.clone(), 0..=integers.len()).prop_shuffle(),
        subsequence(floats.clone(), 0..=floats.len()).prop_shuffle(),
        subsequence(texts.clone(), 0..=texts.len()).prop_shuffle(),
        finite(),
        vec(float(options), integers.len() + 1),
    )
        .prop_map(|(flag, flags, integers, floats, texts, float, numbers)| Constants {
            flag,
            flags,
            integers,
            floats,
            texts,
            float,
            numbers,
        });
    (kind, vec(any::<Index>(), 2..5), constants)
        .prop_map(|(kind, columns, constants)| Draft { kind, columns, constants })
        .boxed()
}

fn function(options: &TableOptions) -> BoxedStrategy<Function> {
    let sorted = |values: Vec<f64>| {
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values
    };
    let values = move || vec(float(options), 1..5).prop_map(sorted);
    prop_oneof![
        3 => select(vec![Function::Abs, Function::Sqrt, Function::IsMissing]),
        3 => select(vec![Function::Exp, Function::Expm1, Function::Log, Function::Log1p]),
        1 => vec(float(options), 2).prop_map(sorted).prop_map(|bounds| Function::Clip { low: bounds[0], high: bounds[1] }),
        1 => values().prop_map(|edges| Function::Bin { edges }),
        1 => (-3.0..3.0_f64).prop_map(|lambda| Function::BoxCox { lambda }),
        1 => (-3.0..3.0_f64).prop_map(|lambda| Function::YeoJohnson { lambda }),
        2 => (values(), any::<bool>()).prop_map(|(quantiles, normal)| Function::Quantile { quantiles, normal }),
        1 => (-3.0..3.0_f64).prop_map(|lambda| Function::InverseBoxCox { lambda }),
        1 => (-3.0..3.0_f64).prop_map(|lambda| Function::InverseYeoJohnson { lambda }),
        2 => (values(), any::<bool>()).prop_map(|(quantiles, normal)| Function::InverseQuantile { quantiles, normal }),
    ]
    .boxed()
}

impl Draft {
    /// The operation between columns of these, and what it writes; `None` when no column suits it.
    fn op(self, columns: &[Field], builder: &mut PlanBuilder) -> Option<(Op, Vec<Field>)> {
        let numeric: Vec<&Field> = columns.iter().filter(|field| field.dtype.is_numeric()).collect();
        let number = |position: usize| {
            let index = self.columns.get(position)?;
            (!numeric.is_empty()).then(|| numeric[index.index(numeric.len())].name.clone())
        };
        let numbers = || {
            let found: Vec<String> = (0..self.columns.len()).filter_map(number).collect();
            (!found.is_empty()).then_some(found)
        };
        let Field { name: column, dtype } = columns[self.columns.first()?.index(columns.len())].clone();
        let single = |output: &str, dtype| vec![Field::new(output, dtype)];
        Some(match self.kind {
            Kind::Cast => {
                let (to, output) = (self.constants.cast(dtype), builder.fresh("cast"));
                let written = single(&output, to);
                (Op::Cast { column, to, output }, written)
            }
            Kind::Arithmetic(operator, left, right) => {
                let operand = |constant: Option<f64>, position| match constant {
                    Some(constant) => Some(Operand::Constant(constant)),
                    None => number(position).map(Operand::Column),
                };
                let (left, right) = (operand(left, 0)?, operand(right, 1)?);
                let output = builder.fresh("arithmetic");
                let written = single(&output, DataType::Float64);
                (Op::Arithmetic { operator, left, right, output }, written)
            }
            Kind::Scale(center, scale) => {
                let (column, output) = (number(0)?, builder.fresh("scaled"));
                let written = single(&output, DataType::Float64);
                (Op::Scale { column, center, scale, output }, written)
            }
            Kind::Impute { as_float } => {
                let (value, to) = self.constants.imputation(dtype, as_float);
                let output = builder.fresh("imputed");
                let written = single(&output, to);
                (Op::Impute { column, value, output }, written)
            }
            Kind::OneHot(unknown) => {
                let (categories, missing) = (self.constants.categories(dtype), self.constants.flag);
                let outputs: Vec<String> =
                    (0..categories.len() + usize::from(missing)).map(|_| builder.fresh("one-hot")).collect();
                let written = outputs.iter().map(|output| Field::new(output, DataType::Float64)).collect();
                (Op::OneHot { column, categories, missing, unknown, outputs }, written)
            }
            Kind::Function(function) => {
                let column = if function == Function::IsMissing { column } else { number(0)? };
                let output = builder.fresh("function");
                let written = single(&output, DataType::Float64);
                (Op::Function { function, column, output }, written)
            }
            Kind::Encode(unknown) => {
                let categories = self.constants.categories(dtype);
                let values = self.constants.numbers.iter().copied().take(categories.len()).collect();
                let missing = self.constants.flag.then_some(self.constants.float);
                let output = builder.fresh("encoded");
                let written = single(&output, DataType::Float64);
                (Op::Encode { column, categories, values, missing, unknown, output }, written)
            }
            Kind::ArgMax => {
                let columns = numbers()?;
                let output = builder.fresh("largest");
                let written = single(&output, DataType::Float64);
                (Op::ArgMax { columns, output }, written)
            }
            Kind::Decode { unknown, missing } => {
                let (categories, to) = self.constants.decoded(dtype);
                let values = (0..categories.len()).map(|code| code as f64).collect();
                let (column, output) = (number(0)?, builder.fresh("decoded"));
                let written = single(&output, to);
                (Op::Decode { column, categories, values, missing, unknown, to, output }, written)
            }
            Kind::RefuseMissing => {
                let columns = self.columns.iter().map(|index| columns[index.index(columns.len())].name.clone());
                (Op::RefuseMissing { columns: columns.take(2).collect() }, Vec::new())
            }
            Kind::Normalize(norm) => {
                let columns = numbers()?;
                let outputs: Vec<String> = columns.iter().map(|_| builder.fresh("normalized")).collect();
                let written = outputs.iter().map(|output| Field::new(output, DataType::Float64)).collect();
                (Op::Normalize { norm, columns, outputs }, written)
            }
        })
    }
}

impl Constants {
    fn cast(&self, from: DataType) -> DataType {
        match from {
            DataType::Boolean if self.flag => DataType::Int64,
            DataType::Int64 if self.flag => DataType::Categorical(CategoryType::Int64),
            DataType::Boolean | DataType::Int64 | DataType::Float64 => DataType::Float64,
            DataType::String => DataType::Categorical(CategoryType::String),
            DataType::Categorical(CategoryType::String) => DataType::String,
            DataType::Categorical(CategoryType::Int64) => DataType::Int64,
        }
    }

    fn imputation(&self, dtype: DataType, as_float: bool) -> (Value, DataType) {
        let integer = self.integers.first().copied().unwrap_or(7);
        match dtype {
            DataType::Boolean if !as_float => (Value::Boolean(self.flag), dtype),
            DataType::Int64 if !as_float => (Value::Int64(integer), dtype),
            DataType::Boolean | DataType::Int64 | DataType::Float64 => (Value::Float64(self.float), DataType::Float64),
            DataType::Categorical(CategoryType::Int64) => (Value::Int64(integer), dtype),
            DataType::String | DataType::Categorical(CategoryType::String) => {
                (Value::String(self.texts.first().cloned().unwrap_or_default()), dtype)
            }
        }
    }

    /// Categories for a column of some type, and that type or the other one that takes them.
    fn decoded(&self, dtype: DataType) -> (Categories, DataType) {
        let to = match dtype {
            DataType::Int64 if self.flag => DataType::Categorical(CategoryType::Int64),
            DataType::String if self.flag => DataType::Categorical(CategoryType::String),
            dtype => dtype,
        };
        (self.categories(to), to)
    }

    fn categories(&self, dtype: DataType) -> Categories {
        match dtype {
            DataType::Boolean => Categories::Boolean(self.flags.clone()),
            DataType::Int64 | DataType::Categorical(CategoryType::Int64) => Categories::Int64(self.integers.clone()),
            DataType::Float64 => Categories::Float64(self.floats.clone()),
            DataType::String | DataType::Categorical(CategoryType::String) => Categories::String(self.texts.clone()),
        }
    }
}
