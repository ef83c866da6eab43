//! What is known of the sources, and of what compiles them.

use std::process::Command;

use crate::layout::workspace_root;
use crate::tool;

/// What git says of the sources, where they are a repository and git is there.
pub(crate) fn git(arguments: &[&str]) -> Option<String> {
    tool::output(Command::new("git").args(arguments).current_dir(workspace_root())).ok()
}

/// What the compiler that cargo builds with in the workspace says of its version, such as `rustc 1.95.0 (...)`.
pub(crate) fn rustc() -> Option<String> {
    // Cargo obeys the same variable.
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    tool::output(Command::new(program).arg("--version").current_dir(workspace_root())).ok()
}
