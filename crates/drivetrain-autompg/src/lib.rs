//! The Auto MPG task: fuel consumption of cars of the years 1970 to 1982.
//!
//! The UCI data set (Quinlan, 1993, doi:10.24432/C5859H, CC BY 4.0) with what is particular to it: its columns, its
//! bundled bytes, the custom transformer [`AutoMpgFeatures`] and the stock [`pipeline`]. Everything else of the
//! workspace works on any table; this crate is where cars are named.
//!
//! ```
//! use drivetrain_plan::{Column, ColumnTable};
//! use drivetrain_transform::{Estimator, Fitted};
//!
//! let cars = ColumnTable::new(vec![
//!     ("cylinders".into(), Column::from(vec![8_i64, 4])),
//!     ("displacement".into(), Column::from(vec![307.0, 97.0])),
//!     ("horsepower".into(), Column::from(vec![130.0, f64::NAN])),
//!     ("weight".into(), Column::from(vec![3504.0, 2130.0])),
//!     ("acceleration".into(), Column::from(vec![12.0, 14.5])),
//!     ("model year".into(), Column::from(vec![70_i64, 76])),
//!     ("origin".into(), Column::from(vec![1_i64, 3])),
//! ])?;
//! let fitted = drivetrain_autompg::pipeline(&Default::default())?.fit(&cars, None)?;
//! let features = fitted.transform(&cars)?;
//! assert_eq!(features.feature_names()[..2], ["categorical-feats__cylinders_4", "categorical-feats__cylinders_8"]);
//! assert_eq!(features.column("numerical-feats__age"), Some(vec![1.0, -1.0]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod features;
mod pipeline;

use drivetrain_plan::{DataType, Field, Schema, SchemaError};

pub use features::{AutoMpgFeatures, FittedAutoMpgFeatures};
pub use pipeline::{PipelineOptions, pipeline};

/// The name of the target: miles per gallon.
pub const TARGET: &str = "mpg";

/// The name of the column with the weight of a car, in pounds.
pub const WEIGHT: &str = "weight";
/// The name of the column with the year a car was built in, two digits of it.
pub const YEAR: &str = "model year";
/// The name of the column with the code of the continent a car comes from.
pub const ORIGIN: &str = "origin";

/// Where the data comes from, for people.
pub const CITATION: &str = "Auto MPG: city fuel consumption of cars of the years 1970 to 1982, in miles per gallon. \
    Quinlan, R. (1993), UCI Machine Learning Repository, doi:10.24432/C5859H, licence CC BY 4.0.";

/// The feature columns of the raw file, in its order, with their types.
pub const FEATURES: [(&str, DataType); 7] = [
    ("cylinders", DataType::Int64),
    ("displacement", DataType::Float64),
    ("horsepower", DataType::Float64),
    (WEIGHT, DataType::Float64),
    ("acceleration", DataType::Float64),
    (YEAR, DataType::Int64),
    (ORIGIN, DataType::Int64),
];

/// How the raw file marks a missing value.
pub const MISSING: &str = "?";

/// The SHA-256 digest of the raw file, in hexadecimal.
pub const SHA256: &str = "48b830e11feee5572525f8f1691ddb9d38d3d7b7063edcd8fca672c2a5e17d8d";

/// The raw file: 398 cars, one per line.
pub const BUNDLED: &[u8] = include_bytes!("../../../data/auto-mpg.data");

/// The columns of the raw file that hold numbers: the target, then the features.
///
/// # Errors
/// None: the names are distinct.
pub fn raw_schema() -> Result<Schema, SchemaError> {
    let target = [Field::new(TARGET, DataType::Float64)];
    Schema::new(target.into_iter().chain(feature_fields()).collect())
}

/// The feature columns without the target.
///
/// # Errors
/// None: the names are distinct.
pub fn feature_schema() -> Result<Schema, SchemaError> {
    Schema::new(feature_fields().collect())
}

/// What a code of the column [`ORIGIN`] stands for.
///
/// ```
/// assert_eq!(drivetrain_autompg::origin_name(3.0), Some("Japan"));
/// ```
#[must_use]
pub fn origin_name(code: f64) -> Option<&'static str> {
    [(1.0, "America"), (2.0, "Europe"), (3.0, "Japan")].iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

fn feature_fields() -> impl Iterator<Item = Field> {
    FEATURES.into_iter().map(|(name, dtype)| Field::new(name, dtype))
}
