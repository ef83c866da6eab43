//! Being told to stop: by a signal, or by the end of the program that started this one.
//!
//! A process that is number 1 of its container has no signal handlers to begin with and would ignore SIGTERM until the
//! platform kills it, so every job installs its own.

use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use crate::Error;

/// With this variable set to `1`, a job stops when its stdin ends: whoever started it holds the other end open for as
/// long as the job should run, and a killed starter lets go of it without a word.
pub const EXIT_WITH_STDIN: &str = "DRIVETRAIN_EXIT_WITH_STDIN";

/// A request to stop, shared by those who make it and those who heed it.
///
/// ```
/// use drivetrain_container::stop::Stop;
///
/// let stop = Stop::default();
/// stop.check()?;
/// stop.request("SIGTERM");
/// assert_eq!(stop.check().unwrap_err().to_string(), "stopped before it was done (SIGTERM)");
/// # Ok::<(), drivetrain_container::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Request>);

#[derive(Debug, Default)]
struct Request {
    reason: Mutex<Option<&'static str>>,
    made: Condvar,
}

impl Stop {
    /// Asks everyone who heeds this to stop. The first reason stays.
    pub fn request(&self, reason: &'static str) {
        self.0.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.0.made.notify_all();
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Error::Stopped`] once a stop has been asked for.
    pub fn check(&self) -> Result<(), Error> {
        let reason = *self.0.reason.lock().unwrap_or_else(PoisonError::into_inner);
        reason.map_or(Ok(()), |reason| Err(Error::Stopped { reason }))
    }

    /// Waits until a stop is asked for; returns why.
    #[must_use]
    pub fn wait(&self) -> &'static str {
        let mut reason = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *reason {
                Some(reason) => return reason,
                None => reason = self.0.made.wait(reason).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// A stop that signals ask for, and the end of stdin where [`EXIT_WITH_STDIN`] says so. The handlers stand when
    /// this returns. What cannot be watched is logged; the job runs all the same.
    #[must_use]
    pub fn watching(variables: &BTreeMap<String, String>) -> Self {
        let stop = Self::default();
        if let Err(error) = signals(&stop) {
            tracing::warn!("cannot watch for signals: {error}");
        }
        if variables.get(EXIT_WITH_STDIN).is_some_and(|value| value == "1") {
            let stop = stop.clone();
            let watch = move || {
                let mut stdin = std::io::stdin().lock();
                // What comes is not for us; an error is an end too.
                while matches!(stdin.read(&mut [0; 64]), Ok(1..)) {}
                stop.request("end of stdin");
            };
            if let Err(error) = thread::Builder::new().name("stdin".to_owned()).spawn(watch) {
                tracing::warn!("cannot watch stdin: {error}");
            }
        }
        stop
    }
}

#[cfg(unix)]
fn signals(stop: &Stop) -> std::io::Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let stop = stop.clone();
    let watch = move || {
        for signal in signals.forever() {
            stop.request(match signal {
                SIGTERM => "SIGTERM",
                SIGINT => "SIGINT",
                _ => "SIGHUP",
            });
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).map(drop)
}

/// Elsewhere ctrl-c ends the process by itself.
#[cfg(not(unix))]
fn signals(_: &Stop) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays_and_wakes_who_waits() {
        let stop = Stop::default();
        let waiting = {
            let stop = stop.clone();
            thread::spawn(move || stop.wait())
        };
        stop.request("SIGTERM");
        stop.request("SIGINT");
        assert_eq!(waiting.join().unwrap(), "SIGTERM");
        assert!(matches!(stop.check(), Err(Error::Stopped { reason: "SIGTERM" })));
    }
}
