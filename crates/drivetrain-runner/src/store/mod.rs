//! The object store: where everything a pipeline reads and writes lies between jobs.

mod download;
mod key;
mod lease;
mod location;
mod lock;
mod publication;
mod publish;
#[cfg(feature = "s3")]
mod s3;
mod upload;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

pub use key::Key;
use location::Location;
pub use lock::StoreLock;
pub use publication::Publication;

use crate::{Interrupt, RunnerError, Sha256};

/// An object that was read or written: its key, length and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// The key.
    pub key: Key,
    /// The length in bytes.
    pub size: u64,
    /// The digest of the bytes.
    pub sha256: Sha256,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The key.
    pub key: Key,
    /// The length in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

/// How far the transfer of one object has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// The object.
    pub key: &'a Key,
    /// Into the store, or out of it.
    pub direction: Direction,
    /// The bytes that have arrived.
    pub done: u64,
    /// All of its bytes.
    pub size: u64,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the store.
    Up,
    /// Out of the store.
    Down,
}

/// A blocking object store: a local folder, a bucket of S3 or what speaks its protocol, or memory.
///
/// Every write is atomic: a reader, and whoever comes after a killed writer, sees the old object or the new one. A folder
/// has flushed the file and its name to the disk when a write returns.
/// Its methods block and own a private runtime; do not call them from asynchronous code.
///
/// # Over a network
///
/// Objects are streamed, in parts of 8 MiB of which up to four are in memory. A request that fails for a reason that may
/// pass (no connection, silence for 20 s, statuses 5xx and 429) is sent again for up to two minutes; a download that breaks
/// off goes on where it was. An object is stored with its SHA-256, as the metadata `drivetrain-sha256`, and what arrives
/// with another is fetched again, and then refused: [`RunnerError::Corrupt`]. Objects that others stored have no digest;
/// their length is checked.
///
/// A writer that is killed leaves parts that are no object, which S3 keeps, and charges for, until a lifecycle rule of the
/// bucket (`AbortIncompleteMultipartUpload`) removes them.
///
/// ```
/// use drivetrain_runner::store::{Key, Store};
///
/// let store = Store::in_memory()?;
/// let key = Key::new("auto_mpg/data/bronze/train/train.csv")?;
/// let written = store.put_bytes(&key, b"mpg\n18\n".to_vec())?;
/// assert_eq!(store.digest(&key)?, written.sha256);
/// assert_eq!(store.list(&Key::new("auto_mpg/data")?)?.len(), 1);
/// # Ok::<(), drivetrain_runner::RunnerError>(())
/// ```
#[derive(Debug)]
pub struct Store {
    backend: Arc<dyn ObjectStore>,
    location: Location,
    runtime: Runtime,
    /// Files of this many bytes and more go up in parts of that size.
    part: usize,
    interrupt: Interrupt,
    observer: Observer,
}

