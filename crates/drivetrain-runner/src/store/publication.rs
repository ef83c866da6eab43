//! Which objects belong together.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Key, Store, StoredObject, download};
use crate::{RunnerError, Sha256};

/// The most bytes a publication is read with.
const MAX_BYTES: u64 = 16 << 20;

/// The objects that were written together, with their digests: an object of its own, written after all of them.
///
/// No store changes several objects at once. A process that is killed while it puts the objects of a set in their places
/// leaves new ones beside old ones, and the old publication beside both; a reader that compares what it read with the
/// publication notices. Where there is no publication, anything goes.
///
/// ```
/// use drivetrain_runner::store::{Key, Store};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("a"), "1")?;
/// let store = Store::in_memory()?;
/// let (object, list) = (Key::new("set/a")?, Key::new("set/published.json")?);
/// store.put_all(&[(object.clone(), folder.path().join("a"))], &Key::new("staging")?, Some(&list))?;
/// store.publication(&list)?.check(&store, &[store.stat(&object)?])?;
///
/// store.put_bytes(&object, b"2".to_vec())?;
/// assert!(store.publication(&list)?.check(&store, &[store.stat(&object)?]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    key: Key,
    /// Nothing if there is no such object.
    objects: Option<BTreeMap<Key, Entry>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    size: u64,
    sha256: Sha256,
}

/// The JSON of a publication.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: Version,
    objects: BTreeMap<Key, Entry>,
}

/// The format's version, which is 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == 1 { Ok(Self) } else { Err(format!("its version is {version}; this program knows version 1")) }
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        1
    }
}

