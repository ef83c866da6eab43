//! The rows of one part of the data.

use std::path::{Path, PathBuf};

use drivetrain_autompg::{TARGET, raw_schema};
use drivetrain_dataset::read_csv;
use drivetrain_frame::{FrameError, FrameTable, polars::frame::DataFrame};
use drivetrain_plan::{
    Column, Matrix, Plan, Table,
    ndarray::{Array2, Axis, Slice},
};

#[cfg(feature = "report")]
use drivetrain_plan::ColumnTable;

use crate::Error;

/// Rows with their target taken off.
#[derive(Debug, Clone)]
pub(in crate::jobs) struct Part {
    path: PathBuf,
    features: DataFrame,
    target: Vec<f64>,
}

impl Part {
    /// Reads a CSV file; every row must have a target.
    pub(in crate::jobs) fn read(path: PathBuf) -> Result<Self, Error> {
        let schema = raw_schema().map_err(|error| Error::Task(error.into()))?;
        let frame = read_csv(&path, &schema)?;
        let features = frame.drop(TARGET).map_err(FrameError::Polars)?;
        let table = FrameTable::new(&frame)?;
        let target = table.column(TARGET).as_ref().and_then(Column::to_f64).unwrap_or_default().into_owned();
        match target.iter().position(|value| value.is_nan()) {
            None => Ok(Self { path, features, target }),
            Some(row) => Err(Error::MissingTarget { path, row: row + 1, column: TARGET.to_owned() }),
        }
    }

    /// The file.
    pub(in crate::jobs) fn path(&self) -> &Path {
        &self.path
    }

    /// The target, one value per row.
    pub(in crate::jobs) fn target(&self) -> &[f64] {
        &self.target
    }

    /// The raw feature columns.
    pub(in crate::jobs) fn table(&self) -> Result<FrameTable<'_>, Error> {
        Ok(FrameTable::new(&self.features)?)
    }

    /// The raw feature columns, copied.
    #[cfg(feature = "report")]
    pub(in crate::jobs) fn columns(&self) -> Result<ColumnTable, Error> {
        columns_of(&self.features)
    }

    /// These rows, then those of another part: features and target.
    #[cfg(feature = "report")]
    pub(in crate::jobs) fn stacked(&self, other: &Self) -> Result<(ColumnTable, Vec<f64>), Error> {
        let features = self.features.vstack(&other.features).map_err(FrameError::Polars)?;
        Ok((columns_of(&features)?, [&self.target[..], &other.target].concat()))
    }

    /// What a plan makes of the rows.
    pub(in crate::jobs) fn apply(&self, plan: &Plan, table: &dyn Table) -> Result<Matrix, Error> {
        plan.apply(table).map_err(|source| Error::Apply { path: self.path.clone(), source })
    }

    /// The features with the target before them, shape (rows, 1 + features).
    pub(in crate::jobs) fn with_target(&self, features: &Matrix) -> Array2<f64> {
        let mut values = Array2::zeros((features.n_rows(), features.n_columns() + 1));
        values.column_mut(0).iter_mut().zip(&self.target).for_each(|(cell, target)| *cell = *target);
        values.slice_axis_mut(Axis(1), Slice::from(1..)).assign(&features.values());
        values
    }
}

#[cfg(feature = "report")]
fn columns_of(frame: &DataFrame) -> Result<ColumnTable, Error> {
    ColumnTable::copy_of(&FrameTable::new(frame)?).map_err(|error| Error::Task(error.into()))
}
