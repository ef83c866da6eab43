//! What an operation may read.

use std::fmt;

use crate::{Categories, DataType, Op, PlanError};

/// The columns that exist where an operation stands; its checks speak in the name of the operation.
pub(super) struct Reader<'o, F> {
    pub(super) op: &'o Op,
    pub(super) dtype: F,
}

impl<F: FnMut(&str) -> Option<DataType>> Reader<'_, F> {
    /// The type of a column that is read.
    pub(super) fn read(&mut self, column: &str) -> Result<DataType, PlanError> {
        (self.dtype)(column)
            .ok_or_else(|| PlanError::UnknownColumn { reader: self.op.name().to_owned(), column: column.to_owned() })
    }

    pub(super) fn wrong_type(&self, column: &str, expected: &str, found: DataType) -> PlanError {
        let (reader, column) = (self.op.name().to_owned(), column.to_owned());
        PlanError::ColumnType { reader, column, expected: expected.to_owned(), found }
    }

    pub(super) fn numeric(&mut self, column: &str) -> Result<(), PlanError> {
        match self.read(column)? {
            dtype if dtype.is_numeric() => Ok(()),
            dtype => Err(self.wrong_type(column, "boolean, int64 or float64", dtype)),
        }
    }

    /// Refuses a constant that is not usable.
    pub(super) fn constant(&self, column: &str, usable: bool, reason: impl fmt::Display) -> Result<(), PlanError> {
        let error = || {
            let (operation, column) = (self.op.name().to_owned(), column.to_owned());
            PlanError::Constant { operation, column, reason: reason.to_string() }
        };
        usable.then_some(()).ok_or_else(error)
    }

    /// Refuses categories that do not suit the column or repeat.
    pub(super) fn categories(&mut self, column: &str, categories: &Categories) -> Result<(), PlanError> {
        let from = self.read(column)?;
        if !categories.matches(from) {
            return Err(self.wrong_type(column, "a column of the type of the categories", from));
        }
        match categories.first_repeated() {
            None => Ok(()),
            Some(category) => {
                self.constant(column, false, format_args!("category {category} appears twice or cannot be compared"))
            }
        }
    }
}
