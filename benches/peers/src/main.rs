//! Does one task with one engine, alone in its process, and prints what it measured: a line of JSON for each operation.
//!
//! The task is the only argument, as JSON: see `drivetrain_bench::Task`. `cargo xtask bench` builds and starts this.

mod artifact;
mod data;
mod forest;
mod transform;

use std::process::ExitCode;

use drivetrain_bench::{Meter, Reading, Task, Workload};

/// Whatever stops a task; it is printed, and `cargo xtask bench` shows it.
type Failure = Box<dyn std::error::Error>;

/// The meter of this process: readings go to stdout.
type Printer = Meter<fn(Reading)>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let json = std::env::args().nth(1).ok_or("the only argument is a task, as JSON")?;
    let task: Task = serde_json::from_str(&json)?;
    if task.engine == data::WRITER {
        return data::write(&task.workload, &task.folder);
    }
    let mut meter = Printer::new(print);
    // Engines that use rayon use this many threads of it, wherever they call it from.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(task.threads).build_global();
    pool.map_err(|error| format!("cannot start {} threads: {error}", task.threads))?;
    match task.workload {
        Workload::Transform { rows, missing } => transform::run(&task, rows, missing, &mut meter),
        Workload::Forest { rows, trees, max_depth, max_features } => {
            let shape = forest::Shape { trees, max_depth, max_features, threads: task.threads };
            forest::run(&task, rows, shape, &mut meter)
        }
        Workload::Artifact { rows, trees } => artifact::run(&task, rows, trees, &mut meter),
    }
}

fn print(reading: Reading) {
    match serde_json::to_string(&reading) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("error: {error}"),
    }
}

fn unknown(task: &Task) -> Failure {
    format!("the engine {} takes no part in {}", task.engine, task.workload.suite()).into()
}
