//! Benchmarks of programs that do not share a process.
//!
//! Engines in several languages are compared by giving each a process of its own, in turns, so that what the machine does
//! besides hits all of them, and the peak memory is the engine's own. This crate is what the two sides of such a
//! comparison share, and what becomes of the numbers:
//!
//! * a [`Task`] goes to the process as JSON; a [`Meter`] measures there; each [`Reading`] comes back as a line of JSON;
//! * the side that starts the processes adds engine, [`Cell`] and round, which makes a [`Measurement`];
//! * [`results`] keeps them as JSON lines, after a [`Run`] that says when, on what machine and with which versions;
//! * [`statistics`] condenses them;
//! * with the feature `report` (on by default) they become tables, charts and one Markdown page.
//!
//! ```
//! use drivetrain_bench::Meter;
//!
//! let mut meter = Meter::new(|reading| println!("{}", serde_json::to_string(&reading).unwrap_or_default()));
//! let sum: u64 = meter.measure("sum", || (0..1_000_u64).sum());
//! assert_eq!(sum, 499_500);
//! ```

#[cfg(feature = "report")]
pub mod chart;
mod machine;
mod measurement;
mod meter;
#[cfg(feature = "report")]
pub mod page;
mod process;
pub mod results;
pub mod statistics;
#[cfg(feature = "report")]
mod summary;
#[cfg(feature = "report")]
mod table;
mod task;
#[cfg(feature = "report")]
mod units;

pub use machine::Machine;
pub use measurement::{Cell, Measurement, Reading, Run};
pub use meter::Meter;
pub use process::{MemoryWatch, children_cpu_time, memory_of_tree};
#[cfg(feature = "report")]
pub use summary::{Group, Summary};
#[cfg(feature = "report")]
pub use table::Table;
pub use task::{Task, Workload};
