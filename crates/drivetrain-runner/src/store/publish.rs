//! Several objects, written as if they were one.

use std::path::PathBuf;

use object_store::ObjectStoreExt;

use super::{Key, Store, StoredObject, backend_path, transfer};
use crate::RunnerError;

/// An object that has been put in its place.
struct Published<'a> {
    key: &'a Key,
    /// What was there before, if anything was.
    before: Option<Key>,
}

impl Store {
    /// Uploads files, to objects that appear together: all of them or, if anything fails, none, and what was there
    /// before is there still.
    ///
    /// No object store changes several objects at once, so this is how: every byte is uploaded below `staging` first,
    /// where nobody looks, and only when all have arrived is each object put in its place, in the order of `files`, which
    /// moves no bytes out of the store. If one cannot be, those before it are put back. A process killed during these
    /// last steps leaves the first of the new objects beside the others' old ones; each of them is whole. What tells
    /// readers that the rest is there goes last.
    ///
    /// # Errors
    /// [`RunnerError::File`] if a file cannot be read, [`RunnerError::StoreAccess`] if the store fails,
    /// [`RunnerError::Invalid`] if a key is too long.
    ///
    /// ```
    /// use drivetrain_runner::store::{Key, Store};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("features.csv"), "1,2")?;
    /// let store = Store::in_memory()?;
    /// let mut files = vec![(Key::new("gold/features.csv")?, folder.path().join("features.csv"))];
    /// store.put_all(&files, &Key::new("jobs/first/unpublished")?)?;
    ///
    /// files.push((Key::new("gold/model.tar.gz")?, folder.path().join("absent")));
    /// std::fs::write(folder.path().join("features.csv"), "3,4")?;
    /// assert!(store.put_all(&files, &Key::new("jobs/second/unpublished")?).is_err());
    /// assert_eq!(store.get_bytes(&Key::new("gold/features.csv")?, 10)?, b"1,2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn put_all(&self, files: &[(Key, PathBuf)], staging: &Key) -> Result<Vec<StoredObject>, RunnerError> {
        let mut staged = Vec::new();
        let done = self.runtime.block_on(async {
            for (index, (_, path)) in files.iter().enumerate() {
                let key = staging.join(&format!("new-{index}"))?;
                staged.push(transfer::upload(self, &key, path).await?);
            }
            self.publish(files, &staged, staging).await
        });
        self.clear(staging);
        done?;
        let named = |(object, (key, _)): (StoredObject, &(Key, _))| StoredObject { key: key.clone(), ..object };
        Ok(staged.into_iter().zip(files).map(named).collect())
    }

    /// Puts every staged object in its place, or none.
    async fn publish(
        &self,
        files: &[(Key, PathBuf)],
        staged: &[StoredObject],
        staging: &Key,
    ) -> Result<(), RunnerError> {
        let mut published = Vec::new();
        for (index, ((key, _), object)) in files.iter().zip(staged).enumerate() {
            let before = staging.join(&format!("old-{index}"))?;
            if let Err(error) = self.replace(key, &object.key, &before, &mut published).await {
                self.take_back(published).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn replace<'a>(
        &self,
        key: &'a Key,
        new: &Key,
        before: &Key,
        published: &mut Vec<Published<'a>>,
    ) -> Result<(), RunnerError> {
        let place = backend_path(key);
        let before = match self.backend.copy(&place, &backend_path(before)).await {
            Ok(()) => Some(before.clone()),
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => return Err(self.failed("write", key)(error)),
        };
        self.backend.rename(&backend_path(new), &place).await.map_err(self.failed("write", key))?;
        published.push(Published { key, before });
        Ok(())
    }

    /// Puts back what was there before. The failure that led here is the news; one more changes nothing about it.
    async fn take_back(&self, published: Vec<Published<'_>>) {
        for Published { key, before } in published.into_iter().rev() {
            let place = backend_path(key);
            let _ = match before {
                Some(before) => self.backend.rename(&backend_path(&before), &place).await,
                None => self.backend.delete(&place).await,
            };
        }
    }

    /// Removes what is staged. What cannot be removed is in nobody's way.
    fn clear(&self, staging: &Key) {
        for object in self.list(staging).unwrap_or_default() {
            let _ = self.runtime.block_on(self.backend.delete(&backend_path(&object.key)));
        }
        if let Some(folder) = self.local_path(staging) {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
