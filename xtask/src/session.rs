//! What all steps of a command share.

use drivetrain_runner::job::Platform;
use drivetrain_runner::record::{RunRecord, StepRecord};
use drivetrain_runner::store::{Key, Store, StoreLock, StoredObject};
use drivetrain_runner::{Interrupt, JobName, Timestamp};

use crate::cli::StoreArgs;
use crate::error::Error;
use crate::layout;
use crate::progress::{Progress, Step};
use crate::report;

/// The platform, and the record of the run.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) platform: &'a Platform<'a>,
    pub(crate) record: RunRecord,
    pub(crate) progress: Progress,
}

impl<'a> Session<'a> {
    /// A session that continues the record of a run, if there is one.
    pub(crate) fn resume(platform: &'a Platform<'a>, run: &JobName, progress: &Progress) -> Result<Self, Error> {
        let known = RunRecord::load(platform.store(), &layout::project()?, run)?;
        let record = known.unwrap_or_else(|| RunRecord::new(run.clone(), Timestamp::now()));
        Ok(Self { platform, record, progress: progress.clone() })
    }

    /// A session that begins the record of a run anew.
    pub(crate) fn begin(platform: &'a Platform<'a>, run: &JobName, progress: Progress) -> Self {
        Self { platform, record: RunRecord::new(run.clone(), Timestamp::now()), progress }
    }

    pub(crate) fn store(&self) -> &'a Store {
        self.platform.store()
    }

    pub(crate) fn run(&self) -> &JobName {
        &self.record.run
    }

    /// Notes a parameter of the run.
    pub(crate) fn parameter(&mut self, name: &str, value: &str) {
        self.record.parameters.insert(name.to_owned(), value.to_owned());
    }

    /// Notes an object, under the part of its key below the project.
    pub(crate) fn artifact(&mut self, object: &StoredObject) -> Result<(), Error> {
        let label = object.key.below(&layout::project()?).unwrap_or(object.key.as_str()).to_owned();
        self.record.artifacts.insert(label, object.clone());
        Ok(())
    }

    /// Ends a step: shows that it is done, and saves the record.
    pub(crate) fn finish(&mut self, step: Step, log: Option<Key>) -> Result<(), Error> {
        let name = step.name().to_owned();
        let seconds = step.done().as_secs_f64();
        self.record.set_step(StepRecord { name, seconds, log });
        self.record.save(self.store(), &layout::project()?)?;
        Ok(())
    }
}

/// The store of the command line, by default in the workspace root; long transfers are shown, and end with the interrupt.
pub(crate) fn open_store(args: &StoreArgs, interrupt: &Interrupt, progress: &Progress) -> Result<Store, Error> {
    let default = || layout::workspace_root().join("store").display().to_string();
    let location = args.store.clone().unwrap_or_else(default);
    if ["memory:", "memory://", "memory:///"].contains(&location.as_str()) {
        return Err(Error::MemoryStore);
    }
    Ok(Store::open(&location)?.interrupted_by(interrupt).observed_by(progress.transfers()))
}

/// Waits until no other run works in the store.
pub(crate) fn lock(store: &Store, interrupt: &Interrupt) -> Result<StoreLock, Error> {
    Ok(store.lock(interrupt, || report::say("waiting for another run to be done with this store"))?)
}

/// A platform whose job directories are out of the way, in cargo's target folder.
pub(crate) fn platform<'a>(store: &'a Store, interrupt: &Interrupt) -> Result<Platform<'a>, Error> {
    let work = layout::workspace_root().join("target").join("jobs");
    Ok(Platform::new(store, layout::project()?, &work, interrupt.clone())?)
}

/// A request to stop that Ctrl-C, SIGTERM and the end of the terminal make, so that running jobs are ended in order.
#[cfg(unix)]
pub(crate) fn interrupt() -> Result<Interrupt, Error> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let interrupt = Interrupt::new();
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, interrupt.flag()).map_err(|source| Error::Signal { source })?;
    }
    Ok(interrupt)
}

/// A request to stop that nobody makes: elsewhere Ctrl-C reaches the jobs by itself.
#[cfg(not(unix))]
pub(crate) fn interrupt() -> Result<Interrupt, Error> {
    Ok(Interrupt::new())
}
