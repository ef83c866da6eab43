//! The command line of the workspace: see `cargo xtask --help`.

mod bench;
mod binaries;
mod cli;
mod clients;
mod error;
mod experiments;
mod image;
mod layout;
mod parity;
mod progress;
mod python;
mod report;
mod reproduction;
mod session;
mod sources;
mod steps;
mod tool;
mod tracking;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match session::interrupt().and_then(|interrupt| steps::run(&cli.command, &interrupt)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::error(&error);
            ExitCode::FAILURE
        }
    }
}
