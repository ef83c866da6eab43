//! Reading a log while it is written, and its end when something went wrong.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::RunnerError;
use crate::error::file;

/// Lines of a log quoted in an error.
const QUOTED_LINES: usize = 20;
/// How far back they are looked for, in bytes.
const QUOTED_BYTES: u64 = 8 * 1024;

/// Follows a growing log line by line.
#[derive(Debug)]
pub(crate) struct LogTail {
    log: File,
    pending: Vec<u8>,
}

impl LogTail {
    pub(crate) fn open(path: &Path) -> Result<Self, RunnerError> {
        Ok(Self { log: File::open(path).map_err(file("read", path))?, pending: Vec::new() })
    }

    /// Hands over the lines completed since the last call. It serves progress only: a log that cannot be read for a
    /// moment is not worth a job.
    pub(crate) fn poll(&mut self, on_line: &mut dyn FnMut(&str)) {
        if self.log.read_to_end(&mut self.pending).is_err() {
            return;
        }
        let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') else { return };
        let rest = self.pending.split_off(end + 1);
        let lines = std::mem::replace(&mut self.pending, rest);
        String::from_utf8_lossy(&lines).lines().for_each(on_line);
    }
}

/// The last lines of a log.
pub(crate) fn last_lines(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut log = File::open(path)?;
        let length = log.metadata()?.len();
        log.seek(SeekFrom::Start(length.saturating_sub(QUOTED_BYTES)))?;
        let mut end = Vec::new();
        log.read_to_end(&mut end)?;
        Ok(end)
    };
    let end = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&end);
    let lines: Vec<_> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_arrive_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = File::create(&path).unwrap();
        let mut tail = LogTail::open(&path).unwrap();
        let mut seen = Vec::new();
        for piece in ["one\ntw", "o\r\n", "", "three"] {
            log.write_all(piece.as_bytes()).unwrap();
            tail.poll(&mut |line| seen.push(line.to_owned()));
        }
        assert_eq!(seen, ["one", "two"]);
        log.write_all(b"\n").unwrap();
        tail.poll(&mut |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "two", "three"]);
    }

    #[test]
    fn the_end_of_a_log_is_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let lines: Vec<_> = (0..10_000).map(|i| format!("line {i}")).collect();
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let end = last_lines(&path);
        assert_eq!(end.lines().count(), QUOTED_LINES);
        assert!(end.starts_with("line 9980") && end.ends_with("line 9999"));
        assert_eq!(last_lines(&folder.path().join("none")), "");
    }
}
