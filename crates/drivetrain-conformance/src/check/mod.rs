//! How each law is checked on two tables.

mod columns;
mod inverse;
mod missing;

use std::{error::Error, fmt::Debug};

use drivetrain_plan::{ApplyError, ColumnTable, Plan, PlanError, Table};
use drivetrain_transform::{Estimator, FitError, Fitted, Pipeline, Step, TransformError};

use crate::{Law, observed::Observed};

impl Law {
    /// Checks the law for `estimator`, fitted on `train` and applied to `probe`, a table of the same schema.
    ///
    /// A table that the estimator refuses at fit, or rows that it refuses at transform, break no law; the same table
    /// must then be refused every time.
    ///
    /// # Errors
    /// What happened instead of what the law says.
    pub fn check<E>(self, estimator: &E, train: &ColumnTable, probe: &ColumnTable) -> Result<(), String>
    where
        E: Estimator + Clone + PartialEq + Debug + Send + Sync + 'static,
    {
        if self == Self::EmptyTable {
            return empty_table(estimator, train);
        }
        let Ok(fitted) = estimator.fit(train, None) else { return Ok(()) };
        let plan = match fitted.lower() {
            Ok(plan) => plan,
            Err(error) if self == Self::Lowers => return Err(chain(&error)),
            // One broken law is enough to hear of.
            Err(_) => return Ok(()),
        };
        match self {
            Self::InputUntouched => input_untouched(estimator, &fitted, train, probe),
            Self::ParametersUntouched => parameters_untouched(estimator, train),
            Self::FittedUntouched => {
                let _ = fitted.transform(probe);
                let after = fitted.lower().map_err(|error| chain(&error))?;
                same_plan(&plan, &after, "after transform the plan is another")
            }
            Self::FitTransform => {
                let at_once = match estimator.fit_transform(train, None) {
                    Err(FitError::Transform(TransformError::Apply(ApplyError::NotNumeric { .. }))) => return Ok(()),
                    other => other.map(|matrix| Observed::matrix(&matrix)).map_err(|error| chain(&error)),
                };
                same_result(&at_once, &transform(&fitted, train), "fit_transform", "fit, then transform")
            }
            Self::FitIdempotent => same_plan(&plan, &refit(estimator, train)?, "the second fit learned something else"),
            Self::ColdStart => {
                let _ = estimator.fit(&probe.take(&[0]), None);
                same_plan(&plan, &refit(estimator, train)?, "the fit after another one learned something else")
            }
            Self::RowOrder => row_order(&fitted, probe),
            Self::RowAlone => row_alone(&fitted, probe),
            Self::RowCount => match transform(&fitted, probe) {
                Ok(output) if output.rows.len() != probe.n_rows() => {
                    Err(format!("{} rows became {}", probe.n_rows(), output.rows.len()))
                }
                _ => Ok(()),
            },
            Self::SchemaRecorded => {
                let (recorded, seen) = (plan.inputs(), train.schema());
                if recorded == seen { Ok(()) } else { Err(format!("recorded {recorded:?}, fitted on {seen:?}")) }
            }
            Self::WidthNamed => columns::width_named(&fitted, &plan, probe),
            Self::ColumnsNamed => columns::columns_named(&fitted, &plan, probe),
            Self::ExtraColumns => columns::extra_columns(&fitted, probe),
            Self::ColumnOrder => {
                let mut columns = Vec::from(probe.clone());
                columns.reverse();
                let reversed = ColumnTable::new(columns).map_err(|error| chain(&error))?;
                same_result(&transform(&fitted, &reversed), &transform(&fitted, probe), "reversed columns", "as fitted")
            }
            Self::FeatureNames => columns::feature_names(&fitted, &plan, probe),
            Self::Lowers | Self::EmptyTable => Ok(()),
            Self::SaveAndLoad => save_and_load(&fitted, &plan, probe),
            Self::PipelineOfOne => {
                let pipeline = Pipeline::new(vec![Step::new("only", estimator.clone())]);
                let pipeline = pipeline.map_err(|error| chain(&error))?;
                let fitted_pipeline = pipeline.fit(train, None).map_err(|error| chain(&error))?;
                same_result(&transform(&fitted_pipeline, probe), &transform(&fitted, probe), "the pipeline", "the step")
            }
            Self::Inverse => inverse::leads_back(estimator, &fitted, train),
            Self::MissingStays => missing::stays(&fitted, train, probe),
            Self::MissingAlone => missing::alone(&fitted, probe),
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What comes out: the matrix, or the typed columns where they are not all numeric.
fn transform(fitted: &impl Fitted, table: &dyn Table) -> Result<Observed, String> {
    match fitted.transform(table) {
        Err(TransformError::Apply(ApplyError::NotNumeric { .. })) => {
            fitted.run(table).map(|table| Observed::table(&table))
        }
        other => other.map(|matrix| Observed::matrix(&matrix)),
    }
    .map_err(|error| chain(&error))
}

fn refit(estimator: &impl Estimator, train: &dyn Table) -> Result<Plan, String> {
    let fitted = estimator.fit(train, None).map_err(|error| format!("it was refused: {}", chain(&error)))?;
    fitted.lower().map_err(|error| chain(&error))
}

fn bytes(plan: &Plan) -> Result<Vec<u8>, String> {
    rmp_serde::to_vec_named(plan).map_err(|error| chain(&error))
}

fn same_plan(before: &Plan, after: &Plan, otherwise: &str) -> Result<(), String> {
    if bytes(before)? == bytes(after)? { Ok(()) } else { Err(format!("{otherwise}:\n{before}\nthen\n{after}")) }
}

/// Both refused, or both the same bits.
fn same_result(
    left: &Result<Observed, String>,
    right: &Result<Observed, String>,
    left_name: &str,
    right_name: &str,
) -> Result<(), String> {
    match (left, right) {
        (Ok(left), Ok(right)) if left == right => Ok(()),
        (Ok(left), Ok(right)) => Err(format!("{left_name}: {left:?}\n{right_name}: {right:?}")),
        (Err(_), Err(_)) => Ok(()),
        (Ok(_), Err(error)) => Err(format!("{right_name} alone is refused: {error}")),
        (Err(error), Ok(_)) => Err(format!("{left_name} alone is refused: {error}")),
    }
}

fn input_untouched(
    estimator: &impl Estimator,
    fitted: &impl Fitted,
    train: &ColumnTable,
    probe: &ColumnTable,
) -> Result<(), String> {
    let copies = (format!("{train:?}"), format!("{probe:?}"));
    let _ = estimator.fit(train, None);
    let _ = fitted.transform(probe);
    if copies == (format!("{train:?}"), format!("{probe:?}")) { Ok(()) } else { Err("a table has changed".to_owned()) }
}

fn parameters_untouched<E: Estimator + Clone + PartialEq + Debug>(
    estimator: &E,
    train: &dyn Table,
) -> Result<(), String> {
    let before = estimator.clone();
    let _ = estimator.fit(train, None);
    if before == *estimator { Ok(()) } else { Err(format!("{before:?} became {estimator:?}")) }
}

/// Rows in reverse order, then the first one moved to the end.
fn row_order(fitted: &impl Fitted, probe: &ColumnTable) -> Result<(), String> {
    let Ok(straight) = transform(fitted, probe) else { return Ok(()) };
    let mut order: Vec<usize> = (0..probe.n_rows()).rev().collect();
    order.rotate_left(1);
    let permuted = transform(fitted, &probe.take(&order))?;
    for (position, &row) in order.iter().enumerate() {
        same_row(&permuted, position, &straight, row)
            .map_err(|found| format!("row {row} moved to {position}: {found}"))?;
    }
    Ok(())
}

fn row_alone(fitted: &impl Fitted, probe: &ColumnTable) -> Result<(), String> {
    let Ok(together) = transform(fitted, probe) else { return Ok(()) };
    for row in 0..probe.n_rows() {
        let alone = transform(fitted, &probe.take(&[row])).map_err(|error| format!("row {row} alone: {error}"))?;
        same_row(&alone, 0, &together, row).map_err(|found| format!("row {row} alone: {found}"))?;
    }
    Ok(())
}

fn same_row(left: &Observed, left_row: usize, right: &Observed, right_row: usize) -> Result<(), String> {
    let (left, right) = (left.rows.get(left_row), right.rows.get(right_row));
    if left == right { Ok(()) } else { Err(format!("{left:?}, otherwise {right:?}")) }
}

fn empty_table(estimator: &impl Estimator, train: &ColumnTable) -> Result<(), String> {
    let no_columns = ColumnTable::new(Vec::new()).map_err(|error| chain(&error))?;
    for (table, what) in [(train.take(&[]), "rows"), (no_columns, "columns")] {
        if estimator.fit(&table, None).is_ok() {
            return Err(format!("a table without {what} was fitted"));
        }
    }
    Ok(())
}

/// A plan that was read back, as something fitted.
struct Loaded(Plan);

impl Fitted for Loaded {
    fn lower(&self) -> Result<Plan, PlanError> {
        Ok(self.0.clone())
    }
}

fn save_and_load(fitted: &impl Fitted, plan: &Plan, probe: &ColumnTable) -> Result<(), String> {
    let loaded: Plan =
        rmp_serde::from_slice(&bytes(plan)?).map_err(|error| format!("it does not load: {}", chain(&error)))?;
    let loaded = transform(&Loaded(loaded), probe);
    same_result(&loaded, &transform(fitted, probe), "the loaded plan", "the fitted transformer")
}

/// The causes of a failed fit, for messages.
pub(crate) fn describe(error: &FitError) -> String {
    chain(error)
}
