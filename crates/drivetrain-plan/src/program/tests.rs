use std::{borrow::Cow, sync::Arc};

use proptest::prelude::*;

use crate::{
    ApplyError, CategoricalColumn, Categories, CategoryType, Column, ColumnTable, DataType, ExtensionError,
    ExtensionKind, ExtensionOp, ExtraColumns, Field, Op, Operand, Operator, Plan, PlanBuilder, PlanError, Program,
    Registry, Schema, Table, UnknownCategory, UnknownValue, Value,
};

fn schema(fields: &[(&str, DataType)]) -> Schema {
    Schema::new(fields.iter().map(|(name, dtype)| Field::new(*name, *dtype)).collect()).unwrap()
}

fn table(columns: Vec<(&str, Column<'static>)>) -> ColumnTable {
    ColumnTable::new(columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect()).unwrap()
}

/// Impute, scale and one-hot a number, an integer and a text.
fn plan(unknown: UnknownCategory) -> Plan {
    let mut builder = PlanBuilder::new(schema(&[
        ("number", DataType::Float64),
        ("count", DataType::Int64),
        ("text", DataType::Categorical(CategoryType::String)),
    ]));
    builder
        .push(Op::Impute { column: "number".into(), value: Value::Float64(0.5), output: "imputed".into() })
        .push(Op::Scale { column: "imputed".into(), center: 1.5, scale: 3.0, output: "scaled".into() })
        .push(Op::Arithmetic {
            operator: Operator::Multiply,
            left: Operand::Column("scaled".into()),
            right: Operand::Column("count".into()),
            output: "product".into(),
        })
        .push(Op::OneHot {
            column: "text".into(),
            categories: Categories::String(vec!["b".into(), "a".into()]),
            missing: true,
            unknown,
            outputs: vec!["text_b".into(), "text_a".into(), "text_None".into()],
        });
    for name in ["product", "count", "text_b", "text_a", "text_None"] {
        builder.output(name, name);
    }
    builder.build().unwrap()
}

type Row = (Option<f64>, Option<i64>, Option<&'static str>);

fn rows(rows: &[Row]) -> ColumnTable {
    let texts: Vec<Option<Cow<'static, str>>> = rows.iter().map(|row| row.2.map(Cow::Borrowed)).collect();
    table(vec![
        ("number", Column::from(rows.iter().map(|row| row.0.unwrap_or(f64::NAN)).collect::<Vec<_>>())),
        ("count", Column::from(rows.iter().map(|row| row.1).collect::<Vec<_>>())),
        ("text", Column::Categorical(CategoricalColumn::String(texts))),
    ])
}

fn any_row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![Just(None), Just(Some("a")), Just(Some("b")), Just(Some("c")), Just(Some(""))];
    (proptest::option::of(-1e6..1e6), proptest::option::of(-9_i64..9), text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_row_depends_on_itself_alone(sample in proptest::collection::vec(any_row(), 1..8), repeat in 1_usize..900) {
        let many: Vec<Row> = sample.iter().copied().cycle().take(sample.len() * repeat).collect();
        let plan = plan(UnknownCategory::Ignore);
        let all = plan.apply(&rows(&many)).unwrap();
        for (index, row) in sample.iter().enumerate() {
            let alone = plan.apply(&rows(&[*row])).unwrap();
            for at in (index..many.len()).step_by(sample.len()) {
                let same = alone.values().row(0).iter().zip(all.values().row(at)).all(|(a, b)| a.to_bits() == b.to_bits());
                prop_assert!(same, "row {at} differs from the same row alone");
            }
        }
    }

    #[test]
    fn texts_and_dictionaries_give_the_same(sample in proptest::collection::vec(any_row(), 1..20), rotate in 0_usize..3) {
        let plain = rows(&sample);
        let mut dictionary = ["a", "b", "c", "", "unused"];
        dictionary.rotate_left(rotate);
        let code = |text: Option<&str>| {
            let position = text.and_then(|text| dictionary.iter().position(|entry| *entry == text));
            position.map_or(u32::MAX, |position| u32::try_from(position).unwrap())
        };
        let coded = Column::Categorical(CategoricalColumn::Dictionary {
            codes: sample.iter().map(|row| code(row.2)).collect(),
            dictionary: dictionary.iter().map(|text| Cow::Borrowed(*text)).collect::<Vec<_>>().into(),
        });
        let coded = table(vec![
            ("text", coded),
            ("count", plain.column("count").unwrap().into_owned()),
            ("number", plain.column("number").unwrap().into_owned()),
        ]);
        let plan = plan(UnknownCategory::Ignore);
        prop_assert!(plan.apply(&plain).unwrap().bit_eq(&plan.apply(&coded).unwrap()));
    }

    #[test]
    fn plans_survive_messagepack_and_json(center in -1e9..1e9_f64, scale in 1e-9..1e9_f64) {
        let mut builder = PlanBuilder::new(schema(&[("x", DataType::Int64)]));
        builder.push(Op::Scale { column: "x".into(), center, scale, output: "y".into() }).output("y", "y");
        let plan = builder.build().unwrap();
        let bytes = rmp_serde::to_vec_named(&plan).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<Plan>(&bytes).unwrap(), &plan);
    }
}

/// What is written straight into the matrix equals what comes out as columns, also where a column is read twice, is an
/// output by itself, or appears twice.
#[test]
fn a_matrix_holds_the_columns_of_a_run() {
    let mut builder = PlanBuilder::new(schema(&[
        ("number", DataType::Float64),
        ("text", DataType::Categorical(CategoryType::String)),
    ]));
    let scale = |column: &str, center, output: &str| Op::Scale {
        column: column.into(),
        center,
        scale: 3.0,
        output: output.into(),
    };
    let impute =
        |output: &str| Op::Impute { column: "number".into(), value: Value::Float64(0.5), output: output.into() };
    builder
        .push(impute("private"))
        .push(scale("private", 1.5, "fused"))
        .push(impute("shared"))
        .push(scale("shared", 0.25, "first"))
        .push(scale("shared", f64::NAN, "second"))
        .push(scale("number", 1.0, "twice"))
        .push(Op::OneHot {
            column: "text".into(),
            categories: Categories::String(vec!["b".into(), "a".into()]),
            missing: true,
            unknown: UnknownCategory::Ignore,
            outputs: vec!["text_b".into(), "text_a".into(), "text_nan".into()],
        });
    for (name, column) in [
        ("text_nan", "text_nan"),
        ("fused", "fused"),
        ("shared", "shared"),
        ("twice", "twice"),
        ("twice again", "twice"),
        ("first", "first"),
        ("text_b", "text_b"),
        ("number", "number"),
        ("second", "second"),
    ] {
        builder.output(name, column);
    }
    let plan = builder.build().unwrap();
    let texts = ["a", "b", "c", "d"];
    let many: Vec<Row> = (0..1500_usize)
        .map(|row| ((row % 7 > 0).then_some(row as f64 / 3.0), None, texts.get(row % 5).copied()))
        .collect();
    let table = rows(&many);
    let matrix = plan.apply(&table).unwrap();
    let columns = plan.run(&table).unwrap();
    for name in matrix.feature_names() {
        let expected = columns.column(name).unwrap().to_f64().unwrap().into_owned();
        let found = matrix.column(name).unwrap();
        assert!(found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
    }
    let program = Program::new(&plan, &Registry::new()).unwrap();
    let lent = program.run_with(&table, |outputs| ColumnTable::copy_of(outputs).unwrap()).unwrap();
    assert_eq!(text(&lent), text(&columns));
    let mut buffer = vec![7.0; 1500 * 9];
    program.apply_into(&table, &mut buffer).unwrap();
    assert!(buffer.iter().zip(matrix.values()).all(|(a, b)| a.to_bits() == b.to_bits()));
    let error = program.apply_into(&table, &mut buffer[1..]).unwrap_err();
    assert_eq!(error.to_string(), "the buffer holds 13499 numbers; 1500 rows of 9 features need 13500");
}

/// A table as text: equal texts are equal bits, NaN included.
fn text(table: &ColumnTable) -> String {
    serde_json::to_string(table).unwrap()
}

#[test]
fn an_output_that_is_lent_fails_when_it_is_read_and_only_then() {
    let mut builder = PlanBuilder::new(schema(&[("count", DataType::Int64)]));
    builder.push(Op::Encode {
        column: "count".into(),
        categories: Categories::Int64(vec![1]),
        values: vec![0.5],
        missing: None,
        unknown: UnknownValue::Error,
        output: "code".into(),
    });
    builder.output("code", "code").output("count", "count");
    let program = Program::new(&builder.build().unwrap(), &Registry::new()).unwrap();
    let input = table(vec![("count", Column::from(vec![1_i64, 7]))]);
    let read = |name: &'static str| program.run_with(&input, move |outputs| outputs.column(name).map(|c| c.len()));
    assert_eq!(read("count").unwrap(), Some(2));
    assert_eq!(read("code").unwrap_err().to_string(), "column `count`, row 1: unknown category `7`");
}

#[test]
fn numbers_come_out_as_computed_by_hand() {
    let matrix =
        plan(UnknownCategory::Error).apply(&rows(&[(None, Some(3), Some("a")), (Some(4.5), None, None)])).unwrap();
    assert_eq!(matrix.values().row(0).to_vec(), [-1.0, 3.0, 0.0, 1.0, 0.0]);
    let second = matrix.values().row(1).to_vec();
    assert!(second[0].is_nan() && second[1].is_nan());
    assert_eq!(second[2..], [0.0, 0.0, 1.0]);
}

#[test]
fn an_unknown_category_names_column_row_and_value_in_any_block() {
    let mut many: Vec<Row> = vec![(Some(1.0), Some(1), Some("a")); 5000];
    many[4097].2 = Some("zebra");
    many[4999].2 = Some("later");
    let error = plan(UnknownCategory::Error).apply(&rows(&many)).unwrap_err();
    assert_eq!(error.to_string(), "column `text`, row 4097: unknown category `zebra`");
}

#[test]
fn a_text_of_a_dictionary_is_refused_only_where_a_row_has_it() {
    let coded = |unknown: &[usize]| {
        let codes = (0..5000).map(|row| u32::from(unknown.contains(&row))).collect();
        let dictionary = ["a", "zebra"].map(Cow::Borrowed).to_vec().into();
        table(vec![
            ("number", Column::from(vec![1.0; 5000])),
            ("count", Column::from(vec![1_i64; 5000])),
            ("text", Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary })),
        ])
    };
    let plan = plan(UnknownCategory::Error);
    let error = plan.apply(&coded(&[4097, 4999])).unwrap_err();
    assert_eq!(error.to_string(), "column `text`, row 4097: unknown category `zebra`");
    assert_eq!(plan.apply(&coded(&[])).unwrap().column("text_a"), Some(vec![1.0; 5000]));
}

