//! The object store: where everything a pipeline reads and writes lies between jobs.

mod key;
mod location;
mod publish;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

pub use key::Key;
use location::Location;

use crate::{RunnerError, Sha256};

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

/// A blocking object store: a local folder, or memory.
///
/// Every write is atomic: a reader, and whoever comes after a killed writer, sees the old object or the new one. A folder
/// has flushed the file and its name to the disk when a write returns.
/// Its methods block and own a private runtime; do not call them from asynchronous code.
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
}

/// Object stores ask for parts of at least 5 MiB.
const PART: usize = 8 << 20;

impl Store {
    /// Opens the folder at a path (making it if need be), or `memory:`.
    ///
    /// # Errors
    /// [`RunnerError::UnsupportedStore`] for other URLs, `s3://` among them; [`RunnerError::OpenStore`] if the folder
    /// cannot be made or read.
    pub fn open(location: &str) -> Result<Self, RunnerError> {
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
        };
        let runtime = Builder::new_current_thread().build().map_err(|e| failed(e.into()))?;
        Ok(Self { backend, location, runtime, part: PART })
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
            Location::Memory => None,
        }
    }

    /// Uploads a file, streaming; replaces an object of the same key at once, when all of it has arrived.
    ///
    /// # Errors
    /// [`RunnerError::File`] if the file cannot be read, [`RunnerError::StoreAccess`] if the store fails.
    pub fn put_file(&self, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
        self.runtime.block_on(transfer::upload(self, key, path))
    }

    /// Writes some bytes as an object.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn put_bytes(&self, key: &Key, bytes: Vec<u8>) -> Result<StoredObject, RunnerError> {
        let object = StoredObject { key: key.clone(), size: bytes.len() as u64, sha256: Sha256::of(&bytes) };
        self.runtime.block_on(self.backend.put(&backend_path(key), bytes.into())).map_err(self.failed("write", key))?;
        Ok(object)
    }

    /// Downloads an object to a file, making its folders; the file appears at once, when all of it has arrived.
    ///
    /// # Errors
    /// [`RunnerError::ObjectNotFound`], [`RunnerError::StoreAccess`], [`RunnerError::Truncated`], or
    /// [`RunnerError::File`] if the file cannot be written.
    pub fn get_file(&self, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
        self.runtime.block_on(transfer::download(self, key, path))
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
        self.runtime.block_on(transfer::read(self, key, limit))
    }

    /// The digest of an object, computed from its bytes.
    ///
    /// # Errors
    /// As [`Store::get_file`].
    pub fn digest(&self, key: &Key) -> Result<Sha256, RunnerError> {
        self.runtime.block_on(transfer::digest(self, key))
    }

    /// Whether there is an object of exactly that key.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn contains(&self, key: &Key) -> Result<bool, RunnerError> {
        match self.runtime.block_on(self.backend.head(&backend_path(key))) {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed("look for", key)(error)),
        }
    }

    /// The objects below a folder, at any depth, in order of key; objects whose keys this crate would not write are
    /// left out.
    ///
    /// # Errors
    /// [`RunnerError::StoreAccess`] if the store fails.
    pub fn list(&self, prefix: &Key) -> Result<Vec<ObjectInfo>, RunnerError> {
        let listing = self.backend.list(Some(&backend_path(prefix))).try_collect::<Vec<_>>();
        let found = self.runtime.block_on(listing).map_err(self.failed("list", prefix))?;
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
mod tests;
