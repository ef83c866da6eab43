//! What a forest must beat: simpler models, and one of its kind, on the same features.

use drivetrain_evaluate::{
    EvaluateError, Parameters,
    regressor::{DummyRegressor, LinearRegression, Regressor, Ridge, Svr, TransformedTargetRegressor},
};
use drivetrain_forest::{ExtraTreesRegressor, RandomForestRegressor};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What a support vector regression pays for a row missed, and by how much it may miss one for nothing: of a target of
/// deviation 1.
const C: f64 = 10.0;
const EPSILON: f64 = 0.1;
/// Its time and memory grow with the pairs of rows: up to so many it takes no longer than the forest does.
const FEW_ROWS: usize = 1000;
/// So many trees for one of the forest: they are drawn, not searched, so each costs less and says less.
const EXTRA: usize = 3;
/// More no forest can have.
const MOST_TREES: usize = 1_000_000;

/// Models by name.
pub(super) type Baselines = Vec<(&'static str, Box<dyn Regressor>)>;

/// The baselines of a forest by name, the simplest first; the one by logarithms only where each target has one, support
/// vectors only where rows are few.
pub(super) fn baselines(forest: &RandomForestRegressor, y: &[f64]) -> Result<Baselines, EvaluateError> {
    let mut baselines: Baselines = vec![
        ("mean", Box::new(DummyRegressor)),
        ("linear", Box::new(LinearRegression)),
        ("ridge", Box::<Ridge>::default()),
    ];
    if y.iter().all(|value| *value > 0.0) {
        baselines.push(("linear, log target", Box::new(TransformedTargetRegressor::log(LinearRegression))));
    }
    if y.len() <= FEW_ROWS {
        baselines.push(("SVR", Box::new(TransformedTargetRegressor::standard(Svr::new(C, EPSILON)?))));
    }
    baselines.push(("extra trees", Box::new(extra_trees(forest)?)));
    Ok(baselines)
}

/// The forest of random splits with the same parameters, but that there are more trees, and that they learn from all
/// rows, as scikit-learn's do.
fn extra_trees(forest: &RandomForestRegressor) -> Result<ExtraTreesRegressor, EvaluateError> {
    let n_estimators = (EXTRA * forest.n_estimators()).min(MOST_TREES);
    let own = [("n_estimators", n_estimators.into()), ("bootstrap", false.into()), ("max_samples", Value::Null)];
    with_parameters(forest, &own.map(|(name, value)| (name.to_owned(), value)).into())
}

/// A forest with some of its parameters replaced, perhaps as one of another kind.
pub(super) fn with_parameters<F: DeserializeOwned>(
    forest: &impl Serialize,
    parameters: &Parameters,
) -> Result<F, EvaluateError> {
    let replaced = serde_json::to_value(forest).and_then(|mut all| {
        if let Value::Object(all) = &mut all {
            all.extend(parameters.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        serde_json::from_value(all)
    });
    replaced.map_err(|source| {
        let parameters = serde_json::to_string(parameters).unwrap_or_default();
        EvaluateError::Candidate { parameters, source: source.into() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_trees_are_told_what_the_forest_is_told() {
        let forest =
            RandomForestRegressor::builder().n_estimators(7).max_depth(Some(3)).random_state(5).build().unwrap();
        let extra = extra_trees(&forest).unwrap();
        assert_eq!((extra.n_estimators(), extra.max_depth(), extra.random_state()), (21, Some(3), 5));
        assert!(!extra.bootstrap());
        let most = RandomForestRegressor::builder().n_estimators(MOST_TREES).build().unwrap();
        assert_eq!(extra_trees(&most).unwrap().n_estimators(), MOST_TREES);
    }

    #[test]
    fn what_has_no_logarithm_is_not_predicted_by_one_and_many_rows_have_no_support_vectors() {
        let names = |y: &[f64]| -> Vec<_> {
            baselines(&RandomForestRegressor::default(), y).unwrap().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&[1.0, 2.0]), ["mean", "linear", "ridge", "linear, log target", "SVR", "extra trees"]);
        assert_eq!(names(&[1.0, 0.0]), ["mean", "linear", "ridge", "SVR", "extra trees"]);
        assert!(names(&[1.0; FEW_ROWS]).contains(&"SVR") && !names(&[1.0; FEW_ROWS + 1]).contains(&"SVR"));
    }
}
