//! An artifact as a directory.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    path::Path,
};

use super::{Files, manifest_first, name};
use crate::{ArtifactError, Limits, atomic, manifest};

/// The platform's local mode leaves the tarball beside the files that it unpacks.
const TARBALL: &str = "model.tar.gz";

/// The folder inside of an artifact's that holds, whole, the artifact about to take its place.
const NEXT: &str = ".drivetrain-next";

/// What that folder is called while it is removed; a [temporary](atomic::is_temporary) name.
const DONE: &str = ".drivetrain-done.tmp";

/// For folders in which one is about to write, and which one therefore trusts.
const UNLIMITED: Limits = Limits {
    max_compressed_bytes: u64::MAX,
    max_expanded_bytes: u64::MAX,
    max_entries: usize::MAX,
    max_manifest_bytes: u64::MAX,
    max_plan_bytes: u64::MAX,
    max_forest_nodes: usize::MAX,
    max_probe_bytes: u64::MAX,
    max_values: usize::MAX,
    max_probe_rows: usize::MAX,
};

/// Reads every file of `folder`, which holds nothing else than regular files with plain names; or those of the artifact
/// that was about to take their place when its writer was killed.
pub(crate) fn read_directory(folder: &Path, limits: &Limits) -> Result<Files, ArtifactError> {
    let next = folder.join(NEXT);
    read_files(if is_folder(&next) { &next } else { folder }, limits)
}

fn read_files(folder: &Path, limits: &Limits) -> Result<Files, ArtifactError> {
    let mut files = Files::new();
    let mut left = limits.max_expanded_bytes;
    for (entry, metadata) in list(folder, limits)? {
        if entry == TARBALL || atomic::is_temporary(&entry) {
            continue;
        }
        let name = name::plain(entry.as_bytes())?;
        if !metadata.is_file() {
            return Err(ArtifactError::EntryType { entry: name, found: describe(&metadata).to_owned() });
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

/// Writes `files` into `folder`, in place of the artifact that is there, if there is one.
///
/// The folder itself may be a mount point, which cannot be renamed, so the change happens inside of it. Files that
/// replace others are first written into a subfolder, all of them, and that is given the name [`NEXT`]: from then on the
/// new artifact is the one that is read. It is then installed file by file, and the subfolder removed. What a killed
/// process leaves is read as it is, and brought to its end by the next writer.
///
/// Removed are files called `replaceable` and what killed processes left. Anything else that a reader would refuse is
/// refused here, before it is too late.
pub(crate) fn write_directory(folder: &Path, files: &Files, replaceable: &[&str]) -> Result<(), ArtifactError> {
    fs::create_dir_all(folder).map_err(failed_write(folder))?;
    refuse_strangers(folder, files, replaceable)?;
    let next = folder.join(NEXT);
    if is_folder(&next) {
        let unfinished = read_files(&next, &UNLIMITED)?;
        install(folder, &unfinished, replaceable)?;
        retire(folder)?;
    }
    if !folder.join(manifest::FILE_NAME).exists() {
        // There is nothing to be lost: until the manifest is there, nothing is there.
        return install(folder, files, replaceable);
    }
    stage(folder, files).map_err(failed_write(folder))?;
    install(folder, files, replaceable)?;
    retire(folder)
}

/// Writes `files` into a temporary folder inside of `folder` and, once all are on the disk, calls that [`NEXT`].
fn stage(folder: &Path, files: &Files) -> io::Result<()> {
    let staged = atomic::temporary_folder_in(folder)?;
    for (name, bytes) in files {
        let mut file = File::create_new(staged.path().join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    atomic::sync_folder(staged.path())?;
    fs::rename(staged.path(), folder.join(NEXT))?;
    // It has another name now, under which it is to stay.
    let _ = staged.keep();
    atomic::sync_folder(folder)
}

/// Writes `files` to where they belong, each atomically, the manifest last, after removing the old manifest and what
/// must not lie beside the new one.
fn install(folder: &Path, files: &Files, replaceable: &[&str]) -> Result<(), ArtifactError> {
    atomic::remove(&folder.join(manifest::FILE_NAME))?;
    for (name, _) in list(folder, &UNLIMITED)? {
        let old = replaceable.contains(&name.as_str()) && !files.contains_key(&name);
        if old || atomic::is_temporary(&name) {
            atomic::remove(&folder.join(name))?;
        }
    }
    let mut manifest_last: Vec<_> = manifest_first(files).collect();
    manifest_last.reverse();
    manifest_last
        .into_iter()
        .try_for_each(|(name, bytes)| atomic::write(folder.join(name), |file| file.write_all(bytes)))
}

/// Removes the folder [`NEXT`], whose files have been installed: at once by another name, then piece by piece.
fn retire(folder: &Path) -> Result<(), ArtifactError> {
    let done = folder.join(DONE);
    fs::rename(folder.join(NEXT), &done).and_then(|()| atomic::sync_folder(folder)).map_err(failed_write(folder))?;
    atomic::remove(&done)
}

/// Refuses what is neither part of an artifact nor left by a killed process.
fn refuse_strangers(folder: &Path, files: &Files, replaceable: &[&str]) -> Result<(), ArtifactError> {
    let known = |name: &str| {
        [TARBALL, NEXT, manifest::FILE_NAME].contains(&name)
            || replaceable.contains(&name)
            || files.contains_key(name)
            || atomic::is_temporary(name)
    };
    for (entry, metadata) in list(folder, &UNLIMITED)? {
        if !known(&entry) {
            return Err(ArtifactError::UnexpectedEntry { entry }.in_file(folder));
        }
        if metadata.is_dir() && entry != NEXT && !atomic::is_temporary(&entry) {
            return Err(ArtifactError::EntryType { entry, found: describe(&metadata).to_owned() }.in_file(folder));
        }
    }
    Ok(())
}

/// Whether there is a folder at `path`, and not a link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn failed_write(path: &Path) -> impl FnOnce(io::Error) -> ArtifactError {
    let path = path.to_owned();
    move |source| ArtifactError::Write { path, source: source.into() }
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
    fn what_is_in_the_way_is_found_before_anything_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let both = files(&["manifest.json", "plan.msgpack"]);
        write_directory(folder.path(), &both, &[]).unwrap();
        fs::create_dir(folder.path().join("zzz.msgpack")).unwrap();
        let blocked = files(&["manifest.json", "plan.msgpack", "zzz.msgpack"]);
        let error = write_directory(folder.path(), &blocked, &[]).unwrap_err();
        assert!(matches!(error, ArtifactError::File { .. }), "{error:?}");
        fs::remove_dir(folder.path().join("zzz.msgpack")).unwrap();
        assert_eq!(read_directory(folder.path(), &Limits::default()).unwrap(), both);
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
