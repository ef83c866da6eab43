//! The candidates of a search.

use std::collections::BTreeMap;

use drivetrain_transform::Draws;
use serde_json::Value;

use crate::EvaluateError;

/// Parameters by name, as JSON.
pub type Parameters = BTreeMap<String, Value>;

/// Every combination of some values of each parameter.
///
/// Source: `sklearn.model_selection.ParameterGrid` and `ParameterSampler`.
///
/// ```
/// use drivetrain_evaluate::ParameterGrid;
///
/// let grid = ParameterGrid::new([("max_depth", vec![4.into(), 8.into()]), ("bootstrap", vec![true.into()])])?;
/// assert_eq!(grid.n_candidates(), 2);
/// assert_eq!(grid.all()[1]["max_depth"], 8);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterGrid {
    values: BTreeMap<String, Vec<Value>>,
    n_candidates: usize,
}

impl ParameterGrid {
    /// The values that each parameter may take.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] for a parameter without values, and for more combinations than can be counted.
    pub fn new<N: Into<String>>(values: impl IntoIterator<Item = (N, Vec<Value>)>) -> Result<Self, EvaluateError> {
        let values: BTreeMap<String, Vec<Value>> =
            values.into_iter().map(|(name, values)| (name.into(), values)).collect();
        let refuse = |value: String, expected| {
            Err(EvaluateError::InvalidParameter { name: "the parameter grid", value, expected })
        };
        if let Some((name, _)) = values.iter().find(|(_, values)| values.is_empty()) {
            return refuse(format!("empty for {name}"), "at least one value for each parameter");
        }
        match values.values().try_fold(1_usize, |product, values| product.checked_mul(values.len())) {
            Some(n_candidates) => Ok(Self { values, n_candidates }),
            None => refuse("too large".to_owned(), "a number of combinations that can be counted"),
        }
    }

    /// The number of combinations.
    #[must_use]
    pub fn n_candidates(&self) -> usize {
        self.n_candidates
    }

    /// All combinations, the last parameter in order of name varying fastest.
    #[must_use]
    pub fn all(&self) -> Vec<Parameters> {
        (0..self.n_candidates).map(|index| self.candidate(index)).collect()
    }

    /// `n_iter` different combinations in random order, or all of them if there are fewer.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if `n_iter` is 0.
    pub fn sample(&self, n_iter: usize, random_state: u64) -> Result<Vec<Parameters>, EvaluateError> {
        EvaluateError::at_least("n_iter", n_iter, 1, "a number of at least 1")?;
        let drawn = Draws::new(random_state).permutation(self.n_candidates, n_iter);
        Ok(drawn.into_iter().map(|index| self.candidate(index)).collect())
    }

    fn candidate(&self, mut index: usize) -> Parameters {
        let mut parameters = Parameters::new();
        for (name, values) in self.values.iter().rev() {
            parameters.insert(name.clone(), values[index % values.len()].clone());
            index /= values.len();
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> ParameterGrid {
        ParameterGrid::new([("b", vec![1.into(), 2.into(), 3.into()]), ("a", vec!["x".into(), "y".into()])]).unwrap()
    }

    #[test]
    fn combinations_come_in_the_order_of_scikit_learn() {
        let all: Vec<String> = grid().all().iter().map(|of| format!("{}{}", of["a"], of["b"])).collect();
        assert_eq!(all, ["\"x\"1", "\"x\"2", "\"x\"3", "\"y\"1", "\"y\"2", "\"y\"3"]);
        assert_eq!(ParameterGrid::new::<&str>([]).unwrap().all(), [Parameters::new()]);
    }

    #[test]
    fn a_sample_repeats_nothing_and_depends_on_its_seed() {
        let sample = |n, seed| grid().sample(n, seed).unwrap();
        assert_eq!(sample(4, 1), sample(4, 1));
        assert_ne!(sample(4, 1), sample(4, 2));
        let mut all: Vec<String> = sample(9, 3).iter().map(|of| format!("{of:?}")).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
        assert!(grid().sample(0, 1).is_err());
    }

    #[test]
    fn a_parameter_without_values_is_named() {
        let error = ParameterGrid::new([("depth", vec![])]).unwrap_err().to_string();
        assert!(error.contains("empty for depth"), "{error}");
        let many: Vec<(String, Vec<Value>)> = (0..70).map(|i| (i.to_string(), vec![0.into(), 1.into()])).collect();
        assert!(ParameterGrid::new(many).is_err());
    }
}
