//! Fresh cases instead of the fixtures, and how far the numbers are apart: what `cargo xtask parity` runs and reads.

use std::{cell::Cell, env, path::PathBuf, vec};

use crate::case::RTOL;

/// The variable that names the folder of the fresh cases.
const FOLDER: &str = "DRIVETRAIN_PARITY";

thread_local! {
    /// Of the numbers compared on this thread.
    static LARGEST: Cell<f64> = const { Cell::new(0.0) };
}

/// The folder of the fresh cases, where there are any.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// Keeps the largest difference, relative to the expected value and the share of the absolute tolerance that stands in for
/// it: more than `RTOL` is too much.
pub(crate) fn measure(found: f64, expected: Option<f64>, atol: f64) {
    let difference = match expected {
        None if found.is_nan() => 0.0,
        Some(expected) if found == expected => 0.0,
        Some(expected) if !found.is_nan() => (found - expected).abs() / (atol / RTOL + expected.abs()),
        _ => f64::INFINITY,
    };
    LARGEST.set(LARGEST.get().max(difference));
}

/// Cases of one transformer; once they are through, or have failed, fresh ones say how many they were and how far the
/// numbers were apart at most.
pub(crate) struct Measured<T> {
    transformer: &'static str,
    count: usize,
    cases: vec::IntoIter<T>,
}

impl<T> Measured<T> {
    pub(crate) fn new(transformer: &'static str, cases: Vec<T>) -> Self {
        LARGEST.set(0.0);
        Self { transformer, count: cases.len(), cases: cases.into_iter() }
    }
}

impl<T> Iterator for Measured<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.cases.next()
    }
}

impl<T> Drop for Measured<T> {
    fn drop(&mut self) {
        if folder().is_some() && self.count > 0 {
            println!("\nparity {} {} {:.1e}", self.transformer, self.count, LARGEST.get());
        }
    }
}
