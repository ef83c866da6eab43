//! Making artifacts.

use drivetrain_plan::{Plan, Table};
use ndarray::ArrayView2;
use serde::Serialize;

use crate::{
    Artifact, ArtifactError, FORMAT, FORMAT_VERSION, Manifest, Model, Pipeline, Producer, Reader, Regressor, Training,
    check,
    manifest::{self, FileKind, FileRecord},
    probe::Probe,
    transport::Files,
};

/// Makes an [`Artifact`] of a model, a few of the rows that it was fitted on, and where it comes from.
///
/// The rows, eight at most, become the probe: they are stored with the model's answers, which every reader recomputes.
///
/// ```
/// use drivetrain_artifact::{Artifact, ArtifactBuilder, Limits, Model, Training};
/// use drivetrain_plan::{Column, ColumnTable, DataType, Field, Plan, Schema};
///
/// let schema = Schema::new(vec![Field::new("weight", DataType::Float64)])?;
/// let rows = ColumnTable::new(vec![("weight".into(), Column::from(vec![3504.0, f64::NAN]))])?;
/// let artifact = ArtifactBuilder::preprocessor(Plan::identity(schema)?, &rows)
///     .training(Training { seed: Some(42), ..Training::default() })
///     .build()?;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.tar.gz");
/// let id = artifact.write_tar_gz(&path)?;
/// let back = Artifact::read_tar_gz(&path, &Limits::default())?;
/// assert_eq!(back.model_id(), id);
/// assert!(matches!(back.model(), Model::Preprocessor(plan) if plan.feature_names() == ["weight"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ArtifactBuilder<'a> {
    subject: Subject<'a>,
    producer: Producer,
    training: Training,
    reader: Reader,
}

/// A model with the rows to ask it about.
#[derive(Clone)]
enum Subject<'a> {
    Preprocessor(Plan, &'a dyn Table),
    Regressor(Regressor, ArrayView2<'a, f64>),
    Pipeline(Pipeline, &'a dyn Table),
}

impl std::fmt::Debug for ArtifactBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArtifactBuilder")
            .field("producer", &self.producer)
            .field("training", &self.training)
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

impl<'a> ArtifactBuilder<'a> {
    /// Starts an artifact of `plan`; the first of the raw `rows` become the probe.
    #[must_use]
    pub fn preprocessor(plan: Plan, rows: &'a dyn Table) -> Self {
        Self::of(Subject::Preprocessor(plan, rows))
    }

    /// Starts an artifact of `regressor`; the first rows of `features`, shape (rows, features), become the probe.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn regressor(regressor: Regressor, features: ArrayView2<'a, f64>) -> Self {
        Self::of(Subject::Regressor(regressor, features))
    }

    /// Starts an artifact of `pipeline`; the first of the raw `rows` become the probe.
    #[must_use]
    pub fn pipeline(pipeline: Pipeline, rows: &'a dyn Table) -> Self {
        Self::of(Subject::Pipeline(pipeline, rows))
    }

    fn of(subject: Subject<'a>) -> Self {
        Self { subject, producer: Producer::default(), training: Training::default(), reader: Reader::default() }
    }

    /// Records the program that makes the artifact; by default this crate.
    #[must_use]
    pub fn producer(self, producer: Producer) -> Self {
        Self { producer, ..self }
    }

    /// Records where the model comes from; by default nothing.
    #[must_use]
    pub fn training(self, training: Training) -> Self {
        Self { training, ..self }
    }

    /// Sets the reader that the artifact must satisfy; by default one with the default limits and no extensions.
    #[must_use]
    pub fn reader(self, reader: Reader) -> Self {
        Self { reader, ..self }
    }

    /// Encodes the model and reads it back, so that nothing is written that a reader would refuse.
    ///
    /// # Errors
    /// [`ArtifactError::Plan`] or [`ArtifactError::Forest`] when the model cannot answer the rows,
    /// [`ArtifactError::EmptyProbe`] when there are none, [`ArtifactError::NonFiniteMetric`] for a metric that JSON
    /// cannot hold, and whatever the reader objects to, such as its limits.
    pub fn build(self) -> Result<Artifact, ArtifactError> {
        let registry = &self.reader.registry;
        let (model, probe) = match self.subject {
            Subject::Preprocessor(plan, rows) => {
                let probe = Probe::of_preprocessor(&plan, rows, registry)?;
                (Model::Preprocessor(plan), probe)
            }
            Subject::Regressor(regressor, features) => {
                let probe = Probe::of_regressor(&regressor, &features)?;
                (Model::Regressor(regressor), probe)
            }
            Subject::Pipeline(pipeline, rows) => {
                let probe = Probe::of_pipeline(&pipeline, rows, registry)?;
                (Model::Pipeline(pipeline), probe)
            }
        };
        let mut files = Files::new();
        let mut records = Vec::new();
        for &kind in FileKind::of(model.kind()) {
            let bytes = match kind {
                FileKind::Plan => encode(kind, &model.preprocessor()),
                FileKind::Forest => encode(kind, &model.regressor().map(Regressor::forest)),
                FileKind::Probe => encode(kind, &probe),
            }?;
            records.push(FileRecord::new(kind, &bytes));
            files.insert(kind.file_name().to_owned(), bytes);
        }
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            producer: self.producer,
            model: model.kind(),
            input_schema: model.input_schema().clone(),
            features: model.feature_names().into_iter().map(str::to_owned).collect(),
            preprocessor_id: model.regressor().and_then(Regressor::preprocessor_id),
            training: self.training.canonical()?,
            files: records,
        };
        files.insert(manifest::FILE_NAME.to_owned(), manifest.to_json()?);
        check::open(files, &self.reader)
    }
}

/// Field names are written too: a reader that knows a field by position would take a reordered one for another.
fn encode(kind: FileKind, value: &impl Serialize) -> Result<Vec<u8>, ArtifactError> {
    rmp_serde::to_vec_named(value)
        .map_err(|source| ArtifactError::Encode { entry: kind.file_name().to_owned(), source: source.into() })
}
