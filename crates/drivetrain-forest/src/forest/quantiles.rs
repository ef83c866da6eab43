//! Quantiles of the target, from the training rows that share leaves with a row.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::Forest;
use crate::{ForestError, check};

/// A forest with the training targets of each of its leaves, to predict quantiles with.
///
/// The distribution of a row's target is estimated by the training targets, each of which weighs the mean
/// over the trees of 1 / n where it lies in the leaf that the row ends in, one of n, and of 0 where it does not;
/// all training rows count, drawn by a tree or not. A quantile is the least training target up to and including
/// which the weights add up to it.
///
/// The targets take 4 bytes a row and tree.
///
/// Source: Meinshausen, N. (2006), Quantile regression forests, Journal of Machine Learning Research 7,
/// doi:10.5555/1248547.1248582.
///
/// ```
/// # #[cfg(feature = "train")]
/// # {
/// use drivetrain_forest::ndarray::{Array2, array};
/// use drivetrain_forest::{QuantileForest, RandomForestRegressor};
///
/// let x = Array2::from_shape_fn((200, 1), |(row, _)| (row / 100) as f64);
/// let y: Vec<f64> = (0..200).map(|row| f64::from(row % 100)).collect();
/// let forest = RandomForestRegressor::builder().n_estimators(10).build()?.fit(x.view(), &y)?;
/// let quantiles = QuantileForest::new(&forest, x.view(), &y)?.predict(array![[1.0]].view(), &[0.1, 0.5, 1.0])?;
/// assert_eq!(quantiles, array![[9.0, 49.0, 99.0]]);
/// # }
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileForest<'a> {
    forest: &'a Forest,
    /// The targets in ascending order.
    targets: Vec<f64>,
    /// For each tree the places of its rows' targets, leaf by leaf.
    places: Vec<Vec<u32>>,
    /// For each tree where the places of each of its nodes end, and the next one's begin.
    ends: Vec<Vec<u32>>,
}

impl<'a> QuantileForest<'a> {
    /// Sorts the training set, `x` (rows by features) and `y`, into the leaves of `forest`.
    ///
    /// # Errors
    /// As [`Forest::predict`]; if there are no rows, too many for 32 bits, not one target each, or if a
    /// target is not finite.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn new(forest: &'a Forest, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Self, ForestError> {
        let (n_rows, n_columns) = x.dim();
        if n_rows == 0 {
            return Err(ForestError::EmptyTrainingSet { n_rows, n_columns });
        }
        let limit = u32::MAX as usize;
        let n = u32::try_from(n_rows).map_err(|_| ForestError::TrainingSetTooLarge { n_rows, n_columns, limit })?;
        if y.len() != n_rows {
            return Err(ForestError::TargetLength { n_rows, n_targets: y.len() });
        }
        if let Some(row) = y.iter().position(|target| !target.is_finite()) {
            return Err(ForestError::InvalidTarget { row, value: y[row], limit: f64::MAX });
        }
        let mut order: Vec<u32> = (0..n).collect();
        order.sort_by(|&a, &b| y[a as usize].total_cmp(&y[b as usize]));
        let targets = order.iter().map(|&row| y[row as usize]).collect();
        let sorted: Result<Vec<_>, ForestError> = (0..forest.n_trees())
            .into_par_iter()
            .map(|tree| {
                let leaves = forest.leaves_of_tree(tree, &x)?;
                let n_nodes = forest.tree(tree).map_or(0, |tree| tree.n_nodes());
                Ok(by_leaf(&order, &leaves, n_nodes))
            })
            .collect();
        let (places, ends) = sorted?.into_iter().unzip();
        Ok(Self { forest, targets, places, ends })
    }

    /// For each row of `x` and each of `quantiles`, shares from 0 to 1, the quantile of the target: rows by quantiles.
    /// NaN for a row that shares no leaf with any training row, as only rows of another training set can.
    ///
    /// # Errors
    /// As [`Forest::predict`], and for a quantile that is no share.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn predict(&self, x: ArrayView2<'_, f64>, quantiles: &[f64]) -> Result<Array2<f64>, ForestError> {
        if let Some(quantile) = quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
            let value = quantile.to_string();
            return Err(ForestError::InvalidParameter { name: "quantiles", value, expected: "shares from 0.0 to 1.0" });
        }
        check::width(self.forest.n_features(), x.ncols())?;
        let leaves = self.forest.apply(x)?;
        let rows: Vec<_> = leaves.rows().into_iter().collect();
        let memory = || (vec![0.0; self.targets.len()], Vec::new());
        let found: Vec<Vec<f64>> = rows
            .into_par_iter()
            .map_init(memory, |(weights, touched), leaves| {
                self.of_row(leaves.iter().copied(), quantiles, weights, touched)
            })
            .collect();
        Ok(Array2::from_shape_fn((found.len(), quantiles.len()), |(row, quantile)| found[row][quantile]))
    }

    /// The quantiles of a row that ends in `leaves`. `weights` are 0 before and after.
    fn of_row(
        &self,
        leaves: impl Iterator<Item = usize>,
        quantiles: &[f64],
        weights: &mut [f64],
        touched: &mut Vec<u32>,
    ) -> Vec<f64> {
        touched.clear();
        for ((leaf, places), ends) in leaves.zip(&self.places).zip(&self.ends) {
            let start = if leaf == 0 { 0 } else { ends[leaf - 1] };
            let places = &places[start as usize..ends[leaf] as usize];
            for &place in places {
                let weight = &mut weights[place as usize];
                if *weight == 0.0 {
                    touched.push(place);
                }
                *weight += 1.0 / places.len() as f64;
            }
        }
        touched.sort_unstable();
        let mut sum = 0.0;
        let cumulated: Vec<f64> = touched
            .iter()
            .map(|&place| {
                sum += std::mem::take(&mut weights[place as usize]);
                sum
            })
            .collect();
        let target = |share: &f64| {
            // Sums of thirds and the like are off by some of the last bits.
            let wanted = share * sum * (1.0 - 1e-12);
            let index = cumulated.partition_point(|&sum| sum < wanted).min(touched.len().saturating_sub(1));
            touched.get(index).map_or(f64::NAN, |&place| self.targets[place as usize])
        };
        quantiles.iter().map(target).collect()
    }
}

