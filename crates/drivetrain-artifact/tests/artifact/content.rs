//! Artifacts whose manifest and files do not belong together, by accident or by intent.

use drivetrain_artifact::{Artifact, ArtifactError, Limits, Reader};
use serde_json::{Value, json};

use crate::{
    fixtures::*,
    tarball::{Entry, tar_gz},
};

/// A change, with what is to be said about it.
type Edit = (&'static str, fn(&mut Value));

fn msgpack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap()
}

#[test]
fn a_newer_format_is_refused_by_number_whatever_else_it_holds() {
    let mut files = files(&preprocessor_artifact());
    edit_manifest(&mut files, |manifest| {
        manifest["format_version"] = json!(4);
        manifest["files"] = json!({"new": "layout"});
    });
    files.insert("tensor.bin".to_owned(), vec![1, 2, 3]);
    let error = refusal(&files);
    assert_eq!(error.to_string(), "format version 4 is newer than the newest that this reader knows, 3");
}

#[test]
fn a_newer_file_is_refused_by_name() {
    for (index, name) in ["plan.msgpack", "forest.msgpack", "probe.msgpack"].into_iter().enumerate() {
        let mut files = files(&pipeline_artifact());
        edit_manifest(&mut files, |manifest| manifest["files"][index]["version"] = json!(3));
        let error = refusal(&files);
        assert!(
            matches!(&error, ArtifactError::FileVersion { entry, found: 3, newest: 1 | 2 } if entry == name),
            "{error:?}"
        );
    }
}

#[test]
fn wrong_lengths_and_checksums_are_found_before_anything_is_parsed() {
    for name in ["plan.msgpack", "forest.msgpack", "probe.msgpack"] {
        let whole = files(&pipeline_artifact());

        let mut longer = whole.clone();
        longer.get_mut(name).unwrap().push(0);
        let error = refusal(&longer);
        assert!(matches!(&error, ArtifactError::WrongLength { entry, .. } if entry == name), "{error:?}");

        let mut flipped = whole.clone();
        flipped.get_mut(name).unwrap()[0] ^= 0xff;
        let error = refusal(&flipped);
        assert!(matches!(&error, ArtifactError::WrongChecksum { entry, .. } if entry == name), "{error:?}");
    }
}

#[test]
fn a_manifest_may_only_list_the_files_of_its_kind() {
    let edits: [Edit; 6] = [
        ("plan.msgpack, probe.msgpack", |manifest| manifest["model"] = json!("pipeline")),
        ("../plan.msgpack, probe.msgpack", |manifest| manifest["files"][0]["path"] = json!("../plan.msgpack")),
        ("manifest.json, probe.msgpack", |manifest| manifest["files"][0]["path"] = json!("manifest.json")),
        ("plan.msgpack, probe.msgpack", |manifest| manifest["files"][0]["kind"] = json!("forest")),
        ("", |manifest| manifest["files"] = json!([])),
        ("plan.msgpack, probe.msgpack, plan.msgpack", |manifest| {
            let first = manifest["files"][0].clone();
            manifest["files"].as_array_mut().unwrap().push(first);
        }),
    ];
    for (listed, edit) in edits {
        let mut files = files(&preprocessor_artifact());
        edit_manifest(&mut files, edit);
        let error = refusal(&files);
        assert!(matches!(&error, ArtifactError::FileList { found, .. } if found == listed), "{error:?}");
    }
}

