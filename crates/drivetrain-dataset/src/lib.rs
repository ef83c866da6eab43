//! From a raw text file to `train.csv`, `val.csv` and `test.csv`.
//!
//! * [`Description`] says what a data set looks like: its columns, how missing values are written, its known checksum.
//! * [`acquire`] fetches it from a [`Source`] (bundled bytes, a file, an HTTP URL), verifies and parses it.
//! * [`SplitOptions`] cuts the rows in three with a seed.
//! * [`write_csv`] and [`read_csv`] carry the parts from one job to the next.
//!
//! Nothing is imputed here: what fills a missing cell is learned later, from the training rows alone.
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use drivetrain_dataset::{Description, Source, SplitOptions, TrailingText, acquire, to_csv};
//! use drivetrain_plan::{DataType, Field, Schema};
//!
//! let schema = Schema::new(vec![
//!     Field::new("yield", DataType::Float64),
//!     Field::new("plot", DataType::Int64),
//!     Field::new("rain", DataType::Float64),
//! ])?;
//! let harvest = Description::new("harvest", schema)?
//!     .missing_marker("?")?
//!     .trailing_text(TrailingText::AfterTab)
//!     .bundled(b"4.50 1 310.\t\"north\"\n3.75 2 ?\t\"south\"\n5.00 3 290.\t\"east\"\n4.00 4 300.\t\"west\"\n");
//!
//! let harvest = acquire(&harvest, &Source::Bundled)?;
//! let options = SplitOptions { seed: 42, train_fraction: 0.5.try_into()?, test_rows: NonZeroUsize::MIN };
//! let parts = options.split(&harvest.frame)?;
//! assert_eq!((parts.train.height(), parts.validation.height(), parts.test.height()), (2, 1, 1));
//! assert!(to_csv(&parts.train)?.starts_with(b"yield,plot,rain\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Feature `http`: `http://` and `https://` sources. Without it such a source is a clear error.

mod acquire;
mod atomic;
mod cells;
mod checksum;
mod csv;
mod description;
mod error;
#[cfg(feature = "http")]
mod http;
mod parse;
mod shuffle;
mod source;
mod split;

pub use self::csv::{parse_csv, read_csv, to_csv, write_csv};
pub use acquire::{Acquisition, acquire};
pub use checksum::Checksum;
pub use description::{Description, TrailingText};
pub use error::{DatasetError, TextError};
pub use parse::parse;
pub use source::{HttpUrl, Source};
pub use split::{Split, SplitOptions, TrainFraction};
