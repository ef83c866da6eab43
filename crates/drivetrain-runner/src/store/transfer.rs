//! Moving bytes between files and the backend, hashing them on the way.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use futures_util::StreamExt;
use object_store::{GetResultPayload, ObjectStoreExt, WriteMultipart};
use tempfile::NamedTempFile;

use super::{Key, Store, StoredObject, backend_path};
use crate::digest::Hasher;
use crate::error::file;
use crate::{RunnerError, Sha256};

/// Parts on their way at the same time.
const PARTS_IN_FLIGHT: usize = 4;

pub(super) async fn upload(store: &Store, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
    let mut source = File::open(path).map_err(file("read", path))?;
    let mut hasher = Hasher::default();
    let mut part = read_part(&mut source, path, store.part)?;
    let mut size = part.len() as u64;
    hasher.update(&part);
    let target = backend_path(key);
    if part.len() < store.part {
        store.backend.put(&target, part.into()).await.map_err(store.failed("write", key))?;
    } else {
        let upload = store.backend.put_multipart(&target).await.map_err(store.failed("write", key))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, store.part);
        while !part.is_empty() {
            upload.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(store.failed("write", key))?;
            upload.write(&part);
            part = match read_part(&mut source, path, store.part) {
                Ok(part) => part,
                Err(error) => {
                    // The failed read is the news; an upload that cannot be cancelled is left to the store.
                    let _ = upload.abort().await;
                    return Err(error);
                }
            };
            size += part.len() as u64;
            hasher.update(&part);
        }
        upload.finish().await.map_err(store.failed("write", key))?;
    }
    Ok(StoredObject { key: key.clone(), size, sha256: hasher.finish() })
}

fn read_part(source: &mut File, path: &Path, length: usize) -> Result<Vec<u8>, RunnerError> {
    let mut part = Vec::new();
    source.take(length as u64).read_to_end(&mut part).map_err(file("read", path))?;
    Ok(part)
}

pub(super) async fn download(store: &Store, key: &Key, path: &Path) -> Result<StoredObject, RunnerError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(file("make", folder))?;
    let mut target = NamedTempFile::new_in(folder).map_err(file("write to", folder))?;
    let (size, sha256) =
        read_through(store, key, |_| Ok(()), |chunk| target.write_all(chunk).map_err(file("write", path))).await?;
    target.persist(path).map_err(|e| file("write", path)(e.error))?;
    Ok(StoredObject { key: key.clone(), size, sha256 })
}

pub(super) async fn read(store: &Store, key: &Key, limit: u64) -> Result<Vec<u8>, RunnerError> {
    let mut bytes = Vec::new();
    let check = |size| {
        if size > limit {
            return Err(RunnerError::TooLarge { what: store.describe(key), limit });
        }
        Ok(())
    };
    read_through(store, key, check, |chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    })
    .await?;
    Ok(bytes)
}

pub(super) async fn digest(store: &Store, key: &Key) -> Result<Sha256, RunnerError> {
    Ok(read_through(store, key, |_| Ok(()), |_| Ok(())).await?.1)
}

/// Hands the announced length to `check`, then every chunk to `sink`; the length must come true.
async fn read_through(
    store: &Store,
    key: &Key,
    check: impl FnOnce(u64) -> Result<(), RunnerError>,
    mut sink: impl FnMut(&[u8]) -> Result<(), RunnerError>,
) -> Result<(u64, Sha256), RunnerError> {
    let object = store.backend.get(&backend_path(key)).await.map_err(store.failed("read", key))?;
    let expected = object.meta.size;
    check(expected)?;
    let mut hasher = Hasher::default();
    let mut received = 0_u64;
    let mut take = |chunk: &[u8]| {
        received += chunk.len() as u64;
        if received > expected {
            return Ok(());
        }
        hasher.update(chunk);
        sink(chunk)
    };
    match object.payload {
        GetResultPayload::File(mut source, path) => {
            let mut chunk = vec![0; 64 * 1024];
            loop {
                let length = source.read(&mut chunk).map_err(file("read", &path))?;
                if length == 0 {
                    break;
                }
                take(&chunk[..length])?;
            }
        }
        GetResultPayload::Stream(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                take(&chunk.map_err(store.failed("read", key))?)?;
            }
        }
    }
    if received != expected {
        return Err(RunnerError::Truncated { location: store.describe(key), expected, received });
    }
    Ok((received, hasher.finish()))
}
