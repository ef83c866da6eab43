//! Which numbers of a log are metrics.

use regex::Regex;

use crate::RunnerError;

/// A metric's name, and the regular expression whose first group captures its number.
#[derive(Debug, Clone)]
pub struct MetricDefinition {
    name: String,
    regex: Regex,
}

impl MetricDefinition {
    /// The most characters of a name.
    pub const MAX_NAME_LENGTH: usize = 255;
    /// The most characters of a regular expression.
    pub const MAX_REGEX_LENGTH: usize = 500;

    /// Checks and compiles a definition.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the name or the expression is empty or too long, or the expression does not compile
    /// or has no capture group.
    pub fn new(name: impl Into<String>, regex: impl AsRef<str>) -> Result<Self, RunnerError> {
        let (name, regex) = (name.into(), regex.as_ref());
        let invalid = |what, value: &str, rule: String| RunnerError::Invalid { what, value: value.to_owned(), rule };
        if name.is_empty() || name.chars().count() > Self::MAX_NAME_LENGTH {
            let rule = format!("it must have 1 to {} characters", Self::MAX_NAME_LENGTH);
            return Err(invalid("metric name", &name, rule));
        }
        if regex.is_empty() || regex.chars().count() > Self::MAX_REGEX_LENGTH {
            let rule = format!("it must have 1 to {} characters", Self::MAX_REGEX_LENGTH);
            return Err(invalid("metric expression", regex, rule));
        }
        let compiled = Regex::new(regex).map_err(|error| invalid("metric expression", regex, error.to_string()))?;
        if compiled.captures_len() < 2 {
            return Err(invalid("metric expression", regex, "it has no group to capture the number".to_owned()));
        }
        Ok(Self { name, regex: compiled })
    }

    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The regular expression.
    #[must_use]
    pub fn regex(&self) -> &str {
        self.regex.as_str()
    }

    /// The finite numbers captured in a line, with where they begin.
    pub(super) fn find<'a>(&'a self, line: &'a str) -> impl Iterator<Item = (usize, f64)> + 'a {
        self.regex.captures_iter(line).filter_map(|captures| {
            let number = captures.get(1)?;
            let value: f64 = number.as_str().trim().parse().ok()?;
            value.is_finite().then_some((number.start(), value))
        })
    }
}

impl PartialEq for MetricDefinition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.regex() == other.regex()
    }
}

impl Eq for MetricDefinition {}

/// At most 40 definitions with distinct names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricDefinitions(Vec<MetricDefinition>);

impl MetricDefinitions {
    /// The most definitions of one job.
    pub const MAX: usize = 40;

    /// Checks the number of definitions and their names.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if there are too many, or two of one name.
    pub fn new(definitions: Vec<MetricDefinition>) -> Result<Self, RunnerError> {
        let invalid =
            |value: String, rule: String| RunnerError::Invalid { what: "list of metric definitions", value, rule };
        if definitions.len() > Self::MAX {
            return Err(invalid(
                format!("{} definitions", definitions.len()),
                format!("at most {} are allowed", Self::MAX),
            ));
        }
        for (index, definition) in definitions.iter().enumerate() {
            if definitions[..index].iter().any(|earlier| earlier.name == definition.name) {
                return Err(invalid(definition.name.clone(), "the name is defined twice".to_owned()));
            }
        }
        Ok(Self(definitions))
    }

    /// The definitions, in the order given.
    #[must_use]
    pub fn as_slice(&self) -> &[MetricDefinition] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_platform() {
        let longest = format!("({})", "a".repeat(498));
        assert!(MetricDefinition::new("m", &longest).is_ok());
        assert!(MetricDefinition::new("m", format!("{longest}a")).is_err());
        assert!(MetricDefinition::new("", "(a)").is_err());
        assert!(MetricDefinition::new("m", "").is_err());
        let many = |n: usize| (0..n).map(|i| MetricDefinition::new(format!("m{i}"), "(a)").unwrap()).collect();
        assert!(MetricDefinitions::new(many(40)).is_ok());
        assert!(MetricDefinitions::new(many(41)).is_err());
    }

    #[test]
    fn an_expression_must_compile_and_capture() {
        assert!(MetricDefinition::new("m", "m=(").is_err());
        let error = MetricDefinition::new("m", "m=.*").unwrap_err();
        assert!(error.to_string().contains("no group"), "{error}");
    }

    #[test]
    fn names_are_distinct() {
        let definition = MetricDefinition::new("m", "(a)").unwrap();
        assert!(MetricDefinitions::new(vec![definition.clone(), definition]).is_err());
    }
}
