use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::*;
use crate::RunnerError;

/// Name, type and content.
type Entry<'a> = (&'a str, EntryType, &'a [u8]);

/// An archive with entries that no honest packer writes: raw name bytes, any type, any size.
fn hostile(entries: &[Entry<'_>]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.tar.gz");
    let encoder = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
    let mut tar = tar::Builder::new(encoder);
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("target").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
    (folder, path)
}

fn refusal(entries: &[Entry<'_>], limits: &UnpackLimits) -> RunnerError {
    let (folder, path) = hostile(entries);
    unpack(&path, &folder.path().join("into"), limits).unwrap_err()
}

fn sample(folder: &Path, names: &[&str]) {
    for name in names {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("content of {name}")).unwrap();
    }
}

#[test]
fn bytes_depend_on_names_and_contents_alone() {
    let work = tempfile::tempdir().unwrap();
    let (one, two) = (work.path().join("one"), work.path().join("two"));
    sample(&one, &["manifest.json", "code/a.txt", "forest.msgpack"]);
    sample(&two, &["forest.msgpack", "manifest.json", "code/a.txt"]);
    let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::options().write(true).open(two.join("manifest.json")).unwrap().set_modified(past).unwrap();
    assert_eq!(pack(&one, &work.path().join("one.tar.gz")).unwrap(), 3);
    pack(&two, &work.path().join("two.tar.gz")).unwrap();
    let bytes = fs::read(work.path().join("one.tar.gz")).unwrap();
    assert!(bytes == fs::read(work.path().join("two.tar.gz")).unwrap());
    fs::write(two.join("manifest.json"), "other").unwrap();
    pack(&two, &work.path().join("two.tar.gz")).unwrap();
    assert!(bytes != fs::read(work.path().join("two.tar.gz")).unwrap());
}

#[test]
fn what_is_packed_unpacks() {
    let work = tempfile::tempdir().unwrap();
    let names = ["manifest.json", "code/a.txt", "code/deep/b.txt"];
    sample(&work.path().join("model"), &names);
    let archive = work.path().join("model.tar.gz");
    pack(&work.path().join("model"), &archive).unwrap();
    unpack(&archive, &work.path().join("copy"), &UnpackLimits::default()).unwrap();
    for name in names {
        assert_eq!(fs::read_to_string(work.path().join("copy").join(name)).unwrap(), format!("content of {name}"));
    }
}

#[test]
fn other_tools_habits_are_accepted() {
    let time = b"28 mtime=1700000000.1234567\n";
    let (folder, path) = hostile(&[
        ("./", EntryType::Directory, b""),
        ("pax", EntryType::XHeader, time),
        ("./manifest.json", EntryType::Regular, b"{}"),
    ]);
    unpack(&path, &folder.path().join("into"), &UnpackLimits::default()).unwrap();
    assert_eq!(fs::read(folder.path().join("into/manifest.json")).unwrap(), b"{}");
}

#[test]
fn hostile_entries_are_refused_by_name() {
    let file = EntryType::Regular;
    let cases: &[(&[Entry<'_>], &str)] = &[
        (&[("../evil", file, b"x")], "`..`"),
        (&[("a/../../evil", file, b"x")], "`..`"),
        (&[("/etc/evil", file, b"x")], "absolute"),
        (&[("evil", EntryType::Symlink, b"")], "link"),
        (&[("evil", EntryType::Link, b"")], "link"),
        (&[("evil", EntryType::Fifo, b"")], "neither a file nor a folder"),
        (&[("evil", EntryType::GNULongName, b"x")], "extension"),
        (&[("evil", EntryType::XHeader, b"13 path=evil\n"), ("a", file, b"x")], "extension"),
        (&[("evil", file, b"x"), ("./evil", file, b"y")], "before"),
        (&[("./", file, b"x")], "empty"),
    ];
    for (entries, expected) in cases {
        let error = refusal(entries, &UnpackLimits::default());
        assert!(matches!(error, RunnerError::UnsafeEntry { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn limits_stop_bombs() {
    let limits = UnpackLimits { entries: 2, bytes: 1_000 };
    let file = EntryType::Regular;
    let big = vec![0; 1_001];
    assert!(matches!(refusal(&[("a", file, &big)], &limits), RunnerError::TooLarge { .. }));
    assert!(matches!(
        refusal(&[("a", file, &big[..600]), ("b", file, &big[..600])], &limits),
        RunnerError::TooLarge { .. }
    ));
    let many = refusal(
        &[("a", file, b""), ("b", file, b""), ("c", file, b"")],
        &UnpackLimits { entries: 2, ..Default::default() },
    );
    assert!(many.to_string().contains("more entries"), "{many}");
    let header = vec![b'x'; 70_000];
    let pax = refusal(&[("a", EntryType::XHeader, &header)], &UnpackLimits::default());
    assert!(pax.to_string().contains("too large"), "{pax}");
}

#[test]
fn headers_padding_and_trailing_zeros_count_as_well() {
    let (folder, path) = hostile(&[("a", EntryType::Regular, b"x"), ("d/", EntryType::Directory, b"")]);
    // Three headers and blocks of content, and the two blocks of the end.
    let attempt =
        |bytes| unpack(&path, &folder.path().join(format!("into-{bytes}")), &UnpackLimits { entries: 2, bytes });
    attempt(5 * 512).unwrap();
    assert!(matches!(attempt(5 * 512 - 1), Err(RunnerError::TooLarge { limit: 2559, .. })));
    assert!(matches!(attempt(600), Err(RunnerError::TooLarge { limit: 600, .. })));
}

#[test]
fn a_folder_holds_no_bytes_and_paths_are_short() {
    let full = refusal(&[("d", EntryType::Directory, b"hidden")], &UnpackLimits::default());
    assert!(full.to_string().contains("folder with content"), "{full}");
    for kind in [EntryType::Directory, EntryType::Regular] {
        let deep = refusal(&[(&"d/".repeat(17), kind, b"")], &UnpackLimits::default());
        assert!(deep.to_string().contains("too many folders deep"), "{deep}");
    }
}

#[test]
fn every_truncation_and_a_flipped_checksum_are_noticed() {
    let work = tempfile::tempdir().unwrap();
    sample(&work.path().join("model"), &["manifest.json", "forest.msgpack"]);
    let archive = work.path().join("model.tar.gz");
    pack(&work.path().join("model"), &archive).unwrap();
    let whole = fs::read(&archive).unwrap();
    let attempt = |name: String, bytes: &[u8]| {
        let path = work.path().join(&name);
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        unpack(&path, &work.path().join(format!("into-{name}")), &UnpackLimits::default())
    };
    for length in 0..whole.len() {
        assert!(attempt(format!("cut-{length}"), &whole[..length]).is_err(), "cut at {length} of {}", whole.len());
    }
    let mut flipped = whole.clone();
    let crc = whole.len() - 8;
    flipped[crc] ^= 1;
    assert!(attempt("flipped".into(), &flipped).is_err());
}
