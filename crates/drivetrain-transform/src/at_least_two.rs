//! A number of parts that something is cut into.

use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// A number of 2 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub(crate) struct AtLeastTwo(usize);

impl AtLeastTwo {
    pub(crate) const FIVE: Self = Self(5);

    /// The value of the parameter called `name`.
    pub(crate) fn new(name: &'static str, value: usize) -> Result<Self, ParameterError> {
        let expected = "a number of at least 2";
        if value >= 2 {
            Ok(Self(value))
        } else {
            Err(ParameterError::OutOfRange { name, value: value.to_string(), expected })
        }
    }

    pub(crate) const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for AtLeastTwo {
    type Error = ParameterError;

    fn try_from(value: usize) -> Result<Self, ParameterError> {
        Self::new("a number of parts", value)
    }
}

impl From<AtLeastTwo> for usize {
    fn from(number: AtLeastTwo) -> Self {
        number.0
    }
}
