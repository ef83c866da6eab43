//! How much worse predictions get without a column.

use drivetrain_forest::metrics::root_mean_squared_error;
use drivetrain_plan::{ColumnTable, Table};
use drivetrain_transform::Draws;
use serde::{Deserialize, Serialize};

use super::{column, with_column};
use crate::score::mean_and_std;
use crate::{EvaluateError, FittedModel};

/// How much a raw column matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnImportance {
    /// The column of the raw table.
    pub column: String,
    /// The importance: of a permutation, the increase of the root mean squared error in units of the target; of
    /// impurity, a share of 1.
    pub mean: f64,
    /// Its standard deviation over what it is the mean of.
    pub std: f64,
}

impl ColumnImportance {
    pub(crate) fn of(column: &str, values: &[f64]) -> Self {
        let (mean, std) = mean_and_std(values);
        Self { column: column.to_owned(), mean, std }
    }
}

/// For each raw column the increase of the root mean squared error when its values are shuffled among the rows, `n_repeats`
/// times over: what the model gains from the column on these rows, which it should not have learned from.
///
/// A raw column is shuffled as a whole before the preprocessing, so one that becomes many features has one importance.
///
/// Source: `sklearn.inspection.permutation_importance` with `scoring="neg_root_mean_squared_error"`; Breiman, L. (2001),
/// doi:10.1023/A:1010933404324.
///
/// # Errors
/// [`EvaluateError::InvalidParameter`] if `n_repeats` is 0; otherwise as [`FittedModel::predict`].
pub fn permutation_importance(
    model: &dyn FittedModel,
    x: &ColumnTable,
    y: &[f64],
    n_repeats: usize,
    random_state: u64,
) -> Result<Vec<ColumnImportance>, EvaluateError> {
    EvaluateError::at_least("n_repeats", n_repeats, 1, "a number of at least 1")?;
    let whole = root_mean_squared_error(y, &model.predict(x)?)?;
    let importance = |(index, name): (usize, &str)| {
        let mut draws = Draws::stream(random_state, index as u64);
        let once = || {
            let order = draws.permutation(x.n_rows(), x.n_rows());
            let shuffled = with_column(x, name, column(x, name)?.take(&order))?;
            Ok(root_mean_squared_error(y, &model.predict(&shuffled)?)? - whole)
        };
        let increases = std::iter::repeat_with(once).take(n_repeats).collect::<Result<Vec<f64>, EvaluateError>>()?;
        Ok(ColumnImportance::of(name, &increases))
    };
    x.schema().names().enumerate().map(importance).collect()
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::Column;

    use super::*;

    #[derive(Debug)]
    struct Twice;

    impl FittedModel for Twice {
        fn predict(&self, x: &dyn Table) -> Result<Vec<f64>, EvaluateError> {
            let values = x.column("used").unwrap().to_f64().unwrap().into_owned();
            Ok(values.into_iter().map(|value| 2.0 * value).collect())
        }
    }

    #[test]
    fn a_column_counts_only_if_it_is_used() {
        let used: Vec<f64> = (0..200).map(f64::from).collect();
        let y: Vec<f64> = used.iter().map(|value| 2.0 * value).collect();
        let x = ColumnTable::new(vec![
            ("unused".into(), Column::from((0..200_i64).rev().collect::<Vec<_>>())),
            ("used".into(), Column::from(used)),
        ]);
        let found = permutation_importance(&Twice, x.as_ref().unwrap(), &y, 10, 3).unwrap();
        assert_eq!(found[0], ColumnImportance { column: "unused".into(), mean: 0.0, std: 0.0 });
        // Two values drawn without regard to each other are sqrt(2) standard deviations apart, root mean square.
        let deviation = 2.0 * ((200.0_f64.powi(2) - 1.0) / 12.0).sqrt();
        assert!((found[1].mean / deviation - 2.0_f64.sqrt()).abs() < 0.1, "{found:?}");
        assert_eq!(permutation_importance(&Twice, x.as_ref().unwrap(), &y, 10, 3).unwrap(), found);
        assert!(permutation_importance(&Twice, x.as_ref().unwrap(), &y, 0, 3).is_err());
    }
}
