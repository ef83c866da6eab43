//! datarust's forest, scikit-learn's tree for tree; it grows on one thread and predicts matrices only.

use ::datarust::Matrix;
use ::datarust::ensemble::RandomForestRegressor;
use ::datarust::traits::Predictor;
use ::datarust::tree::MaxFeatures;

use super::{FIT, Shape, predict};
use crate::data::{Rows, row_major};
use crate::{Failure, Printer};

pub(super) fn run(train: &Rows, test: &Rows, shape: Shape, meter: &mut Printer) -> Result<(), Failure> {
    let matrix = |rows: &Rows| Matrix::from_flat(rows.x.nrows(), rows.x.ncols(), row_major(&rows.x.view()));
    let (x, x_test) = (matrix(train)?, matrix(test)?);
    let forest = meter.measure(FIT, || {
        let mut forest = RandomForestRegressor::new()
            .with_n_estimators(shape.trees)
            .with_max_depth(shape.max_depth)
            .with_max_features(shape.max_features.map_or(MaxFeatures::All, MaxFeatures::Count))
            .with_random_state(42);
        forest.fit(&x, &train.y).map(|()| forest)
    })?;
    let one = |row: &[f64]| Ok(forest.predict(&Matrix::from_flat(1, row.len(), row.to_vec())?)?[0]);
    predict(test, meter, || Ok(forest.predict(&x_test)?), one)
}
