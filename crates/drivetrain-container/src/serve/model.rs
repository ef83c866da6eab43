//! The model behind an endpoint: what it takes and what it answers follow from what the artifact holds.
//!
//! | the artifact holds | rows in | answer |
//! |---|---|---|
//! | a preprocessor | raw rows, the target allowed | features |
//! | a regressor | features | predictions |
//! | both | raw rows, the target allowed | predictions |

use std::{collections::BTreeMap, fmt, path::Path};

use drivetrain_artifact::{Artifact, Limits, Model, Regressor, Sha256};
use drivetrain_plan::{
    ApplyError, Column, ColumnTable, Plan, Program, Registry, Table, UnknownCategories,
    ndarray::{Array2, ArrayView2},
};

use super::{
    response::{Answer, Rejection},
    rows::{Extra, RowSchema},
};
use crate::Error;

/// A model made ready to answer requests.
#[derive(Debug, Clone)]
pub struct ServedModel {
    engine: Engine,
    row_schema: RowSchema,
    description: String,
}

#[derive(Debug, Clone)]
enum Engine {
    Preprocessor(Program),
    Regressor(Regressor),
    Pipeline(Program, Regressor),
}

impl ServedModel {
    /// Reads the artifact in the directory `path`, or in the tarball `path`.
    ///
    /// # Errors
    /// [`Error::Artifact`] when it cannot be read or is not to be trusted, [`Error::Prepare`] when its plan cannot be
    /// run here.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let limits = Limits::default();
        let artifact =
            if path.is_file() { Artifact::read_tar_gz(path, &limits)? } else { Artifact::read_dir(path, &limits)? };
        Self::new(&artifact)
    }

    /// Makes the model of `artifact` ready.
    ///
    /// # Errors
    /// [`Error::Prepare`] when its plan cannot be run here.
    pub fn new(artifact: &Artifact) -> Result<Self, Error> {
        let model = artifact.model();
        let program = |plan: &Plan| Program::new(plan, &Registry::new()).map_err(Error::Prepare);
        let (engine, row_schema) = match model {
            Model::Preprocessor(plan) => (Engine::Preprocessor(program(plan)?), RowSchema::of_plan(plan)),
            Model::Regressor(regressor) => {
                let rows = RowSchema::new(model.input_schema().clone(), Extra::Refuse);
                (Engine::Regressor(regressor.clone()), rows)
            }
            Model::Pipeline(pipeline) => {
                let plan = pipeline.preprocessor();
                (Engine::Pipeline(program(plan)?, pipeline.regressor().clone()), RowSchema::of_plan(plan))
            }
        };
        Ok(Self { engine, row_schema, description: describe(model, artifact.model_id()) })
    }

    /// The rows that it takes.
    #[must_use]
    pub const fn row_schema(&self) -> &RowSchema {
        &self.row_schema
    }

    /// What is worth counting about the rows of `table`, which were answered.
    #[must_use]
    pub fn observe(&self, table: &ColumnTable) -> Observed {
        let missing = table.schema().names().filter_map(|name| {
            let column = table.column(name)?;
            let missing = (0..column.len()).filter(|row| column.is_missing(*row)).count();
            (missing > 0).then(|| (name.to_owned(), missing))
        });
        let unknown = match &self.engine {
            // What could be answered can be counted.
            Engine::Preprocessor(program) | Engine::Pipeline(program, _) => {
                program.unknown_categories(table).unwrap_or_default()
            }
            Engine::Regressor(_) => UnknownCategories::default(),
        };
        let unknown = unknown.columns().map(|(name, unknown)| (name.to_owned(), unknown.n_rows()));
        Observed { rows: table.n_rows(), missing: missing.collect(), unknown: unknown.collect() }
    }

    /// Answers the rows of `table`, which has the columns of [`row_schema`](Self::row_schema).
    ///
    /// # Errors
    /// A [`Rejection`]: of status 400 for an unknown category or a missing feature, naming row, column and value; of
    /// status 500 when the fault is not the request's.
    pub fn answer(&self, table: &ColumnTable) -> Result<Answer, Rejection> {
        match &self.engine {
            Engine::Preprocessor(program) => program.apply(table).map(Answer::Features).map_err(reject),
            Engine::Regressor(regressor) => predict(regressor, &matrix(table).view()),
            Engine::Pipeline(program, regressor) => predict(regressor, &program.apply(table).map_err(reject)?.values()),
        }
    }
}

/// What is worth counting about rows that were answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The number of rows.
    pub rows: usize,
    /// Missing values by column, where there are any.
    pub missing: BTreeMap<String, usize>,
    /// Values that are no category by column, where there are any.
    pub unknown: BTreeMap<String, usize>,
}

impl fmt::Display for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

fn describe(model: &Model, id: Sha256) -> String {
    let trees = model.regressor().map(|regressor| format!(", {} trees", regressor.forest().n_trees()));
    let (inputs, features) = (model.input_schema().len(), model.feature_names().len());
    format!("a {} of {inputs} columns, {features} features{}, id {id}", model.kind(), trees.unwrap_or_default())
}

fn predict(regressor: &Regressor, features: &ArrayView2<'_, f64>) -> Result<Answer, Rejection> {
    // The forest would say the same with a number in place of the name.
    if let Some(((row, column), value)) = features.indexed_iter().find(|(_, value)| !value.is_finite()) {
        let column = regressor.feature_names().get(column).copied().unwrap_or_default().to_owned();
        let what = if value.is_nan() { "missing".to_owned() } else { value.to_string() };
        let message = format!("row {row}, column `{column}` is {what}; the regressor takes finite numbers only");
        return Err(Rejection::bad_request(message).row(row).column(column).value(what));
    }
    regressor.forest().predict(features.view()).map(Answer::Predictions).map_err(|error| Rejection::internal(&error))
}

/// The columns of a table of floats, side by side.
fn matrix(table: &ColumnTable) -> Array2<f64> {
    let mut values = Array2::from_elem((table.n_rows(), table.schema().len()), f64::NAN);
    for (mut target, name) in values.columns_mut().into_iter().zip(table.schema().names()) {
        if let Some(column) = table.column(name).as_ref().and_then(Column::to_f64) {
            target.iter_mut().zip(column.iter()).for_each(|(target, value)| *target = *value);
        }
    }
    values
}

fn reject(error: ApplyError) -> Rejection {
    let message = error.to_string();
    match error {
        ApplyError::UnknownCategory { column, row, value } => {
            Rejection::bad_request(message).row(row).column(column).value(value)
        }
        other => Rejection::internal(&other),
    }
}
