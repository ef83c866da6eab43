//! An artifact as a directory.

use std::{
    fs::{self, File, Metadata},
    io::Read,
    path::Path,
};

use super::{Files, manifest_first, name};
use crate::{ArtifactError, Limits, atomic, manifest};

/// The platform's local mode leaves the tarball beside the files that it unpacks.
const TARBALL: &str = "model.tar.gz";

/// Reads every file of `folder`, which holds nothing else than regular files with plain names.
pub(crate) fn read_directory(folder: &Path, limits: &Limits) -> Result<Files, ArtifactError> {
    let mut files = Files::new();
    let mut left = limits.max_expanded_bytes;
    for (entry, metadata) in list(folder, limits)? {
        let name = name::plain(entry.as_bytes())?;
        if !metadata.is_file() {
            return Err(ArtifactError::EntryType { entry: name, found: describe(&metadata).to_owned() });
        }
        if name == TARBALL {
            continue;
        }
        let path = folder.join(&entry);
        let failed = |source| ArtifactError::Read { path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(left.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        let length = bytes.len() as u64;
        left = left.checked_sub(length).ok_or_else(|| {
            let found = (limits.max_expanded_bytes - left).saturating_add(length);
            ArtifactError::too_large("bytes of the directory", found, limits.max_expanded_bytes)
        })?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// The entries of `folder`, sorted by name so that the same directory always gives the same error.
fn list(folder: &Path, limits: &Limits) -> Result<Vec<(String, Metadata)>, ArtifactError> {
    let failed = |source| ArtifactError::Read { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Unlike fs::metadata this does not follow a symbolic link.
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata().map_err(failed)?));
        if entries.len() > limits.max_entries {
            let found = entries.len() as u64;
            return Err(ArtifactError::too_large("entries of the directory", found, limits.max_entries as u64));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn describe(metadata: &Metadata) -> &'static str {
    if metadata.is_symlink() {
        "symbolic link"
    } else if metadata.is_dir() {
        "directory"
    } else {
        "special file"
    }
}

/// Writes `files` into `folder`, each atomically, the manifest last: a directory without a manifest is no artifact, so
/// that a killed process leaves either a whole artifact or none, never the parts of two.
///
/// What an artifact that was there before left is removed: the manifest first, and the files called `replaceable`.
pub(crate) fn write_directory(folder: &Path, files: &Files, replaceable: &[&str]) -> Result<(), ArtifactError> {
    fs::create_dir_all(folder)
        .map_err(|source| ArtifactError::Write { path: folder.to_owned(), source: source.into() })?;
    let stale = stale(folder, files, replaceable)?;
    atomic::remove(&folder.join(manifest::FILE_NAME))?;
    stale.iter().try_for_each(|name| atomic::remove(&folder.join(name)))?;
    let mut manifest_last: Vec<_> = manifest_first(files).collect();
    manifest_last.reverse();
    manifest_last
        .into_iter()
        .try_for_each(|(name, bytes)| atomic::write(folder.join(name), |file| file.write_all(bytes)))
}

/// The names in `folder` to be removed. Anything else that a reader would refuse is refused here, before it is too late.
fn stale(folder: &Path, files: &Files, replaceable: &[&str]) -> Result<Vec<String>, ArtifactError> {
    let mut stale = Vec::new();
    let unlimited = Limits { max_entries: usize::MAX, ..Limits::default() };
    for (name, _) in list(folder, &unlimited)? {
        if atomic::is_temporary(&name) || (replaceable.contains(&name.as_str()) && !files.contains_key(&name)) {
            stale.push(name);
        } else if name != TARBALL && name != manifest::FILE_NAME && !files.contains_key(&name) {
            return Err(ArtifactError::UnexpectedEntry { entry: name }.in_file(folder));
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_is_written_is_read_and_stale_files_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/model");
        let both = files(&["manifest.json", "plan.msgpack", "forest.msgpack"]);
        write_directory(&folder, &both, &["plan.msgpack", "forest.msgpack"]).unwrap();
        assert_eq!(read_directory(&folder, &Limits::default()).unwrap(), both);

        let one = files(&["manifest.json", "plan.msgpack"]);
        write_directory(&folder, &one, &["plan.msgpack", "forest.msgpack"]).unwrap();
        assert_eq!(read_directory(&folder, &Limits::default()).unwrap(), one);
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_away_and_what_somebody_put_there_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let one = files(&["manifest.json"]);
        fs::write(folder.path().join(".drivetrain-Ab3.tmp"), b"half").unwrap();
        write_directory(folder.path(), &one, &[]).unwrap();
        assert_eq!(read_directory(folder.path(), &Limits::default()).unwrap(), one);

        fs::write(folder.path().join("notes.txt"), b"mine").unwrap();
        let error = write_directory(folder.path(), &one, &[]).unwrap_err();
        assert!(matches!(error, ArtifactError::File { .. }), "{error:?}");
        assert_eq!(fs::read(folder.path().join("notes.txt")).unwrap(), b"mine");
        assert!(folder.path().join("manifest.json").exists());
    }

    #[test]
    fn a_write_that_fails_leaves_no_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let both = files(&["manifest.json", "plan.msgpack"]);
        write_directory(folder.path(), &both, &[]).unwrap();
        fs::create_dir(folder.path().join("zzz.msgpack")).unwrap();
        let blocked = files(&["manifest.json", "plan.msgpack", "zzz.msgpack"]);
        assert!(write_directory(folder.path(), &blocked, &[]).is_err());
        assert!(!folder.path().join("manifest.json").exists());
    }

    #[test]
    fn the_tarball_that_local_mode_leaves_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.tar.gz"), b"anything").unwrap();
        fs::write(folder.path().join("manifest.json"), b"manifest.json").unwrap();
        assert_eq!(read_directory(folder.path(), &Limits::default()).unwrap(), files(&["manifest.json"]));
    }

    #[test]
    fn the_sum_of_bytes_and_the_number_of_files_are_limited() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::write(folder.path().join(name), b"12345").unwrap();
        }
        let read = |limits: &Limits| read_directory(folder.path(), limits);
        let bytes = |max_expanded_bytes| Limits { max_expanded_bytes, ..Limits::default() };
        assert!(read(&bytes(10)).is_ok());
        assert!(matches!(read(&bytes(9)), Err(ArtifactError::TooLarge { found: 10, limit: 9, .. })));
        let one = Limits { max_entries: 1, ..Limits::default() };
        assert!(matches!(read(&one), Err(ArtifactError::TooLarge { found: 2, limit: 1, .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_subdirectories_are_refused_by_name() {
        for link in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path().join("manifest.json");
            if link { std::os::unix::fs::symlink("/etc/passwd", &at) } else { fs::create_dir(&at) }.unwrap();
            let error = read_directory(folder.path(), &Limits::default()).unwrap_err();
            assert!(matches!(&error, ArtifactError::EntryType { entry, .. } if entry == "manifest.json"), "{error:?}");
        }
    }
}
