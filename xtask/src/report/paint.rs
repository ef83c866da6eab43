//! Colours, on a terminal that has not asked for none.

use std::io::IsTerminal;

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    colours: bool,
}

pub(crate) fn for_stdout() -> Paint {
    Paint::new(std::io::stdout().is_terminal())
}

pub(super) fn for_stderr() -> Paint {
    Paint::new(std::io::stderr().is_terminal())
}

impl Paint {
    fn new(terminal: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colours: terminal && !refused }
    }

    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self { colours: false }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
