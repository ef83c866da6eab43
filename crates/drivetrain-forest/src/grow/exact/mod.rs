//! The engine of our own: exact splits.
//!
//! Features are sorted once for all trees. Large nodes keep a sorted list for each feature
//! ([`lists`]), small ones sort by setting bits ([`block`]); where splits are drawn, not searched, nothing is
//! sorted ([`unsorted`]). All three are [`Space`]s that this file's loop grows nodes in, depth first, without
//! recursion over nodes. What a good split is, a [`Criterion`] says.
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

mod bits;
mod block;
mod blocks;
mod criterion;
mod entry;
mod features;
mod lists;
mod node;
mod partition;
mod presort;
mod scan;
mod steps;
mod unsorted;

use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use self::blocks::Blocks;
pub(super) use self::criterion::{AbsoluteError, Criterion, Entropy, Gini, Poisson, SquaredError};
use self::features::{Features, SplitMix64};
use self::lists::Lists;
use self::node::{Node, Sample};
use self::presort::Presorted;
use self::scan::{Best, Limits, Way};
use self::steps::Search;
use self::unsorted::{Columns, Unsorted};
use super::scale::TargetScale;
use super::tree::{GrownNode, GrownTree, Split};
use crate::params::{Splitter, TreeParameters};

/// Whoever may cancel the fit is asked again after so many samples of nodes that were split: some milliseconds' work.
const ASKED_EVERY: usize = 1 << 16;

/// Where nodes lie while they are split.
trait Space<C: Criterion> {
    /// Turns to `node`, before its features are searched.
    fn begin(&mut self, node: &Node<C::Target>, criterion: &mut C);

    /// Makes the best split of `feature` the `best`, if it is better; whether the feature varies in the node.
    fn search(
        &mut self,
        node: &Node<C::Target>,
        feature: u32,
        search: &Search<'_>,
        criterion: &mut C,
        random: &mut SplitMix64,
        best: &mut Best<C::Score>,
    ) -> bool;

    /// The rows whose values the split lies between.
    fn rows_around(&self, node: &Node<C::Target>, best: &Best<C::Score>) -> [u32; 2];

    /// Parts the samples; the children.
    fn divide(
        &mut self,
        node: &Node<C::Target>,
        best: &Best<C::Score>,
        n_constant: usize,
        search: &Search<'_>,
    ) -> [Node<C::Target>; 2];

    /// Parts what only children that will be split need, after [`Space::divide`]; the right one starts at
    /// `boundary`.
    fn prepare_children(
        &mut self,
        node: &Node<C::Target>,
        boundary: usize,
        best: &Best<C::Score>,
        features: &Features,
        n_constant: usize,
    );

    /// The samples of a node, or of the child of one just divided.
    fn samples(&self, node: &Node<C::Target>) -> impl Iterator<Item = Sample<C::Target>> + Clone;
}

/// The features as a splitter needs them.
#[derive(Debug)]
enum Data {
    Sorted(Presorted),
    Unsorted(Columns),
}

/// Data and parameters common to all trees.
#[derive(Debug)]
pub(super) struct Engine<'a, C: Criterion> {
    x: ArrayView2<'a, f64>,
    y: Vec<C::Target>,
    criterion: C,
    scale: TargetScale,
    data: Data,
    max_depth: usize,
    max_features: usize,
    min_samples_split: usize,
    min_samples_leaf: usize,
    min_weight_fraction_leaf: f64,
    max_leaf_nodes: Option<usize>,
    /// In the unit of the criterion on `y`, as the next one.
    min_impurity_decrease: f64,
    ccp_alpha: f64,
    monotonic: &'a [i8],
    categorical: &'a [bool],
}

/// All memory a tree is grown in: allocated once, used for tree after tree.
#[derive(Debug)]
pub(super) struct Arena<C: Criterion> {
    criterion: C,
    features: Features,
    lists: Lists<C>,
    blocks: Blocks<C>,
    unsorted: unsorted::Memory<C>,
    nodes: Vec<GrownNode>,
    edges: Vec<Edge>,
}

