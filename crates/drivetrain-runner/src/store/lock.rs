//! One run at a time.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::lease::{Asked, Lease, Timing, Watch};
use super::{Key, Location, Store, backend_path};
use crate::error::file;
use crate::{Interrupt, RunnerError};

/// The file in a folder store that is locked, which stays there, empty; in a bucket, the object that is the lease.
const LOCK_FILE: &str = ".lock";
/// How often a waiting run looks whether the store is free.
const PAUSE: Duration = Duration::from_millis(100);

/// A store that is somebody's until this is dropped, or its process ends however it does.
#[derive(Debug)]
pub struct StoreLock {
    _held: Held,
}

/// Held for what happens when it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "never read")]
enum Held {
    File(File),
    Lease(Lease),
    Nothing,
}

impl Store {
    /// Makes the store one's own, waiting until it is free: two runs that write under the same keys would use each other's
    /// data. `waiting` is called once if there is somebody to wait for.
    ///
    /// A folder is locked by a file, and free again at once when the process ends. A bucket is locked by an object that its
    /// holder renews every five seconds, by conditional writes, which S3 has and a server that speaks its protocol may
    /// not have: then this fails. If the holder was killed, the store is free half a minute after somebody began to wait.
    /// A holder that is cut off for longer than that loses the store; it is then told to stop, by `interrupt`.
    /// Memory is not locked: it is nobody else's.
    ///
    /// # Errors
    /// [`RunnerError::File`] if the lock file cannot be made, [`RunnerError::StoreAccess`] if the store fails,
    /// [`RunnerError::Interrupted`] if the wait is.
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
        let held = match &self.location {
            Location::Folder(root) => {
                let path = root.join(LOCK_FILE);
                let open = File::options().create(true).truncate(false).write(true).open(&path);
                let lock = open.map_err(file("open", &path))?;
                wait(interrupt, waiting, PAUSE, || match lock.try_lock() {
                    Ok(()) => Ok(Some(())),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(source)) => Err(file("lock", &path)(source)),
                })?;
                Held::File(lock)
            }
            Location::S3 { .. } => Held::Lease(self.lease(Timing::default(), interrupt, waiting)?),
            Location::Memory => Held::Nothing,
        };
        Ok(StoreLock { _held: held })
    }

    fn lease(&self, timing: Timing, interrupt: &Interrupt, waiting: impl FnOnce()) -> Result<Lease, RunnerError> {
        let key = Key::new(LOCK_FILE)?;
        let place = backend_path(&key);
        let mut watch = Watch::default();
        let granted = wait(interrupt, waiting, timing.look, || {
            let asked = watch.ask(&self.backend, &place, timing);
            match self.runtime.block_on(asked).map_err(self.failed("lock", &key))? {
                Asked::Granted(granted) => Ok(Some(granted)),
                Asked::Taken => Ok(None),
            }
        })?;
        granted.keep(timing, interrupt.clone()).map_err(|source| RunnerError::StoreAccess {
            action: "lock",
            location: self.describe(&key),
            source: source.into(),
        })
    }
}

/// Tries until there is something; `waiting` is called once if that is not at once.
fn wait<T>(
    interrupt: &Interrupt,
    waiting: impl FnOnce(),
    pause: Duration,
    mut attempt: impl FnMut() -> Result<Option<T>, RunnerError>,
) -> Result<T, RunnerError> {
    let mut waiting = Some(waiting);
    loop {
        if let Some(found) = attempt()? {
            return Ok(found);
        }
        if interrupt.is_requested() {
            return Err(RunnerError::Interrupted { job: "the wait for the store".to_owned() });
        }
        if let Some(waiting) = waiting.take() {
            waiting();
        }
        std::thread::sleep(pause);
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
