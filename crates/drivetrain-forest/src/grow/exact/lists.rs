//! Large nodes: for each feature a list of the samples by ascending value, parted at every split.

use rayon::prelude::*;

use super::Space;
use super::criterion::Criterion;
use super::entry::{self, FLAGS};
use super::features::{Drawing, Features, SplitMix64};
use super::node::{Node, Sample, Sums};
use super::partition::partition;
use super::presort::{InBag, Presorted};
use super::scan::{Best, Scan, Way};
use super::steps::{Search, Step, Steps};
use crate::forest::{CategorySet, category};

/// Samples are kept in the order of the nodes, so that a node's samples are neighbours, and for each
/// feature a list of them by ascending value. The samples of a node of even depth lie in the first of a
/// pair of buffers, those of its children in the same range of the second. What is done for one feature after the
/// other is done on as many threads as are idle.
#[derive(Debug)]
pub(super) struct Lists<C: Criterion> {
    n_samples: usize,
    has_ties: Vec<bool>,
    has_missing: Vec<bool>,
    rows: [Vec<u32>; 2],
    samples: [Vec<Sample<C::Target>>; 2],
    /// Feature after feature, each with a place to spare.
    entries: Vec<u32>,
    /// Of the node being split.
    moments: Vec<C::Moment>,
    /// Where the samples of the node being split go.
    moves: Vec<u32>,
    /// The entries of the split's feature, those that go left first, where its order alone does not part them.
    parted: Vec<u32>,
    in_bag: InBag,
}

impl<C: Criterion> Default for Lists<C> {
    fn default() -> Self {
        Self {
            n_samples: 0,
            has_ties: Vec::new(),
            has_missing: Vec::new(),
            rows: Default::default(),
            samples: Default::default(),
            entries: Vec::new(),
            moments: Vec::new(),
            moves: Vec::new(),
            parted: Vec::new(),
            in_bag: InBag::default(),
        }
    }
}

/// The buffers of a node and of its children.
fn sides<T>(pair: &mut [Vec<T>; 2], depth: usize) -> (&mut [T], &mut [T]) {
    let [even, odd] = pair;
    if depth.is_multiple_of(2) { (even, odd) } else { (odd, even) }
}

impl<C: Criterion> Lists<C> {
    /// Takes in the rows of positive weight; the root.
    pub(super) fn fill(&mut self, presorted: &Presorted, y: &[C::Target], weights: &[f64]) -> Node<C::Target> {
        let n_features = presorted.n_features();
        self.rows[0].clear();
        self.samples[0].clear();
        let (rows, samples) = (&mut self.rows[0], &mut self.samples[0]);
        let sums = self.in_bag.fill(y, weights, |row, sample| {
            rows.push(row);
            samples.push(sample);
        });
        let n_samples = self.rows[0].len();
        self.n_samples = n_samples;
        self.rows[1].resize(n_samples, 0);
        self.samples[1].resize(n_samples, Sample::default());
        self.moments.resize(n_samples, C::Moment::default());
        self.moves.resize(n_samples, 0);
        self.has_ties.clear();
        self.has_missing.clear();
        self.entries.resize(self.stride() * n_features, 0);
        for feature in 0..n_features {
            self.has_ties.push(presorted.has_ties(feature));
            self.has_missing.push(presorted.has_missing(feature));
        }
        let in_bag = &self.in_bag;
        let lists = self.entries.par_chunks_mut(n_samples + 1).enumerate();
        lists.for_each(|(feature, list)| presorted.select(feature, in_bag, list));
        Node::root(n_samples, sums)
    }

    fn range(&self, node: &Node<C::Target>, feature: u32) -> std::ops::Range<usize> {
        let start = feature as usize * self.stride();
        start + node.start..start + node.end
    }

    fn stride(&self) -> usize {
        self.n_samples + 1
    }

    fn list(&self, node: &Node<C::Target>, feature: u32) -> &[u32] {
        &self.entries[self.range(node, feature)]
    }

