//! Keys of objects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RunnerError;

/// The key of an object, or of a folder of objects: segments joined by `/`.
///
/// Segments hold ASCII letters, digits and `-`, `_`, `.`, `=`, and none is `.` or `..`: such a key means the same in a
/// folder, in a URL and in a bucket, and cannot leave the store.
///
/// ```
/// use drivetrain_runner::store::Key;
///
/// let model = Key::new("auto_mpg/models/ml")?.join("run-1/output/model.tar.gz")?;
/// assert_eq!(model.as_str(), "auto_mpg/models/ml/run-1/output/model.tar.gz");
/// assert_eq!(model.file_name(), "model.tar.gz");
/// assert!(Key::new("../secret").is_err());
/// # Ok::<(), drivetrain_runner::RunnerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Key {
    /// The most bytes a key may have.
    pub const MAX_LENGTH: usize = 1024;

    /// Checks and wraps a key.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the key is too long, or a segment is empty, `.`, `..` or holds other characters.
    pub fn new(key: impl Into<String>) -> Result<Self, RunnerError> {
        let key = key.into();
        let problem = if key.len() > Self::MAX_LENGTH {
            Some(format!("it has more than {} bytes", Self::MAX_LENGTH))
        } else {
            key.split('/').find_map(segment_problem)
        };
        match problem {
            Some(rule) => Err(RunnerError::Invalid { what: "object key", value: key, rule }),
            None => Ok(Self(key)),
        }
    }

    /// The key `self/rest`.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] as [`Key::new`].
    pub fn join(&self, rest: &str) -> Result<Self, RunnerError> {
        Self::new(format!("{self}/{rest}"))
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The segments below `folder`, if the key lies below it.
    #[must_use]
    pub fn below(&self, folder: &Key) -> Option<&str> {
        self.0.strip_prefix(&folder.0)?.strip_prefix('/')
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn segment_problem(segment: &str) -> Option<String> {
    if segment.is_empty() {
        return Some("a segment is empty".to_owned());
    }
    if segment == "." || segment == ".." {
        return Some(format!("`{segment}` is not allowed as a segment"));
    }
    let stranger = segment.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_.=".contains(*c))?;
    Some(format!("it holds {stranger:?}; letters, digits, `-`, `_`, `.` and `=` are allowed"))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = RunnerError;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::new(key)
    }
}

impl TryFrom<String> for Key {
    type Error = RunnerError;

    fn try_from(key: String) -> Result<Self, Self::Error> {
        Self::new(key)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_leave_the_store_or_change_its_meaning() {
        for key in ["", "/", "/a", "a/", "a//b", "a/../b", ".", "a b", "a#1", "a%2e", "a\\b", "a\nb", &"x".repeat(1025)]
        {
            assert!(Key::new(key).is_err(), "{key}");
        }
    }

    #[test]
    fn below_compares_whole_segments() {
        let folder = Key::new("a/b").unwrap();
        assert_eq!(Key::new("a/b/c/d").unwrap().below(&folder), Some("c/d"));
        assert_eq!(Key::new("a/bc").unwrap().below(&folder), None);
        assert_eq!(folder.below(&folder), None);
    }
}
