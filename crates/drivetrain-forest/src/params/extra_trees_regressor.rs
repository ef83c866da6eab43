//! The forest of randomly drawn splits that predicts numbers.

use super::{ForestParameters, MaxFeatures, RegressionCriterion, Samples, Splitter};

estimator! {
    /// An extra-trees regressor yet to be fitted, with scikit-learn's parameter names and defaults: a forest whose
    /// splits are drawn at random, one for each feature, and whose trees learn from all rows.
    ///
    /// Fitting, with the `train` feature, gives a [`Forest`](crate::Forest).
    ///
    /// Source: `sklearn.ensemble.ExtraTreesRegressor`; Geurts, P., Ernst, D., Wehenkel, L. (2006), Extremely
    /// randomized trees, doi:10.1007/s10994-006-6226-1.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::ExtraTreesRegressor;
    /// use drivetrain_forest::ndarray::array;
    ///
    /// let forest = ExtraTreesRegressor::default().fit(array![[1.0], [2.0], [4.0]].view(), &[5.0, 6.0, 9.0])?;
    /// assert_eq!(forest.predict_row(&[2.0])?, 6.0);
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    ExtraTreesRegressor, ExtraTreesRegressorBuilder, RegressionCriterion::SquaredError,
    forest: |own| ForestParameters {
        n_estimators: own.n_estimators, bootstrap: own.bootstrap, max_samples: own.max_samples,
    },
    splitter: |_| Splitter::Random,
    class_weight: |_| Ok(()),
    {
        n_estimators = 100,
        max_depth = None,
        min_samples_split = Samples::Count(2),
        min_samples_leaf = Samples::Count(1),
        min_weight_fraction_leaf = 0.0,
        max_features = MaxFeatures::All,
        max_leaf_nodes = None,
        min_impurity_decrease = 0.0,
        bootstrap = false,
        max_samples = None,
        ccp_alpha = 0.0,
        monotonic_cst = None,
        categorical_features = None,
        random_state = 0,
    }
}