    /// Whether `feature` has more than one value in `node`; what is missing counts as one, but not alone.
    fn varies(&self, node: &Node<C::Target>, feature: u32) -> bool {
        let list = self.list(node, feature);
        let n_present = self.n_present(node, feature);
        n_present > 0 && (n_present < list.len() || list[1..n_present].iter().any(|&entry| entry::begins(entry)))
    }

    pub(super) fn has_ties(&self, feature: u32) -> bool {
        self.has_ties[feature as usize]
    }

    /// The samples of `node` by ascending value of `feature`, numbered from the node's start, and
    /// whether their value differs from the one before.
    pub(super) fn in_order(&self, node: &Node<C::Target>, feature: u32) -> impl Iterator<Item = (usize, bool)> {
        let list = self.list(node, feature);
        list.iter().map(|&entry| (entry::sample(entry) - node.start, entry::begins(entry)))
    }

    /// The rows and samples of `node`.
    pub(super) fn contents(&self, node: &Node<C::Target>) -> (&[u32], &[Sample<C::Target>]) {
        let range = node.start..node.end;
        (&self.rows[node.depth % 2][range.clone()], &self.samples[node.depth % 2][range])
    }

    /// How many samples of `node` have a value of `feature`: the first ones in its order.
    pub(super) fn n_present(&self, node: &Node<C::Target>, feature: u32) -> usize {
        if self.has_missing[feature as usize] {
            let list = self.list(node, feature);
            list.partition_point(|&entry| !entry::is_missing(entry))
        } else {
            node.len()
        }
    }

    /// Orders the entries of the split's feature by side, where the split is not between two neighbours.
    fn part(&mut self, node: &Node<C::Target>, best: &Best<C::Score>, search: &Search<'_>) -> usize {
        let mut parted = std::mem::take(&mut self.parted);
        parted.clear();
        let list = self.list(node, best.feature);
        let rows = &self.rows[node.depth % 2];
        let goes_left = |(place, &entry): (usize, &u32)| match best.way {
            Way::Categories { left, missing_left } => {
                match category(search.value(rows[entry::sample(entry)], best.feature)) {
                    Some(category) => CategorySet(left).contains(category),
                    None => missing_left == Some(true),
                }
            }
            _ => place < best.above as usize || entry::is_missing(entry),
        };
        parted.extend(list.iter().enumerate().filter(|&step| goes_left(step)).map(|(_, &entry)| entry));
        let n_left = parted.len();
        parted.extend(list.iter().enumerate().filter(|&step| !goes_left(step)).map(|(_, &entry)| entry));
        self.parted = parted;
        n_left
    }
}

impl<C: Criterion> Lists<C> {
    /// Makes the best split of `feature` the `best`, if it is better.
    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 30 bits")]
    fn search_list(
        &self,
        node: &Node<C::Target>,
        feature: u32,
        search: &Search<'_>,
        criterion: &mut C,
        steps: &mut Vec<Step<C::Moment>>,
        best: &mut Best<C::Score>,
    ) {
        let list = self.list(node, feature);
        if C::LOOKS_AHEAD || self.has_missing[feature as usize] || !search.is_plain(feature) {
            let n_present = self.n_present(node, feature);
            steps.clear();
            steps.extend(list.iter().enumerate().map(|(place, &entry)| {
                let begins = entry::begins(entry);
                Step { place: place as u32, begins, moment: self.moments[entry::sample(entry)] }
            }));
            let rows = &self.rows[node.depth % 2];
            let value = |place: u32| search.value(rows[entry::sample(list[place as usize])], feature);
            let steps = Steps { feature, bounds: node.bounds, samples: steps, n_present };
            steps.search(criterion, search, value, best);
            return;
        }
        let mut scan = Scan::new(feature, list.len(), search.limits, best.score, criterion.walk());
        if self.has_ties[feature as usize] {
            for (place, &entry) in list.iter().enumerate() {
                scan.pass(place as u32, entry::begins(entry), self.moments[entry::sample(entry)]);
            }
        } else {
            for (place, &entry) in list.iter().enumerate() {
                scan.pass(place as u32, true, self.moments[entry::sample(entry)]);
            }
        }
        scan.end(best);
    }
}

