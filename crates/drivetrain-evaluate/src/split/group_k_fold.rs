//! Folds that keep groups together.

use std::collections::BTreeMap;

use drivetrain_plan::Table;

use super::{Fold, check_splits};
use crate::EvaluateError;

/// Splits rows so that all rows of a group are tested together, in folds of about equally many rows.
///
/// Groups go, the largest first, to the fold that has fewest rows so far: for rows that are not independent of each other,
/// such as several measurements of one thing.
///
/// Source: `sklearn.model_selection.GroupKFold`.
///
/// ```
/// use drivetrain_evaluate::GroupKFold;
///
/// let folds = GroupKFold::new(2)?.split(&["a", "b", "b", "b", "a"])?;
/// assert_eq!(folds[0].test, [1, 2, 3]);
/// assert_eq!(folds[1].test, [0, 4]);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKFold {
    n_splits: usize,
}

impl GroupKFold {
    /// `n_splits` folds of whole groups.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if there are fewer than 2.
    pub fn new(n_splits: usize) -> Result<Self, EvaluateError> {
        check_splits(n_splits)?;
        Ok(Self { n_splits })
    }

    /// The folds of the rows of `x`, whose groups are in the column called `column`.
    ///
    /// ```
    /// use drivetrain_evaluate::GroupKFold;
    /// use drivetrain_plan::{Column, ColumnTable};
    ///
    /// let x = ColumnTable::new(vec![("patient".into(), Column::from(vec![Some("a"), Some("b"), Some("a")]))])?;
    /// assert_eq!(GroupKFold::new(2)?.split_by(&x, "patient")?[0].test, [0, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EvaluateError::UnknownColumn`]; [`EvaluateError::MissingGroup`] for a missing value; as [`split`](Self::split).
    pub fn split_by(&self, x: &dyn Table, column: &str) -> Result<Vec<Fold>, EvaluateError> {
        let unknown = || EvaluateError::UnknownColumn { column: column.to_owned() };
        let groups = x.column(column).ok_or_else(unknown)?;
        if let Some(row) = (0..groups.len()).find(|&row| groups.is_missing(row)) {
            return Err(EvaluateError::MissingGroup { column: column.to_owned(), row });
        }
        let Some(numbers) = groups.to_f64() else {
            return self.split(&(0..groups.len()).map(|row| groups.describe(row)).collect::<Vec<_>>());
        };
        // -0 is 0.
        let numbers: Vec<f64> = numbers.iter().map(|number| number + 0.0).collect();
        let mut ascending = numbers.clone();
        ascending.sort_by(f64::total_cmp);
        ascending.dedup();
        let place = |number: &f64| ascending.partition_point(|other| other < number);
        self.split(&numbers.iter().map(place).collect::<Vec<_>>())
    }

    /// The folds of as many rows as there are `groups`, which holds the group of each.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewGroups`] if there are fewer groups than folds.
    pub fn split<G: Ord>(&self, groups: &[G]) -> Result<Vec<Fold>, EvaluateError> {
        let mut sizes: BTreeMap<&G, usize> = BTreeMap::new();
        for group in groups {
            *sizes.entry(group).or_default() += 1;
        }
        if sizes.len() < self.n_splits {
            return Err(EvaluateError::TooFewGroups { n_groups: sizes.len(), n_splits: self.n_splits });
        }
        let mut by_size: Vec<(&G, usize)> = sizes.into_iter().collect();
        by_size.sort_by_key(|&(_, size)| size);
        let mut rows_of_fold = vec![0; self.n_splits];
        let mut fold_of_group = BTreeMap::new();
        // Of groups of the same size the last comes first, as in scikit-learn.
        for (group, size) in by_size.into_iter().rev() {
            let lightest = (0..self.n_splits).min_by_key(|&fold| rows_of_fold[fold]).unwrap_or_default();
            rows_of_fold[lightest] += size;
            fold_of_group.insert(group, lightest);
        }
        let fold_of_row: Vec<usize> = groups.iter().map(|group| fold_of_group[group]).collect();
        let tested = |fold| fold_of_row.iter().map(|&of_row| of_row == fold).collect::<Vec<_>>();
        Ok((0..self.n_splits).map(|fold| Fold::of_marked(&tested(fold))).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use drivetrain_plan::{Column, ColumnTable};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_group_is_on_both_sides_and_every_row_is_tested_once(
            groups in prop::collection::vec(0_u8..20, 1..80), n_splits in 2_usize..5,
        ) {
            let n_groups = groups.iter().collect::<BTreeSet<_>>().len();
            match GroupKFold::new(n_splits).unwrap().split(&groups) {
                Err(error) => prop_assert!(n_groups < n_splits, "{}", error),
                Ok(folds) => {
                    let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
                    tested.sort_unstable();
                    prop_assert_eq!(tested, (0..groups.len()).collect::<Vec<_>>());
                    for fold in folds {
                        let of = |rows: &[usize]| rows.iter().map(|&row| groups[row]).collect::<BTreeSet<_>>();
                        prop_assert!(!fold.test.is_empty() && of(&fold.train).is_disjoint(&of(&fold.test)));
                    }
                }
            }
        }
    }

    #[test]
    fn groups_of_a_table_are_those_of_a_list_and_a_missing_one_is_named() {
        let split = GroupKFold::new(2).unwrap();
        let by = |column: Column<'static>| split.split_by(&ColumnTable::new(vec![("g".into(), column)]).unwrap(), "g");
        let expected = split.split(&[9, 10, 9, 11]).unwrap();
        assert_eq!(by(Column::from(vec![9_i64, 10, 9, 11])).unwrap(), expected);
        assert_eq!(by(Column::from(vec![9.0, 10.0, 9.0, 11.0])).unwrap(), expected);
        assert_eq!(by(Column::from(vec![Some("a"), Some("b"), Some("a"), Some("c")])).unwrap(), expected);
        assert_eq!(by(Column::from(vec![0.0, 1.0, -0.0])).unwrap()[0].test, [0, 2]);
        let missing = by(Column::from(vec![Some("a"), None, Some("b")])).unwrap_err();
        assert_eq!(missing.to_string(), "row 1 has no group: column `g` is missing there");
        assert!(by(Column::from(vec![1.0, f64::NAN])).unwrap_err().to_string().contains("row 1 has no group"));
        let none = split.split_by(&ColumnTable::new(vec![("g".into(), Column::from(vec![1.0]))]).unwrap(), "h");
        assert_eq!(none.unwrap_err().to_string(), "there is no column `h`");
    }

    #[test]
    fn fewer_groups_than_folds_are_refused() {
        let error = GroupKFold::new(3).unwrap().split(&[1, 1, 2]).unwrap_err();
        assert_eq!(error.to_string(), "2 groups cannot be split into 3 folds: a group is tested as a whole");
        assert!(GroupKFold::new(2).unwrap().split::<u8>(&[]).is_err());
    }
}
