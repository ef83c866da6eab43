//! Predictions as one column is varied.

use std::borrow::Cow;

use drivetrain_plan::{Column, ColumnTable, DataType, Table};
use serde::{Deserialize, Serialize};

use super::{column, with_column};
use crate::{EvaluateError, FittedModel};

/// The values that a column takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    resolution: usize,
    percentiles: (f64, f64),
}

impl Default for Grid {
    /// scikit-learn's: 100 values from the 5th to the 95th percentile.
    fn default() -> Self {
        Self { resolution: 100, percentiles: (0.05, 0.95) }
    }
}

impl Grid {
    /// `resolution` values, evenly spaced between two percentiles (as shares from 0 to 1) of a column; every value of a
    /// column that has fewer, or no numbers.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if there are fewer than 2 values or the percentiles do not ascend from 0 to 1.
    pub fn new(resolution: usize, percentiles: (f64, f64)) -> Result<Self, EvaluateError> {
        EvaluateError::at_least("grid_resolution", resolution, 2, "a number of at least 2")?;
        let (low, high) = percentiles;
        if 0.0 <= low && low < high && high <= 1.0 {
            return Ok(Self { resolution, percentiles });
        }
        let expected = "two ascending shares from 0 to 1";
        Err(EvaluateError::InvalidParameter { name: "percentiles", value: format!("({low}, {high})"), expected })
    }

    /// The values of the column called `name`, as a column of their own.
    #[expect(clippy::cast_possible_truncation, reason = "what is rounded lies between two of the column's integers")]
    fn of(&self, x: &ColumnTable, name: &str) -> Result<Column<'static>, EvaluateError> {
        let column = column(x, name)?;
        let known: Vec<usize> = (0..column.len()).filter(|&row| !column.is_missing(row)).collect();
        if known.is_empty() {
            return Err(EvaluateError::NothingToVary { column: name.to_owned() });
        }
        let Some(values) = column.to_f64() else {
            // Texts and categories, in the order of what they are called.
            let mut rows = known;
            rows.sort_by_cached_key(|&row| column.describe(row));
            rows.dedup_by_key(|row| column.describe(*row));
            return Ok(column.take(&rows));
        };
        let mut rows = known;
        rows.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        let sorted: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
        rows.dedup_by_key(|row| values[*row].to_bits());
        if rows.len() < self.resolution || !matches!(column.dtype(), DataType::Float64 | DataType::Int64) {
            return Ok(column.take(&rows));
        }
        let [low, high] = [self.percentiles.0, self.percentiles.1].map(|share| quantile(&sorted, share));
        let step = (high - low) / (self.resolution - 1) as f64;
        let even = (0..self.resolution).map(|index| low + step * index as f64);
        if column.dtype() == DataType::Float64 {
            return Ok(Column::from(even.collect::<Vec<_>>()));
        }
        let mut whole: Vec<i64> = even.map(|value| value.round() as i64).collect();
        whole.dedup();
        Ok(Column::from(whole))
    }
}

/// The quantile of sorted numbers whose plotting position is `(k - 0.4) / (n + 0.2)`, `scipy.stats.mstats.mquantiles`.
///
/// Source: Cunnane, C. (1978), doi:10.1016/0022-1694(78)90017-3.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position lies within the numbers")]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let n = sorted.len() as f64;
    let position = n * share + 0.4 + share * 0.2;
    let below = position.floor().clamp(1.0, (n - 1.0).max(1.0));
    let weight = (position - below).clamp(0.0, 1.0);
    let at = |position: f64| sorted[(position as usize - 1).min(sorted.len() - 1)];
    (1.0 - weight) * at(below) + weight * at(below + 1.0)
}

/// Predictions over a grid of one column's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialDependence {
    /// The raw column.
    pub column: String,
    /// Its values, as text.
    pub labels: Vec<String>,
    /// Its values as numbers, ascending; empty where it has none.
    pub grid: Vec<f64>,
    /// For each value the mean prediction when all rows have it.
    pub average: Vec<f64>,
    /// For each row its own predictions, one per value: individual conditional expectations.
    pub individual: Vec<Vec<f64>>,
}

