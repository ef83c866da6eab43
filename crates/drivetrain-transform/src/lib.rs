//! What learns from tables: estimators with scikit-learn's names, parameters and numbers.
//!
//! An [`Estimator`] holds hyper-parameters only. [`Estimator::fit`] gives something [`Fitted`], which lowers to a
//! [`Plan`](drivetrain_plan::Plan): plain data that runs without this crate. An estimator cannot transform before it is
//! fitted, because it has no such method:
//!
//! ```compile_fail
//! # use drivetrain_plan::Table;
//! # fn f(table: &dyn Table) {
//! drivetrain_transform::StandardScaler::new().transform(table);
//! # }
//! ```
//!
//! A pipeline that one-hot encodes categories, and imputes and scales numbers:
//!
//! ```
//! use drivetrain_plan::{Column, ColumnTable};
//! use drivetrain_transform::{
//!     Block, ColumnTransformer, DtypeClass, Estimator, Fitted, OneHotEncoder, Pipeline, SimpleImputer, StandardScaler,
//!     Step, make_column_selector,
//! };
//!
//! let numbers = Pipeline::new(vec![
//!     Step::new("impute", SimpleImputer::mean()),
//!     Step::new("scale", StandardScaler::new()),
//! ])?;
//! let columns = ColumnTransformer::new(vec![
//!     Block::new("text", OneHotEncoder::new(), make_column_selector().dtype_include([DtypeClass::String])),
//!     Block::new("numbers", numbers, make_column_selector().dtype_exclude([DtypeClass::String])),
//! ])?;
//!
//! let cars = ColumnTable::new(vec![
//!     ("weight".into(), Column::from(vec![2000.0, f64::NAN, 4000.0])),
//!     ("origin".into(), Column::from(vec![Some("usa"), Some("japan"), Some("usa")])),
//! ])?;
//! let fitted = columns.fit(&cars, None)?;
//! let features = fitted.transform(&cars)?;
//! assert_eq!(features.feature_names(), ["text__origin_japan", "text__origin_usa", "numbers__weight"]);
//! assert_eq!(features.values().row(1).to_vec(), [1.0, 0.0, 0.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What there is
//! | | |
//! |---|---|
//! | scaling | [`StandardScaler`], [`MinMaxScaler`], [`MaxAbsScaler`], [`RobustScaler`], [`PowerTransformer`], [`QuantileTransformer`], [`Normalizer`] |
//! | encoding | [`OneHotEncoder`], [`OrdinalEncoder`], [`TargetEncoder`], [`KBinsDiscretizer`] |
//! | missing values | [`SimpleImputer`], [`MissingIndicator`] |
//! | features | [`PolynomialFeatures`], [`FunctionTransformer`], [`VarianceThreshold`] |
//! | composition | [`Pipeline`], [`ColumnTransformer`], [`FeatureUnion`], [`make_column_selector`] |
//!
//! # The way back
//! [`Fitted::inverse`] is the plan that undoes what was fitted: of the scalers but [`Normalizer`], of [`OneHotEncoder`] and
//! [`OrdinalEncoder`] where no rare categories share an output, of [`KBinsDiscretizer`] to the middle of the bins, of
//! [`VarianceThreshold`] with zeros for what was left out, of a [`SimpleImputer`] that adds indicators, of a
//! [`FunctionTransformer`] that knows its inverse function, and of a [`Pipeline`] of such steps.
//!
//! # Data larger than memory
//! Estimators whose statistics can be merged implement [`PartialFit`]: fed chunk by chunk, on one machine or several, they
//! learn the same as from one table. [`fit_chunks`] fits a whole pipeline so, in one pass over the chunks per step.
//!
//! # Speed and memory
//! A fit goes over the rows once per step of a pipeline, and once for an imputer by means and the scaler after it; a
//! transform writes every cell of the output once. Both work on blocks of rows that stay in the cache, in parallel on the
//! current rayon pool, with the same bits for any number of threads. Beside input and output they need no memory that
//! grows with the rows.
//!
//! ```console
//! $ cargo bench -p drivetrain-transform
//! $ COLUMN_TRANSFORMER_ROWS=1e5,1e7 COLUMN_TRANSFORMER_THREADS=1 cargo bench -p drivetrain-transform
//! ```
//!
//! holds the column transformer to the same work written out by hand for one table (eight numbers imputed and scaled,
//! two texts one-hot encoded), and prints how the time grows with rows and shrinks with threads, and the peak of memory.
//!
//! # A transformer of your own
//! Implement [`Estimator`] and [`Fitted`] for your types; nothing is registered anywhere. The fitted type states, as
//! operations of a [`PlanBuilder`](drivetrain_plan::PlanBuilder), what it computes from the constants it learned. The
//! crate `drivetrain-conformance` then checks the laws that every estimator keeps.

