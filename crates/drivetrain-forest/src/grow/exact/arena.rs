//! All memory a tree is grown in: allocated once, nodes are ranges of it.

use super::entry::{self, BEGINS};
use super::features::Features;
use super::partition::partition;
use super::presort::Presorted;
use super::search::{Found, Moment, Score, search};

/// Marks a row that is not part of a tree.
const ABSENT: u32 = u32::MAX;

/// A target and its weight.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    y: f64,
    weight: f64,
}

/// What a node's value and purity depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    pub(super) weight: f64,
    sum: f64,
    low: f64,
    high: f64,
}

impl Samples {
    const NONE: Self = Self { weight: 0.0, sum: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY };

    fn add(&mut self, sample: Sample) {
        self.weight += sample.weight;
        self.sum += sample.weight * sample.y;
        self.low = self.low.min(sample.y);
        self.high = self.high.max(sample.y);
    }

    /// The weighted mean of the targets, which rounding does not move out of their range.
    pub(super) fn mean(&self) -> f64 {
        (self.sum / self.weight).clamp(self.low, self.high)
    }

    /// Whether all targets are equal.
    pub(super) fn is_pure(&self) -> bool {
        self.low == self.high
    }
}

/// A node yet to be split: a range of the arena.
#[derive(Debug)]
pub(super) struct Node {
    start: usize,
    end: usize,
    pub(super) depth: usize,
    pub(super) n_constant: usize,
    pub(super) samples: Samples,
}

impl Node {
    /// The number of rows, each counted once whatever its weight.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Samples are kept in the order of the nodes, so that a node's samples are neighbours, and for each
/// feature a list of them by ascending value. A node of even depth lies in the first half of a
/// pair of buffers, its children in the same range of the other.
#[derive(Debug)]
pub(in crate::grow) struct Arena {
    pub(super) features: Features,
    n_samples: usize,
    has_ties: Vec<bool>,
    rows: [Vec<u32>; 2],
    samples: [Vec<Sample>; 2],
    /// Feature after feature.
    lists: [Vec<u32>; 2],
    /// Of the node being split.
    moments: Vec<Moment>,
    /// Where the samples of the node being split go; before that, where a row's sample lies.
    moves: Vec<u32>,
}

/// The buffers of a node and of its children.
fn sides<T>(pair: &mut [Vec<T>; 2], depth: usize) -> (&mut Vec<T>, &mut Vec<T>) {
    let [even, odd] = pair;
    if depth.is_multiple_of(2) { (even, odd) } else { (odd, even) }
}

impl Arena {
    #[expect(clippy::cast_possible_truncation, reason = "columns are counted in 32 bits")]
    pub(in crate::grow) fn new(n_features: usize) -> Self {
        Self {
            features: Features::new(n_features as u32),
            n_samples: 0,
            has_ties: vec![false; n_features],
            rows: Default::default(),
            samples: Default::default(),
            lists: Default::default(),
            moments: Vec::new(),
            moves: Vec::new(),
        }
    }

    /// Takes in the rows of positive weight; the root.
    #[expect(clippy::cast_possible_truncation, reason = "rows are counted in 31 bits")]
    pub(super) fn fill(&mut self, presorted: &Presorted, y: &[f64], weights: &[f64]) -> Node {
        let n_features = self.has_ties.len();
        let mut root = Samples::NONE;
        self.features.reset();
        self.moves.clear();
        for buffer in &mut self.rows {
            buffer.clear();
        }
        for buffer in &mut self.samples {
            buffer.clear();
        }
        for (row, (&y, &weight)) in y.iter().zip(weights).enumerate() {
            if weight > 0.0 {
                self.moves.push(self.rows[0].len() as u32);
                self.rows[0].push(row as u32);
                self.samples[0].push(Sample { y, weight });
                root.add(Sample { y, weight });
            } else {
                self.moves.push(ABSENT);
            }
        }
        let n_samples = self.rows[0].len();
        self.n_samples = n_samples;
        self.rows[1].resize(n_samples, 0);
        self.samples[1].resize(n_samples, Sample::default());
        self.moments.resize(n_samples, Moment::default());
        for buffer in &mut self.lists {
            buffer.resize(n_samples * n_features, 0);
        }
        for feature in 0..n_features {
            self.has_ties[feature] = presorted.has_ties(feature);
            let list = &mut self.lists[0][feature * n_samples..][..n_samples];
            let mut begins = 0;
            let mut place = 0;
            for &entry in presorted.entries(feature) {
                let sample = self.moves[entry::sample(entry)];
                begins |= entry & BEGINS;
                if sample != ABSENT {
                    list[place] = sample | begins;
                    begins = 0;
                    place += 1;
                }
            }
        }
        Node { start: 0, end: n_samples, depth: 0, n_constant: 0, samples: root }
    }

