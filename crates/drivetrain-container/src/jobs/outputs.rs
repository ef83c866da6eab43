//! The files that a job writes: all of them, or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Error, stop::Stop};

/// Files and directories as a job makes them; they are removed again unless the job [keeps](Self::keep) them.
///
/// Each file is written whole or not at all by its own writer; this is for the file that is written well before another
/// one fails.
#[derive(Debug)]
pub(super) struct Outputs<'s> {
    stop: &'s Stop,
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

impl<'s> Outputs<'s> {
    pub(super) fn new(stop: &'s Stop) -> Self {
        Self { stop, files: Vec::new(), directories: Vec::new() }
    }

    /// Makes a directory and those above it.
    pub(super) fn directory(&mut self, path: &Path) -> Result<(), Error> {
        let absent = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let absent: Vec<_> = absent.map(Path::to_owned).collect();
        for directory in absent.into_iter().rev() {
            match fs::create_dir(&directory) {
                Ok(()) => self.directories.push(directory),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(Error::Create { path: directory, source }),
            }
        }
        Ok(())
    }

    /// Writes `path` with `write`, unless a stop has been asked for.
    pub(super) fn file<T, E>(&mut self, path: PathBuf, write: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        self.stop.check()?;
        let written = write(&path)?;
        self.files.push(path);
        Ok(written)
    }

    /// Writes a value as indented JSON.
    pub(super) fn json(&mut self, path: PathBuf, value: &impl serde::Serialize) -> Result<(), Error> {
        self.file(path, |path| {
            drivetrain_artifact::atomic::write(path, |file| {
                serde_json::to_writer_pretty(&mut *file, value)?;
                file.write_all(b"\n")
            })
        })
    }

    /// Leaves everything where it is: the job is done.
    pub(super) fn keep(mut self) {
        self.files.clear();
        self.directories.clear();
    }
}

impl Drop for Outputs<'_> {
    fn drop(&mut self) {
        // The error that brought us here is the one to report.
        for file in self.files.drain(..) {
            let _ = fs::remove_file(file);
        }
        for directory in self.directories.drain(..).rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(outputs: &mut Outputs<'_>, base: &Path) -> Result<(), Error> {
        outputs.directory(&base.join("a/b"))?;
        outputs.json(base.join("a/b/one.json"), &1)?;
        outputs.json(base.join("two.json"), &2)
    }

    #[test]
    fn a_job_that_fails_leaves_nothing_and_one_that_is_done_leaves_all() {
        let base = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        let mut failed = Outputs::new(&stop);
        write(&mut failed, base.path()).unwrap();
        assert!(base.path().join("a/b/one.json").exists());
        drop(failed);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);

        let mut done = Outputs::new(&stop);
        write(&mut done, base.path()).unwrap();
        done.keep();
        assert_eq!(fs::read_to_string(base.path().join("a/b/one.json")).unwrap(), "1\n");
        assert!(base.path().join("two.json").exists());
    }

    #[test]
    fn what_was_there_before_stays() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("a")).unwrap();
        fs::write(base.path().join("a/mine"), "x").unwrap();
        let stop = Stop::default();
        write(&mut Outputs::new(&stop), base.path()).unwrap();
        assert!(base.path().join("a/mine").exists() && !base.path().join("a/b").exists());
    }

    #[test]
    fn nothing_is_written_after_a_stop() {
        let base = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        stop.request("SIGTERM");
        assert!(matches!(write(&mut Outputs::new(&stop), base.path()), Err(Error::Stopped { .. })));
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
