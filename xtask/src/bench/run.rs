//! What every suite says of its circumstances.

use std::collections::BTreeMap;

use drivetrain_bench::{Machine, Run};
use drivetrain_runner::Timestamp;

use super::OURS;

/// A run that begins now, on this machine, of nobody's versions.
pub(super) fn begin(suite: &str, title: &str, about: &str) -> Run {
    Run {
        suite: suite.to_owned(),
        title: title.to_owned(),
        about: about.to_owned(),
        notes: Vec::new(),
        check: None,
        ours: OURS.to_owned(),
        command: command_line(),
        date: today(),
        machine: Machine::this(),
        versions: BTreeMap::new(),
        load_before: Machine::load(),
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
