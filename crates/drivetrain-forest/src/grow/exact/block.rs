//! Small nodes: samples are sorted anew for every feature searched, by setting bits.
//!
//! A block holds a subtree of few samples. It numbers them and keeps, for each feature, their rank by
//! ascending value. To walk a node's samples in the order of a feature, the bit of each one's rank is
//! set in an array of words, then the bits are read off from low to high: a sort whose cost is a few
//! cycles a sample, so that nothing has to be kept in order for features that are not drawn.

use std::ops::Range;

use super::bits;
use super::criterion::{Criterion, Walk};
use super::node::{Node, Sample, Sums};
use super::scan::{Best, Scan, Way};
use super::steps::{Search, Step, Steps};
use crate::forest::{CategorySet, category};

/// A subtree's samples and their ranks.
#[derive(Debug)]
pub(super) struct Block<C: Criterion> {
    /// The room for a feature: the number of samples, rounded up to whole words of bits.
    stride: usize,
    /// Feature after feature, for each rank its sample.
    order: Vec<u16>,
    /// Feature after feature, for each sample its rank.
    rank: Vec<u16>,
    /// Feature after feature, for each rank the number of its value.
    run: Vec<u16>,
    is_taken: Vec<bool>,
    has_ties: Vec<bool>,
    /// For each feature how many samples have a value: those of the ranks below.
    n_present: Vec<usize>,
    /// Where in the larger block its samples lie.
    within: Range<usize>,
    rows: Vec<u32>,
    samples: Vec<Sample<C::Target>>,
    /// Of the samples of the node being split.
    moments: Vec<C::Moment>,
    /// The samples in the order of the nodes.
    members: Vec<u16>,
    spare: Vec<u16>,
    words: Vec<u64>,
    steps: Vec<Step<C::Moment>>,
}

impl<C: Criterion> Default for Block<C> {
    fn default() -> Self {
        Self {
            stride: 0,
            order: Vec::new(),
            rank: Vec::new(),
            run: Vec::new(),
            is_taken: Vec::new(),
            has_ties: Vec::new(),
            n_present: Vec::new(),
            within: 0..0,
            rows: Vec::new(),
            samples: Vec::new(),
            moments: Vec::new(),
            members: Vec::new(),
            spare: Vec::new(),
            words: Vec::new(),
            steps: Vec::new(),
        }
    }
}

impl<C: Criterion> Block<C> {
    /// Whether the feature tells two samples apart: their only split. Where there is one already, it is as good.
    fn search_two(
        &self,
        feature: u32,
        members: [u16; 2],
        search: &Search<'_>,
        criterion: &mut C,
        best: &mut Best<C::Score>,
    ) -> bool {
        let range = self.range(feature);
        let (order, rank) = (&self.order[range.clone()], &self.rank[range.clone()]);
        let mut ranks = members.map(|member| rank[usize::from(member)]);
        ranks.sort_unstable();
        let [below, above] = ranks;
        let runs = &self.run[range];
        if self.has_ties[feature as usize] && runs[usize::from(below)] == runs[usize::from(above)] {
            return false;
        }
        if best.is_found() {
            return true;
        }
        let mut walk = criterion.walk();
        walk.pass(self.moments[usize::from(order[usize::from(below)])]);
        let [below, above] = [below, above].map(u32::from);
        if walk.improve(search.limits.min_weight, &mut best.score) {
            *best = Best { score: best.score, feature, below, above, way: Way::InOrder };
        }
        true
    }

    /// Searches a feature that asks for more than passing the samples once.
    #[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
    fn search_steps(
        &mut self,
        node: &Node<C::Target>,
        feature: u32,
        search: &Search<'_>,
        criterion: &mut C,
        best: &mut Best<C::Score>,
    ) -> bool {
        let range = self.range(feature);
        let (order, ranks, runs) = (&self.order[range.clone()], &self.rank[range.clone()], &self.run[range]);
        let has_ties = self.has_ties[feature as usize];
        let n_present = self.n_present[feature as usize];
        let (steps, moments) = (&mut self.steps, &self.moments);
        steps.clear();
        let mut run = 0;
        let mut present = 0;
        bits::in_order(&self.members[node.start..node.end], ranks, &mut self.words, |rank| {
            let begins = !has_ties || runs[rank] != run;
            run = if has_ties { runs[rank] } else { 0 };
            present += usize::from(rank < n_present);
            steps.push(Step { place: rank as u32, begins, moment: moments[usize::from(order[rank])] });
        });
        let value = |place: u32| search.value(self.rows[usize::from(order[place as usize])], feature);
        let steps = Steps { feature, bounds: node.bounds, samples: steps, n_present: present };
        steps.search(criterion, search, value, best)
    }

