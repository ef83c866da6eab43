//! The comparison of two reports.

use std::io::Write;

use clap::Args;
use drivetrain_report::{Report, compare};

use super::{REPORT_DATA_FILE, inputs::required};
use crate::{Error, environment::SageMakerEnv, jobs::outputs::Outputs, stop::Stop};

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
    let read = |name: &str| required(env.paths().processing_input(name).join(REPORT_DATA_FILE));
    let (first, second): (Report, Report) = (read("first")?, read("second")?);
    let page = compare(&first, &second)?;
    let directory = env.paths().processing("output");
    let mut outputs = Outputs::new(stop);
    outputs.directory(&directory)?;
    outputs.text(directory.join(COMPARE_FILE), &page)?;
    outputs.commit()?;
    writeln!(stdout, "compared={} {};", first.run, second.run).map_err(Error::Stdout)
}