/// A split's node and the rows its threshold lies between.
type Edge = (usize, [u32; 2]);

impl<C: Criterion> Arena<C> {
    /// Takes the memory of a tree back that is no longer needed.
    pub(super) fn recycle(&mut self, tree: GrownTree) {
        self.nodes = tree.nodes;
    }
}

impl<'a, C: Criterion> Engine<'a, C> {
    /// `x` and `y` have passed the checks of a training set; `y` is in units of the `scale`.
    pub(super) fn new(
        parameters: &TreeParameters<'a>,
        x: &ArrayView2<'a, f64>,
        y: Vec<C::Target>,
        criterion: C,
        scale: TargetScale,
    ) -> Self {
        let data = match parameters.splitter {
            Splitter::Best => Data::Sorted(Presorted::new(x)),
            Splitter::Random => Data::Unsorted(Columns::new(x)),
        };
        Self {
            data,
            y,
            criterion,
            scale,
            max_depth: parameters.max_depth.unwrap_or(usize::MAX),
            max_features: parameters.max_features.resolve(x.ncols()),
            min_samples_split: parameters.min_samples_split.at_least(x.nrows()).max(2),
            min_samples_leaf: parameters.min_samples_leaf.at_least(x.nrows()),
            min_weight_fraction_leaf: parameters.min_weight_fraction_leaf,
            max_leaf_nodes: parameters.max_leaf_nodes,
            min_impurity_decrease: C::scale_impurity(scale, parameters.min_impurity_decrease),
            ccp_alpha: C::scale_impurity(scale, parameters.ccp_alpha),
            monotonic: parameters.monotonic,
            categorical: parameters.categorical,
            x: *x,
        }
    }

    /// Memory to grow trees in.
    #[expect(clippy::cast_possible_truncation, reason = "columns are counted in 30 bits")]
    pub(super) fn arena(&self) -> Arena<C> {
        Arena {
            criterion: self.criterion.clone(),
            features: Features::new(self.x.ncols() as u32),
            lists: Lists::default(),
            blocks: Blocks::default(),
            unsorted: unsorted::Memory::default(),
            nodes: Vec::new(),
            edges: Vec::new(),
        }
    }

