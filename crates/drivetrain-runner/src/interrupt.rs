//! Asking running jobs to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, shared by whoever may ask and whoever runs something.
///
/// A binary hands [`Interrupt::flag`] to its handler of SIGINT, SIGTERM and SIGHUP, which comes when a terminal closes; the runner looks at it while it waits, ends its processes
/// and returns [`RunnerError::Interrupted`](crate::RunnerError::Interrupted).
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop; there is no way back.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself; setting it is the request.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}
