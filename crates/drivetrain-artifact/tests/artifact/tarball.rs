//! Hostile tarballs, each with the one thing wrong that is tested.

use std::io::Write;

use drivetrain_artifact::{ArtifactError, Limits};
use flate2::{Compression, write::GzEncoder};
use tar::Header;

use crate::fixtures::*;

/// An entry with full control over its header.
#[derive(Clone)]
pub(crate) struct Entry {
    header: Header,
    data: Vec<u8>,
}

impl Entry {
    pub(crate) fn of_type(kind: u8, name: &str, data: Vec<u8>) -> Self {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkflag = [kind];
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(data.len() as u64);
        Self { header, data }
    }

    pub(crate) fn file(name: &str, data: Vec<u8>) -> Self {
        Self::of_type(b'0', name, data)
    }

    pub(crate) fn directory(name: &str) -> Self {
        Self::of_type(b'5', name, vec![])
    }

    fn link(kind: u8, name: &str, target: &str) -> Self {
        let mut entry = Self::of_type(kind, name, vec![]);
        entry.header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        entry
    }

    fn name(&self) -> String {
        String::from_utf8(self.header.path_bytes().into_owned()).unwrap()
    }

    pub(crate) fn renamed(self, rename: impl FnOnce(String) -> String) -> Self {
        Self::file(&rename(self.name()), self.data)
    }

    pub(crate) fn with_owner_and_time(mut self) -> Self {
        self.header.set_uid(1000);
        self.header.set_gid(100);
        self.header.set_mtime(1_700_000_000);
        self.header.set_mode(0o755);
        self.header.set_username("somebody").unwrap();
        self
    }

    pub(crate) fn into_gnu(self) -> Self {
        let mut header = Header::new_gnu();
        header.set_path(self.name()).unwrap();
        header.set_mode(0o600);
        header.set_size(self.data.len() as u64);
        Self { header, data: self.data }
    }
}

