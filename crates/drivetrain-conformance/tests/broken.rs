//! Estimators that are wrong in one way each, and the law that catches them.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use drivetrain_conformance::{Conformance, Law, LawBroken};
use drivetrain_plan::{
    Column, ColumnTable, DataType, Field, Matrix, Op, Plan, PlanBuilder, PlanError, Schema, Table, Value,
};
use drivetrain_transform::{Estimator, FitError, Fitted, Normalizer, TransformError, check_input};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Counts,
    CentresOnTheBatch,
    DropsARow,
    RecordsAnotherSchema,
    FitsNothing,
    TransformsOtherwiseThanItsPlan,
    InvertsHalfOfIt,
    NeverFits,
    LowersToNothing,
    FillsMissing,
}

#[derive(Debug, Clone)]
struct Faulty {
    fault: Fault,
    fits: Arc<AtomicU32>,
}

impl PartialEq for Faulty {
    fn eq(&self, other: &Self) -> bool {
        self.fault == other.fault
    }
}

#[derive(Debug, Clone, PartialEq)]
struct FittedFaulty {
    fault: Fault,
    schema: Schema,
    center: f64,
}

impl Estimator for Faulty {
    type Fitted = FittedFaulty;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<FittedFaulty, FitError> {
        if self.fault != Fault::FitsNothing {
            check_input(x, y)?;
        }
        if self.fault == Fault::NeverFits {
            return Err(FitError::NoTarget { estimator: "Faulty" });
        }
        let fits = self.fits.fetch_add(1, Ordering::Relaxed);
        let center = if self.fault == Fault::Counts { f64::from(fits) } else { 1.0 };
        let schema = if self.fault == Fault::RecordsAnotherSchema {
            Schema::new(vec![Field::new("x", DataType::Float64), Field::new("y", DataType::Float64)]).unwrap()
        } else {
            x.schema().clone()
        };
        Ok(FittedFaulty { fault: self.fault, schema, center })
    }
}

impl Fitted for FittedFaulty {
    fn lower(&self) -> Result<Plan, PlanError> {
        if self.fault == Fault::LowersToNothing {
            return Err(PlanError::DuplicateOutput { name: "x".into() });
        }
        let mut builder = PlanBuilder::new(self.schema.clone());
        if self.schema.field("x").is_some() {
            let column = if self.fault == Fault::FillsMissing { "filled" } else { "x" }.to_owned();
            if self.fault == Fault::FillsMissing {
                let (column, output) = ("x".into(), column.clone());
                builder.push(Op::Impute { column, value: Value::Float64(0.0), output });
            }
            builder.push(Op::Scale { column, center: self.center, scale: 2.0, output: "scaled".into() });
            builder.output("x", "scaled");
        }
        builder.build()
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        if self.fault != Fault::InvertsHalfOfIt {
            return Ok(None);
        }
        let mut builder = PlanBuilder::new(self.lower()?.output_schema().clone());
        builder.push(Op::Scale { column: "x".into(), center: 0.0, scale: 0.5, output: "back".into() });
        builder.output("x", "back");
        builder.build().map(Some)
    }

    fn transform(&self, x: &dyn Table) -> Result<Matrix, TransformError> {
        let plain = self.lower()?.apply(x)?;
        let values = plain.column("x").unwrap_or_default();
        let values = match self.fault {
            Fault::CentresOnTheBatch => {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                values.into_iter().map(|value| value - mean).collect()
            }
            Fault::DropsARow => values.into_iter().skip(1).collect(),
            Fault::TransformsOtherwiseThanItsPlan => values.into_iter().map(|value| value * 2.0).collect::<Vec<_>>(),
            _ => return Ok(plain),
        };
        let table = ColumnTable::new(vec![("x".into(), Column::from(values))]).expect("one column");
        Ok(Plan::identity(table.schema().clone())?.apply(&table)?)
    }
}

fn numbers<const N: usize>(names: [&str; N]) -> Schema {
    Schema::new(names.map(|name| Field::new(name, DataType::Float64)).to_vec()).unwrap()
}

fn check(fault: Fault) -> Result<(), LawBroken> {
    let laws = Law::ALL.into_iter().chain(Law::SCALING);
    Conformance::new(&numbers(["x"])).laws(laws).check(&Faulty { fault, fits: Arc::default() })
}

fn broken_law(fault: Fault) -> Law {
    match check(fault).unwrap_err() {
        LawBroken::Broken { law, .. } => law,
        other => panic!("{other}"),
    }
}

#[test]
fn each_fault_breaks_the_law_that_names_it() {
    assert_eq!(broken_law(Fault::Counts), Law::FitIdempotent);
    assert_eq!(broken_law(Fault::CentresOnTheBatch), Law::RowAlone);
    assert_eq!(broken_law(Fault::RecordsAnotherSchema), Law::SchemaRecorded);
    assert_eq!(broken_law(Fault::FitsNothing), Law::EmptyTable);
    assert_eq!(broken_law(Fault::TransformsOtherwiseThanItsPlan), Law::SaveAndLoad);
    assert_eq!(broken_law(Fault::InvertsHalfOfIt), Law::Inverse);
    assert_eq!(broken_law(Fault::LowersToNothing), Law::Lowers);
    assert_eq!(broken_law(Fault::FillsMissing), Law::MissingStays);
    assert_eq!(broken_law(Fault::DropsARow), Law::RowCount);
}

#[test]
fn a_law_is_checked_alone() {
    let schema = numbers(["x", "y"]);
    let normalizer = Normalizer::new();
    let check = |law| Conformance::new(&schema).laws([law]).check(&normalizer);
    // Not a scaler: what comes of a number depends on the others in its row.
    let message = check(Law::MissingAlone).unwrap_err().to_string();
    assert!(message.starts_with("MissingAlone: "), "{message}");
    check(Law::RowAlone).unwrap();
}

#[test]
fn the_message_names_the_law_and_shows_small_tables() {
    let message = check(Fault::CentresOnTheBatch).unwrap_err().to_string();
    assert!(message.starts_with("RowAlone: a row transforms to the same bits alone as among others"), "{message}");
    let shown = message.lines().skip_while(|line| *line != "applied to").count();
    assert!(shown <= 6, "not shrunk:\n{message}");
}

#[test]
fn an_estimator_that_can_never_be_fitted_is_not_called_right() {
    assert!(
        matches!(check(Fault::NeverFits), Err(LawBroken::NeverFitted { reason }) if reason.contains("needs a target"))
    );
}