#[test]
fn schema_differences_are_listed_by_name() {
    let found = table(vec![("number", Column::from(vec![1_i64])), ("other", Column::from(vec![1_i64]))]);
    let ApplyError::Schema(mismatch) = plan(UnknownCategory::Error).apply(&found).unwrap_err() else { panic!() };
    assert_eq!(
        mismatch.to_string(),
        "the table has 2 columns where 3 were fitted; missing: `count`, `text`; `number` is int64, not float64"
    );
}

#[test]
fn inputs_that_nothing_depends_on_may_be_absent_unless_others_are_refused() {
    let mut builder = PlanBuilder::new(schema(&[("a", DataType::Float64), ("dropped", DataType::Float64)]));
    builder.push(Op::Scale { column: "dropped".into(), center: 0.0, scale: 1.0, output: "dead".into() });
    builder.output("a", "a");
    let input = table(vec![("extra", Column::from(vec![0.0])), ("a", Column::from(vec![1.0]))]);
    assert_eq!(builder.clone().build().unwrap().apply(&input).unwrap().values()[(0, 0)], 1.0);
    builder.extra_columns(ExtraColumns::Reject);
    let error = builder.build().unwrap().apply(&input).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("not expected: `extra`"));
}

#[test]
fn chained_plans_compute_what_the_plans_compute_one_after_the_other() {
    let mut first = PlanBuilder::new(schema(&[("a", DataType::Float64), ("b", DataType::Float64)]));
    let square = |output: &str| Op::Arithmetic {
        operator: Operator::Multiply,
        left: Operand::Column("a".into()),
        right: Operand::Column("a".into()),
        output: output.into(),
    };
    first.push(square("a#2")).output("a", "a#2").output("b", "b");
    let first = first.build().unwrap();
    let mut second = PlanBuilder::new(schema(&[("b", DataType::Float64), ("a", DataType::Float64)]));
    second.push(square("a#2")).output("fourth power", "a#2").output("same", "b");
    let second = second.build().unwrap();
    let input = table(vec![("a", Column::from(vec![3.0])), ("b", Column::from(vec![7.0]))]);
    let chained = first.then(&second).unwrap().apply(&input).unwrap();
    assert_eq!(chained, second.apply(&first.run(&input).unwrap()).unwrap());
    assert_eq!(chained.values().row(0).to_vec(), [81.0, 7.0]);
}

