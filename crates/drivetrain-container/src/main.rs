//! The jobs as one program; see `drivetrain --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    drivetrain_container::cli::run(std::env::args_os(), std::env::vars_os())
}
