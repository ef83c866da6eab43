//! The values that a search tries.

use std::{collections::BTreeMap, str::FromStr};

use drivetrain_evaluate::{EvaluateError, ParameterGrid};
use serde_json::Value;

/// A grid of a forest's parameters, written as JSON: an object of lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid(pub(super) ParameterGrid);

/// What is searched unless told otherwise.
pub(super) fn default() -> Result<ParameterGrid, EvaluateError> {
    ParameterGrid::new([
        ("max_depth", vec![Value::Null, 8.into(), 16.into()]),
        ("max_features", ["all", "0.5", "0.33", "sqrt"].map(Value::from).to_vec()),
        ("min_samples_leaf", [1, 2, 3, 5].map(Value::from).to_vec()),
    ])
}

/// A text that is no grid.
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// It is no JSON object of lists.
    #[error("expected an object of lists, such as {{\"max_depth\": [4, 8]}}")]
    Json(#[from] serde_json::Error),
    /// A list is empty.
    #[error(transparent)]
    Empty(#[from] EvaluateError),
}

impl FromStr for Grid {
    type Err = GridError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let values: BTreeMap<String, Vec<Value>> = serde_json::from_str(text)?;
        Ok(Self(ParameterGrid::new(values)?))
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_forest::RandomForestRegressor;

    use super::*;
    use crate::jobs::baselines::with_parameters;

    #[test]
    fn the_default_grid_is_made_of_the_forests_parameters() {
        let grid = default().unwrap();
        assert_eq!(grid.n_candidates(), 48);
        for candidate in grid.all() {
            with_parameters::<RandomForestRegressor>(&RandomForestRegressor::default(), &candidate).unwrap();
        }
    }

    #[test]
    fn what_is_no_grid_says_what_one_is() {
        let message = |text: &str| text.parse::<Grid>().unwrap_err().to_string();
        assert!(message("{\"max_depth\": 4}").contains("an object of lists"));
        assert!(message("{\"max_depth\": []}").contains("empty for max_depth"));
        let candidate = "{\"depth\": [4]}".parse::<Grid>().unwrap().0.all().remove(0);
        let forest = RandomForestRegressor::default();
        let error = with_parameters::<RandomForestRegressor>(&forest, &candidate).unwrap_err();
        assert!(crate::failure::explain(&error).contains("unknown field `depth`"), "{error}");
    }
}
