//! The result of a plan.

use ndarray::{Array2, ArrayView2};

/// A feature matrix: `f64`, row-major, one name per column; missing values are NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    values: Array2<f64>,
    feature_names: Vec<String>,
}

impl Matrix {
    /// The caller sees to it that `values` is row-major and has as many columns as there are names.
    pub(crate) fn new(values: Array2<f64>, feature_names: Vec<String>) -> Self {
        debug_assert!(values.ncols() == feature_names.len() && values.is_standard_layout());
        Self { values, feature_names }
    }

    /// The values, shape (rows, features), row-major.
    #[must_use]
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The feature names, one per column.
    #[must_use]
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.values.nrows()
    }

    /// The number of features.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.values.ncols()
    }

    /// The column called `name`, if there is one.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let index = self.feature_names.iter().position(|feature| feature == name)?;
        Some(self.values.column(index).to_vec())
    }

    /// Whether both hold the same names and bit-identical values. Unlike `==`, NaN equals the same NaN.
    #[must_use]
    pub fn bit_eq(&self, other: &Self) -> bool {
        self.feature_names == other.feature_names
            && self.values.dim() == other.values.dim()
            && self.values.iter().zip(&other.values).all(|(a, b)| a.to_bits() == b.to_bits())
    }

    /// The values and the names, taken apart.
    #[must_use]
    pub fn into_parts(self) -> (Array2<f64>, Vec<String>) {
        (self.values, self.feature_names)
    }
}
