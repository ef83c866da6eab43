//! The models that are loaded, and from where others may be.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::http::StatusCode;
use serde::Serialize;

use crate::{
    failure,
    serve::{model::ServedModel, response::Rejection},
};

/// More than the platform's names are long.
const MAX_NAME_BYTES: usize = 256;

/// How much may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The most models.
    pub models: usize,
    /// The most bytes that their files may have together.
    pub bytes: u64,
}

/// Loaded models by name.
#[derive(Debug)]
pub struct Models {
    root: PathBuf,
    capacity: Capacity,
    loaded: RwLock<BTreeMap<String, Loaded>>,
    /// Held while a model is loaded: of two that would not fit together, one must see the other.
    loading: Mutex<()>,
}

#[derive(Debug)]
struct Loaded {
    url: String,
    model: Arc<ServedModel>,
}

/// A loaded model as the platform lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Its name.
    pub model_name: String,
    /// Where it was loaded from.
    pub model_url: String,
}

impl Models {
    /// No models yet. They can be loaded from below the directory `root`, an absolute path, and from nowhere else. The
    /// platform may make the directory when it brings the first model.
    #[must_use]
    pub fn new(root: PathBuf, capacity: Capacity) -> Self {
        Self { root, capacity, loaded: RwLock::default(), loading: Mutex::default() }
    }

    /// Loads the artifact at `url`, a path below the root, under the name `name`. This takes as long as reading a model
    /// takes.
    ///
    /// # Errors
    /// A [`Rejection`] of status 400 when the name is not usable, when `url` leads elsewhere or to no artifact, of 409 when
    /// the name is taken, and of 507 when there is no room.
    pub fn load(&self, name: &str, url: &str) -> Result<(), Rejection> {
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(Rejection::bad_request(format!("a model's name has 1 to {MAX_NAME_BYTES} bytes")));
        }
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, bytes) = {
            let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
            if loaded.contains_key(name) {
                return Err(Rejection::new(StatusCode::CONFLICT, format!("model `{name}` is loaded already")));
            }
            (loaded.len(), loaded.values().map(|loaded| loaded.model.bytes()).sum::<u64>())
        };
        if count >= self.capacity.models {
            return Err(full(format!("{count} models are loaded, as many as may be")));
        }
        let path = self.path(url)?;
        let model = ServedModel::load(&path).map_err(|error| {
            Rejection::bad_request(format!("cannot load model `{name}`: {}", failure::chain(&error).join(": ")))
        })?;
        if bytes.saturating_add(model.bytes()) > self.capacity.bytes {
            let (needed, limit) = (model.bytes(), self.capacity.bytes);
            return Err(full(format!("model `{name}` has {needed} bytes; {bytes} of {limit} bytes are taken")));
        }
        tracing::info!(name, url, "loaded {model}");
        let loaded = Loaded { url: url.to_owned(), model: Arc::new(model) };
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), loaded);
        Ok(())
    }

    /// The loaded model `name`.
    ///
    /// # Errors
    /// A [`Rejection`] of status 404 when there is none.
    pub fn get(&self, name: &str) -> Result<Arc<ServedModel>, Rejection> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.get(name).map(|loaded| loaded.model.clone()).ok_or_else(|| unknown(name))
    }

    /// The loaded model `name`, for a list.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn describe(&self, name: &str) -> Result<Listed, Rejection> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.get(name).map(|loaded| loaded.listed(name)).ok_or_else(|| unknown(name))
    }

    /// All loaded models, by name.
    pub fn list(&self) -> Vec<Listed> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.iter().map(|(name, loaded)| loaded.listed(name)).collect()
    }

    /// Forgets the model `name`; what it has begun to answer it answers.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn unload(&self, name: &str) -> Result<(), Rejection> {
        let removed = self.loaded.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        let removed = removed.ok_or_else(|| unknown(name))?;
        tracing::info!(name, url = removed.url, "unloaded");
        Ok(())
    }

    /// The path that a request names, if it lies below the root; whether there is anything elsewhere is not for requests
    /// to find out.
    fn path(&self, url: &str) -> Result<PathBuf, Rejection> {
        let refused = || {
            let root = self.root.display();
            Rejection::bad_request(format!("`{url}` is not the path of a model below {root}"))
        };
        let path = Path::new(url);
        let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !(plain && path.starts_with(&self.root)) {
            return Err(refused());
        }
        // A link below the root may lead out of it.
        match (fs::canonicalize(&self.root), fs::canonicalize(path)) {
            (Ok(root), Ok(path)) if path.starts_with(&root) && path != root => Ok(path),
            _ => Err(refused()),
        }
    }
}

impl Loaded {
    fn listed(&self, name: &str) -> Listed {
        Listed { model_name: name.to_owned(), model_url: self.url.clone() }
    }
}

fn unknown(name: &str) -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, format!("model `{name}` is not loaded"))
}

fn full(message: String) -> Rejection {
    Rejection::new(StatusCode::INSUFFICIENT_STORAGE, message)
}
