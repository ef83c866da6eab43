//! rafor's forest, which works in float32; its size is that of bincode, which its documentation uses.

use ::rafor::MaxFeaturesPolicy;
use ::rafor::prelude::*;
use ::rafor::rf::Regressor;

use super::{FIT, Shape, predict};
use crate::data::Rows;
use crate::{Failure, Printer};

#[expect(clippy::cast_possible_truncation, reason = "it takes float32, which holds the values exactly")]
fn float32<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<f32> {
    values.into_iter().map(|value| *value as f32).collect()
}

pub(super) fn run(train: &Rows, test: &Rows, shape: Shape, meter: &mut Printer) -> Result<(), Failure> {
    let (x, y, x_test) = (float32(&train.x), float32(&train.y), float32(&test.x));
    let forest = meter.measure(FIT, || grow(&x, &y, shape));
    meter.size(bincode::serde::encode_to_vec(&forest, bincode::config::standard())?.len() as u64);
    let batch = || Ok(forest.predict_batch(&x_test, shape.threads).into_iter().map(f64::from).collect());
    predict(test, meter, batch, |row| Ok(f64::from(forest.predict_one(&float32(row)))))
}

/// The forest of a shape, grown.
pub(crate) fn forest(train: &Rows, shape: Shape) -> Regressor {
    grow(&float32(&train.x), &float32(&train.y), shape)
}

fn grow(x: &[f32], y: &[f32], shape: Shape) -> Regressor {
    Regressor::trainer()
        .with_max_depth(shape.max_depth.unwrap_or(usize::MAX))
        .with_max_features(MaxFeaturesPolicy::NUMBER(shape.max_features.unwrap_or(x.len() / y.len())))
        .with_trees(shape.trees)
        .with_threads(shape.threads)
        .with_seed(42)
        .train(x, y)
}
