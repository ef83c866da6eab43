//! The engine of our own: exact splits.
//!
//! Features are sorted once for all trees ([`presort`]). Large nodes keep a sorted list for each feature
//! ([`lists`]), small ones sort by setting bits ([`blocks`]); where splits are drawn, not searched, nothing is
//! sorted ([`unsorted`]). All three are [`Space`]s that nodes are grown in ([`growth`]), depth first, without
//! recursion over nodes. What a good split is, a [`Criterion`] says.
//!
//! Threads that have no tree of their own help with large ones: with the features of a large node, and with the
//! subtrees below.
//!
//! # What was tried
//!
//! Milliseconds of processor time a tree on the table of the benchmark, 20,000 rows by 20 features: grown
//! to the end and to depth 10 on all features, then on 6 features a split, likewise.
//!
//! | design | all | depth 10 | 6 | 6, depth 10 |
//! |---|---|---|---|---|
//! | lists parted at every node | 24.8 | 11.8 | 17.6 | 8.3 |
//! | lists, then blocks of 4096, 512 and 64 samples | 22.1 | 12.0 | 12.7 | 6.5 |
//! | the same, repeated values added up in bins first | 21.9 | 11.5 | 13.7 | 7.0 |
//! | with bins, blocks of 16384, 1024 and 64 | 22.1 | 11.8 | 13.0 | 6.8 |
//! | with bins, blocks of 2048, 256 and 64 | 22.1 | 12.0 | 13.6 | 7.3 |
//! | with bins, blocks of 4096 and 64 | 24.5 | 12.4 | 15.0 | 7.0 |
//!
//! On another day, all of them measured in turns with the first:
//!
//! | design | all | depth 10 | 6 | 6, depth 10 |
//! |---|---|---|---|---|
//! | lists, then blocks of 4096, 512 and 64 samples, no bins | 16.7 | 9.0 | 10.1 | 5.2 |
//! | and one comparison tells most splits that are not better | 15.6 | 8.4 | 9.9 | 5.0 |
//! | and at most 8 samples are done with at a split that none can better | 14.7 | 8.4 | 10.1 | 5.2 |
//! | and blocks of 16384, 2048, 384 and 64 take features in on demand | 14.7 | 8.2 | 9.8 | 4.6 |
//! | and a block's root is scanned in the order at hand: this one | 14.2 | 7.8 | 9.5 | 4.4 |
//! | this one, but the next word of bits chosen without a branch | 17.8 | 11.3 | 11.1 | 5.8 |
//! | this one, but features taken in by two loops | 14.7 | 8.2 | 10.4 | 4.7 |
//! | this one with blocks of 16384, 1024 and 64 | 14.9 | 8.3 | 9.8 | 4.5 |
//! | this one with blocks of 16384, 4096, 1024, 256 and 64 | 14.6 | 8.1 | 10.0 | 4.7 |

mod bits;
mod block;
mod blocks;
mod criterion;
mod entry;
mod features;
mod growth;
mod lists;
mod node;
mod partition;
mod pool;
mod presort;
mod scan;
mod steps;
mod unsorted;

use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use self::blocks::Blocks;
pub(super) use self::criterion::{AbsoluteError, Criterion, Entropy, Gini, Poisson, SquaredError};
use self::features::{Drawing, Features, SplitMix64};
use self::growth::{ASKED_EVERY, Edge, Growth};
use self::lists::Lists;
use self::node::{Node, Sample};
use self::pool::Pool;
use self::presort::Presorted;
use self::scan::{Best, Limits};
use self::steps::Search;
use self::unsorted::{Columns, Unsorted};
use super::scale::TargetScale;
use super::tree::{GrownNode, GrownTree};
use crate::params::{Splitter, TreeParameters};

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

    /// The best split of all features that are to be drawn, searched on as many threads as are idle, where nodes are
    /// large enough for that: the one that searching them one after the other would give.
    fn search_together(
        &self,
        _node: &Node<C::Target>,
        _features: &mut Drawing<'_>,
        _search: &Search<'_>,
        _criterion: &C,
    ) -> Option<Best<C::Score>> {
        None
    }

    /// The rows whose values the split lies between, before the samples are parted.
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
    blocks: Pool<Blocks<C>>,
    unsorted: unsorted::Memory<C>,
    nodes: Vec<GrownNode>,
    edges: Vec<Edge>,
}

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
            blocks: Pool::default(),
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
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> GrownTree {
        let Arena { criterion, features, lists, blocks, unsorted, nodes, edges } = arena;
        features.reset();
        nodes.clear();
        edges.clear();
        let search = Search {
            x: self.x,
            limits: Limits { min_leaf: self.min_samples_leaf, min_weight: 0.0 },
            monotonic: self.monotonic,
            categorical: self.categorical,
        };
        let mut growth = Growth {
            engine: self,
            criterion,
            features,
            random: SplitMix64(rng.next_u64()),
            search,
            min_gain: 0.0,
            nodes: std::mem::take(nodes),
            shares: Vec::new(),
            edges: std::mem::take(edges),
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
                    let mut own = blocks.take();
                    let root = own.fill(presorted, &self.y, weights, n_samples);
                    total = root.sums.weight;
                    growth.plant(&own, root, &mut stack);
                    if let Some(root) = stack.pop() {
                        growth.grow_block(root, &mut own);
                    }
                    blocks.give_back(own);
                } else {
                    let root = lists.fill(presorted, &self.y, weights);
                    total = root.sums.weight;
                    growth.plant(lists, root, &mut stack);
                    growth.grow_lists(stack, lists, blocks);
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
        let mut tree = growth.finish(edges);
        if let Some(max_leaf_nodes) = self.max_leaf_nodes {
            tree.keep_best(max_leaf_nodes);
        }
        if self.ccp_alpha > 0.0 {
            tree.prune(self.ccp_alpha * total);
        }
        tree
    }
}

#[cfg(test)]
mod tests;