    /// Whether a split sends the sample of this rank left.
    fn goes_left(&self, rank: usize, best: &Best<C::Score>, search: &Search<'_>) -> bool {
        let feature = best.feature;
        let row = || self.rows[usize::from(self.order[self.range(feature).start + rank])];
        match best.way {
            Way::Categories { left, missing_left } => match category(search.value(row(), feature)) {
                Some(category) => CategorySet(left).contains(category),
                None => missing_left == Some(true),
            },
            Way::Missing { left: true } => rank < best.above as usize || rank >= self.n_present[feature as usize],
            _ => rank < best.above as usize,
        }
    }

    /// Makes room for `n_samples` samples of `n_features` features, none of which is taken in yet.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    pub(super) fn clear(&mut self, n_samples: usize, n_features: usize) {
        self.stride = n_samples.next_multiple_of(64);
        let size = self.stride * n_features;
        for buffer in [&mut self.order, &mut self.rank, &mut self.run] {
            if buffer.len() < size {
                buffer.resize(size, 0);
            }
        }
        self.is_taken.clear();
        self.is_taken.resize(n_features, false);
        self.has_ties.resize(n_features, false);
        self.n_present.resize(n_features, 0);
        self.rows.clear();
        self.samples.clear();
        self.moments.clear();
        self.moments.resize(self.stride, C::Moment::default());
        self.members.clear();
        self.members.extend(0..n_samples as u16);
        self.spare.resize(n_samples, 0);
        self.words.clear();
        self.words.resize(self.stride / 64, 0);
    }

    fn range(&self, feature: u32) -> std::ops::Range<usize> {
        let start = feature as usize * self.stride;
        start..start + self.stride
    }

    pub(super) fn is_taken(&self, feature: u32) -> bool {
        self.is_taken[feature as usize]
    }

    /// Takes in a feature, `n_present` of whose values are not missing: the samples by ascending value, and whether
    /// each one's differs from the one before.
    pub(super) fn take(
        &mut self,
        feature: u32,
        has_ties: bool,
        n_present: usize,
        in_order: impl Iterator<Item = (usize, bool)>,
    ) {
        let mut layer = self.layer(feature);
        if has_ties {
            in_order.for_each(|(sample, begins)| layer.put::<true>(sample, begins));
        } else {
            in_order.for_each(|(sample, begins)| layer.put::<false>(sample, begins));
        }
        self.has_ties[feature as usize] = has_ties && layer.has_ties();
        self.n_present[feature as usize] = n_present;
        self.is_taken[feature as usize] = true;
    }

    /// Takes in a feature of the larger block that this one lies `within`.
    pub(super) fn take_from(&mut self, larger: &mut Self, feature: u32) {
        let range = larger.range(feature);
        let has_ties = larger.has_ties[feature as usize];
        let n_present = larger.n_present[feature as usize];
        let ranks = &larger.rank[range.clone()];
        let members = &larger.members[self.within.clone()];
        // Blocks without missing values, which are most, need no count.
        self.n_present[feature as usize] = if n_present == larger.rows.len() {
            members.len()
        } else {
            members.iter().filter(|&&member| usize::from(ranks[usize::from(member)]) < n_present).count()
        };
        let (order, runs) = (&larger.order[range.clone()], &larger.run[range]);
        let (numbers, words) = (&larger.spare, &mut larger.words);
        let mut layer = self.layer(feature);
        if has_ties {
            let mut run = 0;
            bits::in_order(members, ranks, words, |rank| {
                let begins = runs[rank] != run;
                run = runs[rank];
                layer.put::<true>(usize::from(numbers[usize::from(order[rank])]), begins);
            });
        } else {
            bits::in_order(members, ranks, words, |rank| {
                layer.put::<false>(usize::from(numbers[usize::from(order[rank])]), true);
            });
        }
        self.has_ties[feature as usize] = has_ties && layer.has_ties();
        self.is_taken[feature as usize] = true;
    }

    fn layer(&mut self, feature: u32) -> Layer<'_> {
        let range = self.range(feature);
        Layer {
            order: &mut self.order[range.clone()],
            rank: &mut self.rank[range.clone()],
            runs: &mut self.run[range],
            place: 0,
            n_runs: 0,
        }
    }

    /// Takes over a node of a larger block, which becomes the root of this one; features are taken in as they are asked
    /// for.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    pub(super) fn enter(&mut self, larger: &mut Self, node: &Node<C::Target>) -> Node<C::Target> {
        self.clear(node.len(), larger.is_taken.len());
        self.within = node.start..node.end;
        for (number, &member) in larger.members[self.within.clone()].iter().enumerate() {
            let member = usize::from(member);
            self.rows.push(larger.rows[member]);
            self.samples.push(larger.samples[member]);
            larger.spare[member] = number as u16;
        }
        Node { start: 0, end: node.len(), ..node.clone() }
    }

    /// Takes in the next sample.
    #[inline]
    pub(super) fn push(&mut self, row: u32, sample: Sample<C::Target>) {
        self.rows.push(row);
        self.samples.push(sample);
    }
}

/// A feature being taken in.
#[derive(Debug)]
struct Layer<'a> {
    order: &'a mut [u16],
    rank: &'a mut [u16],
    runs: &'a mut [u16],
    place: u16,
    n_runs: u16,
}

