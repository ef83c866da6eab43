//! The engine of our own: exact splits.
//!
//! Features are sorted once for all trees. Large nodes keep a sorted list for each feature
//! ([`lists`]), small ones sort by setting bits ([`block`]); both are [`Space`]s that this file's
//! loop grows nodes in, depth first, without recursion over nodes.
//!
//! # What was tried
//!
//! Milliseconds of processor time a tree on the table of the benchmark, 20,000 rows by 20 features: grown
//! to the end and to depth 10 on all features, then on 6 features a split, likewise.
//!
//! | design | all | depth 10 | 6 | 6, depth 10 |
//! |---|---|---|---|---|
//! | lists parted at every node | 24.8 | 11.8 | 17.6 | 8.3 |
//! | lists, then blocks of 4096, 512 and 64 samples: this one | 22.1 | 12.0 | 12.7 | 6.5 |
//! | the same, repeated values added up in bins first | 21.9 | 11.5 | 13.7 | 7.0 |
//! | with bins, blocks of 16384, 1024 and 64 | 22.1 | 11.8 | 13.0 | 6.8 |
//! | with bins, blocks of 2048, 256 and 64 | 22.1 | 12.0 | 13.6 | 7.3 |
//! | with bins, blocks of 4096 and 64 | 24.5 | 12.4 | 15.0 | 7.0 |

mod block;
mod entry;
mod features;
mod lists;
mod node;
mod partition;
mod presort;
mod scan;

use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use self::block::Block;
use self::features::{Features, SplitMix64};
use self::lists::Lists;
use self::node::{Node, Sums};
use self::presort::Presorted;
use self::scan::{Best, Limits};
use super::scale::TargetScale;
use super::tree::{GrownNode, GrownTree, Split};
use crate::RandomForestRegressor;

/// A node of at most so many samples is grown in a block of its own, within the one before.
const BLOCKS: [usize; 3] = [4096, 512, 64];

/// Where nodes lie while they are split.
trait Space {
    /// Measures the targets of `node` from their mean, before its features are searched.
    fn centre(&mut self, node: &Node);

    /// The best split of `feature` within `limits`, if better than `best`, else `best`; none if the
    /// feature is constant in the node.
    fn search(&mut self, node: &Node, feature: u32, limits: Limits, best: Best) -> Option<Best>;

    /// The rows whose values the split lies between.
    fn rows_around(&self, node: &Node, best: &Best) -> [u32; 2];

    /// Parts the samples; the children.
    fn divide(&mut self, node: &Node, best: &Best, n_constant: usize) -> [Node; 2];

    /// Parts what only children that will be split need, after [`Space::divide`].
    fn prepare_children(&mut self, node: &Node, best: &Best, features: &Features, n_constant: usize);
}

/// Data and parameters common to all trees.
#[derive(Debug)]
pub(super) struct Engine<'a> {
    x: ArrayView2<'a, f64>,
    y: Vec<f64>,
    scale: TargetScale,
    presorted: Presorted,
    max_depth: usize,
    max_features: usize,
    min_samples_split: usize,
    min_samples_leaf: usize,
    min_weight_fraction_leaf: f64,
    max_leaf_nodes: Option<usize>,
    /// In the square of the unit of `y`, as the next one.
    min_impurity_decrease: f64,
    ccp_alpha: f64,
}

/// All memory a tree is grown in: allocated once, used for tree after tree.
#[derive(Debug)]
pub(super) struct Arena {
    features: Features,
    lists: Lists,
    blocks: [Block; 3],
    nodes: Vec<GrownNode>,
    edges: Vec<Edge>,
}

/// A split's node and the rows its threshold lies between.
type Edge = (usize, [u32; 2]);

impl Arena {
    #[expect(clippy::cast_possible_truncation, reason = "columns are counted in 31 bits")]
    pub(super) fn new(n_features: usize) -> Self {
        Self {
            features: Features::new(n_features as u32),
            lists: Lists::default(),
            blocks: Default::default(),
            nodes: Vec::new(),
            edges: Vec::new(),
        }
    }

    /// Takes the memory of a tree back that is no longer needed.
    pub(super) fn recycle(&mut self, tree: GrownTree) {
        self.nodes = tree.nodes;
    }
}

impl<'a> Engine<'a> {
    /// `x` and `y` have passed the checks of a training set.
    pub(super) fn new(parameters: &RandomForestRegressor, x: &ArrayView2<'a, f64>, y: &[f64]) -> Self {
        let scale = TargetScale::new(y);
        Self {
            presorted: Presorted::new(x),
            y: y.iter().map(|&target| scale.down(target)).collect(),
            scale,
            max_depth: parameters.max_depth().unwrap_or(usize::MAX),
            max_features: parameters.max_features().resolve(x.ncols()),
            min_samples_split: parameters.min_samples_split().at_least(x.nrows()),
            min_samples_leaf: parameters.min_samples_leaf().at_least(x.nrows()),
            min_weight_fraction_leaf: parameters.min_weight_fraction_leaf(),
            max_leaf_nodes: parameters.max_leaf_nodes(),
            min_impurity_decrease: scale.down(scale.down(parameters.min_impurity_decrease())),
            ccp_alpha: scale.down(scale.down(parameters.ccp_alpha())),
            x: *x,
        }
    }

