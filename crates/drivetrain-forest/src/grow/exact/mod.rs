//! The engine of our own: exact splits.
//!
//! Features are sorted once for all trees. Large nodes keep a sorted list for each feature
//! ([`lists`]), small ones sort by setting bits ([`block`]); both are [`Space`]s that this file's
//! loop grows nodes in, depth first, without recursion.

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
use self::scan::Best;
use super::bootstrap;
use super::scale::TargetScale;
use super::tree::{GrownNode, GrownTree, Split};
use crate::RandomForestRegressor;

/// A node of at most so many samples is grown in a block of its own, within the one before.
const BLOCKS: [usize; 3] = [4096, 512, 64];

/// Where nodes lie while they are split.
trait Space {
    /// Measures the targets of `node` from their mean, before its features are searched.
    fn centre(&mut self, node: &Node);

    /// The best split of `feature` that leaves `min_leaf` samples on both sides, if better than
    /// `best`, else `best`; none if the feature is constant in the node.
    fn search(&mut self, node: &Node, feature: u32, min_leaf: usize, best: Best) -> Option<Best>;

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
    bootstrap: bool,
}

/// All memory a tree is grown in: allocated once, used for tree after tree.
#[derive(Debug)]
pub(super) struct Arena {
    features: Features,
    lists: Lists,
    blocks: [Block; 3],
}

impl Arena {
    #[expect(clippy::cast_possible_truncation, reason = "columns are counted in 31 bits")]
    pub(super) fn new(n_features: usize) -> Self {
        Self { features: Features::new(n_features as u32), lists: Lists::default(), blocks: Default::default() }
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
            min_samples_split: parameters.min_samples_split(),
            min_samples_leaf: parameters.min_samples_leaf(),
            bootstrap: parameters.bootstrap(),
            x: *x,
        }
    }

    /// Grows one tree; all its randomness comes from `rng`.
    pub(super) fn grow(&self, mut rng: ChaCha8Rng, arena: &mut Arena) -> GrownTree {
        let weights = if self.bootstrap { bootstrap::counts(&mut rng, self.y.len()) } else { vec![1.0; self.y.len()] };
        let Arena { features, lists, blocks } = arena;
        features.reset();
        let root = lists.fill(&self.presorted, &self.y, &weights);
        let nodes = vec![self.leaf(&root.sums)];
        let mut growth =
            Growth { engine: self, features, random: SplitMix64(rng.next_u64()), nodes, edges: Vec::new() };
        let mut stack = Vec::new();
        if self.may_split(&root) {
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
        growth.finish()
    }

    fn leaf(&self, sums: &Sums) -> GrownNode {
        GrownNode { value: self.scale.up(sums.mean()), split: None }
    }

    fn may_split(&self, node: &Node) -> bool {
        node.depth < self.max_depth
            && node.len() >= self.min_samples_split
            && node.len() >= 2 * self.min_samples_leaf
            && !node.sums.is_pure()
    }
}

/// A tree being grown.
struct Growth<'a, 'x> {
    engine: &'a Engine<'x>,
    features: &'a mut Features,
    random: SplitMix64,
    nodes: Vec<GrownNode>,
    /// For each split its node and the rows its threshold lies between.
    edges: Vec<(usize, [u32; 2])>,
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

    /// Splits `node` if a split is found; children to be split in turn go onto the stack.
    fn split(&mut self, space: &mut impl Space, node: &Node, stack: &mut Vec<Node>) {
        space.centre(node);
        let engine = self.engine;
        let mut best = Best::NONE;
        let mut draw = self.features.begin(node.n_constant);
        while let Some(place) = self.features.draw(&mut draw, engine.max_features, &mut self.random) {
            let feature = self.features.at(place);
            if let Some(found) = space.search(node, feature, engine.min_samples_leaf, best) {
                best = found;
                if node.len() == 2 {
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

        let children = space.divide(node, &best, n_constant);
        if children.iter().any(|child| engine.may_split(child)) {
            space.prepare_children(node, &best, self.features, n_constant);
        }
        self.edges.push((node.index, space.rows_around(node, &best)));
        let left = self.nodes.len();
        let gain = best.score.gain(node.sums.weight);
        let split = Split { feature: best.feature, threshold: 0.0, left, right: left + 1, gain };
        self.nodes[node.index].split = Some(split);
        for child in &children {
            self.nodes.push(engine.leaf(&child.sums));
        }
        for (index, child) in children.into_iter().enumerate().rev() {
            if engine.may_split(&child) {
                stack.push(Node { index: left + index, ..child });
            }
        }
    }

    /// Looks the thresholds up: all at once, for the values lie far apart in memory.
    fn finish(mut self) -> GrownTree {
        for (node, rows) in self.edges {
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
