//! The report job: the rows and the models of a run in, one web page out.
//!
//! Everything the page says of the model is computed here, from the files of the run alone: how good it is on the
//! validation rows, beside models that were fitted on the same rows; where it is wrong; what it goes by; how wide its
//! intervals must be. `report.json` beside the page holds the same as data.

mod compare;
mod contents;
mod findings;
mod inputs;

use std::io::Write;

use clap::Args;
use drivetrain_report::Report;

pub use compare::{CompareArgs, run as run_compare};

use super::outputs::Outputs;
use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// The page.
pub const REPORT_FILE: &str = "report.html";
/// What the page shows, as data.
pub const REPORT_DATA_FILE: &str = "report.json";

/// Flags of the report job.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ReportArgs {
    /// A command that does the run again; may be given more than once
    #[arg(long = "command", value_name = "COMMAND")]
    pub commands: Vec<String>,

    /// The seed of shuffles and resamples
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    pub seed: u64,

    /// Draw the page of a report that there is, `processing/input/report/report.json`, and look into nothing
    #[arg(long)]
    pub redraw: bool,
}

/// Reads what a run wrote, looks into its model, and writes `report.html` and `report.json`: both, or none.
///
/// Inputs, each in a directory of its own below `processing/input`: `train`, `val`, `test` and `cars` (CSV files of the
/// acquisition), `preprocessor` and `regressor` (artifacts, and `summary.json` beside the former), `record` (`run.json`),
/// and, where there is one, `previous` (`report.json` of another run). With `redraw` only `report`, a `report.json`: what
/// was found then is shown, though the rows or the models may be gone.
///
/// # Errors
/// As reading its inputs; [`Error::Inspect`] when the model cannot be looked into; [`Error::Report`] when the page
/// cannot be drawn; [`Error::Stopped`] when told to stop.
pub fn run(args: &ReportArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    if args.redraw {
        let path = env.paths().processing_input("report").join(REPORT_DATA_FILE);
        return write(&inputs::required(path)?, env, stop);
    }
    let inputs = inputs::Inputs::read(env.paths())?;
    let findings = findings::Findings::of(&inputs, args.seed)?;
    stop.check()?;
    let report = contents::report(args, &inputs, &findings)?;
    for score in report.models.iter().take(1).flat_map(|model| &model.scores) {
        writeln!(stdout, "val_{}={};", score.name, score.value).map_err(Error::Stdout)?;
    }
    write(&report, env, stop)
}

fn write(report: &Report, env: &SageMakerEnv, stop: &Stop) -> Result<(), Error> {
    let page = report.to_html()?;
    let directory = env.paths().processing("output");
    let mut outputs = Outputs::new(stop);
    outputs.directory(&directory)?;
    outputs.text(directory.join(REPORT_FILE), &page)?;
    outputs.json(directory.join(REPORT_DATA_FILE), report)?;
    outputs.commit()?;
    tracing::info!(directory = %directory.display(), "{REPORT_FILE} written");
    Ok(())
}

#[cfg(test)]
mod tests;
