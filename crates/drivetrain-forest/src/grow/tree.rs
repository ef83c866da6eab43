//! A tree as an engine hands it over.

use std::collections::BinaryHeap;

use crate::forest::StoredTree;

/// A grown tree: the root first, every child after its parent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrownTree {
    pub(super) nodes: Vec<GrownNode>,
    /// For each node the share of each class; empty where numbers are predicted.
    pub(super) shares: Vec<f64>,
}

/// A node; without a split it is a leaf.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrownNode {
    /// What the node predicts, or would if it were a leaf.
    pub(super) value: f64,
    pub(super) split: Option<Split>,
}

/// Where a node's rows go. Small, as each of a million rows may have two nodes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    pub(super) feature: u32,
    pub(super) rule: Rule,
    /// The left child and the right one.
    pub(super) children: [u32; 2],
    /// The decrease in impurity times weight, in any unit common to the tree.
    pub(super) gain: f64,
    /// Whether missing values go left.
    pub(super) missing_left: bool,
}

/// What goes left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Values up to this one.
    Threshold(f64),
    /// The categories of these bits.
    Categories(u64),
}

impl Split {
    pub(super) fn children(&self) -> [usize; 2] {
        self.children.map(|child| child as usize)
    }

    /// Not a number if categories go left.
    #[cfg(test)]
    pub(super) fn threshold(&self) -> f64 {
        let Rule::Threshold(threshold) = self.rule else { return f64::NAN };
        threshold
    }

    #[cfg(test)]
    pub(super) fn categories(&self) -> Option<u64> {
        if let Rule::Categories(categories) = self.rule { Some(categories) } else { None }
    }
}

impl GrownTree {
    /// Undoes splits between leaves that predict the same, from the leaves up.
    ///
    /// Means of equal targets differ by rounding, so the same is meant up to rounding.
    #[cfg(feature = "smartcore")]
    pub(super) fn merge_equal_leaves(&mut self) {
        for index in (0..self.nodes.len()).rev() {
            let Some(split) = &self.nodes[index].split else { continue };
            let [left, right] = split.children().map(|child| &self.nodes[child]);
            if left.split.is_none() && right.split.is_none() && equal_but_for_rounding(left.value, right.value) {
                self.nodes[index] = GrownNode { value: left.value, split: None };
            }
        }
    }

    /// Keeps at most `max_leaf_nodes` leaves: from the root on, always the split of largest gain next.
    ///
    /// What a split is does not depend on when it is made, so this is the tree that growing best first
    /// would give.
    pub(super) fn keep_best(&mut self, max_leaf_nodes: usize) {
        let mut kept = vec![false; self.nodes.len()];
        let mut frontier = BinaryHeap::new();
        let candidate =
            |index: usize| self.nodes[index].split.as_ref().map(|split| Candidate { gain: split.gain, index });
        frontier.extend(candidate(0));
        for _ in 1..max_leaf_nodes {
            let Some(Candidate { index, .. }) = frontier.pop() else { break };
            kept[index] = true;
            let split = self.nodes[index].split.as_ref();
            frontier.extend(split.iter().flat_map(|split| split.children()).filter_map(candidate));
        }
        for (node, kept) in self.nodes.iter_mut().zip(kept) {
            node.split = node.split.take().filter(|_| kept);
        }
    }

    /// Undoes splits until the squared error plus `cost` a leaf is smallest; of several such trees the
    /// smallest.
    pub(super) fn prune(&mut self, cost: f64) {
        // What the splits below a node are worth, less what they cost.
        let mut worth = vec![0.0; self.nodes.len()];
        for index in (0..self.nodes.len()).rev() {
            if let Some(split) = &self.nodes[index].split {
                let [left, right] = split.children();
                let total = split.gain - cost + worth[left] + worth[right];
                if total > 0.0 {
                    worth[index] = total;
                } else {
                    self.nodes[index].split = None;
                }
            }
        }
    }

    /// The nodes level by level, as far as they can be reached. Where classes are predicted, a leaf's value is
    /// its number among the leaves, and the shares of its classes go into the second list.
    pub(super) fn level_order(&self) -> (StoredTree, Vec<f64>) {
        let n_nodes = self.nodes.len();
        let mut stored = StoredTree {
            feature: Vec::with_capacity(n_nodes),
            value: Vec::with_capacity(n_nodes),
            missing_left: Vec::with_capacity(n_nodes),
            category_sets: Vec::new(),
        };
        let mut order = Vec::with_capacity(n_nodes);
        order.push(0_u32);
        let n_classes = self.shares.len() / n_nodes;
        let mut shares = Vec::new();
        let mut next = 0;
        while let Some(&index) = order.get(next) {
            next += 1;
            let index = index as usize;
            let node = &self.nodes[index];
            stored.feature.push(node.split.as_ref().map(|split| split.feature));
            stored.value.push(match &node.split {
                Some(Split { rule: Rule::Categories(categories), .. }) => {
                    stored.category_sets.push(*categories);
                    (stored.category_sets.len() - 1) as f64
                }
                Some(Split { rule: Rule::Threshold(threshold), .. }) => *threshold,
                None if n_classes > 0 => {
                    shares.extend_from_slice(&self.shares[index * n_classes..][..n_classes]);
                    (shares.len() / n_classes - 1) as f64
                }
                None => node.value,
            });
            stored.missing_left.push(node.split.as_ref().is_some_and(|split| split.missing_left));
            order.extend(node.split.iter().flat_map(|split| split.children));
        }
        // All trees wait for the last one: a pruned one must not hold the room of what it was.
        stored.feature.shrink_to_fit();
        stored.value.shrink_to_fit();
        stored.missing_left.shrink_to_fit();
        (stored, shares)
    }

