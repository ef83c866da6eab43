//! What every suite says of its circumstances.

use std::collections::BTreeMap;

use drivetrain_bench::{Machine, Run};
use drivetrain_runner::Timestamp;

use super::OURS;

/// What a suite is, as the page says it.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) suite: &'static str,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) notes: &'static [&'static str],
    /// What number shows that all solve the same task.
    pub(super) check: Option<&'static str>,
}

impl About {
    /// A run that begins now, on this machine, of these versions.
    pub(super) fn begin(&self, versions: BTreeMap<String, String>) -> Run {
        Run {
            suite: self.suite.to_owned(),
            title: self.title.to_owned(),
            about: self.text.to_owned(),
            notes: self.notes.iter().map(|note| (*note).to_owned()).collect(),
            check: self.check.map(str::to_owned),
            ours: OURS.to_owned(),
            command: command_line(),
            date: today(),
            machine: Machine::this(),
            versions,
            load_before: Machine::load(),
        }
    }
}

/// Today's date in UTC, as in 2026-01-02.
fn today() -> String {
    Timestamp::now().to_string().chars().take("2026-01-02".len()).collect()
}

/// What was typed, but for folders, which are nobody's business.
fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    without_folders(&words)
}

fn without_folders(words: &[String]) -> String {
    const FOLDERS: [&str; 3] = ["--out", "--python", "--target-dir"];
    let mut text = "cargo xtask".to_owned();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if FOLDERS.contains(&word.as_str()) {
            words.next();
        } else if !FOLDERS.iter().any(|flag| word.starts_with(&format!("{flag}="))) {
            text.push_str(&format!(" {word}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_kept_without_folders() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let line = "bench forest --out /home/me/x --rows 5 --python=/opt/python --quick";
        assert_eq!(without_folders(&words(line)), "cargo xtask bench forest --rows 5 --quick");
    }
}
