//! The escape from the closed set of operations: code that the reader of a plan brings along.

use std::{collections::BTreeMap, error::Error, fmt, sync::Arc};

use crate::Column;

/// What an extension may fail with.
pub type ExtensionError = Box<dyn Error + Send + Sync + 'static>;

/// An operation outside of the closed set, ready to run.
///
/// It must compute each row from that row alone, and the same bits on every call: the guarantees of a plan rest on it.
pub trait ExtensionOp: fmt::Debug + Send + Sync {
    /// Computes the output columns for a block of rows; each has as many rows as the inputs.
    ///
    /// # Errors
    /// Whatever the extension cannot do, naming column, row and value.
    fn apply(&self, inputs: &[Column<'_>], n_rows: usize) -> Result<Vec<Column<'static>>, ExtensionError>;
}

/// Revives operations of one kind from their stored state.
pub trait ExtensionKind: fmt::Debug + Send + Sync {
    /// The operation that `state`, written as version `version`, describes.
    ///
    /// # Errors
    /// When the version is not known or the state is not valid.
    fn load(&self, version: u32, state: &[u8]) -> Result<Arc<dyn ExtensionOp>, ExtensionError>;
}

/// The extension kinds that a reader of plans knows: a value that is passed in, never global.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    kinds: BTreeMap<String, Arc<dyn ExtensionKind>>,
}

impl Registry {
    /// A registry that knows no extension.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same registry with `kind` added, replacing one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, kind: impl ExtensionKind + 'static) -> Self {
        self.kinds.insert(name.into(), Arc::new(kind));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&dyn ExtensionKind> {
        self.kinds.get(name).map(AsRef::as_ref)
    }
}
