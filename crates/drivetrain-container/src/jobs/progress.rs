//! Signs of life of a long job.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Short jobs say nothing, long ones a line per interval.
const INTERVAL: Duration = Duration::from_secs(1);

/// Logs how far a job is, at most once per interval.
#[derive(Debug)]
pub(super) struct Progress {
    last: Mutex<Instant>,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self { last: Mutex::new(Instant::now()) }
    }

    /// Called from any of the job's threads.
    pub(super) fn tick(&self, how_far: impl FnOnce() -> String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= INTERVAL {
            *last = Instant::now();
            tracing::info!("{}", how_far());
        }
    }
}