    /// Each feature's share of the tree's gain; all zero where nothing was gained.
    pub(super) fn importances(&self, n_features: usize) -> Vec<f64> {
        let mut gains = vec![0.0; n_features];
        // Splits below an undone one do not count.
        let mut reached = vec![false; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            if let (true, Some(split)) = (index == 0 || reached[index], &node.split) {
                gains[split.feature as usize] += split.gain;
                split.children().into_iter().for_each(|child| reached[child] = true);
            }
        }
        normalise(&mut gains);
        gains
    }
}

/// A split that could be made next: the one of largest gain, of several the one found first.
#[derive(Debug, PartialEq)]
struct Candidate {
    gain: f64,
    index: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.gain.total_cmp(&other.gain).then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(feature = "smartcore")]
fn equal_but_for_rounding(a: f64, b: f64) -> bool {
    (a - b).abs() <= 2.0 * f64::EPSILON * a.abs()
}

/// Scales non-negative numbers to add up to 1, unless all are 0.
fn normalise(values: &mut [f64]) {
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

    fn split(feature: u32, threshold: f64, left: u32, right: u32, gain: f64) -> GrownNode {
        GrownNode {
            value: 0.0,
            split: Some(Split {
                feature,
                rule: Rule::Threshold(threshold),
                children: [left, right],
                gain,
                missing_left: false,
            }),
        }
    }

    #[test]
    fn level_order_puts_children_side_by_side() {
        // Depth first: the root's right child comes last.
        let nodes = vec![split(0, 0.5, 1, 4, 6.0), split(1, 1.5, 2, 3, 2.0), leaf(1.0), leaf(2.0), leaf(3.0)];
        let tree = GrownTree { nodes, shares: Vec::new() };
        let (stored, _) = tree.level_order();
        assert_eq!(stored.feature, [Some(0), Some(1), None, None, None]);
        assert_eq!(stored.value, [0.5, 1.5, 3.0, 1.0, 2.0]);
        assert_eq!(tree.importances(3), [0.75, 0.25, 0.0]);
    }

    /// The root gains 6, its left child 1 and its right child 2; below the left one lies a split of 4.
    fn example() -> GrownTree {
        let nodes = vec![
            split(0, 0.5, 1, 2, 6.0),
            split(1, 1.5, 3, 4, 1.0),
            split(2, 2.5, 5, 6, 2.0),
            split(3, 3.5, 7, 8, 4.0),
            leaf(1.0),
            leaf(2.0),
            leaf(3.0),
            leaf(4.0),
            leaf(5.0),
        ];
        GrownTree { nodes, shares: Vec::new() }
    }

    #[test]
    fn the_best_splits_come_first() {
        let features = |max_leaf_nodes| {
            let mut tree = example();
            tree.keep_best(max_leaf_nodes);
            tree.level_order().0.feature.into_iter().flatten().collect::<Vec<_>>()
        };
        assert_eq!(features(2), [0]);
        assert_eq!(features(3), [0, 2]);
        assert_eq!(features(4), [0, 1, 2]);
        assert_eq!(features(5), [0, 1, 2, 3]);
        assert_eq!(features(100), [0, 1, 2, 3]);
    }

    #[test]
    fn splits_not_worth_their_leaves_are_undone() {
        let features = |cost| {
            let mut tree = example();
            tree.prune(cost);
            let importances = tree.importances(4);
            (tree.level_order().0.feature.into_iter().flatten().collect::<Vec<_>>(), importances)
        };
        assert_eq!(features(1.9).0, [0, 1, 2, 3]);
        // The split of 4 pays for the one of 1 above it up to a cost of 2.5.
        assert_eq!(features(2.0).0, [0, 1, 3]);
        assert_eq!(features(2.5), (vec![0], vec![1.0, 0.0, 0.0, 0.0]));
        assert_eq!(features(6.0).0, Vec::<u32>::new());
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
        let mut tree = GrownTree { nodes, shares: Vec::new() };
        tree.merge_equal_leaves();
        let (stored, _) = tree.level_order();
        assert_eq!(stored.feature, [Some(0), None, None]);
        assert_eq!(stored.value, [0.5, 7.0, 5.0]);
        assert_eq!(tree.importances(2), [1.0, 0.0]);
    }

    #[cfg(feature = "smartcore")]
    #[test]
    fn a_tree_without_gain_has_no_importances() {
        let mut tree =
            GrownTree { nodes: vec![split(0, 0.5, 1, 2, 1e-33), leaf(-5.0), leaf(-5.0)], shares: Vec::new() };
        tree.merge_equal_leaves();
        assert_eq!(tree.importances(1), [0.0]);
        assert_eq!(tree.level_order().0.value, [-5.0]);
    }
}
