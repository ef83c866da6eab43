//! An artifact as a directory.

use std::fs;

use drivetrain_artifact::{Artifact, ArtifactError, Limits};

use crate::fixtures::*;

#[test]
fn directory_and_tarball_hold_the_same_artifact() {
    for artifact in artifacts() {
        let folder = tempfile::tempdir().unwrap();
        let (model, tarball) = (folder.path().join("model"), folder.path().join("model.tar.gz"));
        assert_eq!(artifact.write_dir(&model).unwrap(), artifact.model_id());
        assert_eq!(artifact.write_tar_gz(&tarball).unwrap(), artifact.model_id());
        for back in
            [Artifact::read_dir(&model, &Limits::default()), Artifact::read_tar_gz(&tarball, &Limits::default())]
        {
            let back = back.unwrap();
            assert_eq!(back, artifact);
            assert_eq!(back.model_id(), artifact.model_id());
            assert_eq!(back.manifest(), artifact.manifest());
            assert_same_answers(back.model(), artifact.model());
        }
    }
}

#[test]
fn another_artifact_replaces_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    for artifact in [pipeline_artifact(), regressor_artifact(), preprocessor_artifact()] {
        artifact.write_dir(folder.path()).unwrap();
        assert_eq!(Artifact::read_dir(folder.path(), &Limits::default()).unwrap(), artifact);
    }
}

#[test]
fn the_tarball_may_lie_beside_the_files_and_nothing_else_may() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = regressor_artifact();
    artifact.write_dir(folder.path()).unwrap();
    artifact.write_tar_gz(folder.path().join("model.tar.gz")).unwrap();
    assert_eq!(Artifact::read_dir(folder.path(), &Limits::default()).unwrap(), artifact);

    fs::write(folder.path().join("notes.txt"), b"hello").unwrap();
    let error = reason(Artifact::read_dir(folder.path(), &Limits::default()).unwrap_err());
    assert!(matches!(&error, ArtifactError::UnexpectedEntry { entry } if entry == "notes.txt"), "{error:?}");
}

#[test]
fn missing_files_are_named() {
    for artifact in artifacts() {
        for name in files(&artifact).keys() {
            let mut files = files(&artifact);
            files.remove(name);
            let error = refusal(&files);
            assert!(matches!(&error, ArtifactError::MissingEntry { entry } if entry == name), "{error:?}");
        }
    }
    assert!(matches!(refusal(&Files::new()), ArtifactError::MissingEntry { entry } if entry == "manifest.json"));
}

#[cfg(unix)]
#[test]
fn a_link_to_the_right_file_is_still_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    preprocessor_artifact().write_dir(&model).unwrap();
    fs::rename(model.join("plan.msgpack"), folder.path().join("plan.msgpack")).unwrap();
    std::os::unix::fs::symlink("../plan.msgpack", model.join("plan.msgpack")).unwrap();
    let error = reason(Artifact::read_dir(&model, &Limits::default()).unwrap_err());
    assert!(
        matches!(&error, ArtifactError::EntryType { entry, found } if entry == "plan.msgpack" && found == "symbolic link"),
        "{error:?}"
    );
}

#[test]
fn errors_name_the_directory_and_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    for error in [
        Artifact::read_dir(&absent, &Limits::default()).unwrap_err(),
        Artifact::read_tar_gz(&absent, &Limits::default()).unwrap_err(),
    ] {
        assert!(error.to_string().contains(&absent.display().to_string()), "{error}");
    }
    let tarball = folder.path().join("model.tar.gz");
    fs::write(&tarball, b"not a tarball").unwrap();
    let error = Artifact::read_tar_gz(&tarball, &Limits::default()).unwrap_err();
    assert!(matches!(&error, ArtifactError::File { path, .. } if *path == tarball), "{error:?}");
}
