//! Metrics scraped from a job's log by regular expressions, as the platform does.

mod definition;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use definition::{MetricDefinition, MetricDefinitions};

use crate::RunnerError;
use crate::error::file;

/// A number found in a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The name of the definition that found it.
    pub name: String,
    /// The number; always finite.
    pub value: f64,
}

impl MetricDefinitions {
    /// Every number the definitions find, in order of appearance; captures that are not finite numbers are left out.
    ///
    /// ```
    /// use drivetrain_runner::metrics::{MetricDefinition, MetricDefinitions};
    ///
    /// let definitions = MetricDefinitions::new(vec![
    ///     MetricDefinition::new("train:mae", r"train_mae=(.*?);")?,
    ///     MetricDefinition::new("val:mae", r"val_mae=(.*?);")?,
    /// ])?;
    /// let metrics = definitions.scrape("fitting\ntrain_mae=0.76;  val_mae=1.14;\n");
    /// assert_eq!(metrics.len(), 2);
    /// assert_eq!((metrics[1].name.as_str(), metrics[1].value), ("val:mae", 1.14));
    /// # Ok::<(), drivetrain_runner::RunnerError>(())
    /// ```
    #[must_use]
    pub fn scrape(&self, log: &str) -> Vec<Metric> {
        log.lines().flat_map(|line| self.scrape_line(line)).collect()
    }

    /// As [`MetricDefinitions::scrape`], from a file read line by line; bytes that are not UTF-8 match nothing.
    ///
    /// # Errors
    /// [`RunnerError::File`] if the log cannot be read.
    pub fn scrape_file(&self, log: &Path) -> Result<Vec<Metric>, RunnerError> {
        let mut reader = BufReader::new(File::open(log).map_err(file("read", log))?);
        let mut metrics = Vec::new();
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(file("read", log))? > 0 {
            metrics.extend(self.scrape_line(&String::from_utf8_lossy(&line)));
            line.clear();
        }
        Ok(metrics)
    }

    fn scrape_line(&self, line: &str) -> Vec<Metric> {
        let mut found: Vec<_> = self
            .as_slice()
            .iter()
            .flat_map(|definition| definition.find(line).map(|(at, value)| (at, definition.name(), value)))
            .collect();
        // Stable: definitions that find the same number keep their order.
        found.sort_by_key(|(at, ..)| *at);
        found.into_iter().map(|(_, name, value)| Metric { name: name.to_owned(), value }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(pairs: &[(&str, &str)]) -> MetricDefinitions {
        let list = pairs.iter().map(|(name, regex)| MetricDefinition::new(*name, *regex).unwrap()).collect();
        MetricDefinitions::new(list).unwrap()
    }

    #[test]
    fn numbers_come_in_order_of_appearance() {
        let definitions = definitions(&[("val", "val=([^;]+);"), ("train", "train=([^;]+);")]);
        let metrics = definitions.scrape("train=1; val=2;\nnothing\nval=-3.5e-1; train=4;\r\n");
        let found: Vec<_> = metrics.iter().map(|m| (m.name.as_str(), m.value)).collect();
        assert_eq!(found, [("train", 1.0), ("val", 2.0), ("val", -0.35), ("train", 4.0)]);
    }

    #[test]
    fn captures_that_are_no_finite_number_are_left_out() {
        let definitions = definitions(&[("m", "m=([^;]*);")]);
        assert!(definitions.scrape("m=NaN; m=inf; m=; m=abc; m=1.2.3;").is_empty());
    }

    #[test]
    fn a_group_that_took_no_part_is_no_number() {
        let definitions = definitions(&[("m", "a=(1)|b=2")]);
        assert!(definitions.scrape("b=2").is_empty());
        assert_eq!(definitions.scrape("a=1").len(), 1);
    }

    #[test]
    fn a_file_is_read_as_its_text_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, b"\xff\xfe m=7;\nm=8;").unwrap();
        let definitions = definitions(&[("m", "m=([0-9]+);")]);
        let values: Vec<_> = definitions.scrape_file(&path).unwrap().into_iter().map(|m| m.value).collect();
        assert_eq!(values, [7.0, 8.0]);
    }
}
