//! What is shown while a step runs: a spinner with the job's last line on a terminal, plain lines elsewhere; and a bar for
//! a transfer that takes long, on a terminal only.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use std::sync::Mutex;

use drivetrain_runner::store::{Direction, Key, Transfer};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::report;

const TICK: Duration = Duration::from_millis(80);
const TEMPLATE: &str = "{spinner} {prefix:<8} {wide_msg} {elapsed:>4}";
const TRANSFER_TEMPLATE: &str = "    {prefix} {bar:20} {bytes}/{total_bytes}, {eta} left";
/// A transfer that is done by then needs no bar.
const LONG: Duration = Duration::from_secs(1);

/// Where steps are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Terminal,
    Lines,
    Nowhere,
}

/// Starts steps; everything goes to stderr.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    place: Place,
    /// All bars there are, so that none is drawn over another.
    bars: MultiProgress,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let place = if std::io::stderr().is_terminal() { Place::Terminal } else { Place::Lines };
        Self { place, bars: MultiProgress::new() }
    }

    /// Shows nothing.
    pub(crate) fn silent() -> Self {
        Self { place: Place::Nowhere, bars: MultiProgress::new() }
    }

    /// Announces a step.
    pub(crate) fn start(&self, name: &'static str, about: &str) -> Step {
        let bar = (self.place == Place::Terminal).then(|| self.spinner(name, about));
        if self.place == Place::Lines {
            report::say(&format!("{name}: {about}"));
        }
        Step { name, place: self.place, bar, started: Instant::now() }
    }

    /// Shows transfers that take long.
    pub(crate) fn transfers(&self) -> impl Fn(Transfer<'_>) + Send + Sync + 'static {
        let bars = (self.place == Place::Terminal).then(|| self.bars.clone());
        let current = Mutex::new(None::<LongTransfer>);
        move |transfer| {
            let (Some(bars), Ok(mut current)) = (&bars, current.lock()) else { return };
            let same = current.take().filter(|known| known.is(&transfer));
            let mut known = same.unwrap_or_else(|| LongTransfer::new(&transfer));
            known.show(&transfer, bars);
            *current = (transfer.done < transfer.size).then_some(known);
        }
    }

    fn spinner(&self, name: &'static str, about: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::no_length());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        bar.set_message(about.to_owned());
        bar.enable_steady_tick(TICK);
        bar
    }
}

/// A transfer on its way; its bar goes when it does.
#[derive(Debug)]
struct LongTransfer {
    key: Key,
    direction: Direction,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl LongTransfer {
    fn new(transfer: &Transfer<'_>) -> Self {
        Self { key: transfer.key.clone(), direction: transfer.direction, started: Instant::now(), bar: None }
    }

    fn is(&self, transfer: &Transfer<'_>) -> bool {
        (&self.key, self.direction) == (transfer.key, transfer.direction)
    }

    fn show(&mut self, transfer: &Transfer<'_>, bars: &MultiProgress) {
        if self.bar.is_none() && self.started.elapsed() > LONG {
            let bar = bars.add(ProgressBar::new(transfer.size));
            if let Ok(style) = ProgressStyle::with_template(TRANSFER_TEMPLATE) {
                bar.set_style(style);
            }
            let arrow = if transfer.direction == Direction::Up { "to" } else { "from" };
            bar.set_prefix(format!("{arrow} the store: {}", transfer.key.file_name()));
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(transfer.done);
        }
    }
}

impl Drop for LongTransfer {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A step on its way.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    place: Place,
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Step {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Shows a line of the job's log; elsewhere than on a terminal the log itself is the place to read it.
    pub(crate) fn show(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.chars().filter(|c| !c.is_control()).collect::<String>());
        }
    }

    /// Ends the step well; returns how long it took.
    pub(crate) fn done(mut self) -> Duration {
        let elapsed = self.started.elapsed();
        let seconds = elapsed.as_secs_f64();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        match self.place {
            Place::Terminal => report::say(&format!("  {:<8} {seconds:.2} s", self.name)),
            Place::Lines => report::say(&format!("{}: done in {seconds:.2} s", self.name)),
            Place::Nowhere => {}
        }
        elapsed
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