    fn range(&self, node: &Node, feature: u32) -> std::ops::Range<usize> {
        let start = feature as usize * self.n_samples;
        start + node.start..start + node.end
    }

    /// Measures the targets of `node` from their mean.
    pub(super) fn centre(&mut self, node: &Node) {
        let mean = node.samples.mean();
        let (samples, _) = sides(&mut self.samples, node.depth);
        let samples = &samples[node.start..node.end];
        for (moment, sample) in self.moments[node.start..node.end].iter_mut().zip(samples) {
            *moment = Moment { weighted: sample.weight * (sample.y - mean), weight: sample.weight };
        }
    }

    pub(super) fn search(&self, node: &Node, feature: u32, min_leaf: usize, best: &mut Score) -> Found {
        let list = &self.lists[node.depth % 2][self.range(node, feature)];
        if self.has_ties[feature as usize] {
            search::<true>(list, &self.moments, node.samples.weight, min_leaf, best)
        } else {
            search::<false>(list, &self.moments, node.samples.weight, min_leaf, best)
        }
    }

    /// The rows before and behind a split of `node`.
    pub(super) fn rows_around(&self, node: &Node, feature: u32, position: usize) -> (usize, usize) {
        let list = &self.lists[node.depth % 2][self.range(node, feature)];
        let row = |index: usize| self.rows[node.depth % 2][entry::sample(list[index])] as usize;
        (row(position - 1), row(position))
    }

    /// Moves the samples into the order of `feature`: the first `position` are the left child's.
    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    pub(super) fn divide(&mut self, node: &Node, feature: u32, position: usize, n_constant: usize) -> [Node; 2] {
        let range = self.range(node, feature);
        let (list, _) = sides(&mut self.lists, node.depth);
        let (left, right) = list[range].split_at(position);
        let (rows, next_rows) = sides(&mut self.rows, node.depth);
        let (samples, next_samples) = sides(&mut self.samples, node.depth);
        let boundary = node.start + position;
        [(node.start, left), (boundary, right)].map(|(start, entries)| {
            let mut sums = Samples::NONE;
            let end = start + entries.len();
            let targets = next_rows[start..end].iter_mut().zip(&mut next_samples[start..end]);
            for ((index, &entry), (row, target)) in entries.iter().enumerate().zip(targets) {
                let sample = entry::sample(entry);
                self.moves[sample] = (start + index) as u32;
                *row = rows[sample];
                *target = samples[sample];
                sums.add(*target);
            }
            Node { start, end, depth: node.depth + 1, n_constant, samples: sums }
        })
    }

    /// Sends every feature's list to the children, after [`Arena::divide`].
    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    pub(super) fn partition(&mut self, node: &Node, split_feature: u32, position: usize, n_constant: usize) {
        let boundary = node.start + position;
        let (from, to) = sides(&mut self.lists, node.depth);
        for &feature in self.features.varying(n_constant) {
            let start = feature as usize * self.n_samples;
            let range = start + node.start..start + node.end;
            let (from, to) = (&from[range.clone()], &mut to[range]);
            if feature == split_feature {
                for ((index, &entry), target) in from.iter().enumerate().zip(to) {
                    *target = (node.start + index) as u32 | (entry & BEGINS);
                }
            } else if self.has_ties[feature as usize] {
                partition::<true>(from, to, position, boundary, &self.moves);
            } else {
                partition::<false>(from, to, position, boundary, &self.moves);
            }
        }
    }
}
