use std::{error::Error, fs};

use drivetrain_conformance::{TableOptions, plans, tables};
use drivetrain_plan::Categories as PlanCategories;
use polars::prelude::{
    CsvWriterOptions, Engine, FileWriteFormat, FrozenCategories, IntoColumn, IntoLazy, LazyCsvReader,
    LazyFileListReader, NamedFrom, PlRefPath, Series, SinkDestination, SinkTarget, UnifiedSinkArgs, df,
};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::to_data_frame;

/// Columns of every type that frames have, under names that polars' `col` takes for patterns.
fn schema() -> Schema {
    let fields = [
        ("flag", DataType::Boolean),
        ("*", DataType::Int64),
        ("^.*$", DataType::Float64),
        ("größe", DataType::Float64),
        ("", DataType::String),
        ("plan#8", DataType::Categorical(CategoryType::String)),
    ];
    Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype)).to_vec()).unwrap()
}

fn options() -> TableOptions {
    TableOptions::default().min_rows(0).missing(0.2).extremes(true).edges(true)
}

/// A frame of the table: some NaN as null, categories with physical codes of another order, and rows in chunks.
fn frame(table: &dyn Table, nulls: &[bool], frozen: bool, cut: usize) -> DataFrame {
    let frame = to_data_frame(table).unwrap();
    let columns = frame.columns().iter().map(|column| match column.dtype() {
        PolarsType::Float64 => {
            let values = column.f64().unwrap().iter().zip(nulls.iter().cycle());
            let values = values.map(|(value, null)| value.filter(|value| !(value.is_nan() && *null)));
            Series::new(column.name().clone(), values.collect::<Vec<_>>()).into_column()
        }
        PolarsType::Categorical(..) if frozen => {
            let categories = FrozenCategories::new(["10", "unused", "日本", "ß", "_", "A b", "", "b", "a"]).unwrap();
            column.cast(&PolarsType::from_frozen_categories(categories)).unwrap()
        }
        _ => column.clone(),
    });
    let frame = DataFrame::new(frame.height(), columns.collect()).unwrap();
    let cut = cut.min(frame.height());
    let (mut head, tail) = (frame.head(Some(cut)), frame.slice(i64::try_from(cut).unwrap(), frame.height() - cut));
    head.vstack_mut(&tail).unwrap();
    head
}

fn frames() -> impl Strategy<Value = DataFrame> {
    (tables(&schema(), &options()), vec(any::<bool>(), 7), any::<bool>(), 0..24_usize)
        .prop_map(|(table, nulls, frozen, cut)| frame(&table, &nulls, frozen, cut))
}

/// Names, types and values; of floats the bits, save those that tell one NaN from another.
fn observed(frame: &DataFrame) -> Vec<String> {
    let columns = frame.columns().iter().map(|column| {
        let values = match column.f64() {
            Ok(values) => values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>(),
            Err(_) => column.as_materialized_series().iter().map(|value| format!("{value:?}")).collect(),
        };
        format!("{} {} {values:?}", column.name(), column.dtype())
    });
    columns.collect()
}

