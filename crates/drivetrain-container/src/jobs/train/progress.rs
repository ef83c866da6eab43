//! Signs of life of a long training.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Short trainings say nothing, long ones a line per interval.
const INTERVAL: Duration = Duration::from_secs(2);

/// Logs how many trees are grown, at most once per interval.
#[derive(Debug)]
pub(super) struct Progress {
    last: Mutex<Instant>,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self { last: Mutex::new(Instant::now()) }
    }

    /// Called from the threads that grow trees.
    pub(super) fn tick(&self, done: usize, total: usize) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= INTERVAL {
            *last = Instant::now();
            tracing::info!("{done} of {total} trees grown");
        }
    }
}
