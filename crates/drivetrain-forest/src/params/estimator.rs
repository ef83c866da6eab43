//! What estimators have in common: a struct of parameters, a builder with a method for each, and its checks.
//!
//! Each parameter's type, documentation and methods are written once, here; an estimator lists those it has,
//! with its defaults.

/// The type of a parameter.
macro_rules! parameter_type {
    (n_estimators) => { usize };
    (splitter) => { $crate::params::Splitter };
    (max_depth) => { Option<usize> };
    (min_samples_split) => { $crate::params::Samples };
    (min_samples_leaf) => { $crate::params::Samples };
    (min_weight_fraction_leaf) => { f64 };
    (max_features) => { $crate::params::MaxFeatures };
    (max_leaf_nodes) => { Option<usize> };
    (min_impurity_decrease) => { f64 };
    (bootstrap) => { bool };
    (max_samples) => { Option<$crate::params::Samples> };
    (ccp_alpha) => { f64 };
    (class_weight) => { $crate::params::ClassWeight };
    (monotonic_cst) => { Option<Vec<i8>> };
    (categorical_features) => { Option<Vec<usize>> };
    (random_state) => { u64 };
}

/// The method of a builder that sets a parameter.
macro_rules! parameter_setter {
    (n_estimators) => {
        /// The number of trees (default 100).
        pub fn n_estimators(mut self, n_estimators: usize) -> Self {
            self.n_estimators = n_estimators;
            self
        }
    };
    (splitter) => {
        /// How splits are found: the best one of each feature (default), or one drawn at random.
        pub fn splitter(mut self, splitter: $crate::params::Splitter) -> Self {
            self.splitter = splitter;
            self
        }
    };
    (max_depth) => {
        /// The largest number of splits between the root and a leaf; `None`, the default, for no limit.
        pub fn max_depth(mut self, max_depth: impl Into<Option<usize>>) -> Self {
            self.max_depth = max_depth.into();
            self
        }
    };
    (min_samples_split) => {
        /// The fewest rows a node must have to be split (default 2): a count, or a share of all rows.
        ///
        /// A row that a bootstrap draws twice counts once, here and for leaves.
        pub fn min_samples_split(mut self, min_samples_split: impl Into<$crate::params::Samples>) -> Self {
            self.min_samples_split = min_samples_split.into();
            self
        }
    };
    (min_samples_leaf) => {
        /// The fewest rows a leaf may have (default 1): a count, or a share of all rows.
        pub fn min_samples_leaf(mut self, min_samples_leaf: impl Into<$crate::params::Samples>) -> Self {
            self.min_samples_leaf = min_samples_leaf.into();
            self
        }
    };
    (min_weight_fraction_leaf) => {
        /// The smallest share of the tree's total weight that a leaf may have (default 0).
        pub fn min_weight_fraction_leaf(mut self, min_weight_fraction_leaf: f64) -> Self {
            self.min_weight_fraction_leaf = min_weight_fraction_leaf;
            self
        }
    };
    (max_features) => {
        /// The number of features drawn at every split: all by default where numbers are predicted, the square
        /// root of their number in forests that predict classes.
        pub fn max_features(mut self, max_features: $crate::params::MaxFeatures) -> Self {
            self.max_features = max_features;
            self
        }
    };
    (max_leaf_nodes) => {
        /// The largest number of leaves of a tree: the splits that remove most of the impurity come first.
        /// `None`, the default, for no limit.
        pub fn max_leaf_nodes(mut self, max_leaf_nodes: impl Into<Option<usize>>) -> Self {
            self.max_leaf_nodes = max_leaf_nodes.into();
            self
        }
    };
    (min_impurity_decrease) => {
        /// The decrease in impurity, times the node's share of the tree's total weight, that a split must bring
        /// (default 0).
        pub fn min_impurity_decrease(mut self, min_impurity_decrease: f64) -> Self {
            self.min_impurity_decrease = min_impurity_decrease;
            self
        }
    };
    (bootstrap) => {
        /// Whether every tree learns from rows drawn with replacement or from all rows: by default random
        /// forests do, extra trees do not.
        pub fn bootstrap(mut self, bootstrap: bool) -> Self {
            self.bootstrap = bootstrap;
            self
        }
    };
    (max_samples) => {
        /// How many rows the bootstrap draws for a tree: a count, or a share of all rows. `None`, the
        /// default, for as many as there are.
        pub fn max_samples(mut self, max_samples: impl Into<Option<$crate::params::Samples>>) -> Self {
            self.max_samples = max_samples.into();
            self
        }
    };
    (ccp_alpha) => {
        /// What a leaf costs when trees are pruned to the smallest sum of impurity, weighted by the leaves' shares
        /// of the tree's total weight, and cost of leaves (default 0, no pruning).
        ///
        /// Source: Breiman, L., Friedman, J., Olshen, R., Stone, C. (1984), Classification and regression
        /// trees, chapter 3, doi:10.1201/9781315139470.
        pub fn ccp_alpha(mut self, ccp_alpha: f64) -> Self {
            self.ccp_alpha = ccp_alpha;
            self
        }
    };
    (class_weight) => {
        /// What a row weighs because of its class (by default all weigh the same).
        pub fn class_weight(mut self, class_weight: $crate::params::ClassWeight) -> Self {
            self.class_weight = class_weight;
            self
        }
    };
    (monotonic_cst) => {
        /// For each feature 1 if predictions must not fall as it grows, -1 if they must not rise, 0 if they are
        /// free; `None`, the default, where all are. Of two classes the chance of the second is meant; more than
        /// two cannot be constrained.
        pub fn monotonic_cst(mut self, monotonic_cst: impl Into<Option<Vec<i8>>>) -> Self {
            self.monotonic_cst = monotonic_cst.into();
            self
        }
    };
    (categorical_features) => {
        /// The columns that hold categories, numbered from 0 to 63: they are split into two sets of categories.
        /// `None`, the default, where none does.
        ///
        /// A category that a split has not seen goes right; a value that is no category goes where missing values go.
        /// scikit-learn has this parameter in its `HistGradientBoosting` estimators.
        pub fn categorical_features(mut self, categorical_features: impl Into<Option<Vec<usize>>>) -> Self {
            self.categorical_features = categorical_features.into();
            self
        }
    };
    (random_state) => {
        /// The seed of all randomness (default 0): equal seeds and data give equal forests.
        pub fn random_state(mut self, random_state: u64) -> Self {
            self.random_state = random_state;
            self
        }
    };
}