    /// Grows one tree on the rows of positive weight, of which there is at least one; its other
    /// randomness comes from `rng`.
    pub(super) fn grow(&self, weights: &[f64], mut rng: ChaCha8Rng, arena: &mut Arena) -> GrownTree {
        let Arena { features, lists, blocks, nodes, edges } = arena;
        features.reset();
        let root = lists.fill(&self.presorted, &self.y, weights);
        let total = root.sums.weight;
        nodes.clear();
        nodes.push(self.leaf(&root.sums));
        edges.clear();
        let mut growth = Growth {
            engine: self,
            features,
            random: SplitMix64(rng.next_u64()),
            limits: Limits { min_leaf: self.min_samples_leaf, min_weight: self.min_weight_fraction_leaf * total },
            min_gain: self.min_impurity_decrease * total,
            nodes: std::mem::take(nodes),
            edges,
        };
        let mut stack = Vec::new();
        if growth.may_split(&root) {
            stack.push(root);
        }
        while let Some(node) = stack.pop() {
            if node.len() <= BLOCKS[0] {
                let root = blocks[0].take_lists(lists, &node, growth.features);
                growth.grow_block(root, blocks);
            } else {
                growth.split(lists, &node, &mut stack);
            }
        }
        let mut tree = growth.finish();
        if let Some(max_leaf_nodes) = self.max_leaf_nodes {
            tree.keep_best(max_leaf_nodes);
        }
        if self.ccp_alpha > 0.0 {
            tree.prune(self.ccp_alpha * total);
        }
        tree
    }

    fn leaf(&self, sums: &Sums) -> GrownNode {
        GrownNode { value: self.scale.up(sums.mean()), split: None }
    }
}

/// A tree being grown.
struct Growth<'a, 'x> {
    engine: &'a Engine<'x>,
    features: &'a mut Features,
    random: SplitMix64,
    limits: Limits,
    /// The decrease in squared error a split must bring.
    min_gain: f64,
    nodes: Vec<GrownNode>,
    edges: &'a mut Vec<Edge>,
}

impl Growth<'_, '_> {
    /// Grows the subtree below `root`, which fills the first of `blocks`.
    fn grow_block(&mut self, root: Node, blocks: &mut [Block]) {
        let Some((block, smaller)) = blocks.split_first_mut() else { return };
        let limit = BLOCKS[BLOCKS.len() - smaller.len()..].first().copied().unwrap_or(0);
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if node.len() <= limit {
                let root = smaller[0].take_block(block, &node, self.features);
                self.grow_block(root, smaller);
            } else {
                self.split(block, &node, &mut stack);
            }
        }
    }

    fn may_split(&self, node: &Node) -> bool {
        node.depth < self.engine.max_depth
            && node.len() >= self.engine.min_samples_split
            && node.len() / 2 >= self.limits.min_leaf
            && node.sums.weight >= 2.0 * self.limits.min_weight
            && !node.sums.is_pure()
    }

    /// Splits `node` if a split is found; children to be split in turn go onto the stack.
    fn split(&mut self, space: &mut impl Space, node: &Node, stack: &mut Vec<Node>) {
        space.centre(node);
        let engine = self.engine;
        let mut best = Best::NONE;
        let mut draw = self.features.begin(node.n_constant);
        while let Some(place) = self.features.draw(&mut draw, engine.max_features, &mut self.random) {
            let feature = self.features.at(place);
            if let Some(found) = space.search(node, feature, self.limits, best) {
                best = found;
                if node.len() == 2 && best.found().is_some() {
                    // Every other feature gives the same two leaves.
                    break;
                }
                self.features.is_searched(&mut draw, place);
            } else {
                self.features.is_constant(&mut draw, place);
            }
        }
        let n_constant = self.features.end(&draw);
        let Some(best) = best.found() else { return };
        let gain = best.score.gain(node.sums.weight);
        if gain < self.min_gain {
            return;
        }

        let children = space.divide(node, &best, n_constant);
        // As in scikit-learn, a feature never seen missing sends missing values where most rows go.
        let missing_left = children[0].len() > children[1].len();
        if children.iter().any(|child| self.may_split(child)) {
            space.prepare_children(node, &best, self.features, n_constant);
        }
        self.edges.push((node.index, space.rows_around(node, &best)));
        let left = self.nodes.len();
        let split = Split { feature: best.feature, threshold: 0.0, left, right: left + 1, gain, missing_left };
        self.nodes[node.index].split = Some(split);
        for child in &children {
            self.nodes.push(engine.leaf(&child.sums));
        }
        for (index, child) in children.into_iter().enumerate().rev() {
            if self.may_split(&child) {
                stack.push(Node { index: left + index, ..child });
            }
        }
    }

    /// Looks the thresholds up: all at once, for the values lie far apart in memory.
    fn finish(mut self) -> GrownTree {
        for &(node, rows) in &*self.edges {
            if let Some(split) = &mut self.nodes[node].split {
                let [below, above] = rows.map(|row| self.engine.x[[row as usize, split.feature as usize]]);
                split.threshold = midpoint(below, above);
            }
        }
        GrownTree { nodes: self.nodes }
    }
}

/// A number from `below` up to but not including `above`, in the middle if there is one.
fn midpoint(below: f64, above: f64) -> f64 {
    let middle = below / 2.0 + above / 2.0;
    if middle >= below && middle < above { middle } else { below }
}

#[cfg(test)]
mod tests;