#[test]
fn invalid_plans_are_refused_also_when_deserialised() {
    let text = r#"{"inputs":[{"name":"a","dtype":"string"}],"extra_columns":"ignore",
        "ops":[{"op":"scale","column":"a","center":0.0,"scale":1.0,"output":"b"}],"outputs":[]}"#;
    let error = serde_json::from_str::<Plan>(text).unwrap_err().to_string();
    assert!(error.contains("scale cannot read column `a` of type string"), "{error}");
    let mut builder = PlanBuilder::new(schema(&[("a", DataType::Float64)]));
    builder.push(Op::Scale { column: "a".into(), center: 0.0, scale: 0.0, output: "b".into() });
    assert!(matches!(builder.build().unwrap_err(), PlanError::Constant { column, .. } if column == "a"));
    let mut builder = PlanBuilder::new(schema(&[("a", DataType::Float64)]));
    builder.output("x", "a").output("x", "a");
    assert_eq!(builder.build().unwrap_err(), PlanError::DuplicateOutput { name: "x".into() });
}

#[derive(Debug)]
struct Lengths;

impl ExtensionOp for Lengths {
    fn apply(&self, inputs: &[Column<'_>], n_rows: usize) -> Result<Vec<Column<'static>>, ExtensionError> {
        let length = |row| inputs[0].text(row).map_or(f64::NAN, |text| text.len() as f64);
        Ok(vec![Column::from((0..n_rows).map(length).collect::<Vec<_>>())])
    }
}

impl ExtensionKind for Lengths {
    fn load(&self, version: u32, _: &[u8]) -> Result<Arc<dyn ExtensionOp>, ExtensionError> {
        if version == 1 { Ok(Arc::new(Self)) } else { Err(format!("version {version} is not known").into()) }
    }
}

#[test]
fn an_extension_runs_where_it_is_registered_and_is_named_where_not() {
    let plan = |version| {
        let mut builder = PlanBuilder::new(schema(&[("text", DataType::String)]));
        let outputs = vec![Field::new("length", DataType::Float64)];
        let op =
            Op::Extension { kind: "lengths".into(), version, state: vec![], columns: vec!["text".into()], outputs };
        builder.push(op).output("length", "length");
        builder.build().unwrap()
    };
    let input = table(vec![("text", Column::from(vec![Some("four"), None]))]);
    let registry = Registry::new().with("lengths", Lengths);
    let matrix = Program::new(&plan(1), &registry).unwrap().apply(&input).unwrap();
    assert_eq!(matrix.values()[(0, 0)], 4.0);
    let error = plan(1).apply(&input).unwrap_err().to_string();
    assert_eq!(error, "the plan needs extension `lengths` version 1, which is not registered");
    assert!(matches!(Program::new(&plan(2), &registry), Err(ApplyError::Extension { .. })));
}

#[test]
fn casts_keep_values_and_missing() {
    let mut builder = PlanBuilder::new(schema(&[("count", DataType::Int64), ("flag", DataType::Boolean)]));
    builder
        .push(Op::Cast {
            column: "count".into(),
            to: DataType::Categorical(CategoryType::Int64),
            output: "category".into(),
        })
        .push(Op::Cast { column: "flag".into(), to: DataType::Float64, output: "number".into() })
        .output("category", "category")
        .output("number", "number");
    let plan = builder.build().unwrap();
    let input =
        table(vec![("count", Column::from(vec![Some(4_i64), None])), ("flag", Column::from(vec![None, Some(true)]))]);
    let output = plan.run(&input).unwrap();
    let category = output.column("category").unwrap();
    assert_eq!((category.describe(0), category.is_missing(1)), ("4".to_owned(), true));
    assert_eq!(output.column("number").unwrap().describe(1), "1.0");
    assert!(matches!(plan.apply(&input).unwrap_err(), ApplyError::NotNumeric { name, .. } if name == "category"));
}

#[test]
fn encodings_are_undone_and_what_stands_for_nothing_is_refused_or_missing() {
    let texts = Categories::String(vec!["b".into(), "a".into()]);
    let plan = |unknown| {
        let fields = ["x_b", "x_a", "x_nan", "code"].map(|name| (name, DataType::Float64));
        let mut builder = PlanBuilder::new(schema(&fields));
        let columns = ["x_b", "x_a", "x_nan"].map(str::to_owned).to_vec();
        builder.push(Op::ArgMax { columns, output: "x".into() });
        for (column, values, missing, output) in
            [("x", vec![0.0, 1.0], Some(2.0), "text"), ("code", vec![5.0, -0.5], Some(f64::NAN), "other")]
        {
            let (categories, to) = (texts.clone(), DataType::Categorical(CategoryType::String));
            let (column, output) = (column.to_owned(), output.to_owned());
            builder.output(&output, &output);
            builder.push(Op::Decode { column, categories, values, missing, unknown, to, output });
        }
        builder.build().unwrap()
    };
    let input = |last: f64| {
        table(vec![
            ("x_b", Column::from(vec![0.0, 0.0, last])),
            ("x_a", Column::from(vec![0.0, 1.0, last])),
            ("x_nan", Column::from(vec![1.0, 0.0, 0.0])),
            ("code", Column::from(vec![-0.5, f64::NAN, 5.0])),
        ])
    };
    let found = plan(UnknownCategory::Error).run(&input(0.5)).unwrap();
    let read = |name: &str, table: &ColumnTable| {
        let column = table.column(name).unwrap();
        assert!(column.dtype().is_categorical());
        [0, 1, 2].map(|row| column.text(row).map(str::to_owned))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(read("text", &found), [None, text("a"), text("b")]);
    assert_eq!(read("other", &found), [text("a"), None, text("b")]);
    let error = plan(UnknownCategory::Error).run(&input(0.0)).unwrap_err();
    assert_eq!(error.to_string(), "column `x`, row 2: NaN stands for no category");
    let ignored = plan(UnknownCategory::Ignore).run(&input(0.0)).unwrap();
    assert_eq!(read("text", &ignored), [None, text("a"), None]);
}

#[test]
fn a_check_runs_although_nothing_depends_on_it_also_in_a_plan_without_outputs() {
    let fields = [("a", DataType::Float64), ("b", DataType::String)];
    let mut builder = PlanBuilder::new(schema(&fields));
    builder.push(Op::RefuseMissing { columns: vec!["b".into()] });
    let none = builder.clone().build().unwrap();
    builder.output("a", "a");
    let after = Plan::identity(schema(&[("a", DataType::Float64)])).unwrap();
    let one = builder.build().unwrap().then(&after).unwrap();
    let gap = table(vec![
        ("a", Column::from(vec![1.0; 700])),
        ("b", Column::from([vec![Some("x"); 699], vec![None]].concat())),
    ]);
    for plan in [none, one] {
        assert_eq!(plan.required_inputs().last().map(|field| field.name.as_str()), Some("b"));
        for error in [plan.apply(&gap).unwrap_err(), plan.run(&gap).unwrap_err()] {
            assert_eq!(error.to_string(), "column `b`, row 699 is missing; at fit no value of the column was");
        }
        assert_eq!(plan.apply(&gap.take(&[0, 1])).unwrap().n_rows(), 2);
    }
}
