//! The values of flags, refused here with a reason before anything starts. Numbers stay as typed: a job reads them itself.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use drivetrain_runner::{JobName, RunnerError, Timestamp};

/// What everything random starts from, unless told otherwise.
pub(crate) const DEFAULT_SEED: u64 = 42;

/// Where the data comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataSource {
    Bundled,
    Url(String),
    File(PathBuf),
}

impl FromStr for DataSource {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "bundled" => Self::Bundled,
            url if url.contains("://") => Self::Url(url.to_owned()),
            path => Self::File(PathBuf::from(path)),
        })
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::Url(url) => f.write_str(url),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// A job name short enough that the names of the run's jobs are valid too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunName(JobName);

impl RunName {
    /// The longest suffix a job of a run gets, with its hyphen.
    const LONGEST_SUFFIX: usize = "-evaluate".len();
    const MAX_LENGTH: usize = JobName::MAX_LENGTH - Self::LONGEST_SUFFIX;

    /// The name of a run that begins now: to the millisecond, as two may begin within a second.
    pub(crate) fn by_clock(now: SystemTime) -> Result<Self, RunnerError> {
        // A clock set before 1970 counts as 1970.
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = Timestamp::from_unix_seconds(since_1970.as_secs()).compact();
        Ok(Self(JobName::new(format!("auto-mpg-{second}-{:03}", since_1970.subsec_millis()))?))
    }

    /// As the name of the run's training job.
    pub(crate) fn job(&self) -> &JobName {
        &self.0
    }
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = JobName::new(text).map_err(|error| match error {
            RunnerError::Invalid { rule, .. } => rule,
            other => other.to_string(),
        })?;
        if text.len() > Self::MAX_LENGTH {
            return Err(format!("it has {} characters, at most {} are allowed", text.len(), Self::MAX_LENGTH));
        }
        Ok(Self(name))
    }
}

/// A fraction between 0 and 1, both excluded.
pub(crate) fn train_fraction(text: &str) -> Result<String, String> {
    match text.parse::<f64>() {
        Ok(fraction) if fraction > 0.0 && fraction < 1.0 => Ok(text.to_owned()),
        _ => Err("it must be a number between 0 and 1, such as 0.8".to_owned()),
    }
}

/// A whole number of at least 1.
pub(crate) fn positive(text: &str) -> Result<String, String> {
    match text.parse::<usize>() {
        Ok(1..) => Ok(text.to_owned()),
        _ => Err("it must be a whole number of at least 1".to_owned()),
    }
}

/// A number of hosts that a training job may have.
pub(crate) fn hosts(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(hosts @ 1..=20) => Ok(hosts),
        _ => Err("it must be a whole number from 1 to 20".to_owned()),
    }
}

/// A number of trees that the training job takes: found out here, before anything is replaced.
pub(crate) fn n_estimators(text: &str) -> Result<String, String> {
    match text.parse::<usize>() {
        Ok(1..=1_000_000) => Ok(text.to_owned()),
        _ => Err("it must be a whole number from 1 to 1000000".to_owned()),
    }
}

/// `none`, or a whole number of at least 1.
pub(crate) fn max_depth(text: &str) -> Result<String, String> {
    match text {
        "none" => Ok(text.to_owned()),
        number => positive(number).map_err(|_| "it must be `none` or a whole number of at least 1".to_owned()),
    }
}

/// `all`, `sqrt`, `log2`, a whole number of at least 1, or a fraction between 0 and 1.
pub(crate) fn max_features(text: &str) -> Result<String, String> {
    match text {
        "all" | "sqrt" | "log2" => Ok(text.to_owned()),
        number => positive(number).or_else(|_| train_fraction(number)).map_err(|_| {
            "it must be `all`, `sqrt`, `log2`, a whole number of at least 1, or a fraction between 0 and 1".to_owned()
        }),
    }
}
