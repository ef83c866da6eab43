//! A tree while it grows: node after node, depth first, without recursion over nodes.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Engine;
use super::Space;
use super::blocks::{self, Blocks};
use super::criterion::Criterion;
use super::features::{Draw, Drawing, Features, SplitMix64};
use super::lists::Lists;
use super::node::Node;
use super::pool::Pool;
use super::scan::{Best, Way};
use super::steps::Search;
use crate::grow::tree::{GrownNode, GrownTree, Rule, Split};

/// Whoever may cancel the fit is asked again after so many samples of nodes that were split: some milliseconds' work.
pub(super) const ASKED_EVERY: usize = 1 << 16;

/// So many features of small nodes wait for their subtrees to be grown. The trees of tests are small.
const MOST_WAITING: usize = if cfg!(test) { 1 << 4 } else { 1 << 20 };

/// So many samples of small nodes wait, or a share of the tree's: their subtrees are there twice while they are attached.
/// Whatever the number of threads, as it decides in what order nodes are found.
const MOST_SAMPLES: usize = 1 << 16;
const MOST_SHARE: usize = 8;

/// A split's node and the rows its threshold lies between.
pub(super) type Edge = (u32, [u32; 2]);

/// A tree being grown.
pub(super) struct Growth<'a, 'x, C: Criterion> {
    pub(super) engine: &'a Engine<'x, C>,
    pub(super) criterion: &'a mut C,
    pub(super) features: &'a mut Features,
    pub(super) random: SplitMix64,
    pub(super) search: Search<'x>,
    /// The decrease in impurity a split must bring.
    pub(super) min_gain: f64,
    pub(super) nodes: Vec<GrownNode>,
    /// For each node the share of each class.
    pub(super) shares: Vec<f64>,
    pub(super) edges: Vec<Edge>,
    pub(super) goes_on: &'a (dyn Fn() -> bool + Sync),
    pub(super) until_asked: usize,
    pub(super) is_cancelled: bool,
}

/// A subtree grown on its own: nodes are numbered from its root.
struct Subtree {
    nodes: Vec<GrownNode>,
    shares: Vec<f64>,
    edges: Vec<Edge>,
}

impl<'a, 'x, C: Criterion> Growth<'a, 'x, C> {
    /// Begins with the root of the tree.
    pub(super) fn plant(&mut self, space: &impl Space<C>, root: Node<C::Target>, stack: &mut Vec<Node<C::Target>>) {
        let total = root.sums.weight;
        self.search.limits.min_weight = self.engine.min_weight_fraction_leaf * total;
        self.min_gain = self.engine.min_impurity_decrease * total;
        let value = self.criterion.value(&root.sums, space.samples(&root));
        self.push(space, &root, value);
        if self.may_split(&root) {
            stack.push(root);
        }
    }

    /// Grows the subtrees of the nodes on the `stack`: large ones in the lists, then what is below them in blocks, each
    /// on whatever thread is idle.
    pub(super) fn grow_lists(
        &mut self,
        mut stack: Vec<Node<C::Target>>,
        lists: &mut Lists<C>,
        blocks: &Pool<Blocks<C>>,
    ) {
        let mut small = Vec::new();
        let most = MOST_WAITING / self.features.n_features() + 1;
        let most_samples = MOST_SAMPLES.max(stack.iter().map(Node::len).sum::<usize>() / MOST_SHARE);
        let mut n_samples = 0;
        while let Some(node) = stack.pop() {
            if node.len() <= blocks::SIZES[0] {
                // Draws of its own, so that the order in which subtrees are grown does not matter.
                n_samples += node.len();
                small.push((node, self.features.clone(), self.random.bits()));
                if small.len() == most || n_samples >= most_samples {
                    self.grow_small(std::mem::take(&mut small), lists, blocks);
                    n_samples = 0;
                }
            } else {
                self.split(lists, &node, &mut stack);
            }
        }
        self.grow_small(small, lists, blocks);
    }

