//! What an artifact promises: the same bytes every time, whole or refused, whatever is done to it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod build;
mod content;
mod corruption;
mod directory;
mod fixtures;
mod golden;
mod tarball;
mod transport;
mod values;