/// Whether a split's two sides are a beginning and an end of its feature's list.
fn is_cut(way: Way) -> bool {
    matches!(way, Way::InOrder | Way::Missing { left: false })
}

impl<C: Criterion> Space<C> for Lists<C> {
    fn begin(&mut self, node: &Node<C::Target>, criterion: &mut C) {
        let samples = &self.samples[node.depth % 2][node.start..node.end];
        criterion.begin(&node.sums, samples.iter().copied());
        let moments = &mut self.moments[node.start..node.end];
        for ((position, moment), &sample) in moments.iter_mut().enumerate().zip(samples) {
            *moment = criterion.moment(position, sample);
        }
    }

    fn search(
        &mut self,
        node: &Node<C::Target>,
        feature: u32,
        search: &Search<'_>,
        criterion: &mut C,
        _random: &mut SplitMix64,
        best: &mut Best<C::Score>,
    ) -> bool {
        self.search_list(node, feature, search, criterion, &mut Vec::new(), best);
        self.varies(node, feature)
    }

    fn search_together(
        &self,
        node: &Node<C::Target>,
        features: &mut Drawing<'_>,
        search: &Search<'_>,
        criterion: &C,
    ) -> Option<Best<C::Score>> {
        let drawn = features.all(|feature| self.varies(node, feature));
        let searched = drawn.par_iter().map_init(
            || (criterion.clone(), Vec::new()),
            |(criterion, steps), &feature| {
                let mut best = Best::none::<C>();
                self.search_list(node, feature, search, criterion, steps, &mut best);
                best
            },
        );
        let searched: Vec<_> = searched.collect();
        // Of equally good ones the first, as one after the other would give.
        let better = |best: Best<_>, next: Best<_>| if next.score > best.score { next } else { best };
        Some(searched.into_iter().fold(Best::none::<C>(), better))
    }

    fn rows_around(&self, node: &Node<C::Target>, best: &Best<C::Score>) -> [u32; 2] {
        let list = self.list(node, best.feature);
        [best.below, best.above].map(|place| self.rows[node.depth % 2][entry::sample(list[place as usize])])
    }

    /// Moves the samples into the order of the split's feature.
    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 30 bits")]
    fn divide(
        &mut self,
        node: &Node<C::Target>,
        best: &Best<C::Score>,
        n_constant: usize,
        search: &Search<'_>,
    ) -> [Node<C::Target>; 2] {
        let cut = is_cut(best.way);
        let position = if cut { best.above as usize } else { self.part(node, best, search) };
        let range = self.range(node, best.feature);
        let list = if cut { &self.entries[range] } else { &self.parted[..] };
        let (left, right) = list.split_at(position);
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

    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 30 bits")]
    fn prepare_children(
        &mut self,
        node: &Node<C::Target>,
        boundary: usize,
        best: &Best<C::Score>,
        features: &Features,
        n_constant: usize,
    ) {
        let mut is_varying = vec![false; self.has_ties.len()];
        for &feature in features.varying(n_constant) {
            is_varying[feature as usize] = true;
        }
        let stride = self.stride();
        let (moves, parted, has_ties) = (&self.moves, &self.parted, &self.has_ties);
        let lists = self.entries.par_chunks_mut(stride).enumerate().filter(|&(feature, _)| is_varying[feature]);
        lists.for_each_init(Vec::new, |spare, (feature, list)| {
            let list = &mut list[node.start..node.end];
            if feature == best.feature as usize {
                if !is_cut(best.way) {
                    list.copy_from_slice(parted);
                }
                for (index, entry) in list.iter_mut().enumerate() {
                    *entry = (node.start + index) as u32 | (*entry & FLAGS);
                }
                return;
            }
            spare.resize(list.len(), 0);
            if has_ties[feature] {
                partition::<true>(list, spare, boundary, moves);
            } else {
                partition::<false>(list, spare, boundary, moves);
            }
        });
    }

    fn samples(&self, node: &Node<C::Target>) -> impl Iterator<Item = Sample<C::Target>> + Clone {
        self.samples[node.depth % 2][node.start..node.end].iter().copied()
    }
}
