//! Reading manifests of every version of the format that was ever released.

use serde::Deserialize;
use serde_json::Value;

use super::{FORMAT, FORMAT_VERSION, Manifest, shape};
use crate::{ArtifactError, BoxError};

/// Turns a manifest of one version into one of the next.
type Step = fn(Value) -> Result<Value, BoxError>;

/// The steps from each released version to the next, oldest first.
const STEPS: [Step; FORMAT_VERSION as usize - 1] = [add_preprocessor_id, pack_forests];

/// Version 2 says which preprocessor's features a regressor takes; version 1 does not know.
fn add_preprocessor_id(mut manifest: Value) -> Result<Value, BoxError> {
    let fields = manifest.as_object_mut().ok_or("it is not an object")?;
    match fields.insert("preprocessor_id".to_owned(), Value::Null) {
        None => Ok(manifest),
        Some(_) => Err("version 1 has no field `preprocessor_id`".into()),
    }
}

/// Version 3 may list forests of version 2, which are packed; those of version 1 are still what they were.
#[expect(clippy::unnecessary_wraps, reason = "a step may fail")]
fn pack_forests(manifest: Value) -> Result<Value, BoxError> {
    Ok(manifest)
}

/// What every version of the manifest says about itself.
#[derive(Deserialize)]
struct Head {
    format: String,
    format_version: u32,
}

/// Reads the bytes of a manifest, migrating those of older versions.
pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, ArtifactError> {
    parse_with(bytes, &STEPS)
}

fn parse_with(bytes: &[u8], steps: &[Step]) -> Result<Manifest, ArtifactError> {
    let head: Head = serde_json::from_slice(bytes).map_err(syntax)?;
    if head.format != FORMAT {
        return Err(ArtifactError::NotAnArtifact { found: head.format });
    }
    let found = head.format_version;
    let newest = u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(1);
    if found > newest {
        return Err(ArtifactError::NewerFormat { found, newest });
    }
    let done = found.checked_sub(1).ok_or(ArtifactError::UnknownFormat { found })?;
    shape::check(bytes).map_err(syntax)?;
    let to_do = usize::try_from(done).ok().and_then(|done| steps.get(done..)).unwrap_or_default();
    if to_do.is_empty() {
        return serde_json::from_slice(bytes).map_err(syntax);
    }
    let mut manifest: Value = serde_json::from_slice(bytes).map_err(syntax)?;
    for step in to_do {
        manifest = step(manifest).map_err(|source| ArtifactError::ManifestSyntax { source })?;
    }
    manifest["format_version"] = newest.into();
    serde_json::from_value(manifest).map_err(syntax)
}

fn syntax(source: serde_json::Error) -> ArtifactError {
    ArtifactError::ManifestSyntax { source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::example;

    fn bytes(version: u32, producer: &str) -> Vec<u8> {
        let mut value = serde_json::to_value(example()).unwrap();
        value["format_version"] = version.into();
        value["producer"]["name"] = producer.into();
        serde_json::to_vec(&value).unwrap()
    }

    /// A step that leaves its mark, as a real one would by renaming or adding fields.
    fn mark(mut manifest: Value) -> Result<Value, BoxError> {
        let name = manifest["producer"]["name"].as_str().ok_or("no producer")?;
        manifest["producer"]["name"] = format!("{name}+").into();
        Ok(manifest)
    }

    #[test]
    fn each_version_runs_the_steps_that_it_lacks() {
        let steps: [Step; 2] = [mark, mark];
        for (version, producer) in [(1, "x++"), (2, "x+"), (3, "x")] {
            let manifest = parse_with(&bytes(version, "x"), &steps).unwrap();
            assert_eq!((manifest.format_version, manifest.producer.name.as_str()), (3, producer));
        }
    }

    #[test]
    fn newer_and_impossible_versions_are_refused_by_number() {
        let error = parse(&bytes(4, "x")).unwrap_err();
        assert_eq!(error.to_string(), "format version 4 is newer than the newest that this reader knows, 3");
        assert!(matches!(parse(&bytes(0, "x")), Err(ArtifactError::UnknownFormat { found: 0 })));
    }

    #[test]
    fn a_newer_version_is_recognised_whatever_its_fields_are() {
        let text = format!(r#"{{"format":"{FORMAT}","format_version":7,"unheard":["of"]}}"#);
        assert!(matches!(parse(text.as_bytes()), Err(ArtifactError::NewerFormat { found: 7, newest: 3 })));
    }

    #[test]
    fn version_1_knows_no_preprocessor_and_may_not_name_one() {
        let mut value = serde_json::to_value(example()).unwrap();
        value["format_version"] = 1.into();
        let parse = |value: &Value| parse(&serde_json::to_vec(value).unwrap());
        assert!(matches!(parse(&value), Err(ArtifactError::ManifestSyntax { .. })));
        value.as_object_mut().unwrap().remove("preprocessor_id");
        let manifest = parse(&value).unwrap();
        assert_eq!(manifest, Manifest { preprocessor_id: None, ..example() });
    }

    #[test]
    fn a_failing_step_is_an_error() {
        let steps: [Step; 1] = [|_| Err("no way".into())];
        assert!(matches!(parse_with(&bytes(1, "x"), &steps), Err(ArtifactError::ManifestSyntax { .. })));
    }
}
