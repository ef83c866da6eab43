//! The model behind an endpoint: what it takes and what it answers follow from what the artifact holds.
//!
//! | the artifact holds | rows in | answer |
//! |---|---|---|
//! | a preprocessor | raw rows, the target allowed | features |
//! | a regressor | features | predictions |
//! | both | raw rows, the target allowed | predictions |
//!
//! Two artifacts, of a preprocessor and of the regressor trained with it, answer as one that holds both.

use std::{collections::BTreeMap, fmt, path::Path};

use drivetrain_artifact::{Artifact, Limits, Model, Pipeline, Regressor};
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
    bytes: u64,
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
        Self::new(&read(path)?)
    }

    /// Reads two artifacts, of a preprocessor and of a regressor, as [`load`](Self::load) does, and puts the one before
    /// the other.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`Error::NotAPair`] when they are something else, or the regressor was trained with
    /// the features of another preprocessor.
    pub fn load_pair(preprocessor: &Path, regressor: &Path) -> Result<Self, Error> {
        let not_a_pair = |problem: &str| Error::NotAPair {
            preprocessor: preprocessor.to_owned(),
            regressor: regressor.to_owned(),
            problem: problem.to_owned(),
        };
        let (first, second) = (read(preprocessor)?, read(regressor)?);
        if second.manifest().preprocessor_id.is_some_and(|id| id != first.model_id()) {
            return Err(not_a_pair("the regressor was trained with another preprocessor"));
        }
        let (ids, bytes) = ([first.model_id(), second.model_id()], bytes(&first) + bytes(&second));
        let (Model::Preprocessor(plan), Model::Regressor(regressor)) = (first.into_model(), second.into_model()) else {
            return Err(not_a_pair("they hold something else"));
        };
        let model = Model::Pipeline(Pipeline::new(plan, regressor)?);
        Self::prepare(&model, &Registry::new(), &ids.map(|id| id.to_string()).join(" and "), bytes)
    }

    /// Makes the model of `artifact` ready.
    ///
    /// # Errors
    /// [`Error::Prepare`] when its plan cannot be run here.
    pub fn new(artifact: &Artifact) -> Result<Self, Error> {
        Self::with_registry(artifact, &Registry::new())
    }

    /// Makes the model of `artifact` ready, whose plan may need the extensions in `registry`.
    ///
    /// # Errors
    /// [`Error::Prepare`] when its plan cannot be run here.
    pub fn with_registry(artifact: &Artifact, registry: &Registry) -> Result<Self, Error> {
        Self::prepare(artifact.model(), registry, &artifact.model_id().to_string(), bytes(artifact))
    }

    fn prepare(model: &Model, registry: &Registry, id: &str, bytes: u64) -> Result<Self, Error> {
        let program = |plan: &Plan| Program::new(plan, registry).map_err(Error::Prepare);
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
        Ok(Self { engine, row_schema, description: describe(model, id), bytes })
    }

    /// The rows that it takes.
    #[must_use]
    pub const fn row_schema(&self) -> &RowSchema {
        &self.row_schema
    }

    /// The bytes of the files that it was read from: about what it takes of memory.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
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

/// Reads the artifact in a directory, or in a tarball.
fn read(path: &Path) -> Result<Artifact, Error> {
    let limits = Limits::default();
    Ok(if path.is_file() { Artifact::read_tar_gz(path, &limits)? } else { Artifact::read_dir(path, &limits)? })
}

fn bytes(artifact: &Artifact) -> u64 {
    artifact.manifest().files.iter().map(|file| file.bytes).sum()
}

fn describe(model: &Model, id: &str) -> String {
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

#[cfg(test)]
mod tests {
    use drivetrain_artifact::ArtifactBuilder;
    use drivetrain_forest::Forest;
    use drivetrain_plan::{DataType, Field, Schema, ndarray::array};
    use serde_json::json;

    use super::*;

    /// Writes a preprocessor that hands on a column of this name; its id.
    fn preprocessor(path: &Path, column: &str) -> drivetrain_artifact::Sha256 {
        let plan = Plan::identity(Schema::new(vec![Field::new(column, DataType::Float64)]).unwrap()).unwrap();
        let rows = ColumnTable::new(vec![(column.to_owned(), Column::from(vec![1.0]))]).unwrap();
        ArtifactBuilder::preprocessor(plan, &rows).build().unwrap().write_dir(path).unwrap()
    }

    /// Writes a regressor of one leaf on the feature `weight`.
    fn regressor(path: &Path, trained_with: Option<drivetrain_artifact::Sha256>) {
        let forest: Forest = serde_json::from_value(json!({
            "n_features": 1, "n_nodes": [1], "feature": [null], "value": [30.0], "feature_importances": [0.0],
        }))
        .unwrap();
        let mut regressor = Regressor::new(forest, vec!["weight".into()]).unwrap();
        if let Some(id) = trained_with {
            regressor = regressor.with_preprocessor_id(id);
        }
        let artifact = ArtifactBuilder::regressor(regressor, array![[1.0]].view()).build().unwrap();
        artifact.write_dir(path).unwrap();
    }

    #[test]
    fn a_preprocessor_goes_before_the_regressor_that_was_trained_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let id = preprocessor(&at("weight"), "weight");
        preprocessor(&at("length"), "length");
        regressor(&at("trained"), Some(id));
        regressor(&at("anyone's"), None);

        let model = ServedModel::load_pair(&at("weight"), &at("trained")).unwrap();
        let table = ColumnTable::new(vec![("weight".into(), Column::from(vec![2.0]))]).unwrap();
        assert_eq!(model.answer(&table).unwrap(), Answer::Predictions(vec![30.0]));
        ServedModel::load_pair(&at("weight"), &at("anyone's")).unwrap();

        let refused = |first, second| ServedModel::load_pair(&at(first), &at(second)).unwrap_err();
        assert!(refused("length", "trained").to_string().contains("trained with another preprocessor"));
        assert!(matches!(refused("length", "anyone's"), Error::Artifact(_)));
        assert!(refused("weight", "weight").to_string().contains("they hold something else"));
    }
}
