//! End-to-end tests of the workspace, in the files beside `src`, and the examples of the README.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
