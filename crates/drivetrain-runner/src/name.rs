//! Names of jobs, as the platform accepts them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RunnerError;

/// The name of a job, an endpoint or a container: `[a-zA-Z0-9](-*[a-zA-Z0-9])*`, at most 63 characters.
///
/// ```
/// use drivetrain_runner::JobName;
///
/// let job: JobName = "auto-mpg-20240131-120000".parse()?;
/// assert_eq!(job.with_suffix("process")?.as_str(), "auto-mpg-20240131-120000-process");
/// assert!("auto_mpg".parse::<JobName>().is_err());
/// # Ok::<(), drivetrain_runner::RunnerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobName(String);

impl JobName {
    /// The most characters a name may have.
    pub const MAX_LENGTH: usize = 63;

    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the name is empty, too long, or holds anything but letters, digits and inner hyphens.
    pub fn new(name: impl Into<String>) -> Result<Self, RunnerError> {
        let name = name.into();
        let problem = if name.is_empty() {
            Some("it is empty".to_owned())
        } else if name.len() > Self::MAX_LENGTH {
            Some(format!("it has {} characters, at most {} are allowed", name.len(), Self::MAX_LENGTH))
        } else if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            Some(format!("it holds {c:?}; only letters, digits and hyphens are allowed"))
        } else if name.starts_with('-') || name.ends_with('-') {
            Some("it must begin and end with a letter or a digit".to_owned())
        } else {
            None
        };
        match problem {
            Some(rule) => Err(RunnerError::Invalid { what: "job name", value: name, rule }),
            None => Ok(Self(name)),
        }
    }

    /// The name with `-suffix` appended.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the result is not a valid name.
    pub fn with_suffix(&self, suffix: &str) -> Result<Self, RunnerError> {
        Self::new(format!("{self}-{suffix}"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for JobName {
    type Err = RunnerError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for JobName {
    type Error = RunnerError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<JobName> for String {
    fn from(name: JobName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_platform_accepts() {
        for name in ["a", "A9", "a-b", "a--b", &"x".repeat(63)] {
            assert_eq!(JobName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn refuses_everything_else() {
        for name in ["", "-a", "a-", "a_b", "a b", "a/b", "ü", "..", &"x".repeat(64)] {
            assert!(JobName::new(name).is_err(), "{name}");
        }
    }

    #[test]
    fn deserialising_validates() {
        assert!(serde_json::from_str::<JobName>("\"a/b\"").is_err());
        assert_eq!(serde_json::from_str::<JobName>("\"a-b\"").unwrap().as_str(), "a-b");
    }
}
