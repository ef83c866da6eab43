//! The jobs of a pipeline, as the SageMaker platform runs them: one binary whose subcommands are containers' jobs.
//!
//! | job | reads | writes |
//! |---|---|---|
//! | `acquire` | the data set: bundled, a file or a URL | `processing/output/{train,val,test,cars}/*.csv` |
//! | `process` | `processing/input/{train,val}/*.csv` | feature matrices, the preprocessor's `model.tar.gz`, `summary.json` |
//! | `train` | the channels `train` and `val` | the regressor in `model/`, metrics in `output/data` and on stdout |
//! | `evaluate` | the data set | `processing/output/evaluation/evaluation.json`, and `data.json`, the sha256 of the data |
//! | `report` | the rows, models and record of a run | `processing/output/report.html` and `report.json` |
//! | `compare` | two `report.json` | `processing/output/compare.html` |
//! | `serve` | `model/`, or many models below `models/` | answers on port 8080 |
//!
//! All paths are below `/opt/ml`, or below `SAGEMAKER_BASE_DIR` where that is set, so the same binary runs on the
//! platform and on a laptop.
//!
//! Features: `process` (the first two jobs), `train`, `evaluate` (which needs both), `report` (which needs those) and `serve`. A
//! build with `serve` alone links neither the data
//! frames nor the code that grows forests.

#[cfg(not(any(feature = "process", feature = "train", feature = "serve")))]
compile_error!("choose at least one of the features `process`, `train` and `serve`");

pub mod cli;
pub mod environment;
mod error;
pub mod failure;
pub mod jobs;
pub mod logging;
#[cfg(feature = "serve")]
pub mod serve;
pub mod stop;

pub use error::Error;
