//! What is shown while a step runs: a spinner with the job's last line on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report;

const TICK: Duration = Duration::from_millis(80);
const TEMPLATE: &str = "{spinner} {prefix:<8} {wide_msg} {elapsed:>4}";

/// Where steps are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Terminal,
    Lines,
    Nowhere,
}

/// Starts steps; everything goes to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    place: Place,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { place: if std::io::stderr().is_terminal() { Place::Terminal } else { Place::Lines } }
    }

    /// Shows nothing.
    pub(crate) fn silent() -> Self {
        Self { place: Place::Nowhere }
    }

    /// Announces a step.
    pub(crate) fn start(self, name: &'static str, about: &str) -> Step {
        let bar = (self.place == Place::Terminal).then(|| spinner(name, about));
        if self.place == Place::Lines {
            report::say(&format!("{name}: {about}"));
        }
        Step { name, place: self.place, bar, started: Instant::now() }
    }
}

fn spinner(name: &'static str, about: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    bar.set_prefix(name);
    bar.set_message(about.to_owned());
    bar.enable_steady_tick(TICK);
    bar
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
