//! What can go wrong, with the place where it did.

/// Everything this crate refuses, naming the parameter, row, column or number at fault.
///
/// Rows and columns are counted from zero.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ForestError {
    /// A hyper-parameter lies outside its range.
    #[error("{name} is {value}: expected {expected}")]
    InvalidParameter {
        /// The parameter, by scikit-learn's name.
        name: &'static str,
        /// The value given.
        value: String,
        /// The values allowed.
        expected: &'static str,
    },
    /// Drawing fewer features than there are, without bootstrap, is beyond smartcore's engine.
    #[error(
        "max_features selects {n_candidates} of {n_features} features: without bootstrap, trees can only be grown on all of them"
    )]
    FeatureSubsetWithoutBootstrap {
        /// Features to be drawn at each split.
        n_candidates: usize,
        /// Columns of x.
        n_features: usize,
    },
    /// There is nothing to learn from.
    #[error("x has {n_rows} rows and {n_columns} columns: at least one of each is needed")]
    EmptyTrainingSet {
        /// Rows of x.
        n_rows: usize,
        /// Columns of x.
        n_columns: usize,
    },
    /// More rows or columns than a 32-bit index can count.
    #[error("x has {n_rows} rows and {n_columns} columns: at most {limit} of each are supported")]
    TrainingSetTooLarge {
        /// Rows of x.
        n_rows: usize,
        /// Columns of x.
        n_columns: usize,
        /// The largest number supported.
        limit: usize,
    },
    /// x and y disagree about the number of rows.
    #[error("x has {n_rows} rows but y has {n_targets} values")]
    TargetLength {
        /// Rows of x.
        n_rows: usize,
        /// Values of y.
        n_targets: usize,
    },
    /// There is not one weight for each row.
    #[error("x has {n_rows} rows but sample_weight has {n_weights} values")]
    WeightLength {
        /// Rows of x.
        n_rows: usize,
        /// Weights given.
        n_weights: usize,
    },
    /// A weight is missing, infinite or negative.
    #[error("sample_weight[{row}] is {value}: expected a finite number of at least 0")]
    InvalidWeight {
        /// Position in the weights.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// No row counts.
    #[error("all {n_rows} values of sample_weight are 0")]
    NoWeight {
        /// Rows of x.
        n_rows: usize,
    },
    /// A feature is infinite, or missing where the forest was stored before missing values were known.
    #[error("x[{row}, {column}] is {value}: expected a finite number")]
    InvalidFeature {
        /// Row of x.
        row: usize,
        /// Column of x.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// A value of a column that was declared to hold categories is none.
    #[error("x[{row}, {column}] is {value}: expected a category, a whole number from 0 to 63, or NaN")]
    InvalidCategory {
        /// Row of x.
        row: usize,
        /// Column of x.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// A target is negative, and the criterion is that of counts.
    #[error("y[{row}] is {value}: the poisson criterion expects targets of at least 0")]
    NegativeTarget {
        /// Position in y.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// No target is above zero, and the criterion is that of counts.
    #[error("all {n_targets} values of y are 0: the poisson criterion expects one above")]
    NoPositiveTarget {
        /// Values of y.
        n_targets: usize,
    },
    /// A target is missing, infinite or too large to be averaged safely.
    #[error("y[{row}] is {value}: expected a finite number of magnitude at most {limit:e}")]
    InvalidTarget {
        /// Position in y.
        row: usize,
        /// The value found.
        value: f64,
        /// The largest magnitude supported.
        limit: f64,
    },
    /// The rows to be predicted have another width than those learned from.
    #[error("x has {found} columns but the forest was fitted on {expected}")]
    FeatureCount {
        /// Columns at fit.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// Names and features differ in number.
    #[error("there are {expected} features but {found} names")]
    FeatureNames {
        /// Features of the forest.
        expected: usize,
        /// Names given.
        found: usize,
    },
    /// The forest needs more nodes than a 32-bit index can count.
    #[error("the forest has {n_nodes} nodes: at most {limit} are supported")]
    TooManyNodes {
        /// Nodes of all trees together.
        n_nodes: usize,
        /// The largest number supported.
        limit: usize,
    },
    /// There is no forest among those to be merged.
    #[error("there are no forests to merge")]
    NothingToMerge,
    /// Forests to be merged were not grown on the same kind of data.
    #[error("forest {index} cannot be merged with the first: its {what} is {found}, not {first}")]
    Unlike {
        /// Which of the forests it is.
        index: usize,
        /// What they differ in.
        what: &'static str,
        /// That of the first forest.
        first: String,
        /// That of the forest refused.
        found: String,
    },
    /// Stored arrays do not describe a forest.
    #[error("not a forest: {reason}")]
    InvalidForest {
        /// The first inconsistency found.
        reason: String,
    },
    /// Whoever watched the fit told it to end, or it was told to stop before the first tree.
    #[error("after {n_grown} of {n_trees} trees: the fit was cancelled")]
    Cancelled {
        /// Trees grown by then.
        n_grown: usize,
        /// Trees asked for.
        n_trees: usize,
    },
    /// The growing engine failed on data that passed every check.
    #[error("growing a tree failed: {reason}")]
    Engine {
        /// What the engine said.
        reason: String,
    },
    /// There is nothing to score.
    #[error("there are no predictions to score")]
    NothingToScore,
    /// Truth and predictions have different lengths.
    #[error("y_true has {n_true} values but y_pred has {n_pred}")]
    PredictionLength {
        /// Values of the truth.
        n_true: usize,
        /// Values predicted.
        n_pred: usize,
    },
    /// A value to be scored is not a number or infinite.
    #[error("{name}[{row}] is {value}: expected a finite number")]
    NotScorable {
        /// `y_true` or `y_pred`.
        name: &'static str,
        /// Position in it.
        row: usize,
        /// The value found.
        value: f64,
    },
}