impl Layer<'_> {
    /// The next sample by ascending value. Without `TIES` each value differs from the one before.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    #[inline]
    fn put<const TIES: bool>(&mut self, sample: usize, begins: bool) {
        let place = usize::from(self.place);
        self.order[place] = sample as u16;
        self.rank[sample] = self.place;
        if TIES {
            self.n_runs += u16::from(begins);
            self.runs[place] = self.n_runs;
        }
        self.place += 1;
    }

    /// Whether a value occurs twice, which among few samples is rarer than among many.
    fn has_ties(&self) -> bool {
        self.n_runs < self.place
    }
}

impl<C: Criterion> Block<C> {
    pub(super) fn begin(&mut self, node: &Node<C::Target>, criterion: &mut C) {
        let members = &self.members[node.start..node.end];
        criterion.begin(&node.sums, members.iter().map(|&member| self.samples[usize::from(member)]));
        for (position, &member) in members.iter().enumerate() {
            let member = usize::from(member);
            self.moments[member] = criterion.moment(position, self.samples[member]);
        }
    }

    pub(super) fn search(
        &mut self,
        node: &Node<C::Target>,
        feature: u32,
        search: &Search<'_>,
        criterion: &mut C,
        best: &mut Best<C::Score>,
    ) -> bool {
        let all_present = self.n_present[feature as usize] == self.rows.len();
        if C::LOOKS_AHEAD || !all_present || !search.is_plain(feature) {
            return self.search_steps(node, feature, search, criterion, best);
        }
        let members = &self.members[node.start..node.end];
        if let ([first, second], true) = (members, search.limits.are_none()) {
            return self.search_two(feature, [*first, *second], search, criterion, best);
        }
        let has_ties = self.has_ties[feature as usize];
        let range = self.range(feature);
        let ranks = (&self.order[range.clone()], &self.rank[range.clone()], &self.run[range]);
        let scan = Scan::new(feature, members.len(), search.limits, best.score, criterion.walk());
        let n = self.rows.len();
        if members.len() == n {
            let (order, runs) = (&ranks.0[..n], &ranks.2[..n]);
            return if has_ties {
                bits::scan_all::<_, true>(order, runs, &self.moments, scan, best)
            } else {
                bits::scan_all::<_, false>(order, runs, &self.moments, scan, best)
            };
        }
        if let (Ok(order), Ok(rank), Ok(run), Ok(moments)) =
            (ranks.0.try_into(), ranks.1.try_into(), ranks.2.try_into(), self.moments[..].try_into())
        {
            if has_ties {
                bits::scan_small::<_, true>(members, (order, rank, run), moments, scan, best)
            } else {
                bits::scan_small::<_, false>(members, (order, rank, run), moments, scan, best)
            }
        } else if has_ties {
            bits::scan_large::<_, true>(members, ranks, &self.moments, &mut self.words, scan, best)
        } else {
            bits::scan_large::<_, false>(members, ranks, &self.moments, &mut self.words, scan, best)
        }
    }

    pub(super) fn rows_around(&self, best: &Best<C::Score>) -> [u32; 2] {
        let start = self.range(best.feature).start;
        [best.below, best.above].map(|rank| self.rows[usize::from(self.order[start + rank as usize])])
    }

    pub(super) fn divide(
        &mut self,
        node: &Node<C::Target>,
        best: &Best<C::Score>,
        n_constant: usize,
        search: &Search<'_>,
    ) -> [Node<C::Target>; 2] {
        let n_left = if best.way == Way::InOrder {
            let rank = &self.rank[self.range(best.feature)];
            let goes_right = |member| u32::from(rank[usize::from(member)]) >= best.above;
            bits::part(&mut self.members[node.start..node.end], &mut self.spare, goes_right)
        } else {
            let (mut members, mut spare) = (std::mem::take(&mut self.members), std::mem::take(&mut self.spare));
            let rank = &self.rank[self.range(best.feature)];
            let goes_right = |member| !self.goes_left(usize::from(rank[usize::from(member)]), best, search);
            let n_left = bits::part(&mut members[node.start..node.end], &mut spare, goes_right);
            (self.members, self.spare) = (members, spare);
            n_left
        };
        let members = &self.members[node.start..node.end];
        let (left, right) = members.split_at(n_left);
        let mut sums = [Sums::NONE; 2];
        for (sums, members) in sums.iter_mut().zip([left, right]) {
            for &member in members {
                sums.add(self.samples[usize::from(member)]);
            }
        }
        let boundary = node.start + n_left;
        let [left, right] = sums;
        [node.child(node.start, boundary, n_constant, left), node.child(boundary, node.end, n_constant, right)]
    }

    pub(super) fn samples(&self, node: &Node<C::Target>) -> impl Iterator<Item = Sample<C::Target>> + Clone {
        self.members[node.start..node.end].iter().map(|&member| self.samples[usize::from(member)])
    }
}