/// The method of an estimator that tells a parameter.
macro_rules! parameter_getter {
    (n_estimators) => { parameter_getter!("The number of trees.", n_estimators: usize); };
    (splitter) => { parameter_getter!("How splits are found.", splitter: $crate::params::Splitter); };
    (max_depth) => {
        parameter_getter!("The largest number of splits between the root and a leaf.", max_depth: Option<usize>);
    };
    (min_samples_split) => {
        parameter_getter!("The fewest rows a node must have to be split.", min_samples_split: $crate::params::Samples);
    };
    (min_samples_leaf) => {
        parameter_getter!("The fewest rows a leaf may have.", min_samples_leaf: $crate::params::Samples);
    };
    (min_weight_fraction_leaf) => {
        parameter_getter!(
            "The smallest share of the tree's total weight that a leaf may have.",
            min_weight_fraction_leaf: f64
        );
    };
    (max_features) => {
        parameter_getter!("The number of features drawn at every split.", max_features: $crate::params::MaxFeatures);
    };
    (max_leaf_nodes) => {
        parameter_getter!("The largest number of leaves of a tree.", max_leaf_nodes: Option<usize>);
    };
    (min_impurity_decrease) => {
        parameter_getter!("The weighted decrease in impurity that a split must bring.", min_impurity_decrease: f64);
    };
    (bootstrap) => {
        parameter_getter!("Whether every tree learns from rows drawn with replacement.", bootstrap: bool);
    };
    (max_samples) => {
        parameter_getter!("How many rows the bootstrap draws for a tree.", max_samples: Option<$crate::params::Samples>);
    };
    (ccp_alpha) => { parameter_getter!("What a leaf costs when trees are pruned.", ccp_alpha: f64); };
    (class_weight) => {
        /// What a row weighs because of its class.
        #[must_use]
        pub fn class_weight(&self) -> &$crate::params::ClassWeight {
            &self.0.class_weight
        }
    };
    (monotonic_cst) => {
        /// For each feature the direction that predictions must keep as it grows.
        #[must_use]
        pub fn monotonic_cst(&self) -> Option<&[i8]> {
            self.0.monotonic_cst.as_deref()
        }
    };
    (categorical_features) => {
        /// The columns that hold categories.
        #[must_use]
        pub fn categorical_features(&self) -> Option<&[usize]> {
            self.0.categorical_features.as_deref()
        }
    };
    (random_state) => { parameter_getter!("The seed of all randomness.", random_state: u64); };
    ($doc:literal, $name:ident: $type:ty) => {
        #[doc = $doc]
        #[must_use]
        pub fn $name(&self) -> $type {
            self.0.$name
        }
    };
}

