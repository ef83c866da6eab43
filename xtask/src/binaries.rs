//! Building the job binaries, and finding them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use drivetrain_runner::Program;
use serde_json::Value;

use crate::cli::BuildArgs;
use crate::error::Error;
use crate::layout::workspace_root;

/// The variables of this machine that a job may see: where programs and scratch space are, how much it logs, how many
/// threads it uses, and how it reaches the network for `--data URL`.
const HOST_VARIABLES: [&str; 17] = [
    "PATH",
    "TMPDIR",
    "TEMP",
    "SystemRoot",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "RAYON_NUM_THREADS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// A binary of the package `drivetrain-container`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    /// All jobs.
    Jobs,
    /// Serving alone, which links neither polars nor smartcore.
    Serve,
}

impl Binary {
    fn name(self) -> &'static str {
        match self {
            Self::Jobs => "drivetrain",
            Self::Serve => "drivetrain-serve",
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Jobs => &[],
            Self::Serve => &["--no-default-features", "--features", "serve"],
        }
    }

    /// Builds it, with cargo's messages on the terminal, and returns it ready to stand in for an image.
    pub(crate) fn build(self, args: &BuildArgs) -> Result<Program, Error> {
        let path = built(self.command("build", args), self.name(), &[])?;
        Ok(Program::new(path).inheriting(HOST_VARIABLES))
    }

    /// Builds it without any need of libraries, for an image that holds none. What it depends on is compiled as ever, and
    /// shared with [`Self::build`]: which C library is linked is decided with the program.
    pub(crate) fn build_static(self, args: &BuildArgs) -> Result<PathBuf, Error> {
        let mut compiler = vec!["-C", "target-feature=+crt-static"];
        if cfg!(target_arch = "x86_64") {
            // Functions that are the same once compiled are kept once: a megabyte less. Only the linker that Rust brings
            // along for these machines can.
            compiler.extend(["-C", "link-arg=-Wl,--icf=all"]);
        }
        built(self.command("rustc", args), self.name(), &compiler)
    }

    fn command(self, subcommand: &str, args: &BuildArgs) -> Command {
        let mut command = cargo(subcommand);
        command.args(["--package", "drivetrain-container", "--bin", self.name()]).args(self.features());
        if let Some(profile) = args.profile() {
            command.args(["--profile", profile]);
        }
        if let Some(folder) = &args.target_dir {
            command.arg("--target-dir").arg(std::path::absolute(folder).unwrap_or_else(|_| folder.clone()));
        }
        command
    }
}

/// What cargo tells a program that it runs of the program's package. Build scripts that watch such variables (ring's
/// does) would run again, and all that depends on them be compiled again, each time another package starts cargo.
const OF_THE_CALLER: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// Cargo, in the workspace. It names itself to what it runs; outside of it, the one in the path will do.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace_root()).arg(subcommand);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OF_THE_CALLER.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a build, with cargo's messages on the terminal; returns where the binary is.
pub(crate) fn build(command: Command, binary: &'static str) -> Result<PathBuf, Error> {
    built(command, binary, &[])
}

/// Runs a build whose last compiler is given these arguments too.
fn built(mut command: Command, binary: &'static str, compiler: &[&str]) -> Result<PathBuf, Error> {
    let program = PathBuf::from(command.get_program());
    command.arg("--message-format=json-render-diagnostics").stdin(Stdio::null()).stdout(Stdio::piped());
    if !compiler.is_empty() {
        command.arg("--").args(compiler);
    }
    let mut child = command.spawn().map_err(|source| Error::Start { program: program.clone(), source })?;
    let mut executable = None;
    if let Some(messages) = child.stdout.take() {
        for line in BufReader::new(messages).lines() {
            let line = line.map_err(|source| Error::CargoOutput { binary, source })?;
            executable = executable_in(&line, binary).or(executable);
        }
    }
    let status = child.wait().map_err(|source| Error::Start { program, source })?;
    if !status.success() {
        return Err(Error::Build { binary, status: status.to_string() });
    }
    executable.ok_or(Error::NoExecutable { binary })
}

/// The executable, if the message says that this binary has been built.
fn executable_in(message: &str, binary: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" || message["target"]["name"] != binary {
        return None;
    }
    Some(PathBuf::from(message["executable"].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let artifact = |name: &str, executable: &str| {
            format!(r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"executable":{executable}}}"#)
        };
        let found = |message: &str| executable_in(message, "drivetrain");
        assert_eq!(found(&artifact("drivetrain", "\"/t/drivetrain\"")), Some("/t/drivetrain".into()));
        assert_eq!(found(&artifact("drivetrain", "null")), None);
        assert_eq!(found(&artifact("drivetrain-serve", "\"/t/drivetrain-serve\"")), None);
        assert_eq!(found(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(found("not json"), None);
    }
}