fn message(error: &dyn Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", message(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}

fn eager(frame: &DataFrame, plan: &Plan) -> Result<DataFrame, ApplyError> {
    let table = FrameTable::new(frame).unwrap();
    plan.run(&table).map(|table| to_data_frame(&table).unwrap())
}

fn collected(query: LazyFrame, engine: Engine) -> Result<DataFrame, FrameError> {
    Ok(query.collect_with_engine(engine)?.unwrap_single())
}

/// Holds both engines of polars to the interpreter.
fn agree(frame: &DataFrame, plan: &Plan) -> Result<(), TestCaseError> {
    let expected = eager(frame, plan);
    for engine in [Engine::InMemory, Engine::Streaming] {
        let found = select(frame.clone().lazy(), plan).and_then(|query| collected(query, engine));
        match (&expected, found) {
            (Ok(expected), Ok(found)) => {
                prop_assert_eq!(observed(&found), observed(expected), "{:?}\n{}", engine, plan);
            }
            (Err(expected), Err(error)) => {
                let found = message(&error);
                match refusal(expected) {
                    None => prop_assert!(found.contains(&expected.to_string()), "{found}\n{expected}"),
                    // Which of several refusals comes first, and of which piece of the rows, is the engine's choice.
                    Some((column, what)) if plan.required_ops().into_iter().map(refusals).sum::<usize>() == 1 => {
                        let named = found.contains(&format!("column `{column}`")) && found.contains(what);
                        prop_assert!(named, "{engine:?}: {found}\n{expected}");
                    }
                    Some(_) => {
                        prop_assert!(
                            REFUSALS.iter().any(|what| found.contains(what)),
                            "{engine:?}: {found}\n{expected}"
                        );
                    }
                }
            }
            (Ok(_), Err(found)) => prop_assert!(false, "{engine:?} alone refuses: {}\n{plan}", message(&found)),
            (Err(expected), Ok(_)) => prop_assert!(false, "{engine:?} does not refuse: {expected}\n{plan}"),
        }
    }
    Ok(())
}

/// What messages of refused rows say.
const REFUSALS: [&str; 3] = ["unknown category `", "stands for no category", "is missing; at fit"];

/// The column of a refused row, and what the message says.
fn refusal(error: &ApplyError) -> Option<(&str, &'static str)> {
    match error {
        ApplyError::UnknownCategory { column, .. } => Some((column, REFUSALS[0])),
        ApplyError::UnknownCode { column, .. } => Some((column, REFUSALS[1])),
        ApplyError::Missing { column, .. } => Some((column, REFUSALS[2])),
        _ => None,
    }
}

/// How many columns an operation may refuse a row for.
fn refusals(op: &Op) -> usize {
    match op {
        Op::OneHot { unknown: UnknownCategory::Error, .. }
        | Op::Encode { unknown: UnknownValue::Error, .. }
        | Op::Decode { unknown: UnknownCategory::Error, .. } => 1,
        Op::RefuseMissing { columns } => columns.len(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_query_gives_the_bits_of_the_interpreter(plan in plans(&schema(), &options()), frame in frames()) {
        agree(&frame, &plan)?;
    }
}

fn scaled(output: &str) -> Plan {
    let mut builder = PlanBuilder::new(Schema::new(vec![Field::new("x", DataType::Float64)]).unwrap());
    builder.push(Op::Scale { column: "x".into(), center: 0.0, scale: 3.0, output: "scaled".into() });
    builder.output(output, "scaled");
    builder.build().unwrap()
}

#[test]
fn outputs_stand_in_the_place_of_columns_of_their_name_and_others_come_last() {
    let frame = df!["x" => [3.0, -3.0], "y" => ["a", "b"]].unwrap();
    let replaced = with_columns(frame.clone().lazy(), &scaled("x")).unwrap().collect().unwrap();
    assert_eq!(replaced, df!["x" => [1.0, -1.0], "y" => ["a", "b"]].unwrap());
    let added = with_columns(frame.lazy(), &scaled("z")).unwrap().collect().unwrap();
    assert_eq!(added, df!["x" => [3.0, -3.0], "y" => ["a", "b"], "z" => [1.0, -1.0]].unwrap());
}

#[test]
fn one_row_is_divided_as_many_are() {
    let plan = scaled("x");
    for value in [0.1, 7.0, 1e300] {
        agree(&df!["x" => [value]].unwrap(), &plan).unwrap();
        agree(&df!["x" => [value, 1.0]].unwrap(), &plan).unwrap();
    }
}

#[test]
fn only_what_is_needed_is_read() {
    let frame = df!["x" => [3.0], "unused" => ["a"]].unwrap();
    let query = select(frame.lazy(), &scaled("x")).unwrap().explain(true).unwrap();
    assert!(query.contains(r#"PROJECT["x"] 1/2 COLUMNS"#), "{query}");
}

#[test]
fn narrow_numbers_are_widened() {
    let frame = df!["x" => [0.1_f32, f32::NAN]].unwrap();
    agree(&frame, &scaled("x")).unwrap();
    let frame = df!["x" => [1_i32, i32::MIN], "y" => [u32::MAX, 0]].unwrap();
    let plan = Plan::identity(FrameTable::new(&frame).unwrap().schema().clone()).unwrap();
    agree(&frame, &plan).unwrap();
}

#[test]
fn a_frame_of_other_columns_is_refused_by_name_before_the_query_runs() {
    let error = |frame: DataFrame| message(&select(frame.lazy(), &scaled("x")).err().unwrap());
    assert!(error(df!["y" => [1.0]].unwrap()).contains("missing: `x`"));
    let text = error(df!["x" => ["1.0"]].unwrap());
    assert!(text.contains("`x` is string, not float64"), "{text}");
}

#[test]
fn extensions_are_refused_by_name() {
    let schema = Schema::new(vec![Field::new("x", DataType::Float64)]).unwrap();
    let mut builder = PlanBuilder::new(schema);
    builder.push(Op::Extension {
        kind: "acme".into(),
        version: 3,
        state: Vec::new(),
        columns: vec!["x".into()],
        outputs: vec![Field::new("y", DataType::Float64)],
    });
    builder.output("y", "y");
    let error = select(df!["x" => [1.0]].unwrap().lazy(), &builder.build().unwrap()).err().unwrap();
    assert!(message(&error).contains("`acme` version 3"), "{}", message(&error));
}

#[test]
fn an_unknown_category_is_named() {
    let frame = df!["colour" => ["red", "blue"]].unwrap();
    let mut builder = PlanBuilder::new(FrameTable::new(&frame).unwrap().schema().clone());
    builder.push(Op::OneHot {
        column: "colour".into(),
        categories: PlanCategories::String(vec!["red".into()]),
        missing: false,
        unknown: UnknownCategory::Error,
        outputs: vec!["red".into()],
    });
    builder.output("red", "red");
    let query = select(frame.lazy(), &builder.build().unwrap()).unwrap();
    let error = message(&query.collect().unwrap_err());
    assert!(error.contains("column `colour`: unknown category `blue`"), "{error}");
}

#[test]
fn a_query_goes_from_file_to_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| PlRefPath::new(folder.path().join(name).to_str().unwrap());
    fs::write(path("raw.csv").as_str(), "name,x\na,3.0\nb,\nc,-6.0\n").unwrap();
    let raw = LazyCsvReader::new(path("raw.csv")).finish().unwrap();
    let sink = SinkDestination::File { target: SinkTarget::Path(path("scaled.csv")) };
    let format = FileWriteFormat::Csv(CsvWriterOptions::default());
    let query = with_columns(raw, &scaled("x")).unwrap().sink(sink, format, UnifiedSinkArgs::default()).unwrap();
    query.collect_with_engine(Engine::Streaming).unwrap();
    assert_eq!(fs::read_to_string(path("scaled.csv").as_str()).unwrap(), "name,x\na,1.0\nb,NaN\nc,-2.0\n");
}

#[test]
fn a_missing_value_that_is_refused_is_so_whatever_is_read_of_the_query() {
    let frame = df!["x" => [Some(1.0), None], "y" => [1.0, 2.0]].unwrap();
    let mut builder = PlanBuilder::new(FrameTable::new(&frame).unwrap().schema().clone());
    builder.push(Op::RefuseMissing { columns: vec!["x".into()] });
    builder.output("z", "y");
    let query = with_columns(frame.lazy(), &builder.build().unwrap()).unwrap();
    let error = message(&query.clone().select([column("z")]).collect().unwrap_err());
    assert!(error.contains("a value of column `x` is missing; at fit no value of the column was"), "{error}");
    assert!(query.select([column("y")]).collect().is_ok());
}
