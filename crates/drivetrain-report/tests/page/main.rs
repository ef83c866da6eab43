//! Pages as a reader gets them.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod browser;
mod html;
mod sample;
