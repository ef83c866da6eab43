//! The engine: smartcore grows a tree, we copy it.
//!
//! What its version 0.7 does that scikit-learn does not, and what is made of it here:
//! * Its `max_depth` counts levels, the root's included: one is added.
//! * It keeps splitting nodes whose targets are all equal; such leaves are merged afterwards.
//! * With all features to choose from, a tree takes our bootstrap as weights, so a row counts once
//!   towards `min_samples_split` and `min_samples_leaf`, as in scikit-learn.
//! * Drawing fewer features per split is only reachable through its forest of one tree, which always
//!   draws a bootstrap of its own, whose copies each count towards `min_samples_split` and
//!   `min_samples_leaf`. A node whose drawn features are all constant becomes a leaf; scikit-learn
//!   draws further.
//! * Its generator is another one where pointers have 32 bits.
//!
//! Its nodes are private, so they are copied by way of its serialised form, in memory.

use ::smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor as OneTreeForest, RandomForestRegressorParameters as OneTreeParameters,
};
use ::smartcore::linalg::basic::matrix::DenseMatrix;
use ::smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};
use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::bootstrap::Rows;
use super::scale::TargetScale;
use super::tree::{GrownNode, GrownTree, Rule, Split};
use crate::{ForestError, RandomForestRegressor, RegressionCriterion};

type Matrix = DenseMatrix<f64>;

/// Data and parameters common to all trees.
#[derive(Debug)]
pub(super) struct Engine {
    x: Matrix,
    y: Vec<f64>,
    scale: TargetScale,
    n_features: usize,
    /// Features to draw at each split; `None` for all.
    n_candidates: Option<usize>,
    max_depth: Option<u16>,
    min_samples_split: usize,
    min_samples_leaf: usize,
    rows: Rows,
}

/// What smartcore grew.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Fitted {
    Tree(DecisionTreeRegressor<f64, f64, Matrix, Vec<f64>>),
    Forest(OneTreeForest<f64, f64, Matrix, Vec<f64>>),
}

impl Engine {
    /// `x` and `y` have passed the checks of a training set.
    pub(super) fn new(
        parameters: &RandomForestRegressor,
        x: &ArrayView2<'_, f64>,
        y: &[f64],
        rows: &Rows,
    ) -> Result<Self, ForestError> {
        let (n_rows, n_features) = x.dim();
        refuse_unknown(parameters)?;
        if x.iter().any(|value| value.is_nan()) {
            return Err(failed(&"smartcore's trees know no missing values"));
        }
        let n_candidates = parameters.max_features().resolve(n_features);
        let n_candidates = (n_candidates < n_features).then_some(n_candidates);
        if let Some(n_candidates) = n_candidates
            && !matches!(rows, Rows::Uniform { .. })
        {
            return Err(ForestError::FeatureSubsetWithoutBootstrap { n_candidates, n_features });
        }
        let scale = TargetScale::new(y);
        // Column by column, as splits are searched.
        let values = x.t().iter().copied().collect();
        Ok(Self {
            x: Matrix::new(n_rows, n_features, values, true).map_err(|e| failed(&e))?,
            y: y.iter().map(|&target| scale.down(target)).collect(),
            scale,
            n_features,
            n_candidates,
            max_depth: parameters.max_depth().map(levels),
            min_samples_split: parameters.min_samples_split().at_least(n_rows),
            min_samples_leaf: parameters.min_samples_leaf().at_least(n_rows),
            rows: rows.clone(),
        })
    }

    /// Grows one tree; all its randomness comes from `rng`.
    pub(super) fn grow(&self, rng: ChaCha8Rng) -> Result<GrownTree, ForestError> {
        let mut tree = self.copy(&self.fit(rng)?)?;
        tree.merge_equal_leaves();
        Ok(tree)
    }

