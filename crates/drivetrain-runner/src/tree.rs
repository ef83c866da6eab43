//! The regular files below a directory, in order of name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::RunnerError;
use crate::error::file;
use crate::store::Key;

/// A directory's content: the same order on every file system.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The regular files, sorted by name.
    pub(crate) files: Vec<TreeFile>,
    /// Links and special files, sorted.
    pub(crate) skipped: Vec<PathBuf>,
}

/// A regular file.
#[derive(Debug)]
pub(crate) struct TreeFile {
    /// The path below the directory, with `/` between segments.
    pub(crate) name: String,
    /// The path.
    pub(crate) path: PathBuf,
}

impl Tree {
    /// Walks the directory without following links.
    pub(crate) fn read(directory: &Path) -> Result<Self, RunnerError> {
        let mut tree = Self::default();
        tree.walk(directory, "")?;
        tree.files.sort_by(|a, b| a.name.cmp(&b.name));
        tree.skipped.sort();
        Ok(tree)
    }

    /// The regular files, each with the key that it gets under `prefix`.
    pub(crate) fn keyed(&self, prefix: &Key) -> Result<Vec<(Key, PathBuf)>, RunnerError> {
        self.files.iter().map(|file| Ok((prefix.join(&file.name)?, file.path.clone()))).collect()
    }

    fn walk(&mut self, directory: &Path, prefix: &str) -> Result<(), RunnerError> {
        for entry in fs::read_dir(directory).map_err(file("list", directory))? {
            let entry = entry.map_err(file("list", directory))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(file("look at", &path))?;
            let Ok(segment) = entry.file_name().into_string() else {
                return Err(RunnerError::Invalid {
                    what: "file name",
                    value: path.display().to_string(),
                    rule: "it must be UTF-8".to_owned(),
                });
            };
            let name = format!("{prefix}{segment}");
            if kind.is_dir() {
                self.walk(&path, &format!("{name}/"))?;
            } else if kind.is_file() {
                self.files.push(TreeFile { name, path });
            } else {
                self.skipped.push(path);
            }
        }
        Ok(())
    }
}
