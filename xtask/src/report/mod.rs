//! What a command prints when it is done.

mod paint;
mod summary;
mod table;

use std::error::Error as _;
use std::io::{ErrorKind, Write};

pub(crate) use paint::for_stdout;
pub(crate) use summary::{job, pipeline, predictions, training};
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
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints an error and its causes to stderr, one per line.
pub(crate) fn error(error: &Error) {
    say(&format!("{} {error}", paint::for_stderr().red("error:")));
    let mut cause = error.source();
    while let Some(error) = cause {
        say(&format!("  caused by: {error}"));
        cause = error.source();
    }
}
