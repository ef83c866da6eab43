//! The feature matrices of a training job: target in column 0.

use std::path::{Path, PathBuf};

use drivetrain_artifact::{Sha256, npy};
use drivetrain_plan::ndarray::{Array2, ArrayView2, Axis, Slice};

use crate::{
    Error,
    jobs::{FEATURES_FILE, FeatureDescription},
};

/// What the target is called in messages; a matrix does not name it.
const TARGET: &str = "target";

/// A feature matrix with its target, all values finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Features {
    path: PathBuf,
    values: Array2<f64>,
    names: Vec<String>,
    preprocessor: Option<Sha256>,
}

impl Features {
    /// Reads `file` of `directory`, and what its columns are from beside it; without such a description they are
    /// called `x0`, `x1`, ..., as scikit-learn calls columns without names.
    pub(super) fn read(directory: &Path, file: &str) -> Result<Self, Error> {
        let path = directory.join(file);
        let values = npy::read(&path)?;
        let (rows, columns) = values.dim();
        if rows == 0 || columns < 2 {
            return Err(Error::EmptyFeatures { path, rows, columns });
        }
        let names_path = directory.join(FEATURES_FILE);
        let description = FeatureDescription::read(&names_path)?.unwrap_or_else(|| FeatureDescription {
            names: (0..columns - 1).map(|index| format!("x{index}")).collect(),
            preprocessor: None,
        });
        let FeatureDescription { names, preprocessor } = description;
        if names.len() + 1 != columns {
            return Err(Error::FeatureNameCount { path, names_path, names: names.len(), columns });
        }
        if let Some(((row, column), value)) = values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            let name = column.checked_sub(1).and_then(|index| names.get(index));
            let name = name.map_or(TARGET, String::as_str).to_owned();
            return Err(Error::NonFinite { path, row, column, name, value: *value });
        }
        Ok(Self { path, values, names, preprocessor })
    }

    /// The features, shape (rows, features).
    pub(super) fn x(&self) -> ArrayView2<'_, f64> {
        self.values.slice_axis(Axis(1), Slice::from(1..))
    }

    /// The target, one value per row.
    pub(super) fn y(&self) -> Vec<f64> {
        self.values.column(0).to_vec()
    }

    /// The names of the features.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The id of the preprocessor that made the features, if it is known.
    pub(super) const fn preprocessor(&self) -> Option<Sha256> {
        self.preprocessor
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that `val` has the same columns, made by the same preprocessor.
    pub(super) fn check_same_columns(&self, val: &Self) -> Result<(), Error> {
        if self.preprocessor != val.preprocessor {
            return Err(Error::PreprocessorMismatch { train_path: self.path.clone(), val_path: val.path.clone() });
        }
        if self.values.ncols() != val.values.ncols() {
            return Err(Error::WidthMismatch {
                train_path: self.path.clone(),
                train_columns: self.values.ncols(),
                val_path: val.path.clone(),
                val_columns: val.values.ncols(),
            });
        }
        let differing = self.names.iter().zip(&val.names).enumerate().find(|(_, (train, val))| train != val);
        match differing {
            None => Ok(()),
            Some((index, (train_name, val_name))) => Err(Error::FeatureNameMismatch {
                index,
                train_path: self.path.clone(),
                train_name: train_name.clone(),
                val_path: val.path.clone(),
                val_name: val_name.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::ndarray::array;

    use super::*;

    fn write(directory: &Path, values: &Array2<f64>, names: Option<&str>) {
        npy::write(directory.join("f.npy"), values.view()).unwrap();
        if let Some(names) = names {
            std::fs::write(directory.join(FEATURES_FILE), names).unwrap();
        }
    }

    fn read(values: &Array2<f64>, names: Option<&str>) -> Result<Features, Error> {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), values, names);
        Features::read(directory.path(), "f.npy")
    }

    #[test]
    fn the_first_column_is_the_target() {
        let features = read(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], Some(r#"{"names": ["a", "b"]}"#)).unwrap();
        assert_eq!(features.y(), [1.0, 4.0]);
        assert_eq!(features.x(), array![[2.0, 3.0], [5.0, 6.0]]);
        assert_eq!(features.names(), ["a", "b"]);
    }

    #[test]
    fn columns_without_names_are_numbered() {
        assert_eq!(read(&array![[1.0, 2.0, 3.0]], None).unwrap().names(), ["x0", "x1"]);
    }

    #[test]
    fn what_is_not_finite_is_named_by_row_and_column() {
        let error = read(&array![[1.0, 2.0, 3.0], [1.0, 2.0, f64::NAN]], Some(r#"{"names": ["a", "b"]}"#)).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("row 1, column 2 (`b`) is NaN"), "{message}");
        let message = read(&array![[f64::INFINITY, 2.0]], None).unwrap_err().to_string();
        assert!(message.contains("row 0, column 0 (`target`) is inf"), "{message}");
    }

    #[test]
    fn what_is_empty_or_does_not_fit_is_refused() {
        assert!(matches!(read(&Array2::zeros((0, 3)), None), Err(Error::EmptyFeatures { .. })));
        assert!(matches!(read(&array![[1.0]], None), Err(Error::EmptyFeatures { .. })));
        let error = read(&array![[1.0, 2.0, 3.0]], Some(r#"{"names": ["a"]}"#)).unwrap_err();
        assert!(matches!(error, Error::FeatureNameCount { names: 1, columns: 3, .. }), "{error}");
        assert!(matches!(read(&array![[1.0, 2.0]], Some("{")), Err(Error::ParseConfig { .. })));
    }

    #[test]
    fn differing_columns_are_named() {
        let train = read(&array![[1.0, 2.0, 3.0]], Some(r#"{"names": ["a", "b"]}"#)).unwrap();
        let narrow = read(&array![[1.0, 2.0]], None).unwrap();
        let error = train.check_same_columns(&narrow).unwrap_err();
        assert!(matches!(error, Error::WidthMismatch { train_columns: 3, val_columns: 2, .. }), "{error}");
        let renamed = read(&array![[1.0, 2.0, 3.0]], Some(r#"{"names": ["a", "c"]}"#)).unwrap();
        let message = train.check_same_columns(&renamed).unwrap_err().to_string();
        assert!(message.starts_with("feature 1 is `c` in"), "{message}");
        train.check_same_columns(&train).unwrap();
        let made = format!(r#"{{"names": ["a", "b"], "preprocessor": "{}"}}"#, Sha256::of(b"another"));
        let error = train.check_same_columns(&read(&array![[1.0, 2.0, 3.0]], Some(&made)).unwrap()).unwrap_err();
        assert!(matches!(error, Error::PreprocessorMismatch { .. }), "{error}");
    }
}