    /// Grows the subtrees of small nodes of the lists, each with its features and the seed of its draws.
    fn grow_small(
        &mut self,
        mut small: Vec<(Node<C::Target>, Features, u64)>,
        lists: &Lists<C>,
        blocks: &Pool<Blocks<C>>,
    ) {
        // Large ones first, so that no thread is left alone with one in the end.
        small.sort_by_key(|(node, ..)| Reverse(node.len()));
        let next = AtomicUsize::new(0);
        let growth = &*self;
        let worker = |_| {
            let (mut memory, mut criterion) = (blocks.take(), growth.criterion.clone());
            let mut grown = Vec::new();
            while let Some((node, features, seed)) = small.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut features = features.clone();
                let root = memory.enter_lists(lists, node, &features);
                let mut subtree = growth.subtree(&mut criterion, &mut features, *seed);
                subtree.push(&memory, &root, 0.0);
                subtree.grow_block(Node { index: 0, ..root }, &mut memory);
                let Growth { mut nodes, shares, edges, .. } = subtree;
                nodes.shrink_to_fit();
                grown.push((node.index, Subtree { nodes, shares, edges }));
            }
            blocks.give_back(memory);
            grown
        };
        let n_workers = rayon::current_num_threads().min(small.len());
        let grown: Vec<Vec<_>> = (0..n_workers).into_par_iter().with_max_len(1).map(worker).collect();
        let mut grown: Vec<_> = grown.into_iter().flatten().collect();
        grown.sort_unstable_by_key(|(index, _)| *index);
        for (index, subtree) in grown {
            self.attach(index, subtree);
        }
    }

    /// What grows a subtree on its own.
    fn subtree<'b>(&self, criterion: &'b mut C, features: &'b mut Features, seed: u64) -> Growth<'b, 'x, C>
    where
        'a: 'b,
    {
        Growth {
            engine: self.engine,
            criterion,
            features,
            random: SplitMix64(seed),
            search: self.search,
            min_gain: self.min_gain,
            nodes: Vec::new(),
            shares: Vec::new(),
            edges: Vec::new(),
            goes_on: self.goes_on,
            until_asked: ASKED_EVERY,
            is_cancelled: self.is_cancelled,
        }
    }

    /// Puts a subtree in the place of its root, the node at `index`.
    fn attach(&mut self, index: usize, Subtree { nodes, shares, edges }: Subtree) {
        let start = self.nodes.len();
        let place = |own: u32| if own == 0 { number(index) } else { number(start) + own - 1 };
        let n_classes = shares.len() / nodes.len();
        self.shares.extend_from_slice(&shares[n_classes..]);
        self.edges.extend(edges.into_iter().map(|(own, rows)| (place(own), rows)));
        for (own, mut node) in nodes.into_iter().enumerate() {
            if let Some(split) = &mut node.split {
                split.children = split.children.map(place);
            }
            if own == 0 {
                self.nodes[index].split = node.split;
            } else {
                self.nodes.push(node);
            }
        }
    }

    /// Grows the subtree below `root`, which fills the current one of `blocks`.
    pub(super) fn grow_block(&mut self, root: Node<C::Target>, blocks: &mut Blocks<C>) {
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
    pub(super) fn split(
        &mut self,
        space: &mut impl Space<C>,
        node: &Node<C::Target>,
        stack: &mut Vec<Node<C::Target>>,
    ) {
        if !self.goes_on(node.len()) {
            return;
        }
        space.begin(node, self.criterion);
        let engine = self.engine;
        let mut draw = self.features.begin(node.n_constant);
        let mut drawing = Drawing {
            features: self.features,
            draw: &mut draw,
            max_features: engine.max_features,
            random: &mut self.random,
        };
        let best = space.search_together(node, &mut drawing, &self.search, self.criterion);
        let best = best.unwrap_or_else(|| self.search_in_turn(space, node, &mut draw));
        let n_constant = self.features.end(&draw);
        let Some(best) = best.found() else { return };
        let gain = self.criterion.gain(best.score);
        if gain < self.min_gain {
            return;
        }

        if matches!(best.way, Way::InOrder | Way::Missing { .. }) {
            self.edges.push((number(node.index), space.rows_around(node, &best)));
        }
        let mut children = space.divide(node, &best, n_constant, &self.search);
        if children.iter().any(|child| self.may_split(child)) {
            space.prepare_children(node, children[1].start, &best, self.features, n_constant);
        }
        let left = self.nodes.len();
        let mut split = Split {
            feature: best.feature,
            rule: Rule::Threshold(0.0),
            children: [left, left + 1].map(number),
            gain,
            missing_left: false,
        };
        let missing_left = match best.way {
            Way::InOrder => None,
            Way::Missing { left } => Some(left),
            Way::Threshold { threshold, missing_left } => {
                split.rule = Rule::Threshold(threshold);
                missing_left
            }
            Way::Categories { left, missing_left } => {
                split.rule = Rule::Categories(left);
                missing_left
            }
        };
        // As in scikit-learn, a feature never seen missing sends missing values where most rows go.
        split.missing_left = missing_left.unwrap_or(children[0].len() > children[1].len());
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

    /// The best split of the features drawn, one after the other.
    #[inline]
    fn search_in_turn(&mut self, space: &mut impl Space<C>, node: &Node<C::Target>, draw: &mut Draw) -> Best<C::Score> {
        let mut best = Best::none::<C>();
        while let Some(place) = self.features.draw(draw, self.engine.max_features, &mut self.random) {
            let feature = self.features.at(place);
            if space.search(node, feature, &self.search, self.criterion, &mut self.random, &mut best) {
                if best.is_found() && (node.len() == 2 || self.criterion.is_optimal(&best.score)) {
                    // No other feature gives better leaves.
                    break;
                }
                self.features.is_searched(draw, place);
            } else {
                self.features.is_constant(draw, place);
            }
        }
        best
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

    /// Looks the thresholds up: all at once, for the values lie far apart in memory. Gives the memory of the edges back.
    pub(super) fn finish(mut self, edges: &mut Vec<Edge>) -> GrownTree {
        for &(node, rows) in &self.edges {
            if let Some(split) = &mut self.nodes[node as usize].split {
                let [below, above] = rows.map(|row| self.engine.x[[row as usize, split.feature as usize]]);
                split.rule = Rule::Threshold(midpoint(below, above));
            }
        }
        *edges = self.edges;
        GrownTree { nodes: self.nodes, shares: self.shares }
    }
}

/// The number of a node, as it is kept: trees have fewer than twice as many nodes as rows, of which there are 2^30.
#[expect(clippy::cast_possible_truncation, reason = "a tree has fewer nodes")]
fn number(index: usize) -> u32 {
    index as u32
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
mod tests {
    use super::*;

    #[test]
    fn thresholds_lie_between_neighbours() {
        assert_eq!(midpoint(1.0, 2.0), 1.5);
        assert_eq!(midpoint(-f64::MAX, f64::MAX), 0.0);
        assert_eq!(midpoint(f64::MAX.next_down(), f64::MAX), f64::MAX.next_down());
        assert_eq!(midpoint(1.0, 1.0_f64.next_up()), 1.0);
        assert_eq!(midpoint(5e-324, 1e-323), 5e-324);
        assert_eq!(midpoint(-5e-324, 0.0), -5e-324);
    }
}
