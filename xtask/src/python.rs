//! A virtual environment with pinned packages, made once and kept in the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::layout::workspace_root;
use crate::report;
use crate::tool;

/// A Python interpreter that has the packages of a requirements file.
#[derive(Debug)]
pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// The environment called `name` with the packages that `requirements` pins; made with `base` if it is not there.
    pub(crate) fn environment(base: &str, name: &str, requirements: &Path) -> Result<Self, Error> {
        let folder = workspace_root().join("target").join("python").join(name);
        let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        // What was installed is noted last, so an interrupted installation is begun anew.
        let installed = folder.join("installed.txt");
        let wanted =
            fs::read(requirements).map_err(|source| Error::Read { path: requirements.to_path_buf(), source })?;
        if fs::read(&installed).ok().as_ref() == Some(&wanted) {
            return Ok(Self { interpreter });
        }
        report::say(&format!("installing {} into {}", requirements.display(), folder.display()));
        tool::run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder))?;
        // What is imported is compiled then; most of what comes along never is.
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--requirement"];
        tool::run(Command::new(&interpreter).args(pip).arg(requirements))?;
        fs::write(&installed, wanted).map_err(|source| Error::Write { path: installed, source })?;
        Ok(Self { interpreter })
    }

    /// Where the interpreter is.
    pub(crate) fn interpreter(&self) -> &Path {
        &self.interpreter
    }

    /// A program that came with a package.
    pub(crate) fn installed(&self, program: &str) -> PathBuf {
        self.interpreter.with_file_name(format!("{program}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The interpreter, to be given arguments.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.interpreter)
    }

    /// Runs a script and throws away what it prints, unless it fails.
    pub(crate) fn script(&self, script: &Path, arguments: &[&Path]) -> Result<(), Error> {
        tool::run(self.command().arg(script).args(arguments))
    }
}
