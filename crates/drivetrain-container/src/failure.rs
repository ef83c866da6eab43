//! What a failed job says about itself, and where the platform looks for it.

use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use drivetrain_artifact::atomic;

use crate::environment::Paths;

/// The platform reads no more than this of a failure file: 1,024 characters of a training job's, 1 KB of a processing
/// job's. Bytes are the stricter measure.
const LIMIT: usize = 1024;

/// The file in which a job explains why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureFile {
    path: PathBuf,
    base: PathBuf,
}

impl FailureFile {
    /// That of a training job: `output/failure`.
    #[must_use]
    pub fn training(paths: &Paths) -> Self {
        Self { path: paths.failure_file(), base: paths.base().to_owned() }
    }

    /// That of a processing job: `output/message`.
    #[must_use]
    pub fn processing(paths: &Paths) -> Self {
        Self { path: paths.message_file(), base: paths.base().to_owned() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what an earlier job in the same directory left.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes the explanation, cut to 1,024 bytes. Does nothing where there is no base directory: then no platform
    /// watches, and a slip at the command line must not create `/opt/ml`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, explanation: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        if !self.base.is_dir() {
            return Ok(());
        }
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        atomic::write(&self.path, |file| file.write_all(cut(explanation.trim(), LIMIT).as_bytes()))?;
        Ok(())
    }
}

/// An error and its causes, outermost first, each once.
#[must_use]
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some libraries end the text of an error with that of its cause.
        if !texts.last().is_some_and(|last| last.ends_with(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts
}

/// An error and its causes as lines of text, one cause per line.
///
/// ```
/// let error = std::io::Error::other("disk full");
/// assert_eq!(drivetrain_container::failure::explain(&error), "disk full");
/// ```
#[must_use]
pub fn explain(error: &dyn Error) -> String {
    chain(error).join("\n  caused by: ")
}

/// Prints a line on stderr. Where stderr is closed there is nobody left to tell, and that is no reason to panic.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(line));
}

/// A text that may quote what somebody else wrote, without the control characters that steer a terminal.
fn harmless(text: &str) -> String {
    let keep = |c: char| !c.is_control() || c == '\n' || c == '\t';
    text.chars().map(|c| if keep(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

/// As many whole characters as fit into `limit` bytes, with an ellipsis where some do not.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    const ELLIPSIS: &str = "...";
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub(ELLIPSIS.len()));
    format!("{}{ELLIPSIS}", &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_stand_one_per_line() {
        let error = Outer(io::Error::other("inner"));
        assert_eq!(explain(&error), "outer\n  caused by: inner");
    }

    #[test]
    fn the_file_is_written_cleared_and_only_below_a_base_that_exists() {
        let base = tempfile::tempdir().unwrap();
        let file = FailureFile::training(&Paths::new(base.path()));
        file.clear().unwrap();
        file.write("no such file\n").unwrap();
        assert_eq!(fs::read_to_string(base.path().join("output/failure")).unwrap(), "no such file");
        file.clear().unwrap();
        assert!(!file.path().exists());

        let nowhere = base.path().join("absent");
        FailureFile::processing(&Paths::new(&nowhere)).write("x").unwrap();
        assert!(!nowhere.exists());
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(harmless("a\u{1b}[31mb\r\n\tc"), "a\\u{1b}[31mb\\r\n\tc");
    }

    proptest! {
        #[test]
        fn what_is_kept_is_a_start_of_the_text_within_the_limit(text in "[a-zé€𝄞 ]{0,1500}") {
            let kept = cut(&text, LIMIT);
            prop_assert!(kept.len() <= LIMIT);
            prop_assert!(text.starts_with(kept.strip_suffix("...").unwrap_or(&kept)));
            prop_assert_eq!(kept == text, text.len() <= LIMIT);
        }
    }
}
