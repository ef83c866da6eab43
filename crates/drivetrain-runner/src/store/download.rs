//! Objects out of the backend, hashed on the way, and asked for again where something goes wrong.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use object_store::{Attribute, GetOptions, GetRange, GetResult, GetResultPayload};
use tempfile::NamedTempFile;

use super::upload::DIGEST;
use super::{Direction, Key, Store, StoredObject, backend_path};
use crate::digest::Hasher;
use crate::error::file;
use crate::{RunnerError, Sha256};

/// How often a download may fail before more than a part has arrived.
const MAX_FAILURES: u32 = 5;
/// How often an object may arrive with the wrong bytes.
const MAX_CORRUPT: u32 = 3;
/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn download(store: &Store, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(file("make", folder))?;
    let mut target = NamedTempFile::new_in(folder).map_err(file("write to", folder))?;
    let object = fetch(store, key, u64::MAX, &mut IntoFile { file: target.as_file_mut(), path }).await?;
    target.persist(path).map_err(|e| file("write", path)(e.error))?;
    Ok(object)
}

pub(super) async fn read(store: &Store, key: &Key, limit: u64) -> Result<(StoredObject, Vec<u8>), RunnerError> {
    let mut bytes = Vec::new();
    let object = fetch(store, key, limit, &mut bytes).await?;
    Ok((object, bytes))
}

pub(super) async fn digest(store: &Store, key: &Key) -> Result<StoredObject, RunnerError> {
    fetch(store, key, u64::MAX, &mut Nowhere).await
}

/// Where an object's bytes go.
trait Sink {
    fn take(&mut self, chunk: &[u8]) -> Result<(), RunnerError>;
    /// Forgets what it has.
    fn restart(&mut self) -> Result<(), RunnerError>;
}

struct IntoFile<'a> {
    file: &'a mut File,
    path: &'a Path,
}

impl Sink for IntoFile<'_> {
    fn take(&mut self, chunk: &[u8]) -> Result<(), RunnerError> {
        self.file.write_all(chunk).map_err(file("write", self.path))
    }

    fn restart(&mut self) -> Result<(), RunnerError> {
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(file("write", self.path))
    }
}

impl Sink for Vec<u8> {
    fn take(&mut self, chunk: &[u8]) -> Result<(), RunnerError> {
        self.extend_from_slice(chunk);
        Ok(())
    }

    fn restart(&mut self) -> Result<(), RunnerError> {
        self.clear();
        Ok(())
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn take(&mut self, _: &[u8]) -> Result<(), RunnerError> {
        Ok(())
    }

    fn restart(&mut self) -> Result<(), RunnerError> {
        Ok(())
    }
}

/// A download as far as it has come.
struct Download<'a> {
    store: &'a Store,
    key: &'a Key,
    limit: u64,
    received: u64,
    hasher: Hasher,
    /// The version of the object that the bytes so far are of.
    e_tag: Option<String>,
}

/// Brings an object to the sink: what breaks off goes on where it was, what is not what was stored begins again. The
/// length must come true and, where the object was stored with one, the digest.
async fn fetch(store: &Store, key: &Key, limit: u64, sink: &mut impl Sink) -> Result<StoredObject, RunnerError> {
    let mut download = Download { store, key, limit, received: 0, hasher: Hasher::default(), e_tag: None };
    let (mut failures, mut corrupt, mut progress) = (0, 0, 0);
    loop {
        let error = match download.attempt(sink).await? {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        if let RunnerError::Corrupt { .. } = error {
            corrupt += 1;
        } else if download.received > progress + store.part as u64 {
            (failures, progress) = (1, download.received);
        } else {
            failures += 1;
        }
        if failures > MAX_FAILURES || corrupt == MAX_CORRUPT {
            return Err(error);
        }
        if download.e_tag.is_none() || !matches!(error, RunnerError::StoreAccess { .. } | RunnerError::Truncated { .. })
        {
            download.restart(sink)?;
            progress = 0;
        }
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(failures + corrupt)).await;
    }
}

