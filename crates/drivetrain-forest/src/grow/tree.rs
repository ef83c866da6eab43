//! A tree as an engine hands it over.

use crate::forest::StoredTree;

/// A grown tree: the root first, every child after its parent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrownTree {
    pub(super) nodes: Vec<GrownNode>,
}

/// A node; without a split it is a leaf.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrownNode {
    /// The mean target of the node's rows.
    pub(super) value: f64,
    pub(super) split: Option<Split>,
}

/// Where a node's rows go: left if `feature` is at most `threshold`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    pub(super) feature: u32,
    pub(super) threshold: f64,
    pub(super) left: usize,
    pub(super) right: usize,
    /// The decrease in the sum of squared errors, in any unit common to the tree.
    pub(super) gain: f64,
}

impl GrownTree {
    /// Undoes splits between leaves that predict the same, from the leaves up.
    ///
    /// Means of equal targets differ by rounding, so the same is meant up to rounding.
    #[cfg(feature = "smartcore")]
    pub(super) fn merge_equal_leaves(&mut self) {
        for index in (0..self.nodes.len()).rev() {
            let Some(split) = &self.nodes[index].split else { continue };
            let (left, right) = (&self.nodes[split.left], &self.nodes[split.right]);
            if left.split.is_none() && right.split.is_none() && equal_but_for_rounding(left.value, right.value) {
                self.nodes[index] = GrownNode { value: left.value, split: None };
            }
        }
    }

    /// The nodes level by level, as far as they can be reached.
    pub(super) fn level_order(&self) -> StoredTree {
        let mut stored = StoredTree::default();
        let mut order = vec![0];
        let mut next = 0;
        while let Some(&index) = order.get(next) {
            next += 1;
            let node = &self.nodes[index];
            stored.feature.push(node.split.as_ref().map(|split| split.feature));
            stored.value.push(node.split.as_ref().map_or(node.value, |split| split.threshold));
            order.extend(node.split.iter().flat_map(|split| [split.left, split.right]));
        }
        stored
    }

    /// Each feature's share of the tree's gain; all zero where nothing was gained.
    pub(super) fn importances(&self, n_features: usize) -> Vec<f64> {
        let mut gains = vec![0.0; n_features];
        for split in self.nodes.iter().filter_map(|node| node.split.as_ref()) {
            gains[split.feature as usize] += split.gain;
        }
        normalise(&mut gains);
        gains
    }
}

#[cfg(feature = "smartcore")]
fn equal_but_for_rounding(a: f64, b: f64) -> bool {
    (a - b).abs() <= 2.0 * f64::EPSILON * a.abs()
}

/// Scales non-negative numbers to add up to 1, unless all are 0.
pub(super) fn normalise(values: &mut [f64]) {
    let total: f64 = values.iter().sum();
    if total > 0.0 {
        for value in values {
            *value /= total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(value: f64) -> GrownNode {
        GrownNode { value, split: None }
    }

    fn split(feature: u32, threshold: f64, left: usize, right: usize, gain: f64) -> GrownNode {
        GrownNode { value: 0.0, split: Some(Split { feature, threshold, left, right, gain }) }
    }

    #[test]
    fn level_order_puts_children_side_by_side() {
        // Depth first: the root's right child comes last.
        let nodes = vec![split(0, 0.5, 1, 4, 6.0), split(1, 1.5, 2, 3, 2.0), leaf(1.0), leaf(2.0), leaf(3.0)];
        let tree = GrownTree { nodes };
        let stored = tree.level_order();
        assert_eq!(stored.feature, [Some(0), Some(1), None, None, None]);
        assert_eq!(stored.value, [0.5, 1.5, 3.0, 1.0, 2.0]);
        assert_eq!(tree.importances(3), [0.75, 0.25, 0.0]);
    }

    #[cfg(feature = "smartcore")]
    #[test]
    fn splits_between_equal_leaves_are_undone() {
        let almost = 7.0 * (1.0 + f64::EPSILON);
        let nodes = vec![
            split(0, 0.5, 1, 2, 6.0),
            split(1, 1.5, 3, 4, 1e-33),
            leaf(5.0),
            leaf(7.0),
            split(1, 2.5, 5, 6, 1e-33),
            leaf(almost),
            leaf(7.0),
        ];
        let mut tree = GrownTree { nodes };
        tree.merge_equal_leaves();
        let stored = tree.level_order();
        assert_eq!(stored.feature, [Some(0), None, None]);
        assert_eq!(stored.value, [0.5, 7.0, 5.0]);
        assert_eq!(tree.importances(2), [1.0, 0.0]);
    }

    #[cfg(feature = "smartcore")]
    #[test]
    fn a_tree_without_gain_has_no_importances() {
        let mut tree = GrownTree { nodes: vec![split(0, 0.5, 1, 2, 1e-33), leaf(-5.0), leaf(-5.0)] };
        tree.merge_equal_leaves();
        assert_eq!(tree.importances(1), [0.0]);
        assert_eq!(tree.level_order().value, [-5.0]);
    }
}
