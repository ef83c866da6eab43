//! A few rows and the answers to them, which a reader recomputes before it trusts a model.

use drivetrain_forest::Forest;
use drivetrain_plan::{ColumnTable, Plan, Program, Registry, Table};
use ndarray::{Array2, ArrayRef2, Axis, Slice};
use serde::{Deserialize, Serialize};

use crate::{ArtifactError, Model, Pipeline, Regressor};

/// How many rows a probe keeps at most.
pub(crate) const ROWS: usize = 8;

/// Rows of numbers; lists of lists, so that a reader in any language can use them.
type Rows = Vec<Vec<f64>>;

/// Inputs that a model was given when its artifact was made, and what it answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Probe {
    Preprocessor { rows: ColumnTable, features: Rows },
    Regressor { features: Rows, predictions: Vec<f64> },
    Pipeline { rows: ColumnTable, features: Rows, predictions: Vec<f64> },
}

impl Probe {
    /// Asks `plan` about the first rows of `table`.
    pub(crate) fn of_preprocessor(plan: &Plan, table: &dyn Table, registry: &Registry) -> Result<Self, ArtifactError> {
        let rows = head(plan, table)?;
        let features = listed(&transform(plan, &rows, registry)?);
        Ok(Self::Preprocessor { rows, features })
    }

    /// Asks `regressor` about the first rows of `features`.
    pub(crate) fn of_regressor(regressor: &Regressor, features: &ArrayRef2<f64>) -> Result<Self, ArtifactError> {
        let features = &features.slice_axis(Axis(0), Slice::from(..features.nrows().min(ROWS)));
        let predictions = predict(regressor.forest(), features)?;
        Ok(Self::Regressor { features: listed(features), predictions })
    }

    /// Asks both parts of `pipeline` in turn about the first rows of `table`.
    pub(crate) fn of_pipeline(
        pipeline: &Pipeline,
        table: &dyn Table,
        registry: &Registry,
    ) -> Result<Self, ArtifactError> {
        let rows = head(pipeline.preprocessor(), table)?;
        let features = transform(pipeline.preprocessor(), &rows, registry)?;
        let predictions = predict(pipeline.regressor().forest(), &features)?;
        Ok(Self::Pipeline { rows, features: listed(&features), predictions })
    }

    /// How many rows would have to be recomputed.
    pub(crate) fn n_rows(&self) -> usize {
        match self {
            Self::Preprocessor { rows, .. } | Self::Pipeline { rows, .. } => rows.n_rows(),
            Self::Regressor { features, .. } => features.len(),
        }
    }

    /// Asks `model` again and compares the answers bit for bit, except that one NaN is as good as another: its bits
    /// are the processor's choice.
    pub(crate) fn verify(&self, model: &Model, registry: &Registry) -> Result<(), ArtifactError> {
        if self.n_rows() == 0 {
            return Err(ArtifactError::EmptyProbe);
        }
        match (self, model) {
            (Self::Preprocessor { rows, features }, Model::Preprocessor(plan)) => {
                check_features(plan, rows, features, registry).map(drop)
            }
            (Self::Regressor { features, predictions }, Model::Regressor(regressor)) => {
                let features = matrix(features, regressor.forest().n_features())?;
                check_predictions(regressor, &features, predictions)
            }
            (Self::Pipeline { rows, features, predictions }, Model::Pipeline(pipeline)) => {
                let computed = check_features(pipeline.preprocessor(), rows, features, registry)?;
                check_predictions(pipeline.regressor(), &computed, predictions)
            }
            (_, model) => Err(ArtifactError::ProbeShape { part: "content", expected: model.kind().to_string() }),
        }
    }
}

/// The first rows of the columns that `plan` needs; the others are not worth their bytes.
fn head(plan: &Plan, table: &dyn Table) -> Result<ColumnTable, ArtifactError> {
    let needed = plan.required_inputs();
    let columns = needed.iter().filter_map(|field| {
        let column = table.column(&field.name)?;
        let rows = column.len().min(ROWS);
        Some((field.name.clone(), column.view(0, rows).into_owned()))
    });
    ColumnTable::new(columns.collect()).map_err(|source| ArtifactError::ProbeTable { source })
}

fn transform(plan: &Plan, rows: &ColumnTable, registry: &Registry) -> Result<Array2<f64>, ArtifactError> {
    let features = Program::new(plan, registry).and_then(|program| program.apply(rows));
    Ok(features.map_err(|source| ArtifactError::Plan { source })?.into_parts().0)
}

fn predict(forest: &Forest, features: &ArrayRef2<f64>) -> Result<Vec<f64>, ArtifactError> {
    forest.predict(features.view()).map_err(|source| ArtifactError::Forest { source })
}

fn check_features(
    plan: &Plan,
    rows: &ColumnTable,
    recorded: &Rows,
    registry: &Registry,
) -> Result<Array2<f64>, ArtifactError> {
    let names = plan.feature_names();
    if recorded.len() != rows.n_rows() || recorded.iter().any(|row| row.len() != names.len()) {
        let expected = format!("{} x {}", rows.n_rows(), names.len());
        return Err(ArtifactError::ProbeShape { part: "features", expected });
    }
    let computed = transform(plan, rows, registry)?;
    for (row, (recorded, computed)) in recorded.iter().zip(computed.rows()).enumerate() {
        for ((name, recorded), computed) in names.iter().zip(recorded).zip(computed) {
            compare(row, || format!("feature `{name}`"), *recorded, *computed)?;
        }
    }
    Ok(computed)
}

fn check_predictions(regressor: &Regressor, features: &ArrayRef2<f64>, recorded: &[f64]) -> Result<(), ArtifactError> {
    if recorded.len() != features.nrows() {
        return Err(ArtifactError::ProbeShape { part: "predictions", expected: features.nrows().to_string() });
    }
    let computed = predict(regressor.forest(), features)?;
    let mut answers = recorded.iter().zip(computed).enumerate();
    answers
        .try_for_each(|(row, (recorded, computed))| compare(row, || "the prediction".to_owned(), *recorded, computed))
}

fn compare(row: usize, output: impl Fn() -> String, recorded: f64, computed: f64) -> Result<(), ArtifactError> {
    if recorded.to_bits() == computed.to_bits() || (recorded.is_nan() && computed.is_nan()) {
        Ok(())
    } else {
        Err(ArtifactError::ProbeMismatch { row, output: output(), recorded, computed })
    }
}

/// The rows of `array`, with one bit pattern for NaN so that the bytes are the same on every machine.
fn listed(array: &ArrayRef2<f64>) -> Rows {
    let one_nan = |value: &f64| if value.is_nan() { f64::NAN } else { *value };
    array.rows().into_iter().map(|row| row.iter().map(one_nan).collect()).collect()
}

fn matrix(rows: &Rows, width: usize) -> Result<Array2<f64>, ArtifactError> {
    let wrong = || ArtifactError::ProbeShape { part: "features", expected: format!("{} x {width}", rows.len()) };
    if rows.iter().any(|row| row.len() != width) {
        return Err(wrong());
    }
    Array2::from_shape_vec((rows.len(), width), rows.concat()).map_err(|_| wrong())
}
