//! Several objects, written as if they were one.

use std::path::PathBuf;

use object_store::ObjectStoreExt;

use super::upload::{self, Upload};
use super::{Key, Publication, Store, StoredObject, backend_path};
use crate::RunnerError;

/// An object that has been put in its place.
struct Published<'a> {
    key: &'a Key,
    before: Before,
}

/// What was there before.
enum Before {
    Nothing,
    Copy(Key),
    /// It cannot be copied; S3 copies nothing larger than 5 GB.
    Unknown,
}

impl Store {
    /// Uploads files, to objects that appear together: all of them or, if anything fails, none, and what was there
    /// before is there still.
    ///
    /// No object store changes several objects at once, so this is how: every byte is sent first, to uploads that no
    /// reader sees, and only when all have arrived is each object put in its place, in the order of `files`, which moves
    /// no bytes. If one cannot be, those before it are put back, from copies below `staging`. Last comes the
    /// [`Publication`], the list of all of them with their digests, if there is a key for it. A process killed during
    /// these last steps leaves the first of the new objects beside the others' old ones, each of them whole, and a
    /// publication that agrees with only some of them: readers that compare notice. Doing the same again mends it.
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
    /// store.put_all(&files, &Key::new("jobs/first/unpublished")?, None)?;
    ///
    /// files.push((Key::new("gold/model.tar.gz")?, folder.path().join("absent")));
    /// std::fs::write(folder.path().join("features.csv"), "3,4")?;
    /// assert!(store.put_all(&files, &Key::new("jobs/second/unpublished")?, None).is_err());
    /// assert_eq!(store.get_bytes(&Key::new("gold/features.csv")?, 10)?, b"1,2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn put_all(
        &self,
        files: &[(Key, PathBuf)],
        staging: &Key,
        publication: Option<&Key>,
    ) -> Result<Vec<StoredObject>, RunnerError> {
        // What a run of this name left when it was killed is nobody's.
        self.clear(staging);
        for (key, _) in files {
            self.sweep(key);
        }
        let mut uploads = Vec::new();
        let sent = self.run(async {
            for (key, path) in files {
                uploads.push(Upload::begin(self, key, path).await?);
                if let Some(upload) = uploads.last_mut() {
                    upload.send(self, path).await?;
                }
            }
            Ok(())
        });
        // From here on nobody interrupts.
        let done = self.runtime.block_on(async {
            let done = match sent {
                Ok(()) => self.publish(&mut uploads, staging, publication).await,
                Err(error) => Err(error),
            };
            if done.is_err() {
                for upload in &mut uploads {
                    upload.abort().await;
                }
            }
            done
        });
        self.clear(staging);
        done?;
        Ok(uploads.into_iter().map(|upload| upload.object).collect())
    }

    /// Puts every object in its place, or none.
    async fn publish(
        &self,
        uploads: &mut [Upload],
        staging: &Key,
        publication: Option<&Key>,
    ) -> Result<(), RunnerError> {
        let objects: Vec<_> = uploads.iter().map(|upload| upload.object.clone()).collect();
        let copies = (0..objects.len()).map(|index| staging.join(&format!("old-{index}")));
        let copies = copies.collect::<Result<Vec<_>, _>>()?;
        let mut published = Vec::new();
        let mut done = Ok(());
        for ((upload, object), copy) in uploads.iter_mut().zip(&objects).zip(copies) {
            let before = match self.backend.copy(&backend_path(&object.key), &backend_path(&copy)).await {
                Ok(()) => Before::Copy(copy),
                Err(object_store::Error::NotFound { .. }) => Before::Nothing,
                Err(_) => Before::Unknown,
            };
            done = upload.complete(self).await;
            if done.is_err() {
                break;
            }
            published.push(Published { key: &object.key, before });
        }
        if let (Ok(()), Some(key)) = (&done, publication) {
            done = match Publication::text(&objects) {
                Ok(text) => upload::put(self, key, text).await.map(drop),
                Err(source) => Err(RunnerError::Publication { location: self.describe(key), source }),
            };
        }
        if done.is_err() {
            self.take_back(published).await;
        }
        done
    }

    /// Puts back what was there before. The failure that led here is the news; one more changes nothing about it.
    async fn take_back(&self, published: Vec<Published<'_>>) {
        for Published { key, before } in published.into_iter().rev() {
            let place = backend_path(key);
            let _ = match before {
                Before::Copy(copy) => self.backend.rename(&backend_path(&copy), &place).await,
                Before::Nothing => self.backend.delete(&place).await,
                Before::Unknown => Ok(()),
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

    /// Removes what writers of an object that were killed left beside it: `name#1` and so on, which is no object.
    fn sweep(&self, key: &Key) {
        let Some(path) = self.local_path(key) else { return };
        let entries = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(key.file_name())?.strip_prefix('#'));
            if number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}
