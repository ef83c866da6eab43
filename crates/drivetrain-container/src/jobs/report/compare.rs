//! The comparison of two reports.

use std::{io::Write, path::Path};

use clap::Args;
use drivetrain_report::{Report, compare};

use super::REPORT_DATA_FILE;
use crate::{
    Error,
    environment::{SageMakerEnv, read_json},
    jobs::outputs::Outputs,
    stop::Stop,
};

/// The page.
const COMPARE_FILE: &str = "compare.html";

/// Flags of the comparison: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct CompareArgs {}

/// Reads `report.json` in `processing/input/first` and in `processing/input/second`, and writes `compare.html`.
///
/// # Errors
/// [`Error::Read`] and [`Error::ParseConfig`] for the inputs; as [`run`](super::run) for the rest.
pub fn run(_: &CompareArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    let read = |name: &str| read(&env.paths().processing_input(name).join(REPORT_DATA_FILE));
    let (first, second) = (read("first")?, read("second")?);
    let page = compare(&first, &second)?;
    let directory = env.paths().processing("output");
    let mut outputs = Outputs::new(stop);
    outputs.directory(&directory)?;
    outputs.text(directory.join(COMPARE_FILE), &page)?;
    outputs.commit()?;
    writeln!(stdout, "compared={} {};", first.run, second.run).map_err(Error::Stdout)
}

fn read(path: &Path) -> Result<Report, Error> {
    read_json(path)?.ok_or_else(|| Error::Read { path: path.to_owned(), source: std::io::ErrorKind::NotFound.into() })
}
