//! Files into the backend, hashed on the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use object_store::{Attribute, Attributes, MultipartUpload, PutMultipartOptions, PutOptions};

use super::{Direction, Key, Location, Store, StoredObject, backend_path};
use crate::digest::Hasher;
use crate::error::file;
use crate::{RunnerError, Sha256};

/// Parts on their way at the same time.
const PARTS_IN_FLIGHT: usize = 4;
/// The name of the metadata that holds an object's digest.
pub(super) const DIGEST: &str = "drivetrain-sha256";

/// What an object is stored with, so that whoever reads it can tell whether it is what was written.
///
/// A folder keeps no such thing; what lies there came over no network.
fn attributes(store: &Store, sha256: Sha256) -> Attributes {
    let keeps = !matches!(store.location, Location::Folder(_));
    keeps.then(|| (Attribute::Metadata(DIGEST.into()), sha256.to_string())).into_iter().collect()
}

/// An upload of which no reader sees anything until it is completed.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) object: StoredObject,
    backend: Box<dyn MultipartUpload>,
}

impl Upload {
    /// Begins the upload of a file, which is read once before, for its digest.
    pub(super) async fn begin(store: &Store, key: &Key, path: &Path) -> Result<Self, RunnerError> {
        let mut source = File::open(path).map_err(file("read", path))?;
        let (size, sha256) = digest_of(&mut source).map_err(file("read", path))?;
        let options = PutMultipartOptions { attributes: attributes(store, sha256), ..PutMultipartOptions::default() };
        let backend = store.backend.put_multipart_opts(&backend_path(key), options).await;
        let backend = backend.map_err(store.failed("write", key))?;
        Ok(Self { object: StoredObject { key: key.clone(), size, sha256 }, backend })
    }

    /// Sends the file, a few parts at a time.
    pub(super) async fn send(&mut self, store: &Store, path: &Path) -> Result<(), RunnerError> {
        let key = &self.object.key;
        let mut source = File::open(path).map_err(file("read", path))?;
        let (mut hasher, mut sent) = (Hasher::default(), 0);
        let mut in_flight = FuturesUnordered::new();
        loop {
            let part = read_part(&mut source, path, store.part)?;
            let length = part.len();
            hasher.update(&part);
            if length > 0 {
                let arrived = self.backend.put_part(part.into());
                in_flight.push(async move { arrived.await.map(|()| length as u64) });
            }
            while in_flight.len() >= PARTS_IN_FLIGHT || (length < store.part && !in_flight.is_empty()) {
                if let Some(arrived) = in_flight.next().await {
                    sent += arrived.map_err(store.failed("write", key))?;
                    store.report(Direction::Up, key, sent, self.object.size);
                }
            }
            if length < store.part {
                break;
            }
        }
        if hasher.finish() != self.object.sha256 {
            let source = io::Error::new(io::ErrorKind::InvalidData, "it changed while it was read");
            return Err(file("read", path)(source));
        }
        Ok(())
    }

    /// Lets the object appear.
    pub(super) async fn complete(&mut self, store: &Store) -> Result<(), RunnerError> {
        self.backend.complete().await.map(drop).map_err(store.failed("write", &self.object.key))
    }

    /// Gives the upload up. What cannot be cancelled is in nobody's way.
    pub(super) async fn abort(&mut self) {
        let _ = self.backend.abort().await;
    }
}

/// Uploads a file; small ones at once.
pub(super) async fn upload(store: &Store, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
    let mut start = File::open(path).map_err(file("read", path))?;
    let part = read_part(&mut start, path, store.part)?;
    if part.len() < store.part {
        return put(store, key, part).await;
    }
    drop(part);
    let mut upload = Upload::begin(store, key, path).await?;
    if let Err(error) = upload.send(store, path).await {
        upload.abort().await;
        return Err(error);
    }
    upload.complete(store).await?;
    Ok(upload.object)
}

/// Writes some bytes as an object.
pub(super) async fn put(store: &Store, key: &Key, bytes: Vec<u8>) -> Result<StoredObject, RunnerError> {
    let object = StoredObject { key: key.clone(), size: bytes.len() as u64, sha256: Sha256::of(&bytes) };
    let options = PutOptions { attributes: attributes(store, object.sha256), ..PutOptions::default() };
    let put = store.backend.put_opts(&backend_path(key), bytes.into(), options).await;
    put.map_err(store.failed("write", key))?;
    Ok(object)
}

fn digest_of(source: &mut impl Read) -> io::Result<(u64, Sha256)> {
    let (mut hasher, mut size) = (Hasher::default(), 0);
    let mut chunk = vec![0; 64 << 10];
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok((size, hasher.finish())),
            length => {
                hasher.update(&chunk[..length]);
                size += length as u64;
            }
        }
    }
}

fn read_part(source: &mut File, path: &Path, length: usize) -> Result<Vec<u8>, RunnerError> {
    let mut part = Vec::new();
    source.take(length as u64).read_to_end(&mut part).map_err(file("read", path))?;
    Ok(part)
}
