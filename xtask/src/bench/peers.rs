//! The programs that do the work, each task in a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use drivetrain_bench::{Reading, Task};

use super::engines::{Engine, Home};
use crate::binaries;
use crate::cli::PythonArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;

const PACKAGE: &str = "benches/peers";
const BINARY: &str = "drivetrain-peers";

/// The built programs.
#[derive(Debug)]
pub(super) struct Peers {
    rust: std::path::PathBuf,
    python: Option<Python>,
}

impl Peers {
    /// Builds what the engines need, optimised, in a folder of its own, and installs the Python packages if need be.
    pub(super) fn build(engines: &[Engine], python: &PythonArgs) -> Result<Self, Error> {
        let root = workspace_root();
        let mut command = binaries::cargo("build");
        command
            .args(["--release", "--locked", "--manifest-path"])
            .arg(root.join(PACKAGE).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(root.join("target").join("peers"));
        if engines.iter().any(|engine| engine.home == Home::Featrs) {
            command.args(["--features", "featrs"]);
        }
        let rust = binaries::build(command, BINARY)?;
        let wanted = engines.iter().any(|engine| engine.home == Home::Python);
        let requirements = root.join(PACKAGE).join("requirements.txt");
        let environment = || Python::environment(&python.python, "peers", &requirements);
        Ok(Self { rust, python: wanted.then(environment).transpose()? })
    }

    /// What `python --version` says, without the word before it.
    pub(super) fn python_version(&self) -> Option<String> {
        let output = self.python.as_ref()?.command().arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().strip_prefix("Python ")?.to_owned())
    }

    /// Has the input of a task written, unless it is there.
    pub(super) fn write_data(&self, task: &Task) -> Result<(), Error> {
        let task = Task { engine: "data".to_owned(), ..task.clone() };
        readings(Command::new(&self.rust), &task).map(drop)
    }

    /// Does a task: what was measured.
    pub(super) fn run(&self, engine: &Engine, task: &Task) -> Result<Vec<Reading>, Error> {
        match (engine.home, &self.python) {
            (Home::Python, Some(python)) => {
                let mut command = python.command();
                command.arg(workspace_root().join(PACKAGE).join("python").join("peers.py"));
                readings(command, task)
            }
            _ => readings(Command::new(&self.rust), task),
        }
    }
}

/// Libraries that count the processors for themselves are told how many threads they may start.
const THREAD_VARIABLES: [&str; 5] =
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"];

fn readings(mut command: Command, task: &Task) -> Result<Vec<Reading>, Error> {
    let program = Path::new(command.get_program()).to_path_buf();
    let failed =
        |problem: String| Error::Peer { engine: task.engine.clone(), work: task.workload.to_string(), problem };
    command.arg(serde_json::to_string(task).map_err(|error| failed(error.to_string()))?);
    command.envs(THREAD_VARIABLES.map(|name| (name, task.threads.to_string())));
    // Compiled Python files would lie among the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.stdin(Stdio::null()).output().map_err(|source| Error::Start { program, source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        let said = text(&output.stderr);
        let last = said.lines().last().unwrap_or("it says nothing").to_owned();
        return Err(failed(format!("{}: {last}", output.status)));
    }
    let parse = |line: &str| {
        serde_json::from_str(line).map_err(|error| failed(format!("it said `{line}`, which is no reading: {error}")))
    };
    text(&output.stdout).lines().map(parse).collect()
}
