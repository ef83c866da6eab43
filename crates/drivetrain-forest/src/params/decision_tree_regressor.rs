//! The single tree that predicts numbers.

use super::{ForestParameters, MaxFeatures, RegressionCriterion, Samples, Splitter};

estimator! {
    /// A decision tree regressor yet to be fitted, with scikit-learn's parameter names and defaults.
    ///
    /// Fitting, with the `train` feature, gives a [`Forest`](crate::Forest) of one tree.
    ///
    /// Source: `sklearn.tree.DecisionTreeRegressor`; Breiman, L., Friedman, J., Olshen, R., Stone, C. (1984),
    /// Classification and regression trees, doi:10.1201/9781315139470.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::ndarray::array;
    /// use drivetrain_forest::{DecisionTreeRegressor, NodeView};
    ///
    /// let x = array![[1.0], [2.0], [f64::NAN]];
    /// let fitted = DecisionTreeRegressor::default().fit(x.view(), &[5.0, 5.0, 9.0])?;
    /// let tree = fitted.tree(0).unwrap();
    /// // What is missing is told from all that is there.
    /// assert_eq!(tree.node(0), Some(NodeView::Split { feature: 0, threshold: f64::MAX, left: 1, right: 2 }));
    /// assert_eq!(fitted.predict_row(&[f64::NAN])?, 9.0);
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    DecisionTreeRegressor, DecisionTreeRegressorBuilder, RegressionCriterion::SquaredError,
    forest: |_| ForestParameters::ONE_TREE,
    splitter: |own| own.splitter,
    class_weight: |_| Ok(()),
    {
        splitter = Splitter::Best,
        max_depth = None,
        min_samples_split = Samples::Count(2),
        min_samples_leaf = Samples::Count(1),
        min_weight_fraction_leaf = 0.0,
        max_features = MaxFeatures::All,
        max_leaf_nodes = None,
        min_impurity_decrease = 0.0,
        ccp_alpha = 0.0,
        monotonic_cst = None,
        categorical_features = None,
        random_state = 0,
    }
}
