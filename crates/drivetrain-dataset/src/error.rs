//! Everything that can go wrong.

mod text;

use std::{error::Error, io, path::PathBuf};

use drivetrain_frame::polars::error::PolarsError;
use drivetrain_plan::DataType;

pub use self::text::TextError;
pub(crate) use self::text::excerpt;
use crate::Checksum;

/// Why a data set could not be described, fetched, read, split or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The schema has no column, so there is no target.
    #[error("data set `{dataset}`: the schema has no column")]
    NoColumns {
        /// The data set's name.
        dataset: String,
    },
    /// Text cannot be read as this type.
    #[error("column `{column}`: values of type {dtype} cannot be read from this format")]
    UnsupportedType {
        /// The column.
        column: String,
        /// Its declared type.
        dtype: DataType,
    },
    /// A missing marker must be a word of its own to be found between spaces.
    #[error("missing marker {marker:?} is empty or contains white space")]
    MissingMarker {
        /// The marker.
        marker: String,
    },
    /// Not 64 hexadecimal digits.
    #[error("{text:?} is not a sha256 digest of 64 hexadecimal digits")]
    InvalidChecksum {
        /// The text.
        text: String,
    },
    /// Not `bundled`, a path or an HTTP URL.
    #[error("{text:?} is not a data source: expected `bundled`, a path, or an http:// or https:// URL")]
    InvalidSource {
        /// The text.
        text: String,
    },
    /// No bytes are bundled.
    #[error("data set `{dataset}` is not bundled: give a path or a URL")]
    NotBundled {
        /// The data set's name.
        dataset: String,
    },
    /// Built without the feature that downloads.
    #[error("cannot download {url}: this program was built without the `http` feature")]
    HttpDisabled {
        /// The URL.
        url: String,
    },
    /// A download failed.
    #[error("cannot download {url}")]
    Download {
        /// The URL.
        url: String,
        /// What the HTTP client says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A download is larger than the data set can be.
    #[error("{url} is larger than {limit} bytes")]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The bytes are not those of the known data set.
    #[error("{origin} is not the data set `{dataset}`: expected sha256 {expected}, found {found}")]
    ChecksumMismatch {
        /// Where the bytes come from.
        origin: String,
        /// The data set's name.
        dataset: String,
        /// The digest of the known data set.
        expected: Checksum,
        /// The digest of the bytes.
        found: Checksum,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The text is not in the expected format.
    #[error("cannot parse {origin}")]
    Text {
        /// Where the text comes from.
        origin: String,
        /// What is wrong, and where.
        source: TextError,
    },
    /// A fraction outside (0, 1).
    #[error("train fraction {fraction} is not between 0 and 1, both excluded")]
    TrainFraction {
        /// The fraction.
        fraction: f64,
    },
    /// Not a number at all.
    #[error("train fraction {text:?} is not a number")]
    TrainFractionText {
        /// The text.
        text: String,
    },
    /// A part of the split would have no row.
    #[error(
        "{rows} rows cannot be split: train fraction {train_fraction} takes {train} for training, \
         and validation and test need at least 1 + {test_rows} of the others"
    )]
    TooFewRows {
        /// Rows to split.
        rows: usize,
        /// The fraction asked for.
        train_fraction: f64,
        /// The training rows this gives.
        train: usize,
        /// The test rows asked for.
        test_rows: usize,
    },
    /// An infinite value has no place in a CSV cell.
    #[error("column `{column}`, row {row}: {value} cannot be written as CSV")]
    InfiniteCell {
        /// The column.
        column: String,
        /// The row, from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// The data frame refused an operation.
    #[error("data frame operation failed")]
    Frame {
        /// What polars says.
        #[from]
        source: PolarsError,
    },
}
