//! Our forest. Its size is that of the whole artifact, checksums and probe rows included.

use drivetrain_artifact::{ArtifactBuilder, Regressor};
use drivetrain_forest::{MaxFeatures, RandomForestRegressor};

use super::{FIT, Shape, predict};
use crate::data::Rows;
use crate::{Failure, Printer};

pub(super) fn run(train: &Rows, test: &Rows, shape: Shape, meter: &mut Printer) -> Result<(), Failure> {
    let regressor = regressor(shape)?;
    let forest = meter.measure(FIT, || regressor.fit(train.x.view(), &train.y))?;
    let names = (0..forest.n_features()).map(|index| format!("x{index}")).collect();
    let artifact = ArtifactBuilder::regressor(Regressor::new(forest.clone(), names)?, test.x.view()).build()?;
    meter.size(artifact.to_tar_gz_bytes()?.len() as u64);
    drop(artifact);
    predict(test, meter, || Ok(forest.predict(test.x.view())?), |row| Ok(forest.predict_row(row)?))
}

/// The forest of a shape, not yet grown.
pub(crate) fn regressor(shape: Shape) -> Result<RandomForestRegressor, Failure> {
    let mut builder = RandomForestRegressor::builder().n_estimators(shape.trees).max_depth(shape.max_depth);
    if let Some(count) = shape.max_features {
        builder = builder.max_features(MaxFeatures::count(count)?);
    }
    Ok(builder.build()?)
}
