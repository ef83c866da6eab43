//! What stands in for a container image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An executable that plays a container image: where it is, what it is always called with, and which variables of this
/// machine it may see.
///
/// A job sees no other variables than these, its own, and those the platform sets.
///
/// ```
/// use drivetrain_runner::Program;
///
/// let shell = Program::new("/bin/sh").with_argument("-c").with_variable("LANG", "C");
/// assert_eq!(shell.arguments(), ["-c"]);
/// assert_eq!(shell.environment()["LANG"], "C");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Program {
    /// A program without fixed arguments and variables. A relative path of several segments is taken from the present
    /// directory; a bare name is looked up in this process's `PATH`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // A job runs in a directory of its own, where a relative path would mean something else.
        let path = if path.components().count() > 1 { std::path::absolute(&path).unwrap_or(path) } else { path };
        Self { path, arguments: Vec::new(), environment: BTreeMap::new() }
    }

    /// The same, always called with one more argument, before those of the job.
    #[must_use]
    pub fn with_argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same, with a variable set.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The same, with those of the named variables that are set in this process.
    #[must_use]
    pub fn inheriting<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            if let Ok(value) = std::env::var(name) {
                self.environment.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// The executable.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The fixed arguments.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The variables it sees in every job.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
}
