//! Paths as a container sees them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::RunnerError;

/// Where the platform mounts everything.
const ROOT: &str = "/opt/ml";

/// A path below `/opt/ml`, as a request to the platform spells it; a local job finds it below its own directory.
///
/// ```
/// use drivetrain_runner::job::ContainerPath;
///
/// let input = ContainerPath::new("/opt/ml/processing/input/train")?;
/// assert_eq!(input.below("/tmp/job".as_ref()), std::path::Path::new("/tmp/job/processing/input/train"));
/// assert!(ContainerPath::new("/opt/ml/../etc").is_err());
/// # Ok::<(), drivetrain_runner::RunnerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerPath(String);

impl ContainerPath {
    /// Checks and wraps a path.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if it does not lie below `/opt/ml` or holds an empty segment, `.` or `..`.
    pub fn new(path: impl Into<String>) -> Result<Self, RunnerError> {
        let path = path.into();
        let plain = |rest: &str| rest.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
        match path.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('/')) {
            Some(rest) if plain(rest) => Ok(Self(path)),
            _ => Err(RunnerError::Invalid {
                what: "container path",
                value: path,
                rule: format!("it must lie below {ROOT} and hold no empty segment, `.` or `..`"),
            }),
        }
    }

    /// The same place in a job directory whose `/opt/ml` is `base`.
    #[must_use]
    pub fn below(&self, base: &Path) -> PathBuf {
        self.0[ROOT.len()..].split('/').fold(base.to_path_buf(), |path, segment| path.join(segment))
    }

    /// The path as the container sees it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_the_mount_is_a_path() {
        for path in [
            "/opt/ml",
            "/opt/ml/",
            "/opt/mlx/a",
            "opt/ml/a",
            "/etc/passwd",
            "/opt/ml/a/../b",
            "/opt/ml//a",
            "/opt/ml/a/",
        ] {
            assert!(ContainerPath::new(path).is_err(), "{path}");
        }
    }
}