impl Download<'_> {
    fn restart(&mut self, sink: &mut impl Sink) -> Result<(), RunnerError> {
        (self.received, self.hasher, self.e_tag) = (0, Hasher::default(), None);
        sink.restart()
    }

    /// Asks for the rest of the object. The outer error is final, the inner one may pass.
    async fn attempt(&mut self, sink: &mut impl Sink) -> Result<Result<StoredObject, RunnerError>, RunnerError> {
        let is_first = self.received == 0;
        let options = GetOptions {
            range: (!is_first).then_some(GetRange::Offset(self.received)),
            if_match: if is_first { None } else { self.e_tag.clone() },
            ..GetOptions::default()
        };
        let failed = |source| self.store.failed("read", self.key)(source);
        let object = match self.store.backend.get_opts(&backend_path(self.key), options).await {
            Ok(object) => object,
            // The backend has asked more than once by itself.
            Err(error) if is_first => return Err(failed(error)),
            Err(error @ object_store::Error::Precondition { .. }) => {
                // Another object has taken its place in the meantime.
                self.restart(sink)?;
                return Ok(Err(failed(error)));
            }
            Err(error) => return Ok(Err(failed(error))),
        };
        let size = object.meta.size;
        if size > self.limit {
            return Err(RunnerError::TooLarge { what: self.store.describe(self.key), limit: self.limit });
        }
        self.e_tag.clone_from(&object.meta.e_tag);
        let stored_with = object.attributes.get(&Attribute::Metadata(DIGEST.into())).map(|digest| digest.parse());
        let stored_with: Option<Sha256> = stored_with.transpose()?;
        if let Err(error) = self.body(object, sink).await? {
            return Ok(Err(error));
        }
        let location = || self.store.describe(self.key);
        if self.received != size {
            let error = RunnerError::Truncated { location: location(), expected: size, received: self.received };
            if self.received > size {
                self.restart(sink)?;
            }
            return Ok(Err(error));
        }
        let found = self.hasher.clone().finish();
        match stored_with {
            Some(expected) if expected != found => {
                Ok(Err(RunnerError::Corrupt { location: location(), expected, found }))
            }
            _ => Ok(Ok(StoredObject { key: self.key.clone(), size, sha256: found })),
        }
    }

    /// Takes what comes, but no more than was announced.
    async fn body(&mut self, object: GetResult, sink: &mut impl Sink) -> Result<Result<(), RunnerError>, RunnerError> {
        let size = object.meta.size;
        match object.payload {
            GetResultPayload::File(mut source, path) => {
                source.seek(SeekFrom::Start(object.range.start)).map_err(file("read", &path))?;
                let mut chunk = vec![0; 64 * 1024];
                loop {
                    let length = source.read(&mut chunk).map_err(file("read", &path))?;
                    if length == 0 {
                        return Ok(Ok(()));
                    }
                    self.take(&chunk[..length], size, sink)?;
                }
            }
            GetResultPayload::Stream(mut chunks) => {
                while let Some(chunk) = chunks.next().await {
                    match chunk {
                        Ok(chunk) => self.take(&chunk, size, sink)?,
                        // All of it has come: what breaks afterwards breaks nothing, and there is no rest to ask for.
                        Err(_) if self.received == size => return Ok(Ok(())),
                        Err(error) => return Ok(Err(self.store.failed("read", self.key)(error))),
                    }
                }
                Ok(Ok(()))
            }
        }
    }

    fn take(&mut self, chunk: &[u8], size: u64, sink: &mut impl Sink) -> Result<(), RunnerError> {
        self.received += chunk.len() as u64;
        if self.received > size {
            return Ok(());
        }
        self.hasher.update(chunk);
        sink.take(chunk)?;
        self.store.report(Direction::Down, self.key, self.received, size);
        Ok(())
    }
}
