//! Running other people's programs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::Error;

/// Runs a program and throws away what it prints, unless it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    output(command).map(drop)
}

/// What a program prints on stdout, without the spaces around it.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let program = PathBuf::from(command.get_program());
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|source| Error::Start { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let problem = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Tool { command: shown, status: output.status.to_string(), problem })
}
