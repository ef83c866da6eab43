//! Writing files so that a reader sees the old bytes or the new ones, never half of them.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::{ArtifactError, BoxError};

/// Writes a file through `writer`, replacing what is at `path` only once everything is on the disk.
///
/// The bytes go to a temporary sibling, which is flushed to the disk and then renamed; the directory is flushed after
/// that. When `writer` fails, the sibling is removed and `path` is as it was. A symbolic link at `path` is replaced, not
/// followed.
///
/// ```
/// use std::io::Write;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("answer.txt");
/// drivetrain_artifact::atomic::write(&path, |file| file.write_all(b"42"))?;
/// assert_eq!(std::fs::read(&path)?, b"42");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ArtifactError::Write`] with the path when `writer` or the file system fails.
pub fn write<E: Into<BoxError>>(
    path: impl AsRef<Path>,
    writer: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), ArtifactError> {
    let path = path.as_ref();
    replace(path, writer).map_err(|source| ArtifactError::Write { path: path.to_owned(), source })
}

fn replace<E: Into<BoxError>>(
    path: &Path,
    writer: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), BoxError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut sibling = temporary_in(folder)?;
    let mut buffer = BufWriter::new(sibling.as_file_mut());
    writer(&mut buffer).map_err(Into::into)?;
    buffer.flush()?;
    drop(buffer);
    sibling.as_file().sync_all()?;
    sibling.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)?;
    Ok(())
}

/// How the names of temporary siblings begin and end. A process that is killed leaves one behind.
const PREFIX: &str = ".drivetrain-";
const SUFFIX: &str = ".tmp";

/// Whether a name is that of a temporary file or folder, which no process needs once the one that made it is gone.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// An empty folder of a temporary name in `folder`, removed when it is dropped.
pub(crate) fn temporary_folder_in(folder: &Path) -> io::Result<tempfile::TempDir> {
    let mut options = tempfile::Builder::new();
    options.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    options.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    options.tempdir_in(folder)
}

fn temporary_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut options = tempfile::Builder::new();
    options.prefix(PREFIX).suffix(SUFFIX);
    // The default, 0600, would make the file unreadable for the process that serves it under another user.
    #[cfg(unix)]
    options.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    options.tempfile_in(folder)
}

/// Makes the names in `folder` durable: without it a power cut may undo a rename that has already been reported.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes the file or folder at `path`, if there is one, durably. A link is removed, not followed.
pub(crate) fn remove(path: &Path) -> Result<(), ArtifactError> {
    let removed = std::fs::symlink_metadata(path).and_then(|metadata| {
        if metadata.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
    });
    let removed = removed.and_then(|()| match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    });
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ArtifactError::Write { path: path.to_owned(), source: error.into() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_writer_that_fails_half_way_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        write(&path, |file| file.write_all(b"old")).unwrap();
        let error = write(&path, |file| {
            file.write_all(&vec![0; 100_000])?;
            Err(io::Error::other("disk gone"))
        })
        .unwrap_err();
        assert!(matches!(&error, ArtifactError::Write { path: at, .. } if *at == path), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["model.bin"]);
    }

    #[test]
    fn a_writer_that_panics_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        write(&path, |file| file.write_all(b"old")).unwrap();
        let panicked = std::panic::catch_unwind(|| {
            write(&path, |file| -> io::Result<()> {
                file.write_all(b"new")?;
                panic!("stopped")
            })
        });
        assert!(panicked.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["model.bin"]);
    }

    #[test]
    fn the_temporary_sibling_lies_in_the_same_folder_and_the_old_file_stands_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        write(&path, |file| file.write_all(b"old")).unwrap();
        write(&path, |file| {
            file.write_all(b"new")?;
            assert_eq!(fs::read(&path)?, b"old");
            let temporary = names(folder.path()).into_iter().filter(|name| is_temporary(name)).count();
            assert_eq!((temporary, names(folder.path()).len()), (1, 2));
            Ok::<(), io::Error>(())
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["model.bin"]);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_the_way_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path().join("no/such/file"), |file| file.write_all(b"x")).is_err());
        fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(write(folder.path().join("taken"), |file| file.write_all(b"x")).is_err());
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (written, created) = (folder.path().join("written"), folder.path().join("created"));
        write(&written, |file| file.write_all(b"x")).unwrap();
        fs::write(&created, b"x").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(written), mode(created));
    }
}
