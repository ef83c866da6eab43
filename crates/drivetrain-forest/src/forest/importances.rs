//! Impurity importances that add up the same in any order.

use crate::ForestError;

/// A tree's importances are counted in whole multiples of this part of them.
///
/// Whole numbers have the same sum in whatever order, and however grouped, they are added up, even where they
/// saturate. So forests grown apart and merged have the importances of one grown at once, to the last bit.
/// Those of two million trees fit 64 bits.
const PARTS: u64 = 1 << 43;

/// For each feature its parts, added up over the trees, and its share of the parts of all features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Importances {
    /// Empty in a forest that was stored before they were kept.
    sums: Vec<u64>,
    shares: Vec<f64>,
}

impl Importances {
    /// From each tree's shares, which add up to 1 or are all 0.
    #[cfg(feature = "train")]
    pub(crate) fn from_trees<'a>(trees: impl Iterator<Item = &'a [f64]>, n_features: usize) -> Self {
        let mut sums = vec![0_u64; n_features];
        for tree in trees {
            add(&mut sums, tree.iter().map(|&share| parts(share)));
        }
        Self::from_sums(sums)
    }

    /// From the sums that they are the shares of.
    pub(super) fn from_sums(sums: Vec<u64>) -> Self {
        let total: u128 = sums.iter().copied().map(u128::from).sum();
        let share = |&sum: &u64| if total == 0 { 0.0 } else { sum as f64 / total as f64 };
        Self { shares: sums.iter().map(share).collect(), sums }
    }

    /// Checks what was stored for `n_trees` trees; `sums` may be empty.
    pub(super) fn from_stored(
        shares: Vec<f64>,
        sums: Vec<u64>,
        n_features: usize,
        n_trees: usize,
    ) -> Result<Self, ForestError> {
        let refuse = |reason| Err(ForestError::InvalidForest { reason });
        if shares.len() != n_features {
            return refuse(format!("it has {n_features} features but {} importances", shares.len()));
        }
        if let Some(feature) = shares.iter().position(|share| !(0.0..=1.0).contains(share)) {
            return refuse(format!("the importance of feature {feature} is {}", shares[feature]));
        }
        if sums.is_empty() {
            return Ok(Self { sums, shares });
        }
        if sums.len() != n_features {
            return refuse(format!("it has {n_features} features but {} sums of importances", sums.len()));
        }
        // A tree's shares are rounded one by one, each up by a part at most.
        let most = (PARTS + 1).saturating_mul(n_trees as u64);
        if let Some(feature) = sums.iter().position(|&sum| sum > most) {
            return refuse(format!("the importances of feature {feature} add up to {}", sums[feature]));
        }
        let importances = Self::from_sums(sums);
        let differs = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-9;
        match importances.shares.iter().zip(&shares).position(differs) {
            None => Ok(importances),
            Some(feature) => refuse(format!("the importance of feature {feature} is not that of the sums")),
        }
    }

    /// Those of this forest's `n_own` trees and another's `n_other`, both of the same features.
    pub(super) fn merge(&self, n_own: usize, other: &Self, n_other: usize) -> Self {
        let mut sums = self.counted(n_own);
        add(&mut sums, other.counted(n_other).into_iter());
        Self::from_sums(sums)
    }

    /// The sums; where they were not kept, those of trees that all split.
    fn counted(&self, n_trees: usize) -> Vec<u64> {
        if self.sums.is_empty() {
            self.shares.iter().map(|&share| parts(share).saturating_mul(n_trees as u64)).collect()
        } else {
            self.sums.clone()
        }
    }

    pub(super) fn sums(&self) -> &[u64] {
        &self.sums
    }

    pub(super) fn shares(&self) -> &[f64] {
        &self.shares
    }
}

fn add(sums: &mut [u64], parts: impl Iterator<Item = u64>) {
    for (sum, parts) in sums.iter_mut().zip(parts) {
        *sum = sum.saturating_add(parts);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share lies between 0 and 1")]
fn parts(share: f64) -> u64 {
    (share * PARTS as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(shares: &[f64], sums: &[u64], n_trees: usize) -> Result<Importances, String> {
        Importances::from_stored(shares.to_vec(), sums.to_vec(), 2, n_trees).map_err(|error| error.to_string())
    }

    #[test]
    fn shares_are_those_of_the_sums() {
        let importances = stored(&[0.25, 0.75], &[PARTS, 3 * PARTS], 4).unwrap();
        let none = stored(&[0.0, 0.0], &[0, 0], 1).unwrap();
        assert_eq!(none.shares(), [0.0, 0.0]);
        assert_eq!(importances.merge(4, &none, 1), importances);
        let other = stored(&[1.0, 0.0], &[2 * PARTS, 0], 2).unwrap();
        assert_eq!(importances.merge(4, &other, 2).shares(), [0.5, 0.5]);
    }

    #[test]
    fn without_sums_all_trees_count_the_same() {
        let (one, three) = (stored(&[1.0, 0.0], &[], 1).unwrap(), stored(&[0.0, 1.0], &[], 3).unwrap());
        assert_eq!(one.merge(1, &three, 3).shares(), [0.25, 0.75]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |shares: &[f64], sums: &[u64]| stored(shares, sums, 1).unwrap_err();
        assert_eq!(refused(&[1.0], &[]), "not a forest: it has 2 features but 1 importances");
        assert_eq!(refused(&[1.0, f64::NAN], &[]), "not a forest: the importance of feature 1 is NaN");
        assert_eq!(refused(&[1.0, 0.0], &[1]), "not a forest: it has 2 features but 1 sums of importances");
        assert_eq!(refused(&[0.5, 0.5], &[1, 2]), "not a forest: the importance of feature 0 is not that of the sums");
        assert!(stored(&[0.0, 1.0], &[0, PARTS + 1], 1).is_ok());
        let message = format!("not a forest: the importances of feature 1 add up to {}", u64::MAX);
        assert_eq!(refused(&[0.0, 1.0], &[0, u64::MAX]), message);
    }

    #[test]
    fn sums_that_are_too_large_stay_the_largest() {
        let most = stored(&[0.5, 0.5], &[u64::MAX, u64::MAX], usize::MAX).unwrap();
        assert_eq!(most.merge(1, &most, 1), most);
    }
}