/// Who is told how far transfers have come.
struct Observer(Box<dyn Fn(Transfer<'_>) + Send + Sync>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// Object stores ask for parts of at least 5 MiB.
const PART: usize = 8 << 20;
/// How often a transfer looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// How long a transfer may go on after it was told to stop; the log of a stopped job is kept.
const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the folder at a path (making it if need be), `s3://bucket/prefix` with the feature `s3`, or `memory:`.
    ///
    /// A bucket is reached as the usual variables say: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`;
    /// `AWS_REGION` or `AWS_DEFAULT_REGION` (otherwise `us-east-1`); `AWS_ENDPOINT_URL` or `AWS_ENDPOINT` for another
    /// server than Amazon's, with `AWS_ALLOW_HTTP=true` if it does not encrypt. Profiles in files are not read.
    /// `HTTPS_PROXY` and `NO_PROXY` are obeyed, and certificates checked against Mozilla's list. Nothing is sent yet.
    ///
    /// # Errors
    /// [`RunnerError::UnsupportedStore`] for other URLs; [`RunnerError::OpenStore`] if the folder cannot be made or read,
    /// or the variables are not as they should be.
    pub fn open(location: &str) -> Result<Self, RunnerError> {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        Self::open_with(location, std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))))
    }

    /// [`Store::open`] with these variables instead of those of this process.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        location: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, RunnerError> {
        let failed = |source: crate::error::Cause| RunnerError::OpenStore { location: location.to_owned(), source };
        let (backend, location): (Arc<dyn ObjectStore>, _) = match Location::parse(location)? {
            Location::Memory => (Arc::new(InMemory::new()), Location::Memory),
            Location::Folder(path) => {
                std::fs::create_dir_all(&path).map_err(|e| failed(e.into()))?;
                let path = path.canonicalize().map_err(|e| failed(e.into()))?;
                let backend = LocalFileSystem::new_with_prefix(&path).map_err(|e| failed(e.into()))?;
                let backend = backend.with_fsync(true);
                (Arc::new(backend), Location::Folder(path))
            }
            #[cfg(feature = "s3")]
            Location::S3 { bucket, prefix } => {
                let backend = s3::open(&bucket, prefix.as_ref(), variables).map_err(failed)?;
                (backend, Location::S3 { bucket, prefix })
            }
            #[cfg(not(feature = "s3"))]
            Location::S3 { .. } => {
                drop(variables);
                let reason =
                    "this program was built without the feature `s3`; give the path of a local folder".to_owned();
                return Err(RunnerError::UnsupportedStore { location: location.to_owned(), reason });
            }
        };
        Self::on(backend, location).map_err(|e| failed(e.into()))
    }

    fn on(backend: Arc<dyn ObjectStore>, location: Location) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let (interrupt, observer) = (Interrupt::new(), Observer(Box::new(|_| {})));
        Ok(Self { backend, location, runtime, part: PART, interrupt, observer })
    }

    /// The same store, whose transfers end with [`RunnerError::Interrupted`] soon after the request to stop.
    #[must_use]
    pub fn interrupted_by(self, interrupt: &Interrupt) -> Self {
        Self { interrupt: interrupt.clone(), ..self }
    }

    /// The same store; `observer` is told again and again how far transfers have come.
    #[must_use]
    pub fn observed_by(self, observer: impl Fn(Transfer<'_>) + Send + Sync + 'static) -> Self {
        Self { observer: Observer(Box::new(observer)), ..self }
    }

    fn report(&self, direction: Direction, key: &Key, done: u64, size: u64) {
        (self.observer.0)(Transfer { key, direction, done, size });
    }

    /// Waits for the end, or for the request to stop.
    fn run<T>(&self, work: impl Future<Output = Result<T, RunnerError>>) -> Result<T, RunnerError> {
        self.runtime.block_on(async {
            let mut work = pin!(work);
            let mut asked_at = None;
            loop {
                if let Ok(done) = tokio::time::timeout(LOOK, work.as_mut()).await {
                    return done;
                }
                if self.interrupt.is_requested() && asked_at.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                    return Err(RunnerError::Interrupted { job: "a transfer from or to the store".to_owned() });
                }
            }
        })
    }

    /// An empty store in memory.
    ///
    /// # Errors
    /// [`RunnerError::OpenStore`] if the runtime cannot be built.
    pub fn in_memory() -> Result<Self, RunnerError> {
        Self::open("memory:")
    }

    /// Where an object lies, for a person: a path, or a URL.
    #[must_use]
    pub fn describe(&self, key: &Key) -> String {
        self.location.describe(key.as_str())
    }

    /// Where an object lies, as a URL.
    #[must_use]
    pub fn url(&self, key: &Key) -> String {
        self.location.url(key.as_str())
    }

    /// The file of an object, if the store is a local folder; the file need not exist.
    #[must_use]
    pub fn local_path(&self, key: &Key) -> Option<PathBuf> {
        match &self.location {
            Location::Folder(root) => Some(location::join(root, key.as_str())),
            Location::Memory | Location::S3 { .. } => None,
        }
    }

    /// Uploads a file, streaming; replaces an object of the same key at once, when all of it has arrived.
    ///
    /// # Errors
    /// [`RunnerError::File`] if the file cannot be read, [`RunnerError::StoreAccess`] if the store fails.
    pub fn put_file(&self, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
        self.run(upload::upload(self, key, path))
    }

    /// Writes some bytes as an object.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn put_bytes(&self, key: &Key, bytes: Vec<u8>) -> Result<StoredObject, RunnerError> {
        self.run(upload::put(self, key, bytes))
    }

    /// Downloads an object to a file, making its folders; the file appears at once, when all of it has arrived.
    ///
    /// # Errors
    /// [`RunnerError::ObjectNotFound`], [`RunnerError::StoreAccess`], [`RunnerError::Truncated`],
    /// [`RunnerError::Corrupt`], or [`RunnerError::File`] if the file cannot be written.
    pub fn get_file(&self, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
        self.run(download::download(self, key, path))
    }

    /// Downloads the object of that key, or every object below it, into a directory; the platform's prefix rule.
    ///
    /// # Errors
    /// [`RunnerError::NothingUnderPrefix`] if there is neither; otherwise as [`Store::get_file`].
    pub fn get_prefix(&self, prefix: &Key, directory: &Path) -> Result<Vec<StoredObject>, RunnerError> {
        if self.contains(prefix)? {
            return Ok(vec![self.get_file(prefix, &directory.join(prefix.file_name()))?]);
        }
        let objects = self.list(prefix)?;
        if objects.is_empty() {
            return Err(RunnerError::NothingUnderPrefix { location: self.describe(prefix) });
        }
        objects
            .iter()
            .filter_map(|object| Some((&object.key, object.key.below(prefix)?)))
            .map(|(key, rest)| self.get_file(key, &location::join(directory, rest)))
            .collect()
    }

    /// Reads an object of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Store::get_file`], and [`RunnerError::TooLarge`].
    pub fn get_bytes(&self, key: &Key, limit: u64) -> Result<Vec<u8>, RunnerError> {
        Ok(self.run(download::read(self, key, limit))?.1)
    }

    /// The digest of an object, computed from its bytes.
    ///
    /// # Errors
    /// As [`Store::get_file`].
    pub fn digest(&self, key: &Key) -> Result<Sha256, RunnerError> {
        Ok(self.run(download::digest(self, key))?.sha256)
    }

    /// Removes an object; where there is none of that key, nothing.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn remove(&self, key: &Key) -> Result<(), RunnerError> {
        self.run(async {
            match self.backend.delete(&backend_path(key)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.failed("remove", key)(error)),
            }
        })
    }

    /// Whether there is an object of exactly that key.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn contains(&self, key: &Key) -> Result<bool, RunnerError> {
        self.run(async {
            match self.backend.head(&backend_path(key)).await {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(self.failed("look for", key)(error)),
            }
        })
    }

    /// The objects below a folder, at any depth, in order of key; objects whose keys this crate would not write are
    /// left out.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, RunnerError> {
        let found = self.run(async {
            let listing = self.backend.list(Some(&backend_path(prefix))).try_collect::<Vec<_>>();
            listing.await.map_err(self.failed("list", prefix))
        })?;
        let mut objects: Vec<_> = found
            .into_iter()
            .filter_map(|meta| {
                let key = Key::new(meta.location.as_ref()).ok()?;
                Some(ObjectInfo { key, size: meta.size, modified: meta.last_modified.into() })
            })
            .collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    fn failed(&self, action: &'static str, key: &Key) -> impl FnOnce(object_store::Error) -> RunnerError + use<> {
        let location = self.describe(key);
        move |source| match source {
            object_store::Error::NotFound { .. } => RunnerError::ObjectNotFound { location },
            source => RunnerError::StoreAccess { action, location, source: source.into() },
        }
    }
}

/// A key is a valid path of the backend by construction, and means the same there.
fn backend_path(key: &Key) -> object_store::path::Path {
    object_store::path::Path::from(key.as_str())
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
