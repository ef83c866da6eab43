//! The container image, run by podman or docker as the platform runs it.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output},
};

use drivetrain_artifact::{Artifact, Limits, ndarray::Array2, npy};

/// The name of an image that `cargo xtask image` has made.
const IMAGE: &str = "DRIVETRAIN_IMAGE";
/// What runs it; podman by default.
const ENGINE: &str = "DRIVETRAIN_ENGINE";

/// Runs the image without any network, its `/opt/ml` being this folder.
fn run(image: &str, folder: &Path, arguments: &[&str]) -> Output {
    let engine = std::env::var_os(ENGINE).unwrap_or_else(|| "podman".into());
    Command::new(engine)
        .args(["run", "--rm", "--network", "none", "--volume"])
        .arg(format!("{}:/opt/ml", folder.display()))
        .arg(image)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_image_trains_without_network_and_says_how_it_ends() {
    let Ok(image) = std::env::var(IMAGE) else {
        // Around the capture of the test harness: a skipped test is to be noticed.
        let _ = writeln!(std::io::stderr(), "SKIPPED the_image_trains_without_network_...: {IMAGE} names no image");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    let rows = Array2::from_shape_fn((40, 3), |(row, column)| ((row * (column + 3)) % 7) as f64);
    for part in ["train", "val"] {
        let channel = base.join("input/data").join(part);
        fs::create_dir_all(&channel).unwrap();
        npy::write(channel.join(format!("{part}_feats.npy")), rows.view()).unwrap();
    }
    let config = base.join("input/config");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("hyperparameters.json"), r#"{"n-estimators": "3"}"#).unwrap();

    // Without a word, as some clients start it, and with the platform's.
    for arguments in [&[][..], &["train"]] {
        let output = run(&image, base, arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("train_mae="));
        let artifact = Artifact::read_dir(base.join("model"), &Limits::default()).unwrap();
        assert_eq!(artifact.model().regressor().unwrap().forest().n_trees(), 3);
        fs::remove_dir_all(base.join("model")).unwrap();
    }

    fs::write(config.join("hyperparameters.json"), r#"{"n-estimators": "many"}"#).unwrap();
    let output = run(&image, base, &["train"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(fs::read_to_string(base.join("output/failure")).unwrap().contains("`n-estimators` is `many`"));
    assert_eq!(run(&image, base, &["train", "--no-such-flag"]).status.code(), Some(2));
    assert!(run(&image, base, &["--version"]).stdout.starts_with(b"drivetrain "));
}