    fn fit(&self, mut rng: ChaCha8Rng) -> Result<Fitted, ForestError> {
        if let Some(n_candidates) = self.n_candidates {
            let parameters = OneTreeParameters {
                max_depth: self.max_depth,
                min_samples_leaf: self.min_samples_leaf,
                min_samples_split: self.min_samples_split,
                n_trees: 1,
                m: Some(n_candidates),
                keep_samples: false,
                seed: rng.next_u64(),
            };
            let forest = OneTreeForest::fit(&self.x, &self.y, parameters);
            return forest.map(Fitted::Forest).map_err(|e| failed(&e));
        }
        let weights = self.rows.draw(&mut rng);
        let parameters = DecisionTreeRegressorParameters {
            max_depth: self.max_depth,
            min_samples_leaf: self.min_samples_leaf,
            min_samples_split: self.min_samples_split,
            seed: Some(rng.next_u64()),
        };
        let tree = DecisionTreeRegressor::fit_with_weights(&self.x, &self.y, &weights, parameters);
        tree.map(Fitted::Tree).map_err(|e| failed(&e))
    }

    fn copy(&self, fitted: &Fitted) -> Result<GrownTree, ForestError> {
        let bytes = rmp_serde::to_vec_named(fitted).map_err(|e| failed(&e))?;
        let form: FittedForm = rmp_serde::from_slice(&bytes).map_err(|e| failed(&e))?;
        let nodes = form.into_nodes()?;
        let n_nodes = nodes.len();
        let nodes = nodes.iter().enumerate();
        let nodes = nodes.map(|(index, node)| self.copy_node(node, index, n_nodes));
        Ok(GrownTree { nodes: nodes.collect::<Result<_, _>>()?, shares: Vec::new() })
    }

    fn copy_node(&self, node: &NodeForm, index: usize, n_nodes: usize) -> Result<GrownNode, ForestError> {
        let value = self.scale.up(node.output);
        let NodeForm { split_feature, split_value, split_score, true_child, false_child, .. } = *node;
        // A threshold alone is a split that was considered and dropped.
        let (Some(left), Some(right)) = (true_child, false_child) else {
            return Ok(GrownNode { value, split: None });
        };
        let children = index + 1..n_nodes;
        let narrow = |number: usize| u32::try_from(number);
        match (split_value, split_score, narrow(split_feature), narrow(left), narrow(right)) {
            (Some(threshold), Some(gain), Ok(feature), Ok(narrow_left), Ok(narrow_right))
                if split_feature < self.n_features && children.contains(&left) && children.contains(&right) =>
            {
                let (rule, children) = (Rule::Threshold(threshold), [narrow_left, narrow_right]);
                let split = Split { feature, rule, children, gain, missing_left: false };
                Ok(GrownNode { value, split: Some(split) })
            }
            _ => Err(failed(&"a node's split is incomplete")),
        }
    }
}

/// smartcore's trees have no such thing.
fn refuse_unknown(parameters: &RandomForestRegressor) -> Result<(), ForestError> {
    let unknown = [
        ("min_weight_fraction_leaf", parameters.min_weight_fraction_leaf() > 0.0),
        ("max_leaf_nodes", parameters.max_leaf_nodes().is_some()),
        ("min_impurity_decrease", parameters.min_impurity_decrease() > 0.0),
        ("max_samples", parameters.max_samples().is_some()),
        ("monotonic_cst", parameters.monotonic_cst().is_some()),
        ("categorical_features", parameters.categorical_features().is_some()),
        ("criterion but squared_error", parameters.criterion() != RegressionCriterion::SquaredError),
        ("ccp_alpha", parameters.ccp_alpha() > 0.0),
    ];
    match unknown.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((name, _)) => Err(failed(&format!("smartcore's trees have no {name}"))),
    }
}

/// Levels of nodes in a tree of `depth` splits from root to leaf, up to what the engine can count.
fn levels(depth: usize) -> u16 {
    u16::try_from(depth).map_or(u16::MAX, |depth| depth.saturating_add(1))
}

fn failed(reason: &dyn std::fmt::Display) -> ForestError {
    ForestError::Engine { reason: reason.to_string() }
}

