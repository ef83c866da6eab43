//! Tarballs as other programs make them.

use std::{io::Write, path::Path, process::Command};

use crate::{
    fixtures::*,
    tarball::{Entry, pax, tar_gz},
};

/// The entries of a regressor's artifact.
fn entries() -> Vec<Entry> {
    files(&regressor_artifact()).into_iter().map(|(name, bytes)| Entry::file(&name, bytes)).collect()
}

#[test]
fn order_names_and_harmless_metadata_do_not_matter() {
    let artifact = regressor_artifact();
    let mut reversed = entries();
    reversed.reverse();

    let mut dotted: Vec<Entry> = entries().into_iter().map(|entry| entry.renamed(|name| format!("./{name}"))).collect();
    dotted.insert(0, Entry::directory("./"));

    let owned: Vec<Entry> = entries().into_iter().map(Entry::with_owner_and_time).collect();

    let mut extended = vec![pax(b'g', &[("comment", "made by hand")])];
    for entry in entries() {
        extended.push(pax(b'x', &[("mtime", "1700000000.25"), ("SCHILY.xattr.user.note", "a\nb")]));
        extended.push(entry);
    }

    let gnu: Vec<Entry> = entries().into_iter().map(Entry::into_gnu).collect();

    for (what, entries) in
        [("reversed", reversed), ("dotted", dotted), ("owned", owned), ("extended", extended), ("gnu", gnu)]
    {
        let back = reader().read_tar_gz_bytes(&tar_gz(&entries)).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(back, artifact, "{what}");
        assert_eq!(back.model_id(), artifact.model_id(), "{what}");
    }
}

/// Runs a program if this machine has it, else says that `test` is skipped; the bytes of `packed` afterwards.
fn packed_by(test: &str, program: &str, arguments: &[&str], packed: &Path) -> Option<Vec<u8>> {
    let done = match Command::new(program).args(arguments).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Around the capture of the test harness: a skipped test is to be noticed.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: there is no `{program}`");
            return None;
        }
        done => done.unwrap(),
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(std::fs::read(packed).unwrap())
}

#[test]
fn what_tar_and_python_pack_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (model, packed) = (folder.path().join("model"), folder.path().join("model.tar.gz"));
    let artifact = pipeline_artifact();
    artifact.write_dir(&model).unwrap();
    let (from, to) = (model.to_str().unwrap(), packed.to_str().unwrap());
    let script = "import sys, tarfile\n\
                  with tarfile.open(sys.argv[2], 'w:gz') as t: t.add(sys.argv[1], arcname=sys.argv[3])";
    let ways: [(&str, &[&str]); 4] = [
        ("tar", &["-czf", to, "-C", from, "."]),
        (
            "tar",
            &[
                "--format=pax",
                "-czf",
                to,
                "-C",
                from,
                "probe.msgpack",
                "manifest.json",
                "forest.msgpack",
                "plan.msgpack",
            ],
        ),
        ("python3", &["-c", script, from, to, "."]),
        ("python3", &["-c", script, from, to, "./"]),
    ];
    for (program, arguments) in ways {
        if let Some(bytes) = packed_by("what_tar_and_python_pack_is_read", program, arguments, &packed) {
            let back = reader().read_tar_gz_bytes(&bytes).unwrap_or_else(|error| panic!("{arguments:?}: {error:?}"));
            assert_eq!(back, artifact);
        }
    }
}

#[test]
fn what_is_written_can_be_unpacked_with_tar() {
    let folder = tempfile::tempdir().unwrap();
    let (model, packed) = (folder.path().join("model"), folder.path().join("model.tar.gz"));
    let artifact = pipeline_artifact();
    artifact.write_tar_gz(&packed).unwrap();
    std::fs::create_dir(&model).unwrap();
    let arguments = ["-xzf", packed.to_str().unwrap(), "-C", model.to_str().unwrap()];
    if packed_by("what_is_written_can_be_unpacked_with_tar", "tar", &arguments, &packed).is_some() {
        let back = reader().read_dir(&model).unwrap();
        assert_eq!(back, artifact);
    }
}
