//! A store that fails: what cannot be survived is reported, and nothing wrong is believed.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as Place;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use proptest::prelude::*;

use super::*;

/// What happens to one download.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The body breaks off with an error after so many bytes.
    Broken(usize),
    /// The body just ends after so many bytes.
    Truncated(usize),
    /// A bit of the byte at that place, modulo the length, is another.
    Flipped(usize),
    /// There is more than was announced.
    Longer,
    /// Another object is put in its place while it is read.
    Replaced(usize),
}

/// Memory, of which downloads, and writes that are counted down to, fail.
#[derive(Debug, Default)]
struct Faulty {
    inner: InMemory,
    downloads: Mutex<VecDeque<Fault>>,
    /// The writes that still succeed; nothing means all.
    writes: Mutex<Option<usize>>,
    /// Whether writes are done whatever their condition.
    ignores_conditions: AtomicBool,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

fn broken() -> Error {
    Error::Generic { store: "Faulty", source: "the connection broke".into() }
}

impl Faulty {
    fn write(&self) -> Result<()> {
        match &mut *self.writes.lock().unwrap() {
            Some(0) => Err(broken()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn flipped(mut bytes: Vec<u8>, place: usize) -> Vec<u8> {
    let length = bytes.len();
    if length > 0 {
        bytes[place % length] ^= 1;
    }
    bytes
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    store: Arc<Faulty>,
}

#[async_trait::async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> object_store::UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.store.write()?;
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

/// The store, shared with its uploads.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Faulty>);

impl std::fmt::Display for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait::async_trait]
impl ObjectStore for Shared {
    async fn put_opts(&self, location: &Place, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.0.write()?;
        let ignores = self.0.ignores_conditions.load(Ordering::Relaxed);
        let mode = if ignores { PutMode::Overwrite } else { options.mode };
        self.0.inner.put_opts(location, payload, PutOptions { mode, ..options }).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Place,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.0.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(FaultyUpload { inner, store: Arc::clone(&self.0) }))
    }

    async fn get_opts(&self, location: &Place, options: GetOptions) -> Result<GetResult> {
        let fault = if options.head { None } else { self.0.downloads.lock().unwrap().pop_front() };
        let found = self.0.inner.get_opts(location, options).await?;
        let Some(fault) = fault else { return Ok(found) };
        let (meta, range, attributes, extensions) =
            (found.meta.clone(), found.range.clone(), found.attributes.clone(), found.extensions.clone());
        let whole = found.bytes().await?.to_vec();
        let pieces = |bytes: &[u8]| bytes.chunks(7).map(|piece| Ok(piece.to_vec().into())).collect::<Vec<_>>();
        let cut = |length: usize| &whole[..length % (whole.len() + 1)];
        let pieces = match fault {
            Fault::Broken(length) => pieces(cut(length)).into_iter().chain([Err(broken())]).collect(),
            Fault::Truncated(length) => pieces(cut(length)),
            Fault::Flipped(place) => pieces(&flipped(whole.clone(), place)),
            Fault::Longer => pieces(&[&whole[..], b"more"].concat()),
            Fault::Replaced(length) => {
                let again = self.0.inner.get(location).await?;
                let attributes = again.attributes.clone();
                let options = PutOptions { attributes, ..PutOptions::default() };
                self.0.inner.put_opts(location, again.bytes().await?.into(), options).await?;
                pieces(cut(length)).into_iter().chain([Err(broken())]).collect()
            }
        };
        let payload = GetResultPayload::Stream(stream::iter(pieces).boxed());
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Place>>) -> BoxStream<'static, Result<Place>> {
        let store = self.clone();
        let counted = locations.and_then(move |place| std::future::ready(store.0.write().map(|()| place)));
        self.0.inner.delete_stream(counted.boxed())
    }

    fn list(&self, prefix: Option<&Place>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Place>) -> Result<ListResult> {
        self.0.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Place, to: &Place, options: CopyOptions) -> Result<()> {
        self.0.inner.copy_opts(from, to, options).await
    }
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// A store with parts of 64 bytes, and the faults in it.
fn faulty() -> (Store, Shared) {
    let shared = Shared::default();
    let mut store = Store::on(Arc::new(shared.clone()), Location::Memory).unwrap();
    store.part = 64;
    (store, shared)
}

fn content(size: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(size).collect()
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        any::<usize>().prop_map(Fault::Broken),
        any::<usize>().prop_map(Fault::Truncated),
        any::<usize>().prop_map(Fault::Flipped),
        Just(Fault::Longer),
        any::<usize>().prop_map(Fault::Replaced),
    ]
}

proptest! {
    // Each pauses between its attempts.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_download_is_right_or_an_error_that_names_the_object(
        size in 0_usize..600,
        faults in proptest::collection::vec(any_fault(), 0..7),
    ) {
        let (store, shared) = faulty();
        let name = key("a/model.tar.gz");
        store.put_bytes(&name, content(size)).unwrap();
        let few = faults.len() <= 2;
        shared.0.downloads.lock().unwrap().extend(faults);
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        match store.get_file(&name, &path) {
            Ok(object) => {
                prop_assert_eq!(std::fs::read(&path).unwrap(), content(size));
                prop_assert_eq!(object.sha256, Sha256::of(&content(size)));
            }
            Err(error) => {
                prop_assert!(!few, "two faults are survived: {}", error);
                prop_assert!(error.to_string().contains("a/model.tar.gz"), "{}", error);
                prop_assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
            }
        }
    }
}

#[test]
fn wrong_bytes_are_refused_however_often_they_come() {
    let (store, shared) = faulty();
    store.put_bytes(&key("a"), content(100)).unwrap();
    shared.0.downloads.lock().unwrap().extend((0..3).map(Fault::Flipped));
    let error = store.get_bytes(&key("a"), 100).unwrap_err();
    assert!(matches!(error, RunnerError::Corrupt { expected, .. } if expected == Sha256::of(&content(100))), "{error}");
    assert_eq!(store.get_bytes(&key("a"), 100).unwrap(), content(100));
}

#[test]
fn a_large_object_goes_on_where_it_broke_off_again_and_again() {
    let (store, shared) = faulty();
    store.put_bytes(&key("a"), content(64 * 20)).unwrap();
    // More failures than are allowed at one place.
    shared.0.downloads.lock().unwrap().extend((0..12).map(|_| Fault::Broken(70)));
    assert_eq!(store.get_bytes(&key("a"), 1 << 20).unwrap(), content(64 * 20));
}

#[test]
fn a_publication_that_fails_at_any_write_is_taken_back_or_noticed_and_can_be_done_again() {
    let scratch = tempfile::tempdir().unwrap();
    let (list, staging) = (key("set/published.json"), key("staging"));
    let names = ["set/a", "set/b", "set/c"].map(key);
    let files = |version: &str| {
        names.clone().map(|name| {
            let path = scratch.path().join(name.file_name());
            std::fs::write(&path, format!("{version} {name}")).unwrap();
            (name, path)
        })
    };
    // Three objects and the list: the fifth write is one that never comes.
    for writes in 0..=4 {
        let (store, shared) = faulty();
        store.put_all(&files("old"), &staging, Some(&list)).unwrap();
        *shared.0.writes.lock().unwrap() = Some(writes);
        let done = store.put_all(&files("new"), &staging, Some(&list));
        assert_eq!(done.is_ok(), writes == 4);
        *shared.0.writes.lock().unwrap() = None;
        let read: Vec<_> = names.iter().map(|name| store.stat(name).unwrap()).collect();
        let is_one_set = ["old", "new"].iter().any(|version| {
            read.iter()
                .zip(files(version))
                .all(|(object, (_, path))| object.sha256 == Sha256::of(&std::fs::read(path).unwrap()))
        });
        let checked = store.publication(&list).unwrap().check_folder(&store, &key("set"), &read);
        assert!(checked.is_err() || is_one_set, "after {writes} writes");
        store.put_all(&files("new"), &staging, Some(&list)).unwrap();
        let read: Vec<_> = names.iter().map(|name| store.stat(name).unwrap()).collect();
        store.publication(&list).unwrap().check_folder(&store, &key("set"), &read).unwrap();
    }
}

#[test]
fn a_bucket_whose_server_ignores_conditions_cannot_be_locked() {
    let shared = Shared::default();
    let open = || {
        let location = Location::S3 { bucket: "bucket".to_owned(), prefix: None };
        Store::on(Arc::new(shared.clone()), location).unwrap()
    };
    let lock = |store: &Store| store.lock(&Interrupt::new(), || panic!("nobody is there"));
    let store = open();
    drop(lock(&store).unwrap());
    shared.0.ignores_conditions.store(true, Ordering::Relaxed);
    let error = lock(&store).unwrap_err();
    assert!(matches!(error, RunnerError::StoreAccess { action: "lock", .. }), "{error}");
    assert!(!store.contains(&key(".lock")).unwrap());
}