/// An estimator, its builder, and what growing needs to know of it.
macro_rules! estimator {
    (
        $(#[$doc:meta])*
        $name:ident, $builder:ident, $criterion:ident::$default_criterion:ident,
        forest: $forest:expr, splitter: $splitter:expr, class_weight: $class_weight:expr,
        { $($field:ident = $default:expr),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "Builder")]
        pub struct $name($builder);

        type Builder = $builder;

        /// Hyper-parameters yet to be validated; starts from scikit-learn's defaults.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[must_use = "a builder does nothing until it is built"]
        pub struct $builder {
            criterion: $criterion,
            $($field: parameter_type!($field),)*
        }

        impl Default for $builder {
            fn default() -> Self {
                Self { criterion: $criterion::$default_criterion, $($field: $default,)* }
            }
        }

        impl $builder {
            /// What makes a split a good one.
            pub fn criterion(mut self, criterion: $criterion) -> Self {
                self.criterion = criterion;
                self
            }

            $(parameter_setter!($field);)*

            /// Validates the parameters.
            ///
            /// # Errors
            /// [`ForestError::InvalidParameter`](crate::ForestError::InvalidParameter) for the first one outside
            /// its range.
            pub fn build(self) -> Result<$name, crate::ForestError> {
                let built = $name(self);
                built.forest().validate()?;
                built.tree().validate()?;
                let class_weight: fn(&$builder) -> Result<(), crate::ForestError> = $class_weight;
                class_weight(&built.0)?;
                Ok(built)
            }
        }

        impl $name {
            /// Starts from scikit-learn's defaults.
            pub fn builder() -> $builder {
                $builder::default()
            }

            /// A builder that starts from these parameters.
            pub fn to_builder(&self) -> $builder {
                self.0.clone()
            }

            /// What makes a split a good one.
            #[must_use]
            pub fn criterion(&self) -> $criterion {
                self.0.criterion
            }

            $(parameter_getter!($field);)*

            /// How many trees, of which rows.
            pub(crate) fn forest(&self) -> crate::params::ForestParameters {
                let forest: fn(&$builder) -> crate::params::ForestParameters = $forest;
                forest(&self.0)
            }

            /// How each tree is grown.
            pub(crate) fn tree(&self) -> crate::params::TreeParameters<'_> {
                let own = &self.0;
                let splitter: fn(&$builder) -> crate::params::Splitter = $splitter;
                crate::params::TreeParameters {
                    splitter: splitter(own),
                    max_depth: own.max_depth,
                    min_samples_split: own.min_samples_split,
                    min_samples_leaf: own.min_samples_leaf,
                    min_weight_fraction_leaf: own.min_weight_fraction_leaf,
                    max_features: own.max_features,
                    max_leaf_nodes: own.max_leaf_nodes,
                    min_impurity_decrease: own.min_impurity_decrease,
                    ccp_alpha: own.ccp_alpha,
                    monotonic: own.monotonic_cst.as_deref().unwrap_or(&[]),
                    categorical_features: own.categorical_features.as_deref().unwrap_or(&[]),
                    categorical: &[],
                    random_state: own.random_state,
                }
            }
        }

        impl TryFrom<$builder> for $name {
            type Error = crate::ForestError;

            fn try_from(builder: $builder) -> Result<Self, Self::Error> {
                builder.build()
            }
        }
    };
}
