//! Models that are damaged, newer, or out to do harm.

use std::{fs, io::Write};

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use crate::command::Workplace;

type Entries = Vec<(String, Vec<u8>)>;

fn unpack(archive: &[u8]) -> Entries {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            std::io::copy(&mut entry, &mut bytes).unwrap();
            (name, bytes)
        })
        .collect()
}

fn header(name: &str, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    // Past the checks of the tar crate, which refuses to write some of these names.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

fn gzip(content: impl FnOnce(&mut Builder<&mut GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut builder = Builder::new(&mut encoder);
    content(&mut builder);
    builder.finish().unwrap();
    drop(builder);
    encoder.finish().unwrap()
}

fn pack(entries: &Entries) -> Vec<u8> {
    gzip(|tar| {
        for (name, bytes) in entries {
            tar.append(&header(name, EntryType::Regular, bytes.len() as u64), bytes.as_slice()).unwrap();
        }
    })
}

/// The entries with those called `name` changed.
fn changed(entries: &Entries, name: &str, change: impl Fn(&mut Vec<u8>)) -> Entries {
    let mut entries = entries.clone();
    let found = entries.iter_mut().filter(|entry| entry.0 == name).map(|entry| change(&mut entry.1)).count();
    assert_eq!(found, 1, "{name}");
    entries
}

#[test]
fn a_model_that_cannot_be_trusted_is_refused() {
    let place = Workplace::with_first_run();
    let key = "models/ml/first/output/model.tar.gz";
    let good = fs::read(place.object(key)).unwrap();
    let entries = unpack(&good);
    assert_eq!(entries[0].0, "manifest.json");

    let newer = changed(&entries, "manifest.json", |bytes| {
        let mut manifest: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        manifest["format_version"] = 999.into();
        *bytes = serde_json::to_vec(&manifest).unwrap();
    });
    let flipped = changed(&entries, "forest.msgpack", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let with = |name: &str, kind, target: Option<&str>| {
        gzip(|tar| {
            for (name, bytes) in &entries {
                tar.append(&header(name, EntryType::Regular, bytes.len() as u64), bytes.as_slice()).unwrap();
            }
            let mut extra = header(name, kind, 0);
            if let Some(target) = target {
                extra.set_link_name(target).unwrap();
                extra.set_cksum();
            }
            tar.append(&extra, std::io::empty()).unwrap();
        })
    };
    let bomb = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let block = vec![0; 1 << 20];
        encoder.write_all(header("forest.msgpack", EntryType::Regular, 8 << 30).as_bytes()).unwrap();
        (0..2048).for_each(|_| encoder.write_all(&block).unwrap());
        encoder.finish().unwrap()
    };

    for (what, bytes, expected) in [
        ("garbage", b"not a model".to_vec(), "invalid gzip header"),
        ("empty", Vec::new(), "unexpected end of file"),
        ("truncated", good[..good.len() / 2].to_vec(), "incomplete deflate stream"),
        ("newer", pack(&newer), "format version 999 is newer than"),
        ("wrong checksum", pack(&flipped), "`forest.msgpack` has sha256"),
        ("incomplete", pack(&entries[..1].to_vec()), "`forest.msgpack` is missing"),
        ("extra file", with("run.sh", EntryType::Regular, None), "`run.sh` is not listed in the manifest"),
        ("path traversal", with("../evil", EntryType::Regular, None), "entry `../evil` leads out of the directory"),
        (
            "absolute path",
            with("/tmp/drivetrain-evil", EntryType::Regular, None),
            "entry `/tmp/drivetrain-evil` is an absolute path",
        ),
        ("symbolic link", with("link", EntryType::Symlink, Some("/etc/passwd")), "entry `link` is a symbolic link"),
        ("hard link", with("link", EntryType::Link, Some("manifest.json")), "entry `link` is a hard link"),
        ("device", with("device", EntryType::Char, None), "entry `device` is a device"),
        ("bomb", bomb, "expanded bytes of the tarball: 536870913 is more than the limit, 536870912"),
    ] {
        place.overwrite(key, bytes);
        let message = place.fail(&["predict", "--run-name", "first"]);
        assert!(message.contains(expected), "{what}: {message}");
        assert!(message.contains("models/ml/first/output/model.tar.gz"), "{what}: {message}");
    }
    assert!(!std::path::Path::new("/tmp/drivetrain-evil").exists());

    place.overwrite(key, good);
    place.succeed(&["predict", "--run-name", "first"]);
}

#[test]
fn a_preprocessor_the_regressor_was_not_trained_with_is_refused() {
    // Features of the same names, learned from other rows, also where the run's own name stands over them.
    for run in ["second", "first"] {
        let place = Workplace::with_first_run();
        for step in [&["acquire", "--seed", "8"][..], &["process"]] {
            place.succeed(&[step, &["--run-name", run]].concat());
        }
        let message = place.fail(&["predict", "--run-name", "first"]);
        assert!(message.contains("the regressor of run `first` was trained with"), "{message}");
        place.succeed(&["train", "--run-name", "first", "--n-estimators", "5"]);
        place.succeed(&["predict", "--run-name", "first"]);
    }
}

#[test]
fn test_rows_that_the_regressor_may_have_been_trained_on_are_refused() {
    let place = Workplace::with_first_run();
    place.succeed(&["acquire", "--seed", "8", "--run-name", "second"]);
    let message = place.fail(&["predict", "--run-name", "first"]);
    assert!(message.contains("bronze/train/train.csv are not those that the preprocessor was fitted on"), "{message}");
    for step in ["process", "train", "predict"] {
        place.succeed(&[step, "--run-name", "second"]);
    }
}
