use drivetrain_plan::{CategoricalColumn, CategoryType, Column, ColumnTable, DataType, Int64Column};

use super::*;
use crate::{DtypeClass, FittedStandardScaler, OneHotEncoder, StandardScaler, TransformError, make_column_selector};

fn columns() -> Vec<(String, Column<'static>)> {
    vec![
        ("a".into(), Column::from(vec![1.0, 2.0, 6.0])),
        ("kind".into(), Column::Categorical(CategoricalColumn::Int64(Int64Column::new(vec![4_i64, 8, 4])))),
        ("b".into(), Column::from(vec![5.0, 5.5, 6.0])),
        ("unused".into(), Column::from(vec![0.0, 1.0, 2.0])),
    ]
}

fn table() -> ColumnTable {
    ColumnTable::new(columns()).unwrap()
}

fn transformer() -> ColumnTransformer {
    ColumnTransformer::new(vec![
        Block::new("cat", OneHotEncoder::new(), make_column_selector().dtype_include([DtypeClass::Category])),
        Block::new("num", StandardScaler::new(), ["b", "a"]),
    ])
    .unwrap()
}

#[test]
fn blocks_are_contiguous_and_in_order() {
    let fitted = transformer().fit(&table(), None).unwrap();
    let names = fitted.transform(&table()).unwrap().feature_names().to_vec();
    assert_eq!(names, ["cat__kind_4", "cat__kind_8", "num__b", "num__a"]);
    let outputs: Vec<_> = fitted.blocks().iter().map(|block| block.outputs.clone()).collect();
    assert_eq!(outputs, [0..2, 2..4, 4..4]);
    assert_eq!(fitted.blocks()[2].columns, ["unused"]);
}

#[test]
fn column_order_does_not_matter_and_extra_columns_are_ignored_even_under_passthrough() {
    let fitted = transformer().remainder(Remainder::Passthrough).fit(&table(), None).unwrap();
    let mut reordered = columns();
    reordered.reverse();
    reordered.insert(1, ("extra".into(), Column::from(vec![Some("x"), None, None])));
    let reordered = ColumnTable::new(reordered).unwrap();
    assert!(fitted.transform(&reordered).unwrap().bit_eq(&fitted.transform(&table()).unwrap()));
}

#[test]
fn an_absent_used_column_is_named_and_an_absent_dropped_one_is_fine() {
    let fitted = transformer().fit(&table(), None).unwrap();
    let without =
        |name: &str| ColumnTable::new(columns().into_iter().filter(|column| column.0 != name).collect()).unwrap();
    assert!(fitted.transform(&without("unused")).is_ok());
    let TransformError::Apply(error) = fitted.transform(&without("b")).unwrap_err() else { panic!() };
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("missing: `b`"), "{cause}");
}

#[test]
fn a_selector_equals_the_explicit_list_and_is_frozen_at_fit() {
    let by_name = ColumnTransformer::new(vec![Block::new("num", StandardScaler::new(), ["a", "b", "unused"])]).unwrap();
    let selector = make_column_selector().dtype_include([DtypeClass::Number]);
    let by_dtype = ColumnTransformer::new(vec![Block::new("num", StandardScaler::new(), selector)]).unwrap();
    let fitted = by_dtype.fit(&table(), None).unwrap();
    assert_eq!(fitted, by_name.fit(&table(), None).unwrap());
    let mut later = columns();
    later.push(("late".into(), Column::from(vec![1.0, 2.0, 3.0])));
    assert_eq!(fitted.transform(&ColumnTable::new(later).unwrap()).unwrap().n_columns(), 3);
}

#[test]
fn names_without_prefix_may_not_collide() {
    let blocks = || vec![Block::new("x", StandardScaler::new(), ["a"]), Block::passthrough("y", ["a"])];
    let transformer = || ColumnTransformer::new(blocks()).unwrap();
    let both = transformer().fit_transform(&table(), None).unwrap();
    assert_eq!(both.feature_names(), ["x__a", "y__a"]);
    assert_eq!(both.column("y__a").unwrap(), [1.0, 2.0, 6.0]);
    let error = transformer().verbose_feature_names_out(false).fit(&table(), None).unwrap_err();
    assert!(matches!(error, FitError::Plan(PlanError::DuplicateOutput { name }) if name == "a"));
}

/// Fails whenever it is fitted.
#[derive(Debug, Clone, PartialEq)]
struct Untouchable;

impl Estimator for Untouchable {
    type Fitted = FittedColumnTransformer;

    fn fit(&self, _: &dyn Table, _: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        Err(FitError::NoTarget { estimator: "Untouchable" })
    }
}

#[test]
fn an_empty_selection_never_calls_its_estimator() {
    let selector = make_column_selector().dtype_include([DtypeClass::Boolean]);
    let blocks = vec![Block::new("none", Untouchable, selector), Block::drop("away", ["a"])];
    let fitted = ColumnTransformer::new(blocks).unwrap().fit(&table(), None).unwrap();
    assert_eq!(fitted.transform(&table()).unwrap().n_columns(), 0);
}

#[test]
fn the_remainder_can_be_dropped_handed_through_or_fitted() {
    let names = |remainder| {
        let blocks = vec![Block::drop("kind", ["kind"]), Block::passthrough("a", ["a"])];
        let transformer = ColumnTransformer::new(blocks).unwrap().remainder(remainder);
        transformer.fit_transform(&table(), None).unwrap().feature_names().to_vec()
    };
    assert_eq!(names(Remainder::Drop), ["a__a"]);
    assert_eq!(names(Remainder::Passthrough), ["a__a", "remainder__b", "remainder__unused"]);
    let scaler = Remainder::Estimator(AnyEstimator::new(StandardScaler::new()));
    assert_eq!(names(scaler), ["a__a", "remainder__b", "remainder__unused"]);
}

#[test]
fn columns_that_are_not_there_are_named_at_fit() {
    let transformer = ColumnTransformer::new(vec![Block::passthrough("x", ["a", "height", "width"])]).unwrap();
    let error = transformer.fit(&table(), None).unwrap_err();
    assert_eq!(error.to_string(), "block `x` names columns that are not there: height, width");
}

#[test]
fn categories_handed_through_are_refused_only_where_numbers_are_needed() {
    let fitted = ColumnTransformer::new(vec![Block::passthrough("x", ["kind"])]).unwrap().fit(&table(), None).unwrap();
    let typed = fitted.run(&table()).unwrap();
    assert_eq!(typed.schema().dtype("x__kind"), Some(DataType::Categorical(CategoryType::Int64)));
    assert!(fitted.transform(&table()).is_err());
}

#[test]
fn blocks_are_found_by_name_and_hold_what_they_learned() {
    let fitted = transformer().remainder(Remainder::Passthrough).fit(&table(), None).unwrap();
    let scaler = fitted.block("num").and_then(|block| block.fitted.as_ref());
    let scaler = scaler.and_then(|fitted| fitted.downcast_ref::<FittedStandardScaler>()).unwrap();
    assert_eq!((scaler.columns()[1].name.as_str(), scaler.columns()[1].mean), ("a", 3.0));
    let rest = fitted.block("remainder").unwrap();
    assert!(rest.fitted.is_none() && rest.plan.is_some());
    assert!(fitted.block("other").is_none());
    assert!(matches!(fitted.inverse_transform(&table()), Err(TransformError::NoInverse)));
}