    /// Grows one tree on the rows of positive weight, of which there is at least one; its other
    /// randomness comes from `rng`. Once `goes_on` says no, what is left is not split: the tree is of no use.
    pub(super) fn grow(
        &self,
        weights: &[f64],
        mut rng: ChaCha8Rng,
        arena: &mut Arena<C>,
        goes_on: &dyn Fn() -> bool,
    ) -> GrownTree {
        let Arena { criterion, features, lists, blocks, unsorted, nodes, edges } = arena;
        features.reset();
        nodes.clear();
        edges.clear();
        let mut growth = Growth {
            engine: self,
            criterion,
            features,
            random: SplitMix64(rng.next_u64()),
            search: Search {
                x: self.x,
                limits: Limits { min_leaf: self.min_samples_leaf, min_weight: 0.0 },
                monotonic: self.monotonic,
                categorical: self.categorical,
            },
            min_gain: 0.0,
            nodes: std::mem::take(nodes),
            shares: Vec::new(),
            edges,
            goes_on,
            until_asked: ASKED_EVERY,
            is_cancelled: false,
        };
        let total;
        let mut stack = Vec::new();
        match &self.data {
            Data::Sorted(presorted) => {
                let n_samples = weights.iter().filter(|&&weight| weight > 0.0).count();
                if n_samples <= blocks::SIZES[0] {
                    let root = blocks.fill(presorted, &self.y, weights, n_samples);
                    total = root.sums.weight;
                    growth.plant(blocks, root, &mut stack);
                    if let Some(root) = stack.pop() {
                        growth.grow_block(root, blocks);
                    }
                } else {
                    let root = lists.fill(presorted, &self.y, weights);
                    total = root.sums.weight;
                    growth.plant(lists, root, &mut stack);
                    while let Some(node) = stack.pop() {
                        if node.len() <= blocks::SIZES[0] {
                            let root = blocks.enter_lists(lists, &node, growth.features);
                            growth.grow_block(root, blocks);
                        } else {
                            growth.split(lists, &node, &mut stack);
                        }
                    }
                }
            }
            Data::Unsorted(columns) => {
                let (mut space, root) = Unsorted::fill(columns, unsorted, &self.y, weights);
                total = root.sums.weight;
                growth.plant(&space, root, &mut stack);
                while let Some(node) = stack.pop() {
                    growth.split(&mut space, &node, &mut stack);
                }
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
}

/// A tree being grown.
struct Growth<'a, 'x, C: Criterion> {
    engine: &'a Engine<'x, C>,
    criterion: &'a mut C,
    features: &'a mut Features,
    random: SplitMix64,
    search: Search<'x>,
    /// The decrease in impurity a split must bring.
    min_gain: f64,
    nodes: Vec<GrownNode>,
    /// For each node the share of each class.
    shares: Vec<f64>,
    edges: &'a mut Vec<Edge>,
    goes_on: &'a dyn Fn() -> bool,
    until_asked: usize,
    is_cancelled: bool,
}

impl<C: Criterion> Growth<'_, '_, C> {
    /// Begins with the root of the tree.
    fn plant(&mut self, space: &impl Space<C>, root: Node<C::Target>, stack: &mut Vec<Node<C::Target>>) {
        let total = root.sums.weight;
        self.search.limits.min_weight = self.engine.min_weight_fraction_leaf * total;
        self.min_gain = self.engine.min_impurity_decrease * total;
        let value = self.criterion.value(&root.sums, space.samples(&root));
        self.push(space, &root, value);
        if self.may_split(&root) {
            stack.push(root);
        }
    }

    /// Grows the subtree below `root`, which fills the current one of `blocks`.
    fn grow_block(&mut self, root: Node<C::Target>, blocks: &mut Blocks<C>) {
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if blocks.is_small(&node) {
                let root = blocks.enter(&node);
                self.grow_block(root, blocks);
                blocks.leave();
            } else {
                self.split(blocks, &node, &mut stack);
            }
        }
    }

    fn may_split(&self, node: &Node<C::Target>) -> bool {
        node.depth < self.engine.max_depth
            && node.len() >= self.engine.min_samples_split
            && node.len() / 2 >= self.search.limits.min_leaf
            && node.sums.weight >= 2.0 * self.search.limits.min_weight
            && !node.sums.is_pure()
    }

    /// Adds a node, yet without a split, that predicts `value` if its bounds allow.
    fn push(&mut self, space: &impl Space<C>, node: &Node<C::Target>, value: f64) {
        let value = bounded(value, node.bounds);
        self.nodes.push(GrownNode { value: self.engine.scale.up(value), split: None });
        let start = self.shares.len();
        self.criterion.shares(space.samples(node), &mut self.shares);
        if let (false, [first, second]) = (self.engine.monotonic.is_empty(), &mut self.shares[start..]) {
            (*first, *second) = (1.0 - value, value);
        }
    }

    /// Whether a node of so many samples is to be split, as far as whoever may cancel the fit is concerned.
    fn goes_on(&mut self, n_samples: usize) -> bool {
        if let Some(left) = self.until_asked.checked_sub(n_samples) {
            self.until_asked = left;
        } else {
            self.until_asked = ASKED_EVERY;
            self.is_cancelled |= !(self.goes_on)();
        }
        !self.is_cancelled
    }

    /// Splits `node` if a split is found; children to be split in turn go onto the stack.
    fn split(&mut self, space: &mut impl Space<C>, node: &Node<C::Target>, stack: &mut Vec<Node<C::Target>>) {
        if !self.goes_on(node.len()) {
            return;
        }
        space.begin(node, self.criterion);
        let engine = self.engine;
        let mut best = Best::none::<C>();
        let mut draw = self.features.begin(node.n_constant);
        while let Some(place) = self.features.draw(&mut draw, engine.max_features, &mut self.random) {
            let feature = self.features.at(place);
            if space.search(node, feature, &self.search, self.criterion, &mut self.random, &mut best) {
                if best.is_found() && (node.len() == 2 || self.criterion.is_optimal(&best.score)) {
                    // No other feature gives better leaves.
                    break;
                }
                self.features.is_searched(&mut draw, place);
            } else {
                self.features.is_constant(&mut draw, place);
            }
        }
        let n_constant = self.features.end(&draw);
        let Some(best) = best.found() else { return };
        let gain = self.criterion.gain(best.score);
        if gain < self.min_gain {
            return;
        }

        let mut children = space.divide(node, &best, n_constant, &self.search);
        if children.iter().any(|child| self.may_split(child)) {
            space.prepare_children(node, children[1].start, &best, self.features, n_constant);
        }
        let left = self.nodes.len();
        let mut split = Split {
            feature: best.feature,
            threshold: 0.0,
            categories: None,
            left,
            right: left + 1,
            gain,
            missing_left: false,
        };
        let missing_left = match best.way {
            Way::InOrder => None,
            Way::Missing { left } => Some(left),
            Way::Threshold { threshold, missing_left } => {
                split.threshold = threshold;
                missing_left
            }
            Way::Categories { left, missing_left } => {
                split.categories = Some(left);
                missing_left
            }
        };
        // As in scikit-learn, a feature never seen missing sends missing values where most rows go.
        split.missing_left = missing_left.unwrap_or(children[0].len() > children[1].len());
        if matches!(best.way, Way::InOrder | Way::Missing { .. }) {
            self.edges.push((node.index, space.rows_around(node, &best)));
        }
        self.nodes[node.index].split = Some(split);

        let values =
            [0, 1].map(|side: usize| self.criterion.value(&children[side].sums, space.samples(&children[side])));
        self.bound(&mut children, best.feature, values);
        for (child, value) in children.iter().zip(values) {
            self.push(space, child, value);
        }
        for (index, child) in children.into_iter().enumerate().rev() {
            if self.may_split(&child) {
                stack.push(Node { index: left + index, ..child });
            }
        }
    }

    /// Keeps the children's values on their sides of the middle where predictions must rise or fall.
    ///
    /// Source: `DepthFirstTreeBuilder` of scikit-learn.
    fn bound(&self, [left, right]: &mut [Node<C::Target>; 2], feature: u32, values: [f64; 2]) {
        let constraint = self.search.monotonic(feature);
        if constraint == 0 {
            return;
        }
        let middle = bounded(values[0] / 2.0 + values[1] / 2.0, left.bounds);
        let (lower, upper) = if constraint > 0 { (left, right) } else { (right, left) };
        lower.bounds[1] = middle;
        upper.bounds[0] = middle;
    }

    /// Looks the thresholds up: all at once, for the values lie far apart in memory.
    fn finish(mut self) -> GrownTree {
        for &(node, rows) in &*self.edges {
            if let Some(split) = &mut self.nodes[node].split {
                let [below, above] = rows.map(|row| self.engine.x[[row as usize, split.feature as usize]]);
                split.threshold = midpoint(below, above);
            }
        }
        GrownTree { nodes: self.nodes, shares: self.shares }
    }
}

/// The number nearest to `value` that the bounds allow; the lower one is not above the upper one.
fn bounded(value: f64, [lower, upper]: [f64; 2]) -> f64 {
    value.max(lower).min(upper)
}

/// A number from `below` up to but not including `above`, in the middle if there is one; above all numbers
/// if what lies above is missing.
fn midpoint(below: f64, above: f64) -> f64 {
    if above.is_nan() {
        return f64::MAX;
    }
    let middle = below / 2.0 + above / 2.0;
    if middle >= below && middle < above { middle } else { below }
}

#[cfg(test)]
mod tests;
