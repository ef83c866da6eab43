//! The rows of one part of the data.

use std::path::{Path, PathBuf};

use drivetrain_autompg::{TARGET, raw_schema};
use drivetrain_dataset::read_csv;
use drivetrain_frame::{FrameError, FrameTable, polars::frame::DataFrame};
use drivetrain_plan::{
    Column, Matrix, Plan, Table,
    ndarray::{Array2, Axis, Slice},
};

use crate::Error;

/// Rows with their target taken off.
#[derive(Debug, Clone)]
pub(super) struct Part {
    path: PathBuf,
    features: DataFrame,
    target: Vec<f64>,
}

impl Part {
    /// Reads a CSV file; every row must have a target.
    pub(super) fn read(path: PathBuf) -> Result<Self, Error> {
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
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The target, one value per row.
    pub(super) fn target(&self) -> &[f64] {
        &self.target
    }

    /// The raw feature columns.
    pub(super) fn table(&self) -> Result<FrameTable<'_>, Error> {
        Ok(FrameTable::new(&self.features)?)
    }

    /// What a plan makes of the rows.
    pub(super) fn apply(&self, plan: &Plan, table: &dyn Table) -> Result<Matrix, Error> {
        plan.apply(table).map_err(|source| Error::Apply { path: self.path.clone(), source })
    }

    /// The features with the target before them, shape (rows, 1 + features).
    pub(super) fn with_target(&self, features: &Matrix) -> Array2<f64> {
        let mut values = Array2::zeros((features.n_rows(), features.n_columns() + 1));
        values.column_mut(0).iter_mut().zip(&self.target).for_each(|(cell, target)| *cell = *target);
        values.slice_axis_mut(Axis(1), Slice::from(1..)).assign(&features.values());
        values
    }
}