mod arithmetic;
mod at_least_two;
mod categories;
mod category_counts;
mod check;
mod column_statistics;
mod column_transformer;
mod error;
mod estimator;
mod expression;
mod feature_union;
mod filling;
mod fitted;
mod function_transformer;
mod infrequent;
mod k_bins_discretizer;
mod max_abs_scaler;
mod min_max_scaler;
mod missing_indicator;
mod normalizer;
mod one_hot_encoder;
mod optimize;
mod ordinal_encoder;
mod partial_fit;
mod pipeline;
mod polynomial_features;
mod power_transformer;
mod quantile_method;
mod quantile_transformer;
mod random;
mod robust_scaler;
mod selector;
mod simple_imputer;
mod standard_scaler;
mod statistics;
mod summary;
mod target_encoder;
mod variance_threshold;
mod widen;

pub use categories::EncodedColumn;
pub use category_counts::EncoderState;
pub use check::{check_input, check_numeric};
pub use column_statistics::{ColumnStatistics, PerColumn};
pub use column_transformer::{
    Block, ColumnTransformer, ColumnTransformerState, FittedBlock, FittedColumnTransformer, Remainder,
};
pub use drivetrain_plan;
pub use error::{FitError, ParameterError, TransformError};
pub use estimator::{AnyEstimator, DynEstimator, Estimator, Fitted};
pub use expression::{Expression, col};
pub use feature_union::{Branch, FeatureUnion, FeatureUnionState, FittedFeatureUnion};
pub use filling::Filling;
pub use fitted::{AnyFitted, DynFitted};
pub use function_transformer::{FittedFunctionTransformer, FunctionTransformer, FunctionTransformerState};
pub use infrequent::MinFrequency;
pub use k_bins_discretizer::{BinEncoding, BinStrategy, BinnedColumn, FittedKBinsDiscretizer, KBinsDiscretizer};
pub use max_abs_scaler::{FittedMaxAbsScaler, MaxAbsColumn, MaxAbsScaler};
pub use min_max_scaler::{FittedMinMaxScaler, MinMaxScaler, RangedColumn};
pub use missing_indicator::{FittedMissingIndicator, IndicatedFeatures, MissingIndicator, MissingIndicatorState};
pub use normalizer::{FittedNormalizer, Normalizer};
pub use one_hot_encoder::{DropCategory, FittedOneHotEncoder, HandleUnknown, OneHotEncoder};
pub use ordinal_encoder::{FittedOrdinalEncoder, OrdinalEncoder};
pub use partial_fit::{
    AnyState, ChunkSource, DynPartialFit, PartialFit, Progress, ReadChunk, fit_chunks, fit_in_parts,
};
pub use pipeline::{FittedPipeline, FittedStep, Pipeline, PipelineState, Step};
pub use polynomial_features::{FittedPolynomialFeatures, PolynomialFeatures};
pub use power_transformer::{FittedPowerTransformer, PowerColumn, PowerMethod, PowerTransformer};
pub use quantile_method::QuantileMethod;
pub use quantile_transformer::{FittedQuantileTransformer, OutputDistribution, QuantileColumn, QuantileTransformer};
pub use random::Draws;
pub use robust_scaler::{FittedRobustScaler, RobustColumn, RobustScaler};
pub use selector::{ColumnSelector, Columns, DtypeClass, make_column_selector};
pub use simple_imputer::{FittedSimpleImputer, ImputedColumn, ImputerState, SimpleImputer, Strategy};
pub use standard_scaler::{FittedStandardScaler, ScaledColumn, StandardScaler};
pub use statistics::{BlockStatistic, Extremes, InBlocks, Mean, Moments, Statistic};
pub use summary::Summary;
pub use target_encoder::{FittedTargetEncoder, TargetColumn, TargetEncoder};
pub use variance_threshold::{FittedVarianceThreshold, VarianceThreshold};
