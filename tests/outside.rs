//! A transformer that a program outside of the workspace wrote into an artifact works in a program that does not have it.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A package of its own, below the target folder.
struct Package {
    name: &'static str,
    folder: PathBuf,
}

impl Package {
    /// Writes the package and builds it as a stranger would, but with the versions that the workspace has.
    fn build(name: &'static str, source: &str, dependencies: &[&str]) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside").join(name);
        let mut manifest = format!("[package]\nname = {name:?}\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n");
        for dependency in dependencies {
            let path = workspace.join("crates").join(dependency).display().to_string();
            manifest += &format!("{dependency} = {{ path = {path:?} }}\n");
        }
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.join("src/main.rs"), source).unwrap();
        // Cargo strikes out of it what the package does not depend on.
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let package = Self { name, folder };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = Command::new(cargo)
            .current_dir(&package.folder)
            .args(["build", "--quiet", "--offline", "--target-dir"])
            .arg(package.target())
            .output()
            .unwrap();
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        package
    }

    /// What both packages depend on is built once.
    fn target(&self) -> PathBuf {
        self.folder.with_file_name("target")
    }

    /// What the program prints, given this argument.
    fn run(&self, argument: &Path) -> String {
        let program = self.target().join("debug").join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX));
        let output = Command::new(program).arg(argument).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_strangers_transformer_loads_where_its_code_is_not() {
    let write = ["drivetrain-artifact", "drivetrain-plan", "drivetrain-transform"];
    let writer = Package::build("writer", include_str!("outside/writer.rs"), &write);
    let read = ["drivetrain-artifact", "drivetrain-plan"];
    let reader = Package::build("reader", include_str!("outside/reader.rs"), &read);

    let linked = fs::read_to_string(reader.folder.join("Cargo.lock")).unwrap();
    assert!(linked.contains("name = \"drivetrain-artifact\""), "not the lock file of the reader:\n{linked}");
    assert!(!linked.contains("drivetrain-transform"), "the reader links what fits transformers");

    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("model.tar.gz");
    let written = writer.run(&artifact);
    assert!(written.starts_with(r#"["log_share_weight", "log_share_doors"] Some([0.0, "#), "{written}");
    assert_eq!(reader.run(&artifact), written);
}
