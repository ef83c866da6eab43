//! From files to a model, trusting none of them.

use drivetrain_forest::{Forest, ForestError, PackedForest, ReadableForest};
use drivetrain_plan::Plan;

use crate::{
    Artifact, ArtifactError, Limits, Manifest, Model, ModelKind, Pipeline, Reader, Regressor, Sha256,
    manifest::{self, FileKind, FileRecord},
    msgpack,
    probe::Probe,
    transport::Files,
};

/// The fewest bytes that a value of a forest of version 1 takes on average: a tree of one leaf is three values, its number of
/// nodes of one byte, its feature of one and its prediction of nine.
const BYTES_PER_FOREST_VALUE: u64 = 3;

/// The values of a forest of version 1 that are none of a tree, a node or a feature: keys and lists. A forest of a
/// later version has but some bytes for each key, and no more values altogether.
const FOREST_FRAME: u64 = 128;

/// The artifact that `files` are, if they are one.
pub(crate) fn open(files: Files, reader: &Reader) -> Result<Artifact, ArtifactError> {
    let manifest = open_manifest(&files, &reader.limits)?;
    check_files(&manifest, &files, &reader.limits)?;
    let model = decode_model(&manifest, &files, &reader.limits)?;
    if manifest.input_schema != *model.input_schema() {
        return Err(ArtifactError::ManifestMismatch { field: "input_schema" });
    }
    if manifest.features != model.feature_names() {
        return Err(ArtifactError::ManifestMismatch { field: "features" });
    }
    if manifest.preprocessor_id != model.regressor().and_then(Regressor::preprocessor_id) {
        return Err(ArtifactError::ManifestMismatch { field: "preprocessor_id" });
    }
    let probe = decode_probe(&files, &reader.limits)?;
    let (rows, limit) = (probe.n_rows(), reader.limits.max_probe_rows);
    if rows > limit {
        return Err(ArtifactError::too_large("rows of the probe", rows as u64, limit as u64));
    }
    probe.verify(&model, &reader.registry)?;
    Ok(Artifact { model, manifest, files })
}

fn open_manifest(files: &Files, limits: &Limits) -> Result<Manifest, ArtifactError> {
    let bytes = get(files, manifest::FILE_NAME)?;
    let length = bytes.len() as u64;
    if length > limits.max_manifest_bytes {
        return Err(ArtifactError::too_large("bytes of manifest.json", length, limits.max_manifest_bytes));
    }
    manifest::parse(bytes)
}

/// Checks that exactly the listed files are there, each within its limit and with its length and digest.
fn check_files(manifest: &Manifest, files: &Files, limits: &Limits) -> Result<(), ArtifactError> {
    manifest.check_files()?;
    let listed = |name: &str| name == manifest::FILE_NAME || manifest.files.iter().any(|file| file.path == name);
    if let Some(extra) = files.keys().find(|name| !listed(name)) {
        return Err(ArtifactError::UnexpectedEntry { entry: extra.clone() });
    }
    manifest.files.iter().try_for_each(|record| check_file(record, get(files, &record.path)?, limits))
}

fn check_file(record: &FileRecord, bytes: &[u8], limits: &Limits) -> Result<(), ArtifactError> {
    let entry = record.path.clone();
    let length = bytes.len() as u64;
    if length != record.bytes {
        return Err(ArtifactError::WrongLength { entry, expected: record.bytes, found: length });
    }
    let limit = match record.kind {
        FileKind::Plan => limits.max_plan_bytes,
        FileKind::Probe => limits.max_probe_bytes,
        FileKind::Forest => limits.max_expanded_bytes,
    };
    if length > limit {
        return Err(ArtifactError::too_large(format!("bytes of {entry}"), length, limit));
    }
    let found = Sha256::of(bytes);
    if found != record.sha256 {
        return Err(ArtifactError::WrongChecksum { entry, expected: record.sha256, found });
    }
    Ok(())
}

fn decode_model(manifest: &Manifest, files: &Files, limits: &Limits) -> Result<Model, ArtifactError> {
    let plan = || decode_plan(files, limits);
    let regressor = || {
        let forest = decode_forest(manifest, files, limits)?;
        let regressor = Regressor::new(forest, manifest.features.clone())?;
        Ok(match manifest.preprocessor_id {
            Some(id) => regressor.with_preprocessor_id(id),
            None => regressor,
        })
    };
    Ok(match manifest.model {
        ModelKind::Preprocessor => Model::Preprocessor(plan()?),
        ModelKind::Regressor => Model::Regressor(regressor()?),
        ModelKind::Pipeline => Model::Pipeline(Pipeline::new(plan()?, regressor()?)?),
    })
}

fn decode_plan(files: &Files, limits: &Limits) -> Result<Plan, ArtifactError> {
    let entry = FileKind::Plan.file_name();
    msgpack::decode(entry, get(files, entry)?, limits.max_values as u64)
}

fn decode_probe(files: &Files, limits: &Limits) -> Result<Probe, ArtifactError> {
    let entry = FileKind::Probe.file_name();
    msgpack::decode(entry, get(files, entry)?, limits.max_values as u64)
}

/// What the manifest says of the forest's layout decides how it is read.
fn decode_forest(manifest: &Manifest, files: &Files, limits: &Limits) -> Result<Forest, ArtifactError> {
    let entry = FileKind::Forest.file_name();
    let bytes = get(files, entry)?;
    let limit = limits.max_forest_nodes as u64;
    let check_nodes = |found: u64| match found {
        found if found > limit => Err(ArtifactError::too_large("nodes of the forest", found, limit)),
        _ => Ok(()),
    };
    let is_readable = manifest.files.iter().any(|file| file.kind == FileKind::Forest && file.version == 1);
    if is_readable {
        // A node is a feature and a number, a tree a number of nodes, of which it has one at least: no more values
        // than those are decoded, and no more than a file of this length can honestly hold.
        let values = limit.saturating_mul(3).saturating_add(manifest.features.len() as u64);
        let values = values.min(bytes.len() as u64 / BYTES_PER_FOREST_VALUE).saturating_add(FOREST_FRAME);
        let forest = msgpack::decode::<ReadableForest>(entry, bytes, values)?.into_forest();
        check_nodes(forest.n_nodes() as u64)?;
        return Ok(forest);
    }
    let refused = |source: ForestError| ArtifactError::Decode { entry: entry.to_owned(), source: source.into() };
    let packed: PackedForest = msgpack::decode(entry, bytes, FOREST_FRAME)?;
    check_nodes(packed.n_nodes().map_err(refused)?)?;
    packed.into_forest().map_err(refused)
}

fn get<'a>(files: &'a Files, entry: &str) -> Result<&'a [u8], ArtifactError> {
    let bytes = files.get(entry).ok_or_else(|| ArtifactError::MissingEntry { entry: entry.to_owned() })?;
    Ok(bytes)
}
