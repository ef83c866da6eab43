//! `cargo xtask` in a store of its own.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// The beginnings of variables that a command is not to see: those by which a bucket is found, and those of the tests'
/// package, for which build scripts that watch them (ring's) would run again.
const HIDDEN: [&str; 3] = ["AWS_", "CARGO_PKG_", "CARGO_MANIFEST_"];

/// A store that goes away with the test: a folder, or a bucket.
#[derive(Debug)]
pub(crate) struct Workplace {
    folder: tempfile::TempDir,
    bucket: Option<(String, Vec<(&'static str, String)>)>,
}

/// A command, and what it started, that can be killed together.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// SIGKILL, to cargo and to what it runs.
    pub(crate) fn kill(&mut self) {
        let group = format!("-{}", self.0.id());
        // There may be nobody left.
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), bucket: None }
    }

    /// One whose store is a bucket, reached as the variables say.
    pub(crate) fn in_bucket(location: &str, variables: Vec<(&'static str, String)>) -> Self {
        Self { bucket: Some((location.to_owned(), variables)), ..Self::new() }
    }

    /// A store with a run called `first` of a small forest.
    pub(crate) fn with_first_run() -> Self {
        let place = Self::new();
        place.succeed(&["pipeline", "--run-name", "first", "--n-estimators", "5"]);
        place
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The place of an object of the project.
    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.store().join("auto_mpg").join(key)
    }

    /// A file beside the store.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes something else over an object, as somebody would who means it: what it was published with is no more.
    pub(crate) fn overwrite(&self, key: &str, content: impl AsRef<[u8]>) {
        fs::write(self.object(key), content).unwrap();
        let folders = Path::new(key).ancestors().skip(1);
        for list in folders.map(|folder| self.object(&folder.display().to_string()).join("published.json")) {
            let _ = fs::remove_file(list);
        }
    }

    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        match &self.bucket {
            None => command(arguments, self.store()),
            Some((location, variables)) => {
                let mut command = command(arguments, location);
                command.envs(variables.iter().map(|(name, value)| (name, value)));
                command
            }
        }
    }

    /// Starts a command to be killed.
    pub(crate) fn spawn<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Running {
        let mut command = self.command(arguments);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A], variables: &[(&str, &str)]) -> Output {
        self.command(arguments).envs(variables.iter().copied()).output().unwrap()
    }

    /// Runs a command that succeeds; what it prints.
    pub(crate) fn succeed<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let output = self.run(arguments, &[]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that fails and changes no result; what it says.
    pub(crate) fn fail<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let before = self.results();
        let output = self.run(arguments, &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}: {errors}", output.status);
        assert!(!errors.contains("panicked"), "{errors}");
        let after = self.results();
        assert!(after.keys().eq(before.keys()), "{:?} became {:?}: {errors}", before.keys(), after.keys());
        assert!(after == before, "a failed command changed an object: {errors}");
        errors
    }

    /// Every object that is a result, by its key below the project: data but for raw files, models, predictions.
    pub(crate) fn results(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        for part in ["data/bronze", "data/gold", "models", "predictions"] {
            collect(&self.object(part), part, &mut found);
        }
        found
    }
}

/// A command with any store.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: &[A], store: impl AsRef<OsStr>) -> Command {
    let mut command = xtask();
    command.args(arguments).arg("--store").arg(store);
    command
}

/// The command line, without anything after it.
pub(crate) fn xtask() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["run", "--quiet", "--package", "xtask", "--"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| HIDDEN.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
    command
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let key = format!("{prefix}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            collect(&path, &key, found);
        } else {
            found.insert(key, fs::read(&path).unwrap());
        }
    }
}
