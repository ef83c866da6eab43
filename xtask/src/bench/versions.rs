//! Names and versions of what takes part.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::OURS;
use super::engines::{Engine, Home};
use super::peers::Peers;
use crate::layout::workspace_root;
use crate::sources::{git, rustc};

/// The versions of ours, of the engines' packages, and of the languages.
pub(super) fn of(engines: &[Engine], peers: &Peers) -> BTreeMap<String, String> {
    let mut versions = ours();
    let read = |name: &str| fs::read_to_string(workspace_root().join("benches/peers").join(name)).unwrap_or_default();
    let (lock, requirements) = (read("Cargo.lock"), read("requirements.txt"));
    for engine in engines {
        let version = engine.package.and_then(|package| match engine.home {
            Home::Python => pinned(&requirements, package),
            Home::Rust | Home::Featrs => locked(&lock, package),
        });
        if let (Some(package), Some(version)) = (engine.package, version) {
            versions.insert(package.to_owned(), version);
        }
    }
    if let Some(python) = peers.python_version() {
        versions.insert("Python".to_owned(), python);
        versions.extend(pinned(&requirements, "numpy").map(|version| ("numpy".to_owned(), version)));
    }
    versions
}

/// The versions of ours, of the packages that a `requirements.txt` pins, and of the languages.
pub(super) fn with_packages(requirements: &Path, packages: &[&str]) -> BTreeMap<String, String> {
    let pins = fs::read_to_string(requirements).unwrap_or_default();
    let mut versions = ours();
    versions.extend(packages.iter().filter_map(|name| Some(((*name).to_owned(), pinned(&pins, name)?))));
    versions
}

/// Our version and that of the compiler.
fn ours() -> BTreeMap<String, String> {
    let mut ours = env!("CARGO_PKG_VERSION").to_owned();
    if let Some(commit) = git(&["rev-parse", "--short=10", "HEAD"]) {
        ours.push_str(&format!(" ({commit})"));
    }
    let mut versions = BTreeMap::from([(OURS.to_owned(), ours)]);
    let rustc = rustc();
    if let Some(version) = rustc.as_deref().and_then(|text| text.split(' ').nth(1)) {
        versions.insert("rustc".to_owned(), version.to_owned());
    }
    versions
}

/// The version of a package in a `Cargo.lock`.
fn locked(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let version = lock.lines().skip_while(|line| *line != name).nth(1)?;
    Some(version.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

/// The version of a package in a `requirements.txt`.
fn pinned(requirements: &str, package: &str) -> Option<String> {
    requirements.lines().find_map(|line| Some(line.strip_prefix(package)?.strip_prefix("==")?.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_whole_names() {
        let lock = "[[package]]\nname = \"linfa-x\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"linfa\"\nversion = \"0.8.1\"\n";
        assert_eq!(locked(lock, "linfa").as_deref(), Some("0.8.1"));
        assert_eq!(locked(lock, "lin"), None);
        let requirements = "# pinned\nscikit-learn-intelex==2026.2.0\nscikit-learn==1.9.1\n";
        assert_eq!(pinned(requirements, "scikit-learn").as_deref(), Some("1.9.1"));
        assert_eq!(pinned(requirements, "numpy"), None);
    }
}
