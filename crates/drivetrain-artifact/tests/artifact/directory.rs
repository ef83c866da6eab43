//! An artifact as a directory.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

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

/// The folder in which an artifact lies whole before it is installed.
const NEXT: &str = ".drivetrain-next";

/// What a writer that is killed between the renames leaves: the new artifact aside, and of the old one any part.
#[test]
fn a_replacement_that_was_cut_short_is_read_and_brought_to_its_end() {
    let (old, new) = (files(&pipeline_artifact()), preprocessor_artifact());
    for cut in 0..=old.len() + 1 {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in old.iter().skip(cut) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        if cut > old.len() {
            fs::write(folder.path().join("plan.msgpack"), &files(&new)["plan.msgpack"]).unwrap();
        }
        new.write_dir(folder.path().join(NEXT)).unwrap();
        fs::create_dir(folder.path().join(".drivetrain-killed.tmp")).unwrap();
        fs::write(folder.path().join(".drivetrain-killed.tmp/plan.msgpack"), b"half").unwrap();
        assert_eq!(Artifact::read_dir(folder.path(), &Limits::default()).unwrap(), new, "{cut}");

        for next in artifacts() {
            next.write_dir(folder.path()).unwrap();
            assert_eq!(Artifact::read_dir(folder.path(), &Limits::default()).unwrap(), next);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), files(&next).len());
        }
    }
}

#[test]
fn a_replacement_that_was_not_complete_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = pipeline_artifact();
    artifact.write_dir(folder.path()).unwrap();
    fs::create_dir(folder.path().join(".drivetrain-killed.tmp")).unwrap();
    fs::write(folder.path().join(".drivetrain-killed.tmp/plan.msgpack"), b"half").unwrap();
    assert_eq!(Artifact::read_dir(folder.path(), &Limits::default()).unwrap(), artifact);
}

#[test]
fn whatever_is_in_the_way_of_a_replacement_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = pipeline_artifact();
    artifact.write_dir(folder.path()).unwrap();
    fs::write(folder.path().join(NEXT), b"in the way").unwrap();
    assert!(matches!(regressor_artifact().write_dir(folder.path()), Err(ArtifactError::Write { .. })));
    fs::remove_file(folder.path().join(NEXT)).unwrap();
    assert_eq!(Artifact::read_dir(folder.path(), &Limits::default()).unwrap(), artifact);
}

/// The variable that tells [`write_until_killed`] where.
const FOLDER: &str = "DRIVETRAIN_TEST_FOLDER";

#[test]
fn a_killed_writer_leaves_one_artifact_or_the_other() {
    let folder = tempfile::tempdir().unwrap();
    pipeline_artifact().write_dir(folder.path()).unwrap();
    for round in 0..24 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "directory::write_until_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("writing")));
        std::thread::sleep(Duration::from_micros(700 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let found = Artifact::read_dir(folder.path(), &Limits::default()).unwrap();
        assert!(found == pipeline_artifact() || found == preprocessor_artifact(), "{round}");
    }
}

#[test]
#[ignore = "the process that the test above kills"]
fn write_until_killed() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let both = [preprocessor_artifact(), pipeline_artifact()];
    println!("writing");
    for artifact in both.iter().cycle() {
        artifact.write_dir(&folder).unwrap();
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