/// The parts of smartcore's serialised form that matter.
#[derive(Deserialize)]
struct FittedForm {
    #[serde(default)]
    tree_regressor: Option<TreeForm>,
    #[serde(default)]
    forest_regressor: Option<ForestForm>,
}

#[derive(Deserialize)]
struct ForestForm {
    trees: Vec<TreeForm>,
}

#[derive(Deserialize)]
struct TreeForm {
    nodes: Vec<NodeForm>,
}

#[derive(Deserialize)]
struct NodeForm {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    split_score: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

impl FittedForm {
    fn into_nodes(self) -> Result<Vec<NodeForm>, ForestError> {
        let of_forest = self.forest_regressor.and_then(|mut forest| forest.trees.pop());
        match self.tree_regressor.or(of_forest) {
            Some(tree) if !tree.nodes.is_empty() => Ok(tree.nodes),
            _ => Err(failed(&"there is no tree")),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::forest::Importances;
    use crate::{Forest, MaxFeatures, RandomForestRegressorBuilder, random};

    impl Fitted {
        fn predict(&self, x: &Matrix) -> Vec<f64> {
            match self {
                Self::Tree(tree) => tree.predict(x),
                Self::Forest(forest) => forest.predict(x),
            }
            .unwrap()
        }
    }

    fn table(n_rows: usize) -> (Array2<f64>, Vec<f64>) {
        let x = Array2::from_shape_fn((n_rows, 5), |(i, j)| match j {
            0 => (i as f64 * 0.37).sin(),
            1 => (i * 7 % 4) as f64,
            _ => (i * (13 + j) % 29) as f64 / 3.0,
        });
        let y = (0..n_rows).map(|i| (i * 17 % 23) as f64 / 10.0 + x[[i, 0]]).collect();
        (x, y)
    }

    fn rows(bootstrap: bool, n_rows: usize) -> Rows {
        if bootstrap { Rows::Uniform { n_rows, n_draws: n_rows } } else { Rows::All { weights: vec![1.0; n_rows] } }
    }

    fn engine(builder: RandomForestRegressorBuilder, x: &Array2<f64>, y: &[f64]) -> Engine {
        let parameters = builder.build().unwrap();
        let rows = rows(parameters.bootstrap(), y.len());
        Engine::new(&parameters, &x.view(), y, &rows).unwrap()
    }

    fn single(tree: &GrownTree, n_features: usize) -> Forest {
        let importances = Importances::from_trees(std::iter::once(&tree.importances(n_features)[..]), n_features);
        Forest::from_trees(n_features, vec![tree.level_order().0], importances, Vec::new()).unwrap()
    }

    fn builders() -> Vec<RandomForestRegressorBuilder> {
        let start = RandomForestRegressor::builder;
        vec![
            start(),
            start().bootstrap(false),
            start().max_depth(3).min_samples_leaf(4),
            start().max_features(MaxFeatures::Sqrt),
            start().max_features(MaxFeatures::Sqrt).max_depth(2).min_samples_split(9),
        ]
    }

    #[test]
    fn the_copy_predicts_what_smartcore_predicts() {
        let (x, y) = table(150);
        let (probe, _) = table(400);
        let matrix = Matrix::new(400, 5, probe.iter().copied().collect(), false).unwrap();
        for builder in builders() {
            let engine = engine(builder, &x, &y);
            for tree in 0..5 {
                let fitted = engine.fit(random::stream(1, tree)).unwrap();
                let forest = single(&engine.copy(&fitted).unwrap(), 5);
                let expected = fitted.predict(&matrix);
                let expected: Vec<f64> = expected.iter().map(|v| engine.scale.up(*v)).collect();
                assert_eq!(forest.predict(probe.view()).unwrap(), expected);
                assert!(forest.n_nodes() > 3);
            }
        }
    }

    #[test]
    fn importances_are_those_of_smartcore() {
        let (x, y) = table(150);
        for builder in builders() {
            let engine = engine(builder, &x, &y);
            let fitted = engine.fit(random::stream(2, 0)).unwrap();
            let expected = match &fitted {
                Fitted::Tree(tree) => tree.compute_feature_importances(true),
                Fitted::Forest(forest) => forest.compute_feature_importances(),
            }
            .unwrap();
            let importances = engine.copy(&fitted).unwrap().importances(5);
            for (ours, theirs) in importances.iter().zip(&expected) {
                assert!((ours - theirs).abs() < 1e-12, "{importances:?} {expected:?}");
            }
        }
    }

    fn depth(tree: &GrownTree, node: usize) -> usize {
        tree.nodes[node].split.as_ref().map_or(0, |split| {
            let [left, right] = split.children().map(|child| depth(tree, child));
            1 + left.max(right)
        })
    }

    #[test]
    fn depth_counts_splits() {
        let (x, y) = table(200);
        for max_depth in 1..6 {
            for max_features in [MaxFeatures::All, MaxFeatures::Sqrt] {
                let builder = RandomForestRegressor::builder().max_depth(max_depth).max_features(max_features);
                let tree = engine(builder, &x, &y).grow(random::stream(0, 0)).unwrap();
                assert_eq!(depth(&tree, 0), max_depth);
            }
        }
        assert_eq!(levels(65_533), 65_534);
        assert_eq!(levels(65_535), u16::MAX);
        assert_eq!(levels(usize::MAX), u16::MAX);
    }

    /// The training rows in each leaf, with their bootstrap weights.
    fn leaves(tree: &GrownTree, x: &Array2<f64>, weights: &[f64]) -> Vec<(usize, f64)> {
        let mut leaves = vec![(0, 0.0); tree.nodes.len()];
        for (row, &weight) in x.rows().into_iter().zip(weights).filter(|(_, w)| **w > 0.0) {
            let mut node = 0;
            while let Some(split) = &tree.nodes[node].split {
                node = split.children()[usize::from(row[split.feature as usize] > split.threshold())];
            }
            leaves[node] = (leaves[node].0 + 1, leaves[node].1 + weight);
        }
        leaves.retain(|leaf| leaf.0 > 0);
        leaves
    }

    #[test]
    fn a_row_drawn_twice_is_one_row_to_a_leaf() {
        let (x, y) = table(200);
        let builder = RandomForestRegressor::builder().min_samples_leaf(5);
        let tree = engine(builder, &x, &y).grow(random::stream(8, 0)).unwrap();
        let weights = rows(true, 200).draw(&mut random::stream(8, 0));
        let leaves = leaves(&tree, &x, &weights);
        assert_eq!(leaves.iter().map(|leaf| leaf.0).min(), Some(5));
        let total: f64 = leaves.iter().map(|leaf| leaf.1).sum();
        assert_eq!(total, 200.0);
    }

    #[test]
    fn a_node_below_min_samples_split_is_left_alone() {
        let (x, y) = table(200);
        let start = || RandomForestRegressor::builder().bootstrap(false);
        let grow = |builder| engine(builder, &x, &y).grow(random::stream(0, 0)).unwrap();
        assert_eq!(grow(start().min_samples_split(201)).nodes.len(), 1);
        assert_eq!(grow(start().min_samples_split(200)).nodes.len(), 3);
    }

    #[test]
    fn a_stump_splits_where_least_error_is_left() {
        // By hand: between 3 and 4 the squared error falls from 83.2 to 2.0 + 0.5.
        let x = Array2::from_shape_vec((5, 1), vec![5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        let y = [11.0, 1.0, 10.0, 3.0, 2.0];
        let builder = RandomForestRegressor::builder().bootstrap(false).max_depth(1);
        let tree = engine(builder, &x, &y).grow(random::stream(0, 0)).unwrap();
        let split = tree.nodes[0].split.as_ref().unwrap();
        assert_eq!(split.threshold(), 3.5);
        assert_eq!(split.children().map(|child| tree.nodes[child].value), [2.0, 10.5]);
        let forest = single(&tree, 1);
        assert_eq!(forest.predict_row(&[3.5]), Ok(2.0));
        assert_eq!(forest.predict_row(&[3.6]), Ok(10.5));
    }
}
