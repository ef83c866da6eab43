//! What a command prints when it is done.

mod evaluation;
mod paint;
mod summary;
mod table;

use std::error::Error as _;
use std::io::{ErrorKind, Write};

pub(crate) use evaluation::evaluation;
pub(crate) use paint::for_stdout;
pub(crate) use summary::{job, page, pipeline, predictions, training};
pub(crate) use table::{Side, Table};

use crate::error::Error;

/// Prints a result to stdout. A reader that has seen enough and gone is no failure.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Error::Print { source }),
        _ => Ok(()),
    }
}

/// Prints a line on stderr. Where stderr is closed there is nobody left to tell, and that is no reason to panic.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", harmless(line));
}

/// Prints an error and its causes to stderr, one per line.
pub(crate) fn error(error: &Error) {
    // The colour is ours; what follows may quote what somebody else wrote.
    let _ = write!(std::io::stderr(), "{} ", paint::for_stderr().red("error:"));
    say(&explain(error));
}

/// An error and its causes, one per line.
pub(crate) fn explain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some libraries end the text of an error with that of its cause.
        if !last.ends_with(&next) {
            text.push_str(&format!("\n  caused by: {next}"));
        }
        last = next;
        cause = error.source();
    }
    text
}

/// The text without the control characters that steer a terminal.
fn harmless(text: &str) -> String {
    let keep = |c: char| !c.is_control() || c == '\n' || c == '\t';
    text.chars().map(|c| if keep(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stand_below_each_other() {
        let source = std::io::Error::other("disk full");
        let error = Error::Write { path: "a".into(), source };
        assert_eq!(explain(&error), "cannot write a\n  caused by: disk full");
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(harmless("a\u{1b}[31mb\r\n\tc"), "a\\u{1b}[31mb\\r\n\tc");
    }
}
