//! The random forest that predicts classes.

use super::{ClassWeight, ClassificationCriterion, ForestParameters, MaxFeatures, Samples, Splitter};

estimator! {
    /// A random forest classifier yet to be fitted, with scikit-learn's parameter names and defaults.
    ///
    /// Like [`RandomForestRegressor`](crate::RandomForestRegressor), but what it predicts are classes: fitting,
    /// with the `train` feature, gives a [`ClassificationForest`](crate::ClassificationForest).
    ///
    /// Source: `sklearn.ensemble.RandomForestClassifier`; Breiman, L. (2001), Random Forests,
    /// doi:10.1023/A:1010933404324.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::RandomForestClassifier;
    /// use drivetrain_forest::ndarray::array;
    ///
    /// let x = array![[1.0], [2.0], [8.0], [9.0]];
    /// let classifier = RandomForestClassifier::builder().n_estimators(50).build()?;
    /// let forest = classifier.fit(x.view(), &["cat", "cat", "dog", "dog"])?;
    /// assert_eq!(forest.classes(), ["cat", "dog"]);
    /// assert_eq!(forest.predict(array![[0.0], [10.0]].view())?, ["cat", "dog"]);
    /// assert!(forest.predict_proba(array![[10.0]].view())?[[0, 1]] > 0.8);
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    RandomForestClassifier, RandomForestClassifierBuilder, ClassificationCriterion::Gini,
    forest: |own| ForestParameters {
        n_estimators: own.n_estimators, bootstrap: own.bootstrap, max_samples: own.max_samples,
    },
    splitter: |_| Splitter::Best,
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
        bootstrap = true,
        max_samples = None,
        ccp_alpha = 0.0,
        class_weight = ClassWeight::None,
        monotonic_cst = None,
        categorical_features = None,
        random_state = 0,
    }
}
