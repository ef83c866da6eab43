//! One run at a time.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::{Location, Store};
use crate::error::file;
use crate::{Interrupt, RunnerError};

/// The file in a folder store that is locked; it stays there, empty.
const LOCK_FILE: &str = ".lock";
/// How often a waiting run looks whether the store is free.
const PAUSE: Duration = Duration::from_millis(100);

/// A store that is somebody's until this is dropped, or its process ends however it does.
#[derive(Debug)]
pub struct StoreLock {
    _file: Option<File>,
}

impl Store {
    /// Makes the store one's own, waiting until it is free: two runs that write under the same keys would use each other's
    /// data. `waiting` is called once if there is somebody to wait for.
    ///
    /// Only a folder is locked, against others that ask for the lock; other stores have no such thing.
    ///
    /// # Errors
    /// [`RunnerError::File`] if the lock file cannot be made, [`RunnerError::Interrupted`] if the wait is.
    ///
    /// ```
    /// use drivetrain_runner::{Interrupt, store::Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let store = Store::open(&folder.path().display().to_string())?;
    /// let lock = store.lock(&Interrupt::new(), || println!("somebody else is at work"))?;
    /// drop(lock);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock(&self, interrupt: &Interrupt, waiting: impl FnOnce()) -> Result<StoreLock, RunnerError> {
        let Location::Folder(root) = &self.location else { return Ok(StoreLock { _file: None }) };
        let path = root.join(LOCK_FILE);
        let mut waiting = Some(waiting);
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(file("open", &path))?;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(StoreLock { _file: Some(lock) }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(file("lock", &path)(source)),
            }
            if interrupt.is_requested() {
                return Err(RunnerError::Interrupted { job: "the wait for the store".to_owned() });
            }
            if let Some(waiting) = waiting.take() {
                waiting();
            }
            std::thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_second_waits_for_the_first_and_can_be_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().display().to_string();
        let open = || Store::open(&location).unwrap();
        let first = open().lock(&Interrupt::new(), || panic!("nobody is there")).unwrap();

        let interrupted = Interrupt::new();
        interrupted.request();
        let error = open().lock(&interrupted, || panic!("it does not wait")).unwrap_err();
        assert!(matches!(error, RunnerError::Interrupted { .. }), "{error}");

        let (sender, waits) = mpsc::channel();
        let second = {
            let store = open();
            std::thread::spawn(move || store.lock(&Interrupt::new(), || sender.send(()).unwrap()).is_ok())
        };
        waits.recv().unwrap();
        assert!(!second.is_finished());
        drop(first);
        assert!(second.join().unwrap());
    }

    #[test]
    fn a_store_in_memory_is_nobody_elses() {
        let store = Store::in_memory().unwrap();
        let _first = store.lock(&Interrupt::new(), || panic!("nobody is there")).unwrap();
        store.lock(&Interrupt::new(), || panic!("nobody is there")).unwrap();
    }
}
