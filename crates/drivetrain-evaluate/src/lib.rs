//! Model selection: which model predicts best, how well, and what it looks at.
//!
//! * [`KFold`], [`RepeatedKFold`], [`GroupKFold`], [`TimeSeriesSplit`] and [`Fold::cut_at`] say which rows to learn from
//!   and which to score on. They are seeded, and the same on every machine.
//! * [`cross_validate`] scores a [`Model`], preprocessing and all. A model is handed the raw rows to learn from and nothing
//!   else, so nothing leaks from the rows it is scored on: not the mean that fills a gap, not a category, not a scale.
//! * [`regressor`] has the baselines to put beside it; [`Bootstrap`] puts intervals around metrics.
//! * [`search`] tries parameters, and [`SearchCv`] is a search as a model, for nested cross-validation.
//! * [`permutation_importance`] and [`partial_dependence`] ask a fitted model what it makes of the raw columns.
//! * [`SplitConformal`] and [`CvPlus`] put intervals around predictions, of a coverage that holds.
//! * [`evaluate`] does all of that, and gives an [`Evaluation`]: data, for reports.
//!
//! ```
//! use drivetrain_evaluate::regressor::{DummyRegressor, LinearRegression};
//! use drivetrain_evaluate::{Bootstrap, PipelineModel, RepeatedKFold, cross_validate};
//! use drivetrain_forest::RandomForestRegressor;
//! use drivetrain_plan::{Column, ColumnTable};
//! use drivetrain_transform::{Pipeline, SimpleImputer, StandardScaler, Step};
//!
//! let x: Vec<f64> = (0..60).map(|row| if row == 7 { f64::NAN } else { f64::from(row) }).collect();
//! let x = ColumnTable::new(vec![("x".into(), Column::from(x))])?;
//! let y: Vec<f64> = (0..60).map(|row| f64::from(row * row)).collect();
//!
//! let preprocessing =
//!     Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())])?;
//! let forest = RandomForestRegressor::builder().n_estimators(20).build()?;
//! let folds = RepeatedKFold::new(5, 2, 42)?.split(60)?;
//! let mut errors = Vec::new();
//! for model in [
//!     PipelineModel::new(preprocessing.clone(), DummyRegressor),
//!     PipelineModel::new(preprocessing.clone(), LinearRegression),
//!     PipelineModel::new(preprocessing, forest),
//! ] {
//!     let scores = cross_validate(&model, &x, &y, &folds, None)?;
//!     let summary = Bootstrap::new(200, 0.95, 1)?.summarise(&scores, &y)?;
//!     errors.push(summary.rmse.mean);
//! }
//! assert!(errors[0] > errors[1] && errors[1] > errors[2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What tables, transformers and forests are made of is at hand under the names of their crates, so a program that depends
//! on this crate alone evaluates models of data of its own:
//!
//! ```
//! use drivetrain_evaluate::drivetrain_forest::ExtraTreesRegressor;
//! use drivetrain_evaluate::drivetrain_plan::{Column, ColumnTable};
//! use drivetrain_evaluate::drivetrain_transform::OrdinalEncoder;
//! use drivetrain_evaluate::serde_json::json;
//! use drivetrain_evaluate::{GroupKFold, ParameterGrid, PipelineModel};
//!
//! let streets = ["elm", "oak", "elm", "birch", "oak", "birch"].map(Some).to_vec();
//! let x = ColumnTable::new(vec![("street".into(), Column::from(streets))])?;
//! let model = PipelineModel::new(OrdinalEncoder::new(), ExtraTreesRegressor::builder().n_estimators(3).build()?);
//! let folds = GroupKFold::new(2)?.split_by(&x, "street")?;
//! let grid = ParameterGrid::new([("max_depth", vec![json!(null), json!(4)])])?;
//! # let _ = (model, grid);
//! assert_eq!(folds.iter().map(|fold| fold.test.len()).collect::<Vec<_>>(), [4, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Not as in scikit-learn
//!
//! * Seeds are numbers, and shuffle otherwise than numpy's: folds of the same seed are other folds.
//! * There is no model without an error interval, and none without baselines, in an [`Evaluation`].

mod conformal;
mod cross_validate;
mod error;
mod evaluation;
mod inspect;
mod model;
pub mod regressor;
mod score;
mod search;
mod split;

pub use conformal::{CvPlus, Interval, SplitConformal};
pub use cross_validate::{FoldScore, Progress, cross_validate};
pub use drivetrain_forest::{self, metrics::RegressionMetrics};
pub use drivetrain_plan;
pub use drivetrain_transform;
pub use error::EvaluateError;
pub use evaluation::{
    Calibration, CalibrationLevel, Contender, Evaluation, EvaluationPlan, EvaluationProgress, Importances,
    ModelEvaluation, SearchEvaluation, SearchPlan, TimeSplit, evaluate,
};
pub use inspect::{ColumnImportance, Grid, PartialDependence, fold_back, partial_dependence, permutation_importance};
pub use model::{FittedModel, Model, PipelineModel};
/// The ndarray whose views regressors take.
pub use ndarray;
pub use score::{Bootstrap, Estimate, Summary};
pub use search::{Candidate, MakeModel, ParameterGrid, Parameters, SearchCv, SearchResults, search};
/// The values of parameters.
pub use serde_json;
pub use split::{Fold, GroupKFold, KFold, RepeatedKFold, TimeSeriesSplit};
