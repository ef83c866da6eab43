//! The random forest that predicts numbers.

use super::{ForestParameters, MaxFeatures, RegressionCriterion, Samples, Splitter};

estimator! {
    /// A random forest regressor yet to be fitted, with scikit-learn's parameter names and defaults.
    ///
    /// It holds nothing but validated hyper-parameters, so it also serves as their record: it serialises
    /// as a map of them, and reading one back validates it again (a parameter left out has its default,
    /// an unknown one is an error). Fitting, with the `train` feature, gives a [`Forest`](crate::Forest).
    ///
    /// Source: `sklearn.ensemble.RandomForestRegressor`; Breiman, L. (2001), Random Forests,
    /// doi:10.1023/A:1010933404324.
    ///
    /// ```
    /// use drivetrain_forest::{MaxFeatures, RandomForestRegressor};
    ///
    /// let regressor = RandomForestRegressor::builder()
    ///     .n_estimators(50)
    ///     .max_depth(8)
    ///     .max_features(MaxFeatures::Sqrt)
    ///     .random_state(7)
    ///     .build()?;
    /// assert_eq!(regressor.max_depth(), Some(8));
    ///
    /// let error = RandomForestRegressor::builder().n_estimators(0).build().unwrap_err();
    /// assert_eq!(error.to_string(), "n_estimators is 0: expected a number from 1 to 1000000");
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    RandomForestRegressor, RandomForestRegressorBuilder, RegressionCriterion::SquaredError,
    forest: |own| ForestParameters {
        n_estimators: own.n_estimators, bootstrap: own.bootstrap, max_samples: own.max_samples,
    },
    splitter: |_| Splitter::Best,
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
        bootstrap = true,
        max_samples = None,
        ccp_alpha = 0.0,
        monotonic_cst = None,
        categorical_features = None,
        random_state = 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_scikit_learn() {
        let json = serde_json::to_value(RandomForestRegressor::default()).unwrap();
        let expected = serde_json::json!({
            "n_estimators": 100, "max_depth": null, "min_samples_split": 2, "min_samples_leaf": 1,
            "min_weight_fraction_leaf": 0.0, "max_features": "all", "max_leaf_nodes": null,
            "min_impurity_decrease": 0.0, "bootstrap": true, "max_samples": null, "ccp_alpha": 0.0,
            "criterion": "squared_error", "monotonic_cst": null, "categorical_features": null, "random_state": 0,
        });
        assert_eq!(json, expected);
        assert_eq!(RandomForestRegressor::default().0, RandomForestRegressorBuilder::default());
    }

    #[test]
    fn every_parameter_is_kept_and_survives_json() {
        let regressor = RandomForestRegressor::builder()
            .n_estimators(3)
            .max_depth(4)
            .min_samples_split(5)
            .min_samples_leaf(0.25)
            .min_weight_fraction_leaf(0.125)
            .max_features(MaxFeatures::Log2)
            .max_leaf_nodes(9)
            .min_impurity_decrease(0.5)
            .max_samples(Samples::Fraction(0.75))
            .ccp_alpha(0.0625)
            .random_state(u64::MAX)
            .build()
            .unwrap();
        assert_eq!(regressor.n_estimators(), 3);
        assert_eq!(regressor.max_depth(), Some(4));
        assert_eq!(regressor.min_samples_split(), 5);
        assert_eq!(regressor.min_samples_leaf(), Samples::Fraction(0.25));
        assert_eq!(regressor.min_weight_fraction_leaf(), 0.125);
        assert_eq!(regressor.max_features(), MaxFeatures::Log2);
        assert_eq!(regressor.max_leaf_nodes(), Some(9));
        assert_eq!(regressor.min_impurity_decrease(), 0.5);
        assert!(regressor.bootstrap());
        assert_eq!(regressor.max_samples(), Some(Samples::Fraction(0.75)));
        assert_eq!(regressor.ccp_alpha(), 0.0625);
        assert_eq!(regressor.random_state(), u64::MAX);
        let json = serde_json::to_string(&regressor).unwrap();
        assert_eq!(serde_json::from_str::<RandomForestRegressor>(&json).unwrap(), regressor);
    }

    #[test]
    fn values_out_of_range_are_refused_when_built() {
        let message = |builder: RandomForestRegressorBuilder| builder.build().unwrap_err().to_string();
        let start = RandomForestRegressor::builder;
        assert_eq!(
            message(start().n_estimators(1_000_001)),
            "n_estimators is 1000001: expected a number from 1 to 1000000"
        );
        assert_eq!(message(start().max_depth(0)), "max_depth is 0: expected a number of at least 1, or none");
        assert_eq!(
            message(start().min_samples_split(1)),
            "min_samples_split is 1: expected a number of at least 2, or a share above 0.0 and up to 1.0"
        );
        assert_eq!(
            message(start().min_samples_leaf(0)),
            "min_samples_leaf is 0: expected a number of at least 1, or a share above 0.0 and below 1.0"
        );
        for builder in [
            start().min_samples_split(0.0),
            start().min_samples_split(f64::NAN),
            start().min_samples_leaf(1.0),
            start().min_weight_fraction_leaf(0.51),
            start().max_leaf_nodes(1),
            start().min_impurity_decrease(-1.0),
            start().max_samples(Samples::Count(0)),
            start().max_samples(Samples::Fraction(f64::INFINITY)),
            start().max_samples(Samples::Count(5)).bootstrap(false),
            start().ccp_alpha(f64::NAN),
        ] {
            assert!(message(builder.clone()).contains(": expected "), "{builder:?}");
        }
        assert!(start().bootstrap(false).build().is_ok_and(|regressor| !regressor.bootstrap()));
    }

    #[test]
    fn reading_validates_and_refuses_unknown_names() {
        let read = serde_json::from_str::<RandomForestRegressor>;
        assert_eq!(read("{}").unwrap(), RandomForestRegressor::default());
        assert!(read(r#"{"n_estimators": 0}"#).is_err());
        assert!(read(r#"{"n_trees": 10}"#).is_err());
        assert!(read(r#"{"max_features": "most"}"#).is_err());
    }
}
