use drivetrain_plan::{DataType, Field, Schema};
use serde_json::json;

use super::*;

pub(super) fn example() -> Manifest {
    Manifest {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        producer: Producer::new("drivetrain", "9.9.9"),
        model: ModelKind::Preprocessor,
        input_schema: Schema::new(vec![Field::new("weight", DataType::Float64)]).unwrap(),
        features: vec!["numerical-feats__weight".to_owned()],
        preprocessor_id: Some(Sha256::of(b"preprocessor")),
        training: Training {
            data_sha256: Some(Sha256::of(b"rows")),
            seed: Some(u64::MAX),
            hyper_parameters: BTreeMap::from([("strategy".to_owned(), json!("mean"))]),
            metrics: BTreeMap::from([("val_rmse".to_owned(), 0.1 + 0.2)]),
        },
        files: vec![FileRecord::new(FileKind::Plan, b"plan"), FileRecord::new(FileKind::Probe, b"probe")],
    }
}

#[test]
fn what_is_written_is_read() {
    let manifest = example();
    assert_eq!(parse(&manifest.to_json().unwrap()).unwrap(), manifest);
}

#[test]
fn the_text_begins_with_format_and_version_and_ends_in_a_newline() {
    let text = String::from_utf8(example().to_json().unwrap()).unwrap();
    assert!(text.starts_with("{\n  \"format\": \"drivetrain-artifact\",\n  \"format_version\": 3,\n"), "{text}");
    assert!(text.ends_with("}\n"));
}

#[test]
fn other_formats_unknown_and_repeated_fields_and_syntax_errors_are_refused() {
    let text = String::from_utf8(example().to_json().unwrap()).unwrap();
    let parse = |text: &str| parse(text.as_bytes()).unwrap_err();
    let other = text.replace(FORMAT, "pickle");
    assert!(matches!(parse(&other), ArtifactError::NotAnArtifact { found } if found == "pickle"));
    for (wrong, why) in [
        (text.replace("\"seed\"", "\"seeds\""), "unknown field `seeds`"),
        (text.replace("\"seed\"", "\"data_sha256\": null, \"seed\""), "`data_sha256` appears twice"),
        (text.replace("\"strategy\"", "\"strategy\": 1, \"strategy\""), "`strategy` appears twice"),
        (text.replace("\"preprocessor\"", "\"poem\""), "unknown variant `poem`"),
        (text.replace("\"float64\"", "\"float65\""), "unknown data type `float65`"),
        (text.replacen("{\n", "{\n\"format_version\": 1,", 1), "duplicate field `format_version`"),
        (text[..text.len() / 2].to_owned(), "EOF while parsing"),
        (String::new(), "EOF while parsing"),
        ("[".repeat(100_000), "invalid type: sequence"),
        (text.replace("\"mean\"", &["[".repeat(100_000), "]".repeat(100_000)].concat()), "recursion limit exceeded"),
    ] {
        let error = parse(&wrong);
        assert!(matches!(error, ArtifactError::ManifestSyntax { .. }), "{error:?}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(why), "{why}: {cause}");
    }
}

#[test]
fn only_the_files_of_the_model_may_be_listed() {
    let with = |change: fn(&mut Manifest)| {
        let mut manifest = example();
        change(&mut manifest);
        manifest.check_files()
    };
    assert!(with(|_| {}).is_ok());
    for change in [
        (|manifest| manifest.files.clear()) as fn(&mut Manifest),
        |manifest| manifest.files.reverse(),
        |manifest| manifest.files.push(FileRecord::new(FileKind::Forest, b"")),
        |manifest| manifest.files.push(manifest.files[1].clone()),
        |manifest| manifest.files[0].path = "../plan.msgpack".to_owned(),
        |manifest| manifest.files[0].kind = FileKind::Forest,
        |manifest| manifest.model = ModelKind::Pipeline,
    ] {
        assert!(matches!(with(change), Err(ArtifactError::FileList { .. })));
    }
    for version in [0, 2] {
        let mut manifest = example();
        manifest.files[0].version = version;
        let error = manifest.check_files().unwrap_err();
        assert!(matches!(&error, ArtifactError::FileVersion { entry, newest: 1, .. } if entry == "plan.msgpack"));
    }
}

#[test]
fn metrics_that_json_cannot_hold_are_refused_by_name() {
    let training = Training { metrics: BTreeMap::from([("rmse".to_owned(), f64::NAN)]), ..Training::default() };
    let error = training.canonical().unwrap_err();
    assert!(matches!(&error, ArtifactError::NonFiniteMetric { name, .. } if name == "rmse"));
}

#[test]
fn nested_hyper_parameters_are_written_in_one_order() {
    let written = |text: &str| {
        let value = serde_json::from_str(text).unwrap();
        let hyper_parameters = BTreeMap::from([("grid".to_owned(), value)]);
        let training = Training { hyper_parameters, ..Training::default() }.canonical().unwrap();
        serde_json::to_string(&training).unwrap()
    };
    assert_eq!(written(r#"{"b":[{"d":1,"c":2}],"a":3}"#), written(r#"{"a":3,"b":[{"c":2,"d":1}]}"#));
}
