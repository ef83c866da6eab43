//! Plays Amazon `SageMaker` on one machine, without Docker and without AWS.
//!
//! The platform moves data from an object store into a container's `/opt/ml`, runs a job there, and moves back what the
//! job wrote. This crate does the same with a [`store::Store`] (a local folder) and a process in a directory of its own,
//! so that a job binary meets the paths, variables, configuration files, exit codes and failure files it meets in the
//! cloud. It knows nothing of what the jobs compute. With the feature `s3` the store can be a bucket.
//!
//! * [`store`]: objects by key, written atomically.
//! * [`job`]: processing and training jobs, run by a [`job::Platform`].
//! * [`metrics`]: numbers scraped from a job's log by regular expressions.
//! * [`endpoint`]: serving containers, chained to an inference pipeline.
//! * [`archive`]: `model.tar.gz`, packed reproducibly and unpacked with distrust.
//! * [`record`]: what a run did, as JSON beside its results; [`mlflow`]: the same for `MLflow`.
//!
//! # A training job
//!
//! ```
//! # #[cfg(unix)] {
//! use std::collections::BTreeMap;
//! use drivetrain_runner::job::{Channel, Platform, TrainingJob};
//! use drivetrain_runner::metrics::{MetricDefinition, MetricDefinitions};
//! use drivetrain_runner::store::{Key, Store};
//! use drivetrain_runner::{Interrupt, JobName, Program};
//!
//! let store = Store::in_memory()?;
//! store.put_bytes(&Key::new("demo/data/train.csv")?, b"1\n2\n".to_vec())?;
//!
//! // Any executable will do; here a shell that counts lines and calls that a model.
//! let script = r#"cd "$SAGEMAKER_BASE_DIR"; wc -l < input/data/train/train.csv > model/lines; echo "lines=$(cat model/lines);""#;
//! let job = TrainingJob {
//!     name: JobName::new("count-lines")?,
//!     program: Program::new("/bin/sh").with_argument("-c").with_argument(script).inheriting(["PATH"]),
//!     hosts: 1,
//!     channels: vec![Channel {
//!         name: "train".into(),
//!         source: Key::new("demo/data")?,
//!         publication: None,
//!         content_type: None,
//!     }],
//!     hyper_parameters: BTreeMap::new(),
//!     environment: BTreeMap::new(),
//!     metric_definitions: MetricDefinitions::new(vec![MetricDefinition::new("lines", "lines=(.*?);")?])?,
//!     output: Key::new("demo/models")?,
//! };
//! let work = tempfile::tempdir()?;
//! let platform = Platform::new(&store, Key::new("demo")?, work.path(), Interrupt::new())?;
//! let done = platform.run_training(&job, &mut |line| println!("{line}"))?;
//! assert_eq!(done.model.key.as_str(), "demo/models/count-lines/output/model.tar.gz");
//! assert_eq!(done.metrics[0].value, 2.0);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
pub mod endpoint;
pub mod job;
pub mod metrics;
pub mod mlflow;
pub mod record;
pub mod store;

mod digest;
mod error;
mod interrupt;
mod name;
mod process;
mod timestamp;
mod tree;

pub use digest::Sha256;
pub use error::{Cause, FailureReason, RunnerError};
pub use interrupt::Interrupt;
pub use name::JobName;
pub use process::Program;
pub use timestamp::Timestamp;
