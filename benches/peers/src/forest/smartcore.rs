//! smartcore's forest, which grows on one thread and predicts matrices only.

use ::smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use ::smartcore::linalg::basic::matrix::DenseMatrix;

use super::{FIT, Shape, predict};
use crate::data::{Rows, row_major};
use crate::{Failure, Printer};

pub(super) fn run(train: &Rows, test: &Rows, shape: Shape, meter: &mut Printer) -> Result<(), Failure> {
    let matrix = |rows: &Rows| DenseMatrix::new(rows.x.nrows(), rows.x.ncols(), row_major(&rows.x.view()), false);
    let (x, x_test) = (matrix(train)?, matrix(test)?);
    let parameters = RandomForestRegressorParameters {
        // It counts levels of nodes, not splits.
        max_depth: shape.max_depth.map(|depth| u16::try_from(depth + 1)).transpose()?,
        min_samples_leaf: 1,
        min_samples_split: 2,
        n_trees: shape.trees,
        m: Some(shape.max_features.unwrap_or(train.x.ncols())),
        keep_samples: false,
        seed: 0,
    };
    let forest = meter.measure(FIT, || RandomForestRegressor::fit(&x, &train.y, parameters.clone()))?;
    meter.size(bincode::serde::encode_to_vec(&forest, bincode::config::standard())?.len() as u64);
    let one = |row: &[f64]| {
        let row = DenseMatrix::new(1, row.len(), row.to_vec(), false)?;
        Ok(forest.predict(&row)?[0])
    };
    predict(test, meter, || Ok(forest.predict(&x_test)?), one)
}
