//! The processing job in a directory tree of its own.

use std::{fs, path::Path};

use drivetrain_artifact::{Limits, Model};
use drivetrain_plan::ndarray::Array2;

use super::*;

const HEADER: &str = "mpg,cylinders,displacement,horsepower,weight,acceleration,model year,origin\n";
const TRAIN: &str =
    "18.0,8,307.0,130.0,3504.0,12.0,70,1\n26.0,4,97.0,,1835.0,20.5,70,2\n24.0,4,113.0,95.0,2372.0,15.0,72,3\n";
const VAL: &str = "20.3,5,131.0,103.0,2830.0,15.9,78,2\n";

fn args() -> ProcessArgs {
    ProcessArgs {
        train_filename: "train.csv".into(),
        val_filename: "val.csv".into(),
        train_feats_filename: "train_feats.npy".into(),
        val_feats_filename: "val_feats.npy".into(),
        model_filename: "model.tar.gz".into(),
        reference_year: 82,
        handle_unknown: HandleUnknown::Ignore,
    }
}

fn lay_out(base: &Path, train: &str, val: &str) {
    for (name, rows) in [("train", train), ("val", val)] {
        let directory = base.join("processing/input").join(name);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{name}.csv")), format!("{HEADER}{rows}")).unwrap();
    }
}

fn process(base: &Path, args: &ProcessArgs) -> Result<(), Error> {
    let variables = BTreeMap::from([("SAGEMAKER_BASE_DIR".to_owned(), base.display().to_string())]);
    run(args, &SageMakerEnv::load(variables)?, &Stop::default(), &mut Vec::new())
}

fn features(base: &Path, name: &str) -> (Array2<f64>, Vec<String>) {
    let directory = base.join("processing").join(name);
    let values = npy::read(directory.join(format!("{name}_feats.npy"))).unwrap();
    (values, FeatureDescription::read(&directory.join(FEATURES_FILE)).unwrap().unwrap().names)
}

#[test]
fn what_is_learned_comes_from_the_training_rows_alone() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), TRAIN, VAL);
    process(base.path(), &args()).unwrap();

    let (train, names) = features(base.path(), "train");
    let expected = [
        "categorical-feats__cylinders_4",
        "categorical-feats__cylinders_8",
        "categorical-feats__origin_1",
        "categorical-feats__origin_2",
        "categorical-feats__origin_3",
        "numerical-feats__displacement",
        "numerical-feats__horsepower",
        "numerical-feats__weight",
        "numerical-feats__acceleration",
        "numerical-feats__age",
    ];
    assert_eq!(names, expected);
    assert_eq!(train.dim(), (3, 11));
    assert_eq!(train.column(0).to_vec(), [18.0, 26.0, 24.0]);
    // Of 130, missing and 95 the mean is 112.5, which fills the gap and is then 0.
    assert_eq!(train[[1, 7]], 0.0);

    let (val, val_names) = features(base.path(), "val");
    assert_eq!(val_names, expected);
    // Five cylinders are unknown; the age 4 is scaled with the training ages 12, 12 and 10.
    assert_eq!(val.row(0).to_vec()[..6], [20.3, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let (mean, std) = (34.0 / 3.0, (8.0_f64 / 9.0).sqrt());
    assert!((val[[0, 10]] - (4.0 - mean) / std).abs() < 1e-12);
}

#[test]
fn the_preprocessor_is_an_artifact_that_gives_the_same_features() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), TRAIN, VAL);
    process(base.path(), &ProcessArgs { reference_year: 90, ..args() }).unwrap();
    let path = base.path().join("processing/output/model.tar.gz");
    let artifact = Artifact::read_tar_gz(&path, &Limits::default()).unwrap();
    let Model::Preprocessor(plan) = artifact.model() else { panic!("{artifact:?}") };
    let train = Part::read(base.path().join("processing/input/train/train.csv")).unwrap();
    let again = train.apply(plan, &train.table().unwrap()).unwrap();
    assert_eq!(train.with_target(&again), features(base.path(), "train").0);
    assert_eq!(artifact.manifest().training.hyper_parameters["reference_year"], 90);
    for part in ["train", "val"] {
        let description = FeatureDescription::read(&base.path().join("processing").join(part).join(FEATURES_FILE));
        assert_eq!(description.unwrap().unwrap().preprocessor, Some(artifact.model_id()));
    }

    let first = fs::read(&path).unwrap();
    process(base.path(), &ProcessArgs { reference_year: 90, ..args() }).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
}

#[test]
fn outputs_that_cannot_all_be_written_are_not_written_at_all() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), TRAIN, VAL);
    // A file stands where the last directory should be.
    fs::write(base.path().join("processing/output"), "").unwrap();
    let error = process(base.path(), &args()).unwrap_err();
    assert!(crate::failure::explain(&error).contains("processing/output"), "{error}");
    assert!(!base.path().join("processing/train").exists() && !base.path().join("processing/val").exists());
}

#[test]
fn bad_rows_fail_with_their_place_and_leave_nothing() {
    let failing = |train: &str, val: &str, args: &ProcessArgs| {
        let base = tempfile::tempdir().unwrap();
        lay_out(base.path(), train, val);
        let error = process(base.path(), args).unwrap_err();
        for output in ["train", "val", "output"] {
            assert!(!base.path().join("processing").join(output).exists());
        }
        crate::failure::explain(&error)
    };
    let message = failing(&TRAIN.replace("307.0", "big"), VAL, &args());
    assert!(message.contains("train.csv") && message.contains("line 2, column `displacement`"), "{message}");
    let message = failing(TRAIN, &VAL.replace("20.3", ""), &args());
    assert!(message.contains("val.csv: row 0 has no target: column `mpg` is missing"), "{message}");
    let message = failing("", VAL, &args());
    assert!(message.contains("no rows"), "{message}");
    let message = failing(TRAIN, VAL, &ProcessArgs { handle_unknown: HandleUnknown::Error, ..args() });
    assert!(message.contains("val.csv") && message.contains("unknown category `5`"), "{message}");
}
