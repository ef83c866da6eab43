//! The types a column can have.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The type of a column. Every type admits missing values.
///
/// Narrower machine types widen without loss before they reach a plan: `f32` to [`Float64`](Self::Float64),
/// `i8` ... `i32` and `u8` ... `u32` to [`Int64`](Self::Int64).
///
/// ```
/// use drivetrain_plan::{CategoryType, DataType};
///
/// let dtype = DataType::Categorical(CategoryType::Int64);
/// assert_eq!(dtype.to_string(), "categorical[int64]");
/// assert_eq!("categorical[int64]".parse::<DataType>()?, dtype);
/// # Ok::<(), drivetrain_plan::SchemaError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataType {
    /// True, false or missing.
    Boolean,
    /// 64-bit signed integers.
    Int64,
    /// 64-bit floats; missing and NaN are the same thing.
    Float64,
    /// UTF-8 text.
    String,
    /// A finite set of values without arithmetic meaning.
    Categorical(CategoryType),
}

/// The type of the values that a categorical column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CategoryType {
    /// Integers, which sort as numbers.
    Int64,
    /// Text, which sorts by Unicode code point.
    String,
}

impl DataType {
    const ALL: [Self; 6] = [
        Self::Boolean,
        Self::Int64,
        Self::Float64,
        Self::String,
        Self::Categorical(CategoryType::Int64),
        Self::Categorical(CategoryType::String),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Categorical(CategoryType::Int64) => "categorical[int64]",
            Self::Categorical(CategoryType::String) => "categorical[string]",
        }
    }

    /// Whether values of this type can stand in a feature matrix: boolean (0 and 1), integer or float.
    #[must_use]
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Boolean | Self::Int64 | Self::Float64)
    }

    /// Whether the type is categorical, of any kind of value.
    #[must_use]
    pub const fn is_categorical(self) -> bool {
        matches!(self, Self::Categorical(_))
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DataType {
    type Err = crate::SchemaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dtype| dtype.name() == text)
            .ok_or_else(|| crate::SchemaError::UnknownDataType { name: text.to_owned() })
    }
}

impl TryFrom<String> for DataType {
    type Error = crate::SchemaError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DataType> for String {
    fn from(dtype: DataType) -> Self {
        dtype.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for dtype in DataType::ALL {
            assert_eq!(dtype.to_string().parse::<DataType>().unwrap(), dtype);
        }
        assert!("categorical".parse::<DataType>().is_err());
    }
}
