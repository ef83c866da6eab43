//! The files that a job writes: all of them, or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::MutexGuard,
};

use crate::{Error, stop::Stop};

/// Files are written beside their places until the job [commits](Self::commit) them; without that they are removed, and
/// what was in their places stays.
///
/// For as long as this lives the process is not ended by a stop.
#[derive(Debug)]
pub(super) struct Outputs<'s> {
    /// What to heed; nothing for outputs that are wanted all the same.
    stop: Option<&'s Stop>,
    files: Vec<Staged>,
    directories: Vec<PathBuf>,
    _busy: MutexGuard<'s, ()>,
}

/// A file that waits beside its place.
#[derive(Debug)]
struct Staged {
    file: PathBuf,
    place: PathBuf,
}

/// A place that has been taken, and where its old file went, if there was one.
struct Taken<'a> {
    place: &'a Path,
    before: Option<PathBuf>,
}

impl<'s> Outputs<'s> {
    pub(super) fn new(stop: &'s Stop) -> Self {
        let mut outputs = Self::to_the_end(stop);
        outputs.stop = Some(stop);
        outputs
    }

    /// Outputs that are written also once a stop has been asked for: what a job has come to by then.
    pub(super) fn to_the_end(stop: &'s Stop) -> Self {
        Self { stop: None, files: Vec::new(), directories: Vec::new(), _busy: stop.busy() }
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

    /// Writes what is to be `place` with `write`, unless a stop has been asked for. The directory is there already.
    pub(super) fn file<T, E>(&mut self, place: PathBuf, write: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, Error>
    where
        Error: From<E>,
    {
        self.stop.map_or(Ok(()), Stop::check)?;
        if place.is_dir() {
            return Err(Error::Place { path: place, source: io::ErrorKind::IsADirectory.into() });
        }
        let file = sibling(&place, "new");
        // Before it is written: what a failure leaves is removed too.
        self.files.push(Staged { file: file.clone(), place });
        Ok(write(&file)?)
    }

    /// Writes a value as indented JSON.
    pub(super) fn json(&mut self, place: PathBuf, value: &impl serde::Serialize) -> Result<(), Error> {
        self.file(place, |path| {
            drivetrain_artifact::atomic::write(path, |file| {
                serde_json::to_writer_pretty(&mut *file, value)?;
                file.write_all(b"\n")
            })
        })
    }

    /// Writes a text.
    #[cfg(feature = "report")]
    pub(super) fn text(&mut self, place: PathBuf, text: &str) -> Result<(), Error> {
        self.file(place, |path| drivetrain_artifact::atomic::write(path, |file| file.write_all(text.as_bytes())))
    }

    /// Puts every file in its place; if one cannot be, those before it are taken back.
    pub(super) fn commit(mut self) -> Result<(), Error> {
        self.stop.map_or(Ok(()), Stop::check)?;
        let mut taken = Vec::new();
        for Staged { file, place } in &self.files {
            if let Err(source) = take(file, place, &mut taken) {
                take_back(taken);
                return Err(Error::Place { path: place.clone(), source });
            }
        }
        for old in taken.into_iter().filter_map(|taken| taken.before) {
            // A left-over is in nobody's way, and the next job of this kind replaces it.
            let _ = fs::remove_file(old);
        }
        self.files.clear();
        self.directories.clear();
        Ok(())
    }
}

/// The same for every run, so that what a killed job left is replaced by the next.
fn sibling(place: &Path, what: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".drivetrain-{what}-{name}.tmp"))
}

fn take<'a>(file: &Path, place: &'a Path, taken: &mut Vec<Taken<'a>>) -> io::Result<()> {
    let before = sibling(place, "old");
    let before = match fs::rename(place, &before) {
        Ok(()) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    taken.push(Taken { place, before });
    fs::rename(file, place)
}

/// The failure that led here is the news; one more changes nothing about it.
fn take_back(taken: Vec<Taken<'_>>) {
    for Taken { place, before } in taken.into_iter().rev() {
        let _ = match before {
            Some(before) => fs::rename(before, place),
            None => fs::remove_file(place),
        };
    }
}

impl Drop for Outputs<'_> {
    fn drop(&mut self) {
        // The error that brought us here is the one to report.
        for staged in self.files.drain(..) {
            let _ = fs::remove_file(staged.file);
        }
        for directory in self.directories.drain(..).rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(outputs: &mut Outputs<'_>, base: &Path, value: i32) -> Result<(), Error> {
        outputs.directory(&base.join("a/b"))?;
        outputs.json(base.join("a/b/one.json"), &value)?;
        outputs.json(base.join("two.json"), &value)
    }

    fn read(base: &Path) -> [String; 2] {
        ["a/b/one.json", "two.json"].map(|file| fs::read_to_string(base.join(file)).unwrap())
    }

    /// Every file and directory below `base`.
    fn tree(base: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(base).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(tree(&path));
            }
            found.push(path);
        }
        found.sort();
        found
    }

    #[test]
    fn a_job_that_fails_leaves_nothing_and_one_that_is_done_leaves_all() {
        let base = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        let mut failed = Outputs::new(&stop);
        write(&mut failed, base.path(), 1).unwrap();
        drop(failed);
        assert!(tree(base.path()).is_empty());

        let mut done = Outputs::new(&stop);
        write(&mut done, base.path(), 1).unwrap();
        done.commit().unwrap();
        assert_eq!(read(base.path()), ["1\n", "1\n"]);
        assert_eq!(tree(base.path()).len(), 4);
    }

    #[test]
    fn what_an_earlier_job_wrote_stays_until_all_of_it_is_replaced() {
        let base = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        let mut first = Outputs::new(&stop);
        write(&mut first, base.path(), 1).unwrap();
        first.commit().unwrap();
        let before = tree(base.path());

        write(&mut Outputs::new(&stop), base.path(), 2).unwrap();
        assert_eq!((read(base.path()), tree(base.path())), (["1\n".into(), "1\n".into()], before.clone()));

        // The last of the new files is gone when it is to be put in its place.
        let mut second = Outputs::new(&stop);
        write(&mut second, base.path(), 2).unwrap();
        fs::remove_file(sibling(&base.path().join("two.json"), "new")).unwrap();
        assert!(matches!(second.commit(), Err(Error::Place { path, .. }) if path.ends_with("two.json")));
        assert_eq!((read(base.path()), tree(base.path())), (["1\n".into(), "1\n".into()], before.clone()));

        let mut third = Outputs::new(&stop);
        write(&mut third, base.path(), 3).unwrap();
        third.commit().unwrap();
        assert_eq!((read(base.path()), tree(base.path())), (["3\n".into(), "3\n".into()], before));
    }

    #[test]
    fn a_directory_in_the_way_is_found_before_anything_is_replaced() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("two.json")).unwrap();
        let stop = Stop::default();
        let outcome = write(&mut Outputs::new(&stop), base.path(), 1);
        assert!(matches!(outcome, Err(Error::Place { path, .. }) if path.ends_with("two.json")));
        assert_eq!(tree(base.path()), [base.path().join("two.json")]);
    }

    #[test]
    fn nothing_is_written_after_a_stop() {
        let base = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        let mut outputs = Outputs::new(&stop);
        write(&mut outputs, base.path(), 1).unwrap();
        stop.request("SIGTERM");
        assert!(matches!(outputs.commit(), Err(Error::Stopped { .. })));
        assert!(matches!(write(&mut Outputs::new(&stop), base.path(), 1), Err(Error::Stopped { .. })));
        assert!(tree(base.path()).is_empty());
    }
}