/// Predicts all rows with each value of `grid` in the column called `name`, everything else as it is.
///
/// Source: `sklearn.inspection.partial_dependence` with `method="brute", kind="both"`; Friedman, J. (2001),
/// doi:10.1214/aos/1013203451; Goldstein, A. et al. (2015), doi:10.1080/10618600.2014.907095.
///
/// # Errors
/// [`EvaluateError::UnknownColumn`], [`EvaluateError::NothingToVary`] for a column all of whose values are missing;
/// otherwise as [`FittedModel::predict`].
pub fn partial_dependence(
    model: &dyn FittedModel,
    x: &ColumnTable,
    name: &str,
    grid: &Grid,
) -> Result<PartialDependence, EvaluateError> {
    let values = grid.of(x, name)?;
    let n_rows = x.n_rows();
    let mut average = Vec::with_capacity(values.len());
    let mut individual = vec![Vec::with_capacity(values.len()); n_rows];
    for value in 0..values.len() {
        let everywhere = values.take(&vec![value; n_rows]);
        let predictions = model.predict(&with_column(x, name, everywhere)?)?;
        average.push(predictions.iter().sum::<f64>() / n_rows as f64);
        individual.iter_mut().zip(predictions).for_each(|(row, prediction)| row.push(prediction));
    }
    Ok(PartialDependence {
        column: name.to_owned(),
        labels: (0..values.len()).map(|value| values.describe(value)).collect(),
        grid: values.to_f64().map(Cow::into_owned).unwrap_or_default(),
        average,
        individual,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sum;

    impl FittedModel for Sum {
        fn predict(&self, x: &dyn Table) -> Result<Vec<f64>, EvaluateError> {
            let (a, b) = (x.column("a").unwrap(), x.column("b").unwrap());
            let (a, b) = (a.to_f64().unwrap(), b.to_f64().unwrap());
            Ok(a.iter().zip(b.iter()).map(|(a, b)| if a.is_nan() { *b } else { a * a + b }).collect())
        }
    }

    fn table() -> ColumnTable {
        ColumnTable::new(vec![
            ("a".into(), Column::from(vec![3.0, 1.0, f64::NAN, 1.0])),
            ("b".into(), Column::from(vec![10_i64, 20, 30, 40])),
            ("c".into(), Column::from(vec![Some("y"), None, Some("x"), Some("y")])),
        ])
        .unwrap()
    }

    #[test]
    fn a_column_is_varied_for_each_row_and_on_average() {
        let found = partial_dependence(&Sum, &table(), "a", &Grid::default()).unwrap();
        assert_eq!((found.grid, found.labels), (vec![1.0, 3.0], vec!["1.0".to_owned(), "3.0".to_owned()]));
        assert_eq!(found.average, [26.0, 34.0]);
        assert_eq!(found.individual[2], [31.0, 39.0]);
        let found = partial_dependence(&Sum, &table(), "c", &Grid::default()).unwrap();
        assert_eq!((found.labels, found.grid), (vec!["x".to_owned(), "y".to_owned()], vec![]));
    }

    #[test]
    fn a_grid_of_whole_numbers_stays_whole() {
        let found = partial_dependence(&Sum, &table(), "b", &Grid::new(3, (0.0, 1.0)).unwrap()).unwrap();
        assert_eq!(found.grid, [10.0, 25.0, 40.0]);
    }

    #[test]
    fn what_cannot_be_varied_is_named() {
        let message = |name| partial_dependence(&Sum, &table(), name, &Grid::default()).unwrap_err().to_string();
        assert_eq!(message("d"), "there is no column `d`");
        let empty = ColumnTable::new(vec![("a".into(), Column::from(vec![f64::NAN]))]).unwrap();
        let error = partial_dependence(&Sum, &empty, "a", &Grid::default()).unwrap_err();
        assert_eq!(error.to_string(), "column `a` has no value that could be varied");
        assert!(Grid::new(1, (0.1, 0.9)).is_err() && Grid::new(5, (0.9, 0.1)).is_err());
        assert!(Grid::new(5, (f64::NAN, 0.5)).is_err());
    }
}
