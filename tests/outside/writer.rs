//! A program with a transformer of its own: fits it and writes the artifact given as the only argument. Prints what the
//! transformer makes of three rows.

use drivetrain_artifact::ArtifactBuilder;
use drivetrain_plan::{Column, ColumnTable, Function, Op, Operand, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use drivetrain_transform::{Estimator, FitError, Fitted, check_input, check_numeric};

/// The logarithm of every column over its largest value.
#[derive(Debug, Clone, PartialEq)]
struct LogShare;

#[derive(Debug, Clone, PartialEq)]
struct FittedLogShare {
    schema: Schema,
    largest: Vec<f64>,
}

impl Estimator for LogShare {
    type Fitted = FittedLogShare;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<FittedLogShare, FitError> {
        check_input(x, y)?;
        let largest = x.schema().fields().iter().map(|field| {
            let values = check_numeric(x, field, "LogShare")?;
            Ok(values.iter().copied().fold(f64::MIN_POSITIVE, f64::max))
        });
        Ok(FittedLogShare { schema: x.schema().clone(), largest: largest.collect::<Result<_, FitError>>()? })
    }
}

impl Fitted for FittedLogShare {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut plan = PlanBuilder::new(self.schema.clone());
        for (column, largest) in self.schema.names().zip(&self.largest) {
            let (share, log) = (plan.fresh("share"), plan.fresh("log"));
            plan.push(Op::Arithmetic {
                operator: Operator::Divide,
                left: Operand::Column(column.into()),
                right: Operand::Constant(*largest),
                output: share.clone(),
            });
            plan.push(Op::Function { function: Function::Log, column: share, output: log.clone() });
            plan.output(&format!("log_share_{column}"), &log);
        }
        plan.build()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: writer ARTIFACT")?;
    let rows = ColumnTable::new(vec![
        ("weight".into(), Column::from(vec![3504.0, f64::NAN, 2130.5])),
        ("doors".into(), Column::from(vec![Some(3_i64), Some(5), None])),
    ])?;
    let fitted = LogShare.fit(&rows, None)?;
    ArtifactBuilder::preprocessor(fitted.lower()?, &rows).build()?.write_tar_gz(path)?;
    let features = fitted.transform(&rows)?;
    println!("{:?} {:?}", features.feature_names(), features.values().as_slice());
    Ok(())
}
