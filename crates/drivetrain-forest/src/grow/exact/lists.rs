//! Large nodes: for each feature a list of the samples by ascending value, parted at every split.

use super::Space;
use super::entry::{self, BEGINS};
use super::features::Features;
use super::node::{Node, Sample, Sums};
use super::partition::partition;
use super::presort::Presorted;
use super::scan::{Best, Moment, Scan};

/// Marks a row that is not part of a tree.
const ABSENT: u32 = u32::MAX;

/// Samples are kept in the order of the nodes, so that a node's samples are neighbours, and for each
/// feature a list of them by ascending value. A node of even depth lies in the first of a
/// pair of buffers, its children in the same range of the second.
#[derive(Debug, Default)]
pub(super) struct Lists {
    n_samples: usize,
    has_ties: Vec<bool>,
    rows: [Vec<u32>; 2],
    samples: [Vec<Sample>; 2],
    /// Feature after feature.
    entries: [Vec<u32>; 2],
    /// Of the node being split.
    moments: Vec<Moment>,
    /// Where the samples of the node being split go; before that, where a row's sample lies.
    moves: Vec<u32>,
}

/// The buffers of a node and of its children.
fn sides<T>(pair: &mut [Vec<T>; 2], depth: usize) -> (&mut [T], &mut [T]) {
    let [even, odd] = pair;
    if depth.is_multiple_of(2) { (even, odd) } else { (odd, even) }
}

impl Lists {
    /// Takes in the rows of positive weight; the root.
    #[expect(clippy::cast_possible_truncation, reason = "rows are counted in 31 bits")]
    pub(super) fn fill(&mut self, presorted: &Presorted, y: &[f64], weights: &[f64]) -> Node {
        let n_features = presorted.n_features();
        let mut sums = Sums::NONE;
        self.moves.clear();
        self.rows[0].clear();
        self.samples[0].clear();
        for (row, (&y, &weight)) in y.iter().zip(weights).enumerate() {
            if weight > 0.0 {
                self.moves.push(self.rows[0].len() as u32);
                self.rows[0].push(row as u32);
                self.samples[0].push(Sample { y, weight });
                sums.add(Sample { y, weight });
            } else {
                self.moves.push(ABSENT);
            }
        }
        let n_samples = self.rows[0].len();
        self.n_samples = n_samples;
        self.rows[1].resize(n_samples, 0);
        self.samples[1].resize(n_samples, Sample::default());
        self.moments.resize(n_samples, Moment::default());
        self.has_ties.clear();
        for buffer in &mut self.entries {
            // One more than needed: what is absent is written, and overwritten.
            buffer.resize(n_samples * n_features + 1, 0);
        }
        for feature in 0..n_features {
            self.has_ties.push(presorted.has_ties(feature));
            let list = &mut self.entries[0][feature * n_samples..][..=n_samples];
            let mut begins = 0;
            let mut place = 0;
            for &entry in presorted.entries(feature) {
                let sample = self.moves[entry::sample(entry)];
                begins |= entry & BEGINS;
                list[place] = (sample & !BEGINS) | begins;
                let present = sample != ABSENT;
                begins &= u32::from(present).wrapping_sub(1);
                place += usize::from(present);
            }
        }
        Node { index: 0, start: 0, end: n_samples, depth: 0, n_constant: 0, sums }
    }

    fn range(&self, node: &Node, feature: u32) -> std::ops::Range<usize> {
        let start = feature as usize * self.n_samples;
        start + node.start..start + node.end
    }

    pub(super) fn has_ties(&self, feature: u32) -> bool {
        self.has_ties[feature as usize]
    }

    /// The samples of `node` by ascending value of `feature`, numbered from the node's start, and
    /// whether their value differs from the one before.
    pub(super) fn in_order(&self, node: &Node, feature: u32) -> impl Iterator<Item = (usize, bool)> {
        let list = &self.entries[node.depth % 2][self.range(node, feature)];
        list.iter().map(|&entry| (entry::sample(entry) - node.start, entry::begins(entry)))
    }

    /// The rows and samples of `node`.
    pub(super) fn contents(&self, node: &Node) -> (&[u32], &[Sample]) {
        let range = node.start..node.end;
        (&self.rows[node.depth % 2][range.clone()], &self.samples[node.depth % 2][range])
    }
}

impl Space for Lists {
    fn centre(&mut self, node: &Node) {
        let mean = node.sums.mean();
        let samples = &self.samples[node.depth % 2][node.start..node.end];
        for (moment, sample) in self.moments[node.start..node.end].iter_mut().zip(samples) {
            *moment = Moment { weighted: sample.weight * (sample.y - mean), weight: sample.weight };
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    fn search(&mut self, node: &Node, feature: u32, min_leaf: usize, best: Best) -> Option<Best> {
        let list = &self.entries[node.depth % 2][self.range(node, feature)];
        let mut scan = Scan::new(feature, list.len(), node.sums.weight, min_leaf, best);
        if self.has_ties[feature as usize] {
            for (place, &entry) in list.iter().enumerate() {
                scan.pass(place as u32, entry::begins(entry), self.moments[entry::sample(entry)]);
            }
        } else {
            for (place, &entry) in list.iter().enumerate() {
                scan.pass(place as u32, true, self.moments[entry::sample(entry)]);
            }
        }
        scan.end()
    }

    fn rows_around(&self, node: &Node, best: &Best) -> [u32; 2] {
        let list = &self.entries[node.depth % 2][self.range(node, best.feature)];
        [best.below, best.above].map(|place| self.rows[node.depth % 2][entry::sample(list[place as usize])])
    }

    /// Moves the samples into the order of the split's feature.
    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    fn divide(&mut self, node: &Node, best: &Best, n_constant: usize) -> [Node; 2] {
        let range = self.range(node, best.feature);
        let (list, _) = sides(&mut self.entries, node.depth);
        let position = best.above as usize;
        let (left, right) = list[range].split_at(position);
        let (rows, next_rows) = sides(&mut self.rows, node.depth);
        let (samples, next_samples) = sides(&mut self.samples, node.depth);
        let boundary = node.start + position;
        [(node.start, left), (boundary, right)].map(|(start, entries)| {
            let mut sums = Sums::NONE;
            let end = start + entries.len();
            let targets = next_rows[start..end].iter_mut().zip(&mut next_samples[start..end]);
            for ((index, &entry), (row, target)) in entries.iter().enumerate().zip(targets) {
                let sample = entry::sample(entry);
                self.moves[sample] = (start + index) as u32;
                *row = rows[sample];
                *target = samples[sample];
                sums.add(*target);
            }
            node.child(start, end, n_constant, sums)
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    fn prepare_children(&mut self, node: &Node, best: &Best, features: &Features, n_constant: usize) {
        let position = best.above as usize;
        let boundary = node.start + position;
        let (from, to) = sides(&mut self.entries, node.depth);
        for &feature in features.varying(n_constant) {
            let start = feature as usize * self.n_samples;
            let range = start + node.start..start + node.end;
            let (from, to) = (&from[range.clone()], &mut to[range]);
            if feature == best.feature {
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
