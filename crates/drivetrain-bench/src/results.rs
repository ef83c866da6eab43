//! Measurements in files: JSON lines, the first of which says how they came about.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Measurement, Run};

/// What can go wrong with a file of results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of the results is not {expected}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What it should be.
        expected: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// There is no line at all.
    #[error("there is nothing in the results")]
    Empty,
    /// A file does not hold results.
    #[error("cannot use the results in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<ResultsError>,
    },
    /// A measurement cannot be written.
    #[error("cannot encode the results")]
    Encode {
        /// Why.
        source: serde_json::Error,
    },
}

/// All measurements of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// How they came about.
    pub run: Run,
    /// In the order in which they were made.
    pub measurements: Vec<Measurement>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head<R> {
    run: R,
}

impl Results {
    /// The text of a file.
    ///
    /// # Errors
    /// [`ResultsError::Encode`] when JSON cannot hold a value.
    pub fn to_json_lines(&self) -> Result<String, ResultsError> {
        let encode = |source| ResultsError::Encode { source };
        let mut text = serde_json::to_string(&Head { run: &self.run }).map_err(encode)?;
        text.push('\n');
        for measurement in &self.measurements {
            text.push_str(&serde_json::to_string(measurement).map_err(encode)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// What [`Results::to_json_lines`] wrote.
    ///
    /// # Errors
    /// [`ResultsError::Empty`] without a line, [`ResultsError::Line`] for the first line that is not a run or a
    /// measurement.
    pub fn from_json_lines(text: &str) -> Result<Self, ResultsError> {
        let mut lines = text.lines().enumerate();
        let wrong = |line: usize, expected| move |source| ResultsError::Line { line: line + 1, expected, source };
        let (_, head) = lines.next().ok_or(ResultsError::Empty)?;
        let head: Head<Run> = serde_json::from_str(head).map_err(wrong(0, "a run"))?;
        let measurement =
            |(index, line): (usize, &str)| serde_json::from_str(line).map_err(wrong(index, "a measurement"));
        Ok(Self { run: head.run, measurements: lines.map(measurement).collect::<Result<_, _>>()? })
    }

    /// Writes them into a folder, made if need be, as `SUITE.jsonl`; returns the path.
    ///
    /// # Errors
    /// [`ResultsError::Write`] when that fails, or as [`Results::to_json_lines`].
    pub fn write(&self, folder: &Path) -> Result<PathBuf, ResultsError> {
        let path = folder.join(format!("{}.jsonl", self.run.suite));
        let text = self.to_json_lines()?;
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        written.map_err(|source| ResultsError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ResultsError::Read`] when that fails, [`ResultsError::File`] for what [`Results::from_json_lines`] refuses.
    pub fn read(path: &Path) -> Result<Self, ResultsError> {
        let text = fs::read_to_string(path).map_err(|source| ResultsError::Read { path: path.to_owned(), source })?;
        Self::from_json_lines(&text)
            .map_err(|source| ResultsError::File { path: path.to_owned(), source: Box::new(source) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::error::Error;

    use super::*;
    use crate::{Cell, Machine, Reading};

    /// A run with invented numbers, in which ours is the engine `ours`.
    pub(crate) fn results(measurements: Vec<Measurement>) -> Results {
        let machine = Machine {
            cpu: "A processor".into(),
            cores: 2,
            memory_bytes: Some(8_000_000_000),
            system: "linux x86_64".into(),
        };
        let run = Run {
            suite: "sort".into(),
            title: "Sorting".into(),
            about: "Numbers are put in order.".into(),
            notes: vec!["slow cannot do better.".into()],
            check: Some("error".into()),
            ours: "ours".into(),
            command: "cargo xtask bench sort".into(),
            date: "2026-01-02".into(),
            machine,
            versions: [("slow".to_owned(), "1.2.3".to_owned())].into(),
            load_before: Some(0.1),
        };
        Results { run, measurements }
    }

    pub(crate) fn measurement(engine: &str, op: &str, rows: usize, round: usize, seconds: f64) -> Measurement {
        let cell = Cell { name: "all".into(), rows: Some(rows), threads: 1 };
        Measurement { cell, engine: engine.into(), round, reading: Reading::new(op, seconds) }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut full = measurement("ours", "sort", 10, 1, 0.1 + 0.2);
        full.reading.cpu_seconds = Some(0.25);
        full.reading.added_bytes = Some(1 << 40);
        full.reading.check = Some(1e-300);
        let results = results(vec![full, measurement("slow", "sort", 10, 1, 2.0)]);
        let folder = std::env::temp_dir().join(format!("drivetrain-bench-{}", std::process::id()));
        let path = results.write(&folder).unwrap();
        assert_eq!(path.file_name().unwrap(), "sort.jsonl");
        assert_eq!(Results::read(&path).unwrap(), results);
        fs::write(&path, "{}").unwrap();
        let error = Results::read(&path).unwrap_err();
        // One of many files, so which one is said too.
        assert!(error.to_string().ends_with("sort.jsonl"), "{error}");
        assert_eq!(error.source().unwrap().to_string(), "line 1 of the results is not a run");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_wrong_line_is_named() {
        let text = results(vec![measurement("ours", "sort", 10, 1, 1.0)]).to_json_lines().unwrap();
        let message = |text: &str| Results::from_json_lines(text).unwrap_err().to_string();
        assert_eq!(message(""), "there is nothing in the results");
        assert_eq!(message("{}"), "line 1 of the results is not a run");
        assert_eq!(message(&format!("{text}{{}}\n")), "line 3 of the results is not a measurement");
        let error = Results::from_json_lines(&text.replace("\"seconds\":1.0", "\"seconds\":\"1\"")).unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the results is not a measurement");
        assert!(error.source().is_some());
    }
}
