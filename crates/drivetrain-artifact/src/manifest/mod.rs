//! `manifest.json`: what an artifact is, what made it, and the digest of every file.

mod migrate;
mod shape;

use std::collections::BTreeMap;

use drivetrain_plan::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ArtifactError, ModelKind, Sha256};

pub(crate) use migrate::parse;

/// The name of the format, which every manifest carries.
pub const FORMAT: &str = "drivetrain-artifact";

/// The version of the format that this crate writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 3;

/// The manifest's file name.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// The description of an artifact.
///
/// It holds no time, host or user: the same model trained twice has the same manifest, byte for byte. Manifests of
/// older versions of the format are read as if they had been written in the current one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// The version of the format.
    pub format_version: u32,
    /// What wrote the artifact.
    pub producer: Producer,
    /// What the artifact holds.
    pub model: ModelKind,
    /// The columns that the model takes.
    pub input_schema: Schema,
    /// The features that leave the preprocessor or enter the regressor, in order.
    pub features: Vec<String>,
    /// The [model id](crate::Artifact::model_id) of the preprocessor on whose features the regressor was fitted, if
    /// that is known; nothing for a preprocessor.
    pub preprocessor_id: Option<Sha256>,
    /// Where the model comes from.
    pub training: Training,
    /// Every other file of the artifact.
    pub files: Vec<FileRecord>,
}

/// The program that wrote an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// The program's name.
    pub name: String,
    /// The versions of the program and of the libraries that matter, by package name.
    pub versions: BTreeMap<String, String>,
}

impl Producer {
    /// The program `name` of version `version`, and this crate.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        let name = name.into();
        let versions = BTreeMap::from([
            (env!("CARGO_PKG_NAME").to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            (name.clone(), version.into()),
        ]);
        Self { name, versions }
    }
}

impl Default for Producer {
    fn default() -> Self {
        Self::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    }
}

/// Where a model comes from and how good it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The digest of the file with the training data.
    pub data_sha256: Option<Sha256>,
    /// The seed of every random choice.
    pub seed: Option<u64>,
    /// The hyper-parameters by scikit-learn's names.
    pub hyper_parameters: BTreeMap<String, Value>,
    /// Metrics by name, such as `val_rmse`; finite.
    pub metrics: BTreeMap<String, f64>,
}

impl Training {
    /// Checks that JSON can hold it and orders what JSON leaves open.
    pub(crate) fn canonical(self) -> Result<Self, ArtifactError> {
        if let Some((name, value)) = self.metrics.iter().find(|(_, value)| !value.is_finite()) {
            return Err(ArtifactError::NonFiniteMetric { name: name.clone(), value: *value });
        }
        let hyper_parameters = self.hyper_parameters.into_iter().map(|(name, value)| (name, sorted(value))).collect();
        Ok(Self { hyper_parameters, ..self })
    }
}

/// The same value with the keys of objects in order, which they are not by themselves once any crate of a program
/// switches on the feature `preserve_order` of `serde_json`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().collect()
        }
        scalar => scalar,
    }
}

/// What a file of an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileKind {
    /// The preprocessor, a [`drivetrain_plan::Plan`].
    Plan,
    /// The regressor, a [`drivetrain_forest::Forest`].
    Forest,
    /// Rows and the answers to them.
    Probe,
}

impl FileKind {
    pub(crate) const ALL: [Self; 3] = [Self::Plan, Self::Forest, Self::Probe];

    /// The name of the file of this kind.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Plan => "plan.msgpack",
            Self::Forest => "forest.msgpack",
            Self::Probe => "probe.msgpack",
        }
    }

    /// The version in which files of this kind are written, and the newest that is read; older ones are read, too.
    #[must_use]
    pub const fn version(self) -> u32 {
        match self {
            Self::Plan | Self::Probe => 1,
            // Version 1 has a list entry for each node, version 2 packs them.
            Self::Forest => 2,
        }
    }

    /// The files that a model consists of.
    pub(crate) const fn of(model: ModelKind) -> &'static [Self] {
        match model {
            ModelKind::Preprocessor => &[Self::Plan, Self::Probe],
            ModelKind::Regressor => &[Self::Forest, Self::Probe],
            ModelKind::Pipeline => &[Self::Plan, Self::Forest, Self::Probe],
        }
    }
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// The file's name.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// The version of its content's layout.
    pub version: u32,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256,
}

impl FileRecord {
    pub(crate) fn new(kind: FileKind, bytes: &[u8]) -> Self {
        Self {
            path: kind.file_name().to_owned(),
            kind,
            version: kind.version(),
            bytes: bytes.len() as u64,
            sha256: Sha256::of(bytes),
        }
    }
}

impl Manifest {
    /// The bytes of `manifest.json`: fields in the order of the struct, maps sorted, a final newline.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, ArtifactError> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|source| ArtifactError::Encode { entry: FILE_NAME.to_owned(), source: source.into() })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Checks that exactly the files of a model of this kind are listed, under their names, in versions that can be
    /// read.
    pub(crate) fn check_files(&self) -> Result<(), ArtifactError> {
        let expected: Vec<&str> = FileKind::of(self.model).iter().map(|kind| kind.file_name()).collect();
        let kinds: Vec<&str> = self.files.iter().map(|file| file.kind.file_name()).collect();
        let paths: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        if kinds != expected || paths != expected {
            return Err(ArtifactError::FileList {
                model: self.model,
                expected: expected.join(", "),
                found: paths.join(", "),
            });
        }
        match self.files.iter().find(|file| !(1..=file.kind.version()).contains(&file.version)) {
            None => Ok(()),
            Some(file) => Err(ArtifactError::FileVersion {
                entry: file.path.clone(),
                found: file.version,
                newest: file.kind.version(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
