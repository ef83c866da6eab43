//! What is shown while a step runs: a spinner with the job's last line on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TICK: Duration = Duration::from_millis(80);
const TEMPLATE: &str = "{spinner} {prefix:<8} {wide_msg} {elapsed:>4}";

/// Starts steps; everything goes to stderr.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    /// Announces a step.
    pub(crate) fn start(&self, name: &'static str, about: &str) -> Step {
        let bar = self.terminal.then(|| spinner(name, about));
        if bar.is_none() {
            eprintln!("{name}: {about}");
        }
        Step { name, bar, started: Instant::now() }
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
        match self.bar.take() {
            Some(bar) => {
                bar.finish_and_clear();
                eprintln!("  {:<8} {seconds:.2} s", self.name);
            }
            None => eprintln!("{}: done in {seconds:.2} s", self.name),
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