/// An extended header of the pax format.
pub(crate) fn pax(kind: u8, records: &[(&str, &str)]) -> Entry {
    let mut data = Vec::new();
    for (keyword, value) in records {
        let rest = format!(" {keyword}={value}\n");
        let mut length = rest.len();
        while length.to_string().len() + rest.len() != length {
            length = length.to_string().len() + rest.len();
        }
        data.extend(format!("{length}{rest}").bytes());
    }
    Entry::of_type(kind, "PaxHeaders/x", data)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let mut header = entry.header.clone();
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(&entry.data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

pub(crate) fn tar_gz(entries: &[Entry]) -> Vec<u8> {
    gzip(&tar(entries))
}

/// The entries of a whole artifact, which `entry` then spoils.
fn entries_and(entry: Entry) -> Vec<Entry> {
    let files = files(&preprocessor_artifact());
    files.into_iter().map(|(name, bytes)| Entry::file(&name, bytes)).chain([entry]).collect()
}

fn refusal_of(entries: &[Entry]) -> ArtifactError {
    reader().read_tar_gz_bytes(&tar_gz(entries)).unwrap_err()
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../manifest.json",
        "..",
        "/etc/cron.d/job",
        ".//etc/cron.d/job",
        "a/../../x",
        "code/inference.py",
        "..\\x",
        "C:\\x",
        "plan.msgpack/",
        "",
        "manifest.json ",
        "m\u{430}nifest.json",
    ] {
        let error = refusal_of(&entries_and(Entry::file(name, b"x".to_vec())));
        assert!(matches!(&error, ArtifactError::EntryName { entry, .. } if entry == name), "{name}: {error:?}");
    }
}

#[test]
fn a_name_that_the_prefix_field_completes_is_seen_whole() {
    let mut entry = Entry::file("manifest.json", b"x".to_vec());
    entry.header.as_ustar_mut().unwrap().prefix[..2].copy_from_slice(b"..");
    let error = refusal_of(&[entry]);
    assert!(matches!(&error, ArtifactError::EntryName { entry, .. } if entry == "../manifest.json"), "{error:?}");
}

#[test]
fn links_devices_directories_and_sparse_files_are_refused() {
    for (entry, found) in [
        (Entry::link(b'2', "forest.msgpack", "/etc/passwd"), "symbolic link"),
        (Entry::link(b'1', "forest.msgpack", "plan.msgpack"), "hard link"),
        (Entry::of_type(b'3', "forest.msgpack", vec![]), "device"),
        (Entry::of_type(b'4', "forest.msgpack", vec![]), "device"),
        (Entry::of_type(b'6', "forest.msgpack", vec![]), "named pipe"),
        (Entry::of_type(b'7', "forest.msgpack", vec![]), "entry of type '7'"),
        (Entry::of_type(b'S', "forest.msgpack", vec![]), "sparse file"),
        (Entry::of_type(b'V', "label", vec![]), "entry of type 'V'"),
        (Entry::of_type(b'L', "././@LongLink", b"manifest.json\0".to_vec()), "long name"),
        (Entry::of_type(b'K', "././@LongLink", b"/etc/passwd\0".to_vec()), "long name"),
        (Entry::directory("code"), "directory"),
        (Entry::directory("../"), "directory"),
        (Entry::of_type(b'5', "./", b"hidden".to_vec()), "directory"),
    ] {
        let name = entry.name();
        let error = refusal_of(&entries_and(entry));
        assert!(
            matches!(&error, ArtifactError::EntryType { entry, found: what } if *entry == name && what == found),
            "{name}: {error:?}"
        );
    }
}

#[test]
fn extended_headers_that_rename_resize_or_link_are_refused() {
    for (keyword, value) in
        [("path", "../x"), ("size", "0"), ("linkpath", "/x"), ("GNU.sparse.major", "1"), ("hdrcharset", "BINARY")]
    {
        for kind in [b'x', b'g'] {
            let mut entries = vec![pax(kind, &[("mtime", "1"), (keyword, value)])];
            entries.extend(entries_and(Entry::directory("./")));
            let error = refusal_of(&entries);
            assert!(
                matches!(&error, ArtifactError::ExtendedHeader { keyword: found, .. } if found == keyword),
                "{keyword}: {error:?}"
            );
        }
    }
}

#[test]
fn an_extended_header_inside_of_a_bomb_of_them_counts_as_an_entry() {
    let error = refusal_of(&vec![pax(b'x', &[("mtime", "1")]); 65]);
    assert_eq!(error.to_string(), "entries of the archive: 65 is more than the limit, 64");
}

#[test]
fn duplicates_are_refused_whatever_their_spelling() {
    for name in ["plan.msgpack", "./plan.msgpack"] {
        let error = refusal_of(&entries_and(Entry::file(name, b"x".to_vec())));
        assert!(matches!(&error, ArtifactError::DuplicateEntry { entry } if entry == "plan.msgpack"), "{error:?}");
    }
}

#[test]
fn extra_and_missing_entries_are_named() {
    for name in ["forest.msgpack", "inference.py", "._manifest.json"] {
        let error = refusal_of(&entries_and(Entry::file(name, b"x".to_vec())));
        assert!(matches!(&error, ArtifactError::UnexpectedEntry { entry } if entry == name), "{error:?}");
    }
    let all = entries_and(Entry::directory("./"));
    for (index, name) in ["manifest.json", "plan.msgpack", "probe.msgpack"].into_iter().enumerate() {
        let mut entries = all.clone();
        assert_eq!(entries.remove(index).name(), name);
        let error = refusal_of(&entries);
        assert!(matches!(&error, ArtifactError::MissingEntry { entry } if entry == name), "{error:?}");
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let limits = Limits { max_expanded_bytes: 1 << 20, ..Limits::default() };
    let reader = reader().limits(limits);
    let zeros = vec![0; 32 << 20];
    let file = tar_gz(&entries_and(Entry::file("forest.msgpack", zeros.clone())));
    let padding = {
        let mut tar = tar(&entries_and(Entry::directory("./")));
        tar.extend(&zeros);
        gzip(&tar)
    };
    for bomb in [file, padding, gzip(&zeros)] {
        assert!(bomb.len() < 1 << 16);
        let error = reader.read_tar_gz_bytes(&bomb).unwrap_err();
        // One byte more than the limit is expanded, and none of the rest.
        let expected = "expanded bytes of the tarball: 1048577 is more than the limit, 1048576";
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn sizes_that_lie_are_refused() {
    let mut entry = Entry::file("forest.msgpack", b"x".to_vec());
    entry.header.set_size(u64::MAX);
    let cut_off = "entry `forest.msgpack` is cut off";
    for (size, why) in [(2000, cut_off), (1 << 40, cut_off), (i64::MAX as u64, cut_off), (u64::MAX, "size overflow")] {
        entry.header.set_size(size);
        let error = refusal_of(&entries_and(entry.clone()));
        assert!(matches!(error, ArtifactError::Tar { .. }), "{size}: {error:?}");
        assert!(said(&error).contains(why), "{size}: {}", said(&error));
    }
}

#[test]
fn nothing_may_follow_the_end() {
    let entries = entries_and(Entry::directory("./"));
    let whole = tar(&entries);
    let mut hidden = whole.clone();
    hidden.extend(&whole);
    for tar in [hidden, whole[..whole.len() - 1024].to_vec(), whole[..whole.len() - 512].to_vec()] {
        let error = reader().read_tar_gz_bytes(&gzip(&tar)).unwrap_err();
        assert!(matches!(error, ArtifactError::TarEnd), "{error:?}");
    }

    let mut garbage = gzip(&whole);
    garbage.extend(b"garbage");
    let mut member = gzip(&whole);
    member.extend(gzip(b""));
    for bytes in [garbage, member] {
        let error = reader().read_tar_gz_bytes(&bytes).unwrap_err();
        assert!(matches!(error, ArtifactError::TrailingGzip { .. }), "{error:?}");
    }
}

#[test]
fn what_is_no_tarball_is_refused() {
    for bytes in [&b""[..], b"PK\x03\x04", b"\x1f\x8b", b"\x80\x04\x95pickle", &[0; 4096]] {
        let error = reader().read_tar_gz_bytes(bytes).unwrap_err();
        assert!(matches!(error, ArtifactError::Gzip { .. }), "{error:?}");
    }
    for (bytes, why) in
        [(&b"hello"[..], "failed to read entire block"), (&[b'x'; 2048], "numeric field was not a number")]
    {
        let error = reader().read_tar_gz_bytes(&gzip(bytes)).unwrap_err();
        assert!(matches!(error, ArtifactError::Tar { .. }), "{error:?}");
        assert!(said(&error).contains(why), "{}", said(&error));
    }
    let error = reader().read_tar_gz_bytes(&gzip(&[0; 1024])).unwrap_err();
    assert!(matches!(&error, ArtifactError::MissingEntry { entry } if entry == "manifest.json"), "{error:?}");
}
