//! What the platform refuses before a job starts.

use std::collections::BTreeMap;

use crate::{JobName, RunnerError};

const MAX_ARGUMENTS: usize = 100;
const MAX_ARGUMENT_LENGTH: usize = 256;
const MAX_VARIABLES: usize = 100;
const MAX_HYPER_PARAMETERS: usize = 100;
const MAX_HYPER_PARAMETER_LENGTH: usize = 2_500;
const MAX_CHANNELS: usize = 20;
const MAX_HOSTS: usize = 20;
const MAX_CHANNEL_NAME_LENGTH: usize = 64;

/// At most 100 arguments of at most 256 characters.
pub(super) fn arguments(job: &JobName, arguments: &[String]) -> Result<(), RunnerError> {
    at_most(job, "arguments", arguments.len(), MAX_ARGUMENTS)?;
    arguments.iter().try_for_each(|argument| no_longer(job, "argument", argument, MAX_ARGUMENT_LENGTH))
}

/// At most 100 variables, names and values of at most `longest` characters: 256 for processing, 512 for training.
pub(super) fn environment(
    job: &JobName,
    variables: &BTreeMap<String, String>,
    longest: usize,
) -> Result<(), RunnerError> {
    at_most(job, "environment variables", variables.len(), MAX_VARIABLES)?;
    for (name, value) in variables {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(refuse(job, format!("`{name}` is not the name of an environment variable")));
        }
        no_longer(job, "name of an environment variable", name, longest)?;
        no_longer(job, "value of an environment variable", value, longest)?;
    }
    Ok(())
}

/// At most 100 hyper-parameters, names of at most 256 and values of at most 2,500 characters.
pub(super) fn hyper_parameters(job: &JobName, parameters: &BTreeMap<String, String>) -> Result<(), RunnerError> {
    at_most(job, "hyper-parameters", parameters.len(), MAX_HYPER_PARAMETERS)?;
    parameters.iter().try_for_each(|(name, value)| {
        no_longer(job, "name of a hyper-parameter", name, MAX_ARGUMENT_LENGTH)?;
        no_longer(job, "value of a hyper-parameter", value, MAX_HYPER_PARAMETER_LENGTH)
    })
}

/// At most 20 channels with distinct names of letters, digits, `.`, `-` and `_`.
pub(super) fn channels<'a>(job: &JobName, names: impl Iterator<Item = &'a str>) -> Result<(), RunnerError> {
    let mut seen = Vec::new();
    for name in names {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let dots = matches!(name, "." | "..");
        if name.is_empty() || name.len() > MAX_CHANNEL_NAME_LENGTH || dots || !name.chars().all(allowed) {
            return Err(refuse(job, format!("`{name}` is not the name of a channel")));
        }
        if seen.contains(&name) {
            return Err(refuse(job, format!("there are two channels `{name}`")));
        }
        seen.push(name);
    }
    at_most(job, "channels", seen.len(), MAX_CHANNELS)
}

/// From 1 to 20 hosts.
pub(super) fn hosts(job: &JobName, hosts: usize) -> Result<(), RunnerError> {
    if hosts == 0 {
        return Err(refuse(job, "it has no host".to_owned()));
    }
    at_most(job, "hosts", hosts, MAX_HOSTS)
}

fn at_most(job: &JobName, what: &str, count: usize, limit: usize) -> Result<(), RunnerError> {
    if count > limit {
        return Err(refuse(job, format!("it has {count} {what}, at most {limit} are allowed")));
    }
    Ok(())
}

fn no_longer(job: &JobName, what: &str, text: &str, limit: usize) -> Result<(), RunnerError> {
    let length = text.chars().count();
    if length > limit {
        let start: String = text.chars().take(40).collect();
        return Err(refuse(
            job,
            format!("the {what} `{start}...` has {length} characters, at most {limit} are allowed"),
        ));
    }
    Ok(())
}

fn refuse(job: &JobName, problem: String) -> RunnerError {
    RunnerError::InvalidJob { job: job.to_string(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> JobName {
        JobName::new("job").unwrap()
    }

    fn variables(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_limit_itself_is_allowed_and_one_more_is_not() {
        assert!(arguments(&job(), &vec!["x".repeat(256); 100]).is_ok());
        assert!(arguments(&job(), &vec!["x".to_owned(); 101]).is_err());
        assert!(arguments(&job(), &["x".repeat(257)]).is_err());
        assert!(environment(&job(), &variables("A", &"x".repeat(256)), 256).is_ok());
        assert!(environment(&job(), &variables("A", &"x".repeat(257)), 256).is_err());
        assert!(hosts(&job(), 1).is_ok() && hosts(&job(), 20).is_ok());
        assert!(hosts(&job(), 0).is_err() && hosts(&job(), 21).is_err());
        assert!(hyper_parameters(&job(), &variables("a", &"x".repeat(2_500))).is_ok());
        assert!(hyper_parameters(&job(), &variables("a", &"x".repeat(2_501))).is_err());
    }

    #[test]
    fn names_that_would_mean_something_else_are_refused() {
        for name in ["", "1A", "A=B", "A B"] {
            assert!(environment(&job(), &variables(name, ""), 256).is_err(), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a b"] {
            assert!(channels(&job(), [name].into_iter()).is_err(), "{name}");
        }
        assert!(channels(&job(), ["train", "val"].into_iter()).is_ok());
        assert!(channels(&job(), ["train", "train"].into_iter()).is_err());
    }
}
