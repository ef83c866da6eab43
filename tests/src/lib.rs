//! End-to-end tests of the workspace; see the files beside `src`.
