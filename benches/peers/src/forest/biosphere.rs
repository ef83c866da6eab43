//! biosphere's forest, which has no form on disk.

use ::biosphere::{MaxFeatures, RandomForest, RandomForestParameters};
use drivetrain_forest::ndarray::{ArrayView1, ArrayView2};

use super::{FIT, Shape, predict};
use crate::data::Rows;
use crate::{Failure, Printer};

pub(super) fn run(train: &Rows, test: &Rows, shape: Shape, meter: &mut Printer) -> Result<(), Failure> {
    let parameters = || {
        RandomForestParameters::default()
            .with_n_estimators(shape.trees)
            .with_max_depth(shape.max_depth)
            .with_max_features(shape.max_features.map_or(MaxFeatures::None, MaxFeatures::Value))
            .with_n_jobs(i32::try_from(shape.threads).ok())
    };
    let forest = meter.measure(FIT, || {
        let mut forest = RandomForest::new(parameters());
        forest.fit(&train.x.view(), &ArrayView1::from(&train.y));
        forest
    });
    let one = |row: &[f64]| Ok(forest.predict(&ArrayView2::from_shape((1, row.len()), row)?)[0]);
    predict(test, meter, || Ok(forest.predict(&test.x.view()).to_vec()), one)
}