impl Publication {
    /// The text of the publication of these objects.
    pub(super) fn text(objects: &[StoredObject]) -> Result<Vec<u8>, serde_json::Error> {
        let entry = |object: &StoredObject| (object.key.clone(), Entry { size: object.size, sha256: object.sha256 });
        let document = Document { version: Version, objects: objects.iter().map(entry).collect() };
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Whether objects that were read are those that were published.
    ///
    /// # Errors
    /// [`RunnerError::NotAsPublished`] for the first that is not.
    pub fn check(&self, store: &Store, read: &[StoredObject]) -> Result<(), RunnerError> {
        let Some(objects) = &self.objects else { return Ok(()) };
        for StoredObject { key, size, sha256 } in read {
            if objects.get(key).is_some_and(|entry| *entry != Entry { size: *size, sha256: *sha256 }) {
                return Err(self.differs(store, key, "is not the object of that name in"));
            }
        }
        Ok(())
    }

    /// [`Publication::check`] of all objects of a folder: each that was published below it has been read.
    ///
    /// # Errors
    /// [`RunnerError::NotAsPublished`] for the first that differs or is missing.
    pub fn check_folder(&self, store: &Store, folder: &Key, read: &[StoredObject]) -> Result<(), RunnerError> {
        self.check(store, read)?;
        let published = self.objects.iter().flat_map(BTreeMap::keys);
        let mut missing = published.filter(|key| {
            (*key == folder || key.below(folder).is_some()) && read.iter().all(|object| object.key != **key)
        });
        missing.next().map_or(Ok(()), |key| Err(self.differs(store, key, "is missing, although it is in")))
    }

    fn differs(&self, store: &Store, key: &Key, problem: &'static str) -> RunnerError {
        RunnerError::NotAsPublished { location: store.describe(key), problem, publication: store.describe(&self.key) }
    }
}

impl Store {
    /// The publication of that key; one that agrees with everything if there is none.
    ///
    /// # Errors
    /// [`RunnerError::Publication`] if it is not a publication; otherwise as [`Store::get_bytes`].
    pub fn publication(&self, key: &Key) -> Result<Publication, RunnerError> {
        let objects = match self.get_bytes(key, MAX_BYTES) {
            Ok(text) => {
                let unreadable = |source| RunnerError::Publication { location: self.describe(key), source };
                Some(serde_json::from_slice::<Document>(&text).map_err(unreadable)?.objects)
            }
            Err(RunnerError::ObjectNotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Publication { key: key.clone(), objects })
    }

    /// [`Store::get_bytes`], of an object that is as it was published.
    ///
    /// # Errors
    /// As [`Store::get_bytes`], [`Store::publication`] and [`Publication::check`].
    pub fn get_published_bytes(&self, key: &Key, limit: u64, publication: &Key) -> Result<Vec<u8>, RunnerError> {
        let (object, bytes) = self.run(download::read(self, key, limit))?;
        self.publication(publication)?.check(self, &[object])?;
        Ok(bytes)
    }

    /// [`Store::get_prefix`], of objects that are as they were published.
    ///
    /// # Errors
    /// As [`Store::get_prefix`], [`Store::publication`] and [`Publication::check_folder`].
    pub fn get_published_prefix(
        &self,
        prefix: &Key,
        directory: &Path,
        publication: &Key,
    ) -> Result<Vec<StoredObject>, RunnerError> {
        let objects = self.get_prefix(prefix, directory)?;
        self.publication(publication)?.check_folder(self, prefix, &objects)?;
        Ok(objects)
    }

    /// Reads an object for its length and digest.
    ///
    /// # Errors
    /// As [`Store::get_file`].
    pub fn stat(&self, key: &Key) -> Result<StoredObject, RunnerError> {
        self.run(download::digest(self, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::new(text).unwrap()
    }

    fn object(name: &str, byte: u8) -> StoredObject {
        StoredObject { key: key(name), size: 1, sha256: Sha256::of(&[byte]) }
    }

    fn publication(store: &Store, text: &[u8]) -> Result<Publication, RunnerError> {
        store.put_bytes(&key("s/published.json"), text.to_vec()).unwrap();
        store.publication(&key("s/published.json"))
    }

    #[test]
    fn other_bytes_and_missing_objects_are_noticed_and_strangers_are_not() {
        let store = Store::in_memory().unwrap();
        let text = Publication::text(&[object("s/a/1", 1), object("s/a/2", 2), object("s/b/1", 3)]).unwrap();
        let published = publication(&store, &text).unwrap();
        let folder = |read: &[StoredObject]| published.check_folder(&store, &key("s/a"), read);
        folder(&[object("s/a/1", 1), object("s/a/2", 2)]).unwrap();
        folder(&[object("s/a/1", 1), object("s/a/2", 2), object("s/a/notes", 9)]).unwrap();
        published.check(&store, &[object("s/b/1", 3)]).unwrap();
        for (read, named) in [
            (vec![object("s/a/1", 9), object("s/a/2", 2)], "s/a/1"),
            (vec![object("s/a/1", 1)], "s/a/2"),
            (vec![], "s/a/1"),
        ] {
            let text = folder(&read).unwrap_err().to_string();
            assert!(text.contains(&format!("/{named} is ")) && text.contains("s/published.json"), "{text}");
        }
    }

    #[test]
    fn without_a_publication_anything_goes() {
        let store = Store::in_memory().unwrap();
        let published = store.publication(&key("no/such")).unwrap();
        published.check_folder(&store, &key("s"), &[object("s/a", 1)]).unwrap();
    }

    #[test]
    fn what_is_no_publication_is_refused() {
        let store = Store::in_memory().unwrap();
        for text in [
            "",
            "{}",
            r#"{"version": 1}"#,
            r#"{"version": 2, "objects": {}}"#,
            r#"{"version": 1, "objects": {"../x": {"size": 1, "sha256": "00"}}}"#,
            r#"{"version": 1, "objects": {"x": {"size": 1, "sha256": "00"}}}"#,
        ] {
            let error = publication(&store, text.as_bytes()).unwrap_err();
            assert!(matches!(error, RunnerError::Publication { .. }), "{text}: {error}");
        }
    }
}
