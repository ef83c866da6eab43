//! The forest of randomly drawn splits that predicts classes.

use super::{ClassWeight, ClassificationCriterion, ForestParameters, MaxFeatures, Samples, Splitter};

estimator! {
    /// An extra-trees classifier yet to be fitted, with scikit-learn's parameter names and defaults: a forest whose
    /// splits are drawn at random, one for each feature, and whose trees learn from all rows.
    ///
    /// Fitting, with the `train` feature, gives a [`ClassificationForest`](crate::ClassificationForest).
    ///
    /// Source: `sklearn.ensemble.ExtraTreesClassifier`; Geurts, P., Ernst, D., Wehenkel, L. (2006), Extremely
    /// randomized trees, doi:10.1007/s10994-006-6226-1.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::ExtraTreesClassifier;
    /// use drivetrain_forest::ndarray::array;
    ///
    /// let forest = ExtraTreesClassifier::default().fit(array![[1.0], [2.0], [4.0]].view(), &[false, false, true])?;
    /// assert_eq!(forest.predict(array![[4.0]].view())?, [true]);
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    ExtraTreesClassifier, ExtraTreesClassifierBuilder, ClassificationCriterion::Gini,
    forest: |own| ForestParameters {
        n_estimators: own.n_estimators, bootstrap: own.bootstrap, max_samples: own.max_samples,
    },
    splitter: |_| Splitter::Random,
    class_weight: |own| own.class_weight.validate(),
    {
        n_estimators = 100,
        max_depth = None,
        min_samples_split = Samples::Count(2),
        min_samples_leaf = Samples::Count(1),
        min_weight_fraction_leaf = 0.0,
        max_features = MaxFeatures::Sqrt,
        max_leaf_nodes = None,
        min_impurity_decrease = 0.0,
        bootstrap = false,
        max_samples = None,
        ccp_alpha = 0.0,
        class_weight = ClassWeight::None,
        monotonic_cst = None,
        categorical_features = None,
        random_state = 0,
    }
}
