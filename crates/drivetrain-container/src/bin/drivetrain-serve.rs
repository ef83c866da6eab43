//! The serve job alone, for images that hold nothing else; see `drivetrain-serve --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    drivetrain_container::cli::run_serve(std::env::args_os(), std::env::vars_os())
}
