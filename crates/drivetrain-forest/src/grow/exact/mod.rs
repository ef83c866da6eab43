//! The engine of our own: exact splits on presorted features.

mod arena;
mod entry;
mod features;
mod partition;
mod presort;
mod search;

use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use self::arena::{Node, Samples};
pub(super) use self::arena::Arena;
use self::features::SplitMix64;
use self::presort::Presorted;
use self::search::{Found, Score};
use super::bootstrap;
use super::scale::TargetScale;
use super::tree::{GrownNode, GrownTree, Split};
use crate::RandomForestRegressor;

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

impl<'a> Engine<'a> {
    /// `x` and `y` have passed the checks of a training set.
    pub(super) fn new(parameters: &RandomForestRegressor, x: ArrayView2<'a, f64>, y: &[f64]) -> Self {
        let scale = TargetScale::new(y);
        Self {
            presorted: Presorted::new(&x),
            y: y.iter().map(|&target| scale.down(target)).collect(),
            scale,
            max_depth: parameters.max_depth().unwrap_or(usize::MAX),
            max_features: parameters.max_features().resolve(x.ncols()),
            min_samples_split: parameters.min_samples_split(),
            min_samples_leaf: parameters.min_samples_leaf(),
            bootstrap: parameters.bootstrap(),
            x,
        }
    }

    /// Grows one tree; all its randomness comes from `rng`.
    pub(super) fn grow(&self, mut rng: ChaCha8Rng, arena: &mut Arena) -> GrownTree {
        let weights = if self.bootstrap { bootstrap::counts(&mut rng, self.y.len()) } else { vec![1.0; self.y.len()] };
        let mut random = SplitMix64(rng.next_u64());
        let root = arena.fill(&self.presorted, &self.y, &weights);
        let mut nodes = vec![self.leaf(&root.samples)];
        let mut stack = vec![(0, root)];
        while let Some((index, node)) = stack.pop() {
            let Some((split, children)) = self.split(&node, arena, &mut random) else { continue };
            let left = nodes.len();
            nodes.push(self.leaf(&children[0].samples));
            nodes.push(self.leaf(&children[1].samples));
            nodes[index].split = Some(Split { left, right: left + 1, ..split });
            let [first, second] = children;
            for (index, child) in [(left + 1, second), (left, first)] {
                if self.may_split(&child) {
                    stack.push((index, child));
                }
            }
        }
        GrownTree { nodes }
    }

    fn leaf(&self, samples: &Samples) -> GrownNode {
        GrownNode { value: self.scale.up(samples.mean()), split: None }
    }

    fn may_split(&self, node: &Node) -> bool {
        node.depth < self.max_depth
            && node.len() >= self.min_samples_split
            && node.len() >= 2 * self.min_samples_leaf
            && !node.samples.is_pure()
    }

    fn split(&self, node: &Node, arena: &mut Arena, random: &mut SplitMix64) -> Option<(Split, [Node; 2])> {
        if !self.may_split(node) {
            return None;
        }
        arena.centre(node);
        let mut best = Score::NONE;
        let mut chosen = None;
        let mut draw = arena.features.begin(node.n_constant);
        while let Some(place) = arena.features.draw(&mut draw, self.max_features, random) {
            let feature = arena.features.at(place);
            match arena.search(node, feature, self.min_samples_leaf, &mut best) {
                Found::Constant => {
                    arena.features.is_constant(&mut draw, place);
                    continue;
                }
                Found::Nothing => {}
                Found::Position(position) => chosen = Some((feature, position)),
            }
            arena.features.is_searched(&mut draw, place);
        }
        let n_constant = arena.features.end(&draw);
        let (feature, position) = chosen?;
        let (below, above) = arena.rows_around(node, feature, position);
        let column = self.x.column(feature as usize);
        let threshold = midpoint(column[below], column[above]);
        let children = arena.divide(node, feature, position, n_constant);
        if children.iter().any(|child| self.may_split(child)) {
            arena.partition(node, feature, position, n_constant);
        }
        let gain = best.numerator / best.denominator * node.samples.weight;
        Some((Split { feature, threshold, left: 0, right: 0, gain }, children))
    }
}

/// A number from `below` up to but not including `above`, in the middle if there is one.
fn midpoint(below: f64, above: f64) -> f64 {
    let middle = below / 2.0 + above / 2.0;
    if middle >= below && middle < above { middle } else { below }
}