#[test]
fn a_manifest_that_describes_another_model_is_refused() {
    let edits: [Edit; 4] = [
        ("preprocessor_id", |manifest| manifest["preprocessor_id"] = json!("0".repeat(64))),
        ("input_schema", |manifest| manifest["input_schema"][0]["name"] = json!("height")),
        ("input_schema", |manifest| manifest["input_schema"][0]["dtype"] = json!("string")),
        ("features", |manifest| manifest["features"].as_array_mut().unwrap().reverse()),
    ];
    for (field, edit) in edits {
        let mut files = files(&preprocessor_artifact());
        edit_manifest(&mut files, edit);
        let error = refusal(&files);
        assert!(matches!(&error, ArtifactError::ManifestMismatch { field: found } if *found == field), "{error:?}");
    }

    let mut files = files(&regressor_artifact());
    edit_manifest(&mut files, |manifest| manifest["features"].as_array_mut().unwrap().truncate(1));
    let error = refusal(&files);
    assert!(matches!(error, ArtifactError::FeatureCount { names: 1, features: 3 }), "{error:?}");
}

#[test]
fn files_that_do_not_decode_are_named() {
    for name in ["plan.msgpack", "forest.msgpack", "probe.msgpack"] {
        let whole = files(&pipeline_artifact());
        let trailing = [whole[name].as_slice(), b"\xc0"].concat();
        let truncated = whole[name][..whole[name].len() - 1].to_vec();
        let deep = vec![0x91; 100_000];
        for (bytes, why) in [
            (trailing, "1 bytes follow the value"),
            (truncated, "it is cut off"),
            (deep, "values nest too deep"),
            (vec![], "it is cut off"),
            (msgpack(&json!({"unheard": "of"})), "unknown"),
            (msgpack(&json!(17)), "invalid"),
        ] {
            let mut files = whole.clone();
            forge(&mut files, name, bytes);
            let error = refusal(&files);
            assert!(matches!(&error, ArtifactError::Decode { entry, .. } if entry == name), "{name}: {error:?}");
            assert!(said(&error).contains(why), "{name}, {why}: {}", said(&error));
        }
    }
}

#[test]
fn forests_that_are_none_are_refused() {
    let edits: [Edit; 4] = [
        ("node 0 of tree 0 asks about a feature that does not exist", |forest| forest["feature"][0] = json!(3)),
        ("n_nodes adds up to 4294967298", |forest| forest["n_nodes"] = json!([3, 4_294_967_295_u32])),
        ("node 1 of tree 0 has no children", |forest| forest["feature"][1] = json!(0)),
        ("unknown field `unheard`", |forest| forest["unheard"] = json!("of")),
    ];
    for (why, edit) in edits {
        let mut forest = stored_forest();
        edit(&mut forest);
        let mut files = files(&regressor_artifact());
        forge(&mut files, "forest.msgpack", msgpack(&forest));
        set_forest_version(&mut files, 1);
        let error = refusal(&files);
        assert!(matches!(&error, ArtifactError::Decode { entry, .. } if entry == "forest.msgpack"), "{error:?}");
        assert!(said(&error).contains(why), "{why}: {}", said(&error));
    }
}

#[test]
fn a_model_that_answers_otherwise_than_it_did_is_refused() {
    let mut forest = stored_forest();
    for leaf in [1, 2, 5, 6, 7] {
        forest["value"][leaf] = json!(forest["value"][leaf].as_f64().unwrap() + 1e-12);
    }
    for artifact in [regressor_artifact(), pipeline_artifact()] {
        let mut files = files(&artifact);
        forge(&mut files, "forest.msgpack", msgpack(&forest));
        set_forest_version(&mut files, 1);
        let error = refusal(&files);
        assert!(matches!(&error, ArtifactError::ProbeMismatch { row: 0, .. }), "{error:?}");
    }

    let plan = rmp_serde::to_vec_named(&plan()).unwrap();
    let at = plan.windows(8).position(|window| window == 7.0_f64.to_be_bytes()).unwrap();
    let mut other = plan.clone();
    other[at + 7] ^= 1;
    let mut files = files(&preprocessor_artifact());
    forge(&mut files, "plan.msgpack", other);
    let error = refusal(&files);
    assert!(
        matches!(&error, ArtifactError::ProbeMismatch { row: 0, output, .. } if output == "feature `weight`"),
        "{error:?}"
    );
}

