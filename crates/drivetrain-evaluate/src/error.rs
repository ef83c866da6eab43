//! What can go wrong, with the place where it did.

use drivetrain_forest::ForestError;
use drivetrain_plan::{ApplyError, PlanError, TableError};
use drivetrain_transform::{FitError, TransformError};

/// Everything this crate refuses. Rows are counted from zero.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A parameter lies outside its range.
    #[error("{name} is {value}: expected {expected}")]
    InvalidParameter {
        /// The parameter, by scikit-learn's name.
        name: &'static str,
        /// The value given.
        value: String,
        /// The values allowed.
        expected: &'static str,
    },
    /// Some folds would stay empty.
    #[error("{n_rows} rows cannot be split into {n_splits} folds")]
    TooFewRows {
        /// Rows available.
        n_rows: usize,
        /// Folds asked for.
        n_splits: usize,
    },
    /// Rows in the order of time are too few for the tests that are to follow the first training rows.
    #[error("{n_rows} rows are too few for {n_splits} tests of {test_size} rows after a gap of {gap}")]
    TooFewOrderedRows {
        /// Rows available.
        n_rows: usize,
        /// Tests asked for.
        n_splits: usize,
        /// Rows of each.
        test_size: usize,
        /// Rows left out before each.
        gap: usize,
    },
    /// There are fewer groups than folds.
    #[error("{n_groups} groups cannot be split into {n_splits} folds: a group is tested as a whole")]
    TooFewGroups {
        /// Different groups found.
        n_groups: usize,
        /// Folds asked for.
        n_splits: usize,
    },
    /// A row whose group nobody knows: it could be of any, and leak into the other side.
    #[error("row {row} has no group: column `{column}` is missing there")]
    MissingGroup {
        /// The column of groups.
        column: String,
        /// The row.
        row: usize,
    },
    /// What folds leave to learn from is too little to be split again.
    #[error(
        "{n_rows} rows in {n_splits} folds leave {n_train} to learn from: at least {needed} are needed, as these are split \
         again for prediction intervals and searches"
    )]
    TooFewRowsToSplitAgain {
        /// Rows available.
        n_rows: usize,
        /// Folds asked for.
        n_splits: usize,
        /// Rows left to learn from.
        n_train: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A cut leaves nothing to learn from or nothing to score on.
    #[error(
        "cut at {cut}, {n_train} rows are left to learn from and {n_test} to score on: at least one of each is needed"
    )]
    EmptyCut {
        /// The value cut at.
        cut: f64,
        /// Rows at or below it.
        n_train: usize,
        /// Rows above it.
        n_test: usize,
    },
    /// There is nothing to cross-validate.
    #[error("there are no folds")]
    NoFolds,
    /// A fold refers to a row that does not exist.
    #[error("a fold refers to row {row} of {n_rows}")]
    FoldOutOfRange {
        /// The row the fold refers to.
        row: usize,
        /// Rows available.
        n_rows: usize,
    },
    /// A fold has the same row to learn from and to score on, or lacks one of the two.
    #[error("a fold cannot be scored: {problem}")]
    InvalidFold {
        /// What is wrong with it.
        problem: String,
    },
    /// The table and the target disagree about the number of rows.
    #[error("the table has {n_rows} rows but y has {n_targets} values")]
    TargetLength {
        /// Rows of the table.
        n_rows: usize,
        /// Values of y.
        n_targets: usize,
    },
    /// A target is missing or infinite.
    #[error("y[{row}] is {value}: expected a finite number")]
    InvalidTarget {
        /// Position in y.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// Every target is the same: no model can be told from another.
    #[error("all {n_rows} values of y are {value}: there is nothing to predict")]
    ConstantTarget {
        /// Values of y.
        n_rows: usize,
        /// The value of all of them.
        value: f64,
    },
    /// A target that has no logarithm.
    #[error("y[{row}] is {value}: only numbers above 0 have a logarithm")]
    NoLogarithm {
        /// Position in y.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// The optimiser of a support vector regression gave up, or could not work with these numbers.
    #[error("no support vectors were found among {n_rows} rows: {problem}")]
    SupportVectors {
        /// Rows learned from.
        n_rows: usize,
        /// What went wrong.
        problem: String,
    },
    /// A feature is missing or infinite.
    #[error("row {row}, feature `{feature}` is {value}: expected a finite number")]
    InvalidFeature {
        /// Row of the features.
        row: usize,
        /// The feature, by its position where it has no name.
        feature: String,
        /// The value found.
        value: f64,
    },
    /// The rows to be predicted have another width than those learned from.
    #[error("there are {found} features where {expected} were learned from")]
    FeatureCount {
        /// Features at fit.
        expected: usize,
        /// Features found.
        found: usize,
    },
    /// A column that the table does not have.
    #[error("there is no column `{column}`")]
    UnknownColumn {
        /// The column.
        column: String,
    },
    /// A column of words where numbers are needed.
    #[error("column `{column}` holds no numbers")]
    NotNumeric {
        /// The column.
        column: String,
    },
    /// A column in which no value is known.
    #[error("column `{column}` has no value that could be varied")]
    NothingToVary {
        /// The column.
        column: String,
    },
    /// Too few residuals for the coverage that is asked for.
    #[error("{n_residuals} residuals are too few for intervals of coverage {coverage}: at least {needed} are needed")]
    TooFewResiduals {
        /// Residuals there are.
        n_residuals: usize,
        /// The coverage asked for.
        coverage: f64,
        /// Residuals needed for it.
        needed: usize,
    },
    /// A parameter of a search that the model does not take.
    #[error("the search's parameters {parameters} make no model")]
    Candidate {
        /// The parameters, as JSON.
        parameters: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The forest cannot be grown, or predictions not be scored.
    #[error(transparent)]
    Forest(#[from] ForestError),
    /// The preprocessing cannot be fitted.
    #[error("cannot fit the preprocessing")]
    Preprocess(#[source] Box<FitError>),
    /// Rows cannot be transformed to features.
    #[error("cannot compute the features")]
    Transform(#[source] Box<TransformError>),
    /// What was learned does not form a plan.
    #[error("what the preprocessing learned is not a plan")]
    Plan(#[source] Box<PlanError>),
    /// A changed table does not fit together.
    #[error("cannot put the table together")]
    Table(#[source] Box<TableError>),
}

impl EvaluateError {
    pub(crate) fn at_least(name: &'static str, value: usize, least: usize, expected: &'static str) -> Result<(), Self> {
        if value >= least {
            return Ok(());
        }
        Err(Self::InvalidParameter { name, value: value.to_string(), expected })
    }
}

impl From<FitError> for EvaluateError {
    fn from(error: FitError) -> Self {
        Self::Preprocess(Box::new(error))
    }
}

impl From<TransformError> for EvaluateError {
    fn from(error: TransformError) -> Self {
        Self::Transform(Box::new(error))
    }
}

impl From<ApplyError> for EvaluateError {
    fn from(error: ApplyError) -> Self {
        TransformError::from(error).into()
    }
}

impl From<PlanError> for EvaluateError {
    fn from(error: PlanError) -> Self {
        Self::Plan(Box::new(error))
    }
}

impl From<TableError> for EvaluateError {
    fn from(error: TableError) -> Self {
        Self::Table(Box::new(error))
    }
}