/// The places of a tree's rows leaf by leaf, those of a leaf in ascending order, and where each node's end.
#[expect(clippy::cast_possible_truncation, reason = "rows are counted in 32 bits")]
fn by_leaf(order: &[u32], leaves: &[usize], n_nodes: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ends = vec![0; n_nodes];
    for &leaf in leaves {
        ends[leaf] += 1;
    }
    let mut next = 0;
    for end in &mut ends {
        // Where the node's places begin; each place that is filled in moves it on, at last to the end.
        next += std::mem::replace(end, next);
    }
    let mut places = vec![0; leaves.len()];
    for (place, &row) in order.iter().enumerate() {
        let at = &mut ends[leaves[row as usize]];
        places[*at as usize] = place as u32;
        *at += 1;
    }
    (places, ends)
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use crate::RandomForestRegressor;

    fn table() -> (Array2<f64>, Vec<f64>) {
        let x = Array2::from_shape_fn((60, 2), |(i, j)| (i * (7 + 6 * j) % 31) as f64);
        let y = (0..60).map(|i| f64::from(i * 17 % 23)).collect();
        (x, y)
    }

    #[test]
    fn quantiles_are_those_of_the_definition() {
        let (x, y) = table();
        let regressor = RandomForestRegressor::builder().n_estimators(7).min_samples_leaf(4).build().unwrap();
        let forest = regressor.fit(x.view(), &y).unwrap();
        let shares = [0.0, 0.05, 0.5, 0.77, 1.0];
        let found = QuantileForest::new(&forest, x.view(), &y).unwrap().predict(x.view(), &shares).unwrap();
        let leaves = forest.apply(x.view()).unwrap();
        for row in 0..60 {
            let weight = |other: usize| -> f64 {
                let of_tree = |tree: usize| {
                    let shares_leaf = |row: usize, other: usize| leaves[[row, tree]] == leaves[[other, tree]];
                    let n = (0..60).filter(|&other| shares_leaf(row, other)).count();
                    if shares_leaf(row, other) { 1.0 / n as f64 } else { 0.0 }
                };
                (0..7).map(of_tree).sum::<f64>() / 7.0
            };
            let below = |limit: f64| (0..60).filter(|&other| y[other] <= limit).map(weight).sum::<f64>();
            for (&share, &found) in shares.iter().zip(found.row(row)) {
                let mut targets: Vec<f64> =
                    (0..60).filter(|&other| weight(other) > 0.0).map(|other| y[other]).collect();
                targets.sort_by(f64::total_cmp);
                let expected = targets.into_iter().find(|&target| below(target) >= share - 1e-9).unwrap();
                assert_eq!(found, expected, "row {row}, quantile {share}");
            }
        }
    }

    #[test]
    fn what_is_no_share_and_no_training_set_is_refused() {
        let (x, y) = table();
        let forest = RandomForestRegressor::builder().n_estimators(2).build().unwrap().fit(x.view(), &y).unwrap();
        let quantiles = QuantileForest::new(&forest, x.view(), &y).unwrap();
        let message = quantiles.predict(x.view(), &[0.5, 1.5]).unwrap_err().to_string();
        assert_eq!(message, "quantiles is 1.5: expected shares from 0.0 to 1.0");
        assert!(QuantileForest::new(&forest, x.view(), &y[1..]).is_err());
        assert!(QuantileForest::new(&forest, Array2::zeros((0, 2)).view(), &[]).is_err());
        assert!(QuantileForest::new(&forest, x.view(), &vec![f64::NAN; 60]).is_err());
    }
}