/// The probe of an artifact, changed.
fn with_probe(artifact: &Artifact, edit: impl FnOnce(&mut Value)) -> ArtifactError {
    let mut files = files(artifact);
    let mut probe: Value = rmp_serde::from_slice(&files["probe.msgpack"]).unwrap();
    edit(&mut probe);
    forge(&mut files, "probe.msgpack", msgpack(&probe));
    refusal(&files)
}

#[test]
fn a_probe_that_does_not_fit_the_model_is_refused() {
    let error = with_probe(&regressor_artifact(), |probe| {
        *probe = json!({"regressor": {"features": [], "predictions": []}});
    });
    assert!(matches!(error, ArtifactError::EmptyProbe), "{error:?}");

    let edits: [Edit; 4] = [
        ("features is not of shape 8 x 3", |probe| {
            probe["regressor"]["features"][2].as_array_mut().unwrap().truncate(2);
        }),
        ("predictions is not of shape 2", |probe| {
            probe["regressor"]["features"].as_array_mut().unwrap().truncate(2);
        }),
        ("predictions is not of shape 8", |probe| {
            probe["regressor"]["predictions"].as_array_mut().unwrap().truncate(2);
        }),
        ("content is not of shape regressor", |probe| {
            let rows =
                json!([["weight", {"float64": [1.0]}], ["origin", {"int64": {"values": [1], "validity": null}}]]);
            *probe = json!({"preprocessor": {"rows": rows, "features": [[0.0, 0.0, 0.0]]}});
        }),
    ];
    for (why, edit) in edits {
        let error = with_probe(&regressor_artifact(), edit);
        assert!(matches!(error, ArtifactError::ProbeShape { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }

    let error = with_probe(&preprocessor_artifact(), |probe| {
        probe["preprocessor"]["features"][0].as_array_mut().unwrap().push(json!(1.0));
    });
    assert!(matches!(&error, ArtifactError::ProbeShape { expected, .. } if expected == "8 x 3"), "{error:?}");
    let error = with_probe(&preprocessor_artifact(), |probe| probe["preprocessor"]["rows"][0][0] = json!("height"));
    assert!(matches!(error, ArtifactError::Plan { .. }) && said(&error).contains("`weight`"), "{}", said(&error));
}

/// A map in `MessagePack`, written by hand, of these keys and already encoded values.
fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0x80 | u8::try_from(fields.len()).unwrap()];
    for (key, value) in fields {
        bytes.extend(msgpack(&json!(key)));
        bytes.extend(value);
    }
    bytes
}

/// An array of `count` times the same encoded value.
fn repeated(count: u32, value: &[u8]) -> Vec<u8> {
    [&[0xdd], &count.to_be_bytes()[..], &value.repeat(count as usize)].concat()
}

/// A byte or two of a file may become a value of dozens of bytes in memory; the values are counted before any is.
#[test]
fn a_file_of_more_values_than_a_model_has_is_refused_before_they_are_decoded() {
    const MANY: u32 = 2_000_000;
    let zeros = |count| repeated(count, &[0]);
    let forest = map(&[
        ("n_features", vec![3]),
        ("n_nodes", repeated(1, &[0xce, 0, 0x1e, 0x84, 0x80])),
        ("feature", repeated(MANY, &[0xc0])),
        ("value", zeros(MANY)),
        ("feature_importances", zeros(3)),
    ]);
    let rows = |features: Vec<u8>| map(&[("regressor", map(&[("features", features), ("predictions", zeros(0))]))]);
    let plan =
        |list: Vec<u8>| map(&[("ops", repeated(1, &map(&[("op", msgpack(&json!("drop"))), ("columns", list)])))]);
    let mut files = files(&pipeline_artifact());
    forge(&mut files, "forest.msgpack", forest.clone());
    set_forest_version(&mut files, 1);
    let error = refusal(&files);
    assert!(matches!(&error, ArtifactError::TooLarge { what, .. } if what == "values of forest.msgpack"), "{error:?}");

    for (name, bytes) in [
        ("forest.msgpack", forest.clone()),
        ("forest.msgpack", map(&[("n_nodes", zeros(MANY))])),
        ("probe.msgpack", rows(repeated(MANY, &[0x90]))),
        ("probe.msgpack", rows(repeated(1, &zeros(MANY)))),
        ("probe.msgpack", rows(repeated(MANY / 4, &[0x91, 0x91, 0x90]))),
        ("plan.msgpack", plan(repeated(MANY, &[0xa0]))),
        ("plan.msgpack", plan(repeated(MANY, &[0x80]))),
        // As many as 32 bits can say.
        ("plan.msgpack", vec![0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0]),
        ("forest.msgpack", vec![0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0]),
    ] {
        let mut files = crate::fixtures::files(&pipeline_artifact());
        forge(&mut files, name, bytes);
        let error = refusal(&files);
        let expected = format!("values of {name}");
        assert!(matches!(&error, ArtifactError::TooLarge { what, .. } if *what == expected), "{name}: {error:?}");
    }

    let mut files = crate::fixtures::files(&pipeline_artifact());
    forge(&mut files, "forest.msgpack", forest);
    let entries: Vec<Entry> = files.into_iter().map(|(name, bytes)| Entry::file(&name, bytes)).collect();
    let tarball = tar_gz(&entries);
    assert!(tarball.len() < 40_000, "{}", tarball.len());
    let error = Reader::new().read_tar_gz_bytes(&tarball).unwrap_err();
    assert!(matches!(&error, ArtifactError::TooLarge { what, .. } if what == "values of forest.msgpack"), "{error:?}");
}

#[test]
fn limits_on_the_parts_hold() {
    let folder = tempfile::tempdir().unwrap();
    pipeline_artifact().write_dir(folder.path()).unwrap();
    let exact = Limits { max_forest_nodes: 8, max_probe_rows: 8, max_values: 400, ..Limits::default() };
    assert!(Artifact::read_dir(folder.path(), &exact).is_ok());
    for (what, limits) in [
        ("bytes of manifest.json", Limits { max_manifest_bytes: 100, ..Limits::default() }),
        ("bytes of plan.msgpack", Limits { max_plan_bytes: 100, ..Limits::default() }),
        ("bytes of probe.msgpack", Limits { max_probe_bytes: 100, ..Limits::default() }),
        ("values of plan.msgpack", Limits { max_values: 20, ..Limits::default() }),
        ("values of probe.msgpack", Limits { max_values: 80, ..Limits::default() }),
        ("nodes of the forest", Limits { max_forest_nodes: 7, ..Limits::default() }),
        ("rows of the probe", Limits { max_probe_rows: 7, ..Limits::default() }),
    ] {
        let error = reason(Artifact::read_dir(folder.path(), &limits).unwrap_err());
        assert!(matches!(&error, ArtifactError::TooLarge { what: found, .. } if found == what), "{error:?}");
    }
}

/// A packed forest takes a bit for each node: they are counted before any is laid out.
#[test]
fn a_packed_forest_of_too_many_nodes_is_refused_before_it_is_unpacked() {
    let mut files = files(&regressor_artifact());
    let lists = [
        "is_split",
        "feature",
        "thresholds",
        "threshold",
        "predictions",
        "prediction",
        "feature_importances",
        "missing_left",
        "categorical",
        "category_sets",
    ];
    // A tree of 2^31 - 1 nodes, which takes five bytes to claim.
    let mut fields = vec![("n_features", vec![3]), ("n_nodes", vec![0xc4, 5, 0xff, 0xff, 0xff, 0xff, 7])];
    fields.extend(lists.map(|name| (name, vec![0xc4, 0])));
    forge(&mut files, "forest.msgpack", map(&fields));
    let error = refusal(&files);
    assert!(matches!(&error, ArtifactError::TooLarge { what, .. } if what == "nodes of the forest"), "{error:?}");
}
