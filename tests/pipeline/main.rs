//! `cargo xtask` as a person runs it: processes, files, exit codes.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod artifacts;
mod bad_input;
mod command;
mod experiments;
mod mlflow;
mod numpy;
mod runs;
#[path = "../../crates/drivetrain-runner/tests/support/seaweedfs.rs"]
mod seaweedfs;
mod store;
