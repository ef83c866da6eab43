//! What all steps of a command share.

use std::collections::BTreeMap;
use std::time::Instant;

use drivetrain_runner::job::Platform;
use drivetrain_runner::record::{Failure, RunRecord, StepRecord};
use drivetrain_runner::store::{Key, Store, StoreLock, StoredObject};
use drivetrain_runner::{Interrupt, JobName, RunnerError, Timestamp};

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
    progress: Progress,
    /// What the step under way was told.
    told: BTreeMap<String, String>,
    under_way: Option<UnderWay>,
}

/// A step that has begun.
#[derive(Debug)]
struct UnderWay {
    name: &'static str,
    started: Instant,
    log: Option<Key>,
}

impl<'a> Session<'a> {
    /// A session that continues the record of a run, if there is one.
    pub(crate) fn resume(platform: &'a Platform<'a>, run: &JobName, progress: &Progress) -> Result<Self, Error> {
        let known = RunRecord::load(platform.store(), &layout::project()?, run)?;
        let record = known.unwrap_or_else(|| RunRecord::new(run.clone(), Timestamp::now()));
        Ok(Self::of(platform, record, progress.clone()))
    }

    /// A session that begins the record of a run anew.
    pub(crate) fn begin(platform: &'a Platform<'a>, run: &JobName, progress: Progress) -> Self {
        Self::of(platform, RunRecord::new(run.clone(), Timestamp::now()), progress)
    }

    fn of(platform: &'a Platform<'a>, record: RunRecord, progress: Progress) -> Self {
        Self { platform, record, progress, told: BTreeMap::new(), under_way: None }
    }

    pub(crate) fn store(&self) -> &'a Store {
        self.platform.store()
    }

    pub(crate) fn run(&self) -> &JobName {
        &self.record.run
    }

    /// Begins a step, and shows that it is under way; if it is a job, that is called `job`.
    pub(crate) fn start(&mut self, name: &'static str, about: &str, job: Option<&JobName>) -> Result<Step, Error> {
        let log = job.map(|job| self.platform.log_key(job)).transpose()?;
        self.told.clear();
        self.under_way = Some(UnderWay { name, started: Instant::now(), log });
        Ok(self.progress.start(name, about))
    }

    /// Notes a parameter of the step under way: it becomes one of the run when the step is done.
    pub(crate) fn parameter(&mut self, name: &str, value: &str) {
        self.told.insert(name.to_owned(), value.to_owned());
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
        self.under_way = None;
        self.record.parameters.append(&mut self.told);
        self.record.set_step(StepRecord { name, seconds, log });
        self.record.save(self.store(), &layout::project()?)?;
        Ok(())
    }
}

impl Session<'_> {
    /// Notes in the record that the command failed, at the step under way. What stands of earlier commands under the same
    /// name stays as it is, its parameters too.
    pub(crate) fn fail(&mut self, error: &Error) -> Result<(), Error> {
        if self.record.steps.is_empty()
            && let Some(known) = RunRecord::load(self.store(), &layout::project()?, self.run())?
            && !known.steps.is_empty()
        {
            self.record = known;
        }
        let step = self.under_way.take();
        let stands = |step: &UnderWay| self.record.steps.iter().any(|known| known.name == step.name);
        if !step.as_ref().is_some_and(stands) {
            self.record.parameters.append(&mut self.told);
        }
        // What failed before its job began has left no log; one of that name is of an earlier job.
        let ran = matches!(error, Error::Runner(RunnerError::JobFailed { .. } | RunnerError::Interrupted { .. }));
        let step = step.map(|step| StepRecord {
            name: step.name.to_owned(),
            seconds: step.started.elapsed().as_secs_f64(),
            log: step.log.filter(|_| ran),
        });
        let interrupted = matches!(error, Error::Runner(RunnerError::Interrupted { .. }));
        self.record.failure = Some(Failure { error: report::explain(error), interrupted, step });
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
