//! The whole pipeline on real data, preprocessing fitted inside each fold: as accurate as scikit-learn's.

use drivetrain_autompg::{BUNDLED, MISSING, PipelineOptions, TARGET, pipeline, raw_schema};
use drivetrain_dataset::{Description, Source, TrailingText, acquire};
use drivetrain_forest::{
    RandomForestRegressor,
    metrics::RegressionMetrics,
    model_selection::{RepeatedKFold, cross_validate},
};
use drivetrain_frame::FrameTable;
use drivetrain_plan::{Column, ColumnTable, Table};
use drivetrain_transform::{Estimator, Fitted};

/// scikit-learn 1.9.1: ten folds, five times over, the mean of the fifty RMSEs.
const REFERENCE_RMSE: f64 = 2.64;

#[test]
fn repeated_ten_fold_cross_validation_is_as_good_as_the_reference() {
    let description = Description::new("auto-mpg", raw_schema().unwrap()).unwrap();
    let description = description.missing_marker(MISSING).unwrap().trailing_text(TrailingText::AfterTab);
    let frame = acquire(&description.bundled(BUNDLED), &Source::Bundled).unwrap().frame;
    let y = FrameTable::new(&frame).unwrap().column(TARGET).as_ref().and_then(Column::to_f64).unwrap().into_owned();
    let features = frame.drop(TARGET).unwrap();
    let x = ColumnTable::copy_of(&FrameTable::new(&features).unwrap()).unwrap();

    let preprocessing = pipeline(&PipelineOptions::default()).unwrap();
    let regressor = RandomForestRegressor::default();
    let folds = RepeatedKFold::new(10, 5, 42).unwrap().split(y.len()).unwrap();
    let scores = cross_validate(folds, &y, |fold| {
        let y_train: Vec<f64> = fold.train.iter().map(|&row| y[row]).collect();
        let (train, test) = (x.take(&fold.train), x.take(&fold.test));
        let fitted = preprocessing.fit(&train, Some(&y_train)).unwrap();
        let forest = regressor.fit(fitted.transform(&train).unwrap().values(), &y_train)?;
        forest.predict(fitted.transform(&test).unwrap().values())
    });
    let scores: Vec<RegressionMetrics> = scores.unwrap();
    assert_eq!(scores.len(), 50);
    let rmse = scores.iter().map(|score| score.rmse).sum::<f64>() / 50.0;
    assert!((rmse - REFERENCE_RMSE).abs() < 0.05, "{rmse}");
}
