//! The single tree that predicts classes.

use super::tree::refuse;
use super::{ClassWeight, ClassificationCriterion, ForestParameters, MaxFeatures, Samples, Splitter};

estimator! {
    /// A decision tree classifier yet to be fitted, with scikit-learn's parameter names and defaults.
    ///
    /// Fitting, with the `train` feature, gives a [`ClassificationForest`](crate::ClassificationForest) of one
    /// tree.
    ///
    /// Source: `sklearn.tree.DecisionTreeClassifier`; Breiman, L., Friedman, J., Olshen, R., Stone, C. (1984),
    /// Classification and regression trees, doi:10.1201/9781315139470.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::DecisionTreeClassifier;
    /// use drivetrain_forest::ndarray::array;
    ///
    /// let classifier = DecisionTreeClassifier::builder().max_depth(1).build()?;
    /// let fitted = classifier.fit(array![[1.0], [2.0], [3.0], [4.0]].view(), &['a', 'a', 'b', 'c'])?;
    /// assert_eq!(fitted.predict_proba(array![[9.0]].view())?, array![[0.0, 0.5, 0.5]]);
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    DecisionTreeClassifier, DecisionTreeClassifierBuilder, ClassificationCriterion::Gini,
    forest: |_| ForestParameters::ONE_TREE,
    splitter: |own| own.splitter,
    class_weight: |own| match own.class_weight {
        ClassWeight::BalancedSubsample => refuse("class_weight", &"balanced_subsample", "none, balanced or given weights"),
        _ => own.class_weight.validate(),
    },
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
        class_weight = ClassWeight::None,
        monotonic_cst = None,
        categorical_features = None,
        random_state = 0,
    }
}
