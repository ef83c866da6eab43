//! Small nodes: samples are sorted anew for every feature searched, by setting bits.
//!
//! A block holds a subtree of few samples. It numbers them and keeps, for each feature, their rank by
//! ascending value. To walk a node's samples in the order of a feature, the bit of each one's rank is
//! set in an array of words, then the bits are read off from low to high: a sort whose cost is a few
//! cycles a sample, so that nothing has to be kept in order for features that are not drawn.

use super::Space;
use super::criterion::{Criterion, Walk};
use super::features::{Features, SplitMix64};
use super::lists::Lists;
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
    has_ties: Vec<bool>,
    /// For each feature how many samples have a value: those of the ranks below.
    n_present: Vec<usize>,
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
            has_ties: Vec::new(),
            n_present: Vec::new(),
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

/// A feature of a block that fits a word; indices below 64 need no check.
type Small<T> = [T; 64];

/// Walks the `members` of a block of one word in the order of their ranks.
#[inline]
fn in_order_small(members: &[u16], rank: &Small<u16>, mut visit: impl FnMut(usize)) {
    let mut bits: u64 = 0;
    for &member in members {
        bits |= 1 << (rank[usize::from(member) % 64] % 64);
    }
    while bits != 0 {
        visit(bits.trailing_zeros() as usize % 64);
        bits &= bits - 1;
    }
}

/// Walks the `members` in the order of their ranks; `words` is zero before and after.
#[inline]
fn in_order(members: &[u16], rank: &[u16], words: &mut [u64], mut visit: impl FnMut(usize)) {
    for &member in members {
        let rank = usize::from(rank[usize::from(member)]);
        words[rank / 64] |= 1 << (rank % 64);
    }
    for (index, word) in words.iter_mut().enumerate() {
        let mut bits = std::mem::take(word);
        while bits != 0 {
            visit(index * 64 + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
}

/// Scans the members of a block of one word.
#[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
fn scan_small<W: Walk, const TIES: bool>(
    members: &[u16],
    (order, rank, runs): (&Small<u16>, &Small<u16>, &Small<u16>),
    moments: &Small<W::Moment>,
    mut scan: Scan<W>,
    best: &mut Best<W::Score>,
) -> bool {
    let mut run = 0;
    in_order_small(members, rank, |rank| {
        let begins = !TIES || runs[rank] != run;
        run = runs[rank];
        scan.pass(rank as u32, begins, moments[usize::from(order[rank]) % 64]);
    });
    scan.end(best)
}

/// Scans the members of any block.
#[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
fn scan_large<W: Walk, const TIES: bool>(
    members: &[u16],
    (order, rank, runs): (&[u16], &[u16], &[u16]),
    moments: &[W::Moment],
    words: &mut [u64],
    mut scan: Scan<W>,
    best: &mut Best<W::Score>,
) -> bool {
    let mut run = 0;
    in_order(members, rank, words, |rank| {
        let begins = !TIES || runs[rank] != run;
        if TIES {
            run = runs[rank];
        }
        scan.pass(rank as u32, begins, moments[usize::from(order[rank])]);
    });
    scan.end(best)
}

/// Puts members that go right behind the others, both in their order; the number of those that go left.
#[inline]
fn part(members: &mut [u16], spare: &mut [u16], goes_right: impl Fn(u16) -> bool) -> usize {
    let (mut n_left, mut n_right) = (0, 0);
    for index in 0..members.len() {
        let member = members[index];
        let goes_right = goes_right(member);
        members[n_left] = member;
        spare[n_right] = member;
        n_left += usize::from(!goes_right);
        n_right += usize::from(goes_right);
    }
    members[n_left..].copy_from_slice(&spare[..n_right]);
    n_left
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
        in_order(&self.members[node.start..node.end], ranks, &mut self.words, |rank| {
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

    /// Makes room for `n_samples` samples of `n_features` features.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    fn clear(&mut self, n_samples: usize, n_features: usize) {
        self.stride = n_samples.next_multiple_of(64);
        let size = self.stride * n_features;
        for buffer in [&mut self.order, &mut self.rank, &mut self.run] {
            if buffer.len() < size {
                buffer.resize(size, 0);
            }
        }
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

    /// Takes in a feature: its samples by ascending value.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    #[inline]
    fn feature(&mut self, feature: u32, has_ties: bool) -> impl FnMut(usize, bool) {
        let range = self.range(feature);
        self.has_ties[feature as usize] = has_ties;
        let (order, rank) = (&mut self.order[range.clone()], &mut self.rank[range.clone()]);
        let runs = &mut self.run[range];
        let mut place = 0;
        let mut run = 0;
        move |sample, begins| {
            order[place] = sample as u16;
            rank[sample] = place as u16;
            if has_ties {
                run += u16::from(begins);
                runs[place] = run;
            }
            place += 1;
        }
    }

    /// Takes over a node of the lists, which becomes the root of the block.
    pub(super) fn take_lists(
        &mut self,
        lists: &Lists<C>,
        node: &Node<C::Target>,
        features: &Features,
    ) -> Node<C::Target> {
        self.clear(node.len(), features.n_features());
        let (rows, samples) = lists.contents(node);
        self.rows.extend_from_slice(rows);
        self.samples.extend_from_slice(samples);
        for &feature in features.varying(node.n_constant) {
            self.n_present[feature as usize] = lists.n_present(node, feature);
            let mut take = self.feature(feature, lists.has_ties(feature));
            for (sample, begins) in lists.in_order(node, feature) {
                take(sample, begins);
            }
        }
        Node { start: 0, end: node.len(), ..node.clone() }
    }

    /// Takes over a node of a larger block, which becomes the root of this one.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    pub(super) fn take_block(
        &mut self,
        block: &mut Self,
        node: &Node<C::Target>,
        features: &Features,
    ) -> Node<C::Target> {
        self.clear(node.len(), features.n_features());
        let members = &block.members[node.start..node.end];
        for (number, &member) in members.iter().enumerate() {
            let member = usize::from(member);
            self.rows.push(block.rows[member]);
            self.samples.push(block.samples[member]);
            block.spare[member] = number as u16;
        }
        for &feature in features.varying(node.n_constant) {
            let has_ties = block.has_ties[feature as usize];
            let range = block.range(feature);
            let (order, runs) = (&block.order[range.clone()], &block.run[range.clone()]);
            let n_present = block.n_present[feature as usize];
            let is_present = |member: &&u16| usize::from(block.rank[range.start + usize::from(**member)]) < n_present;
            // Blocks without missing values, which are most, need no count.
            let all_present = n_present == block.rows.len();
            self.n_present[feature as usize] =
                if all_present { members.len() } else { members.iter().filter(is_present).count() };
            let mut take = self.feature(feature, has_ties);
            let mut run = 0;
            in_order(members, &block.rank[range], &mut block.words, |rank| {
                let begins = !has_ties || runs[rank] != run;
                run = if has_ties { runs[rank] } else { 0 };
                take(usize::from(block.spare[usize::from(order[rank])]), begins);
            });
        }
        Node { start: 0, end: node.len(), ..node.clone() }
    }
}

impl<C: Criterion> Space<C> for Block<C> {
    fn begin(&mut self, node: &Node<C::Target>, criterion: &mut C) {
        let members = &self.members[node.start..node.end];
        criterion.begin(&node.sums, members.iter().map(|&member| self.samples[usize::from(member)]));
        for (position, &member) in members.iter().enumerate() {
            let member = usize::from(member);
            self.moments[member] = criterion.moment(position, self.samples[member]);
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
        if let (Ok(order), Ok(rank), Ok(run), Ok(moments)) =
            (ranks.0.try_into(), ranks.1.try_into(), ranks.2.try_into(), self.moments[..].try_into())
        {
            if has_ties {
                scan_small::<_, true>(members, (order, rank, run), moments, scan, best)
            } else {
                scan_small::<_, false>(members, (order, rank, run), moments, scan, best)
            }
        } else if has_ties {
            scan_large::<_, true>(members, ranks, &self.moments, &mut self.words, scan, best)
        } else {
            scan_large::<_, false>(members, ranks, &self.moments, &mut self.words, scan, best)
        }
    }

    fn rows_around(&self, _node: &Node<C::Target>, best: &Best<C::Score>) -> [u32; 2] {
        let start = self.range(best.feature).start;
        [best.below, best.above].map(|rank| self.rows[usize::from(self.order[start + rank as usize])])
    }

    fn divide(
        &mut self,
        node: &Node<C::Target>,
        best: &Best<C::Score>,
        n_constant: usize,
        search: &Search<'_>,
    ) -> [Node<C::Target>; 2] {
        let n_left = if best.way == Way::InOrder {
            let rank = &self.rank[self.range(best.feature)];
            let goes_right = |member| u32::from(rank[usize::from(member)]) >= best.above;
            part(&mut self.members[node.start..node.end], &mut self.spare, goes_right)
        } else {
            let (mut members, mut spare) = (std::mem::take(&mut self.members), std::mem::take(&mut self.spare));
            let rank = &self.rank[self.range(best.feature)];
            let goes_right = |member| !self.goes_left(usize::from(rank[usize::from(member)]), best, search);
            let n_left = part(&mut members[node.start..node.end], &mut spare, goes_right);
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

    fn prepare_children(&mut self, _: &Node<C::Target>, _: usize, _: &Best<C::Score>, _: &Features, _: usize) {}

    fn samples(&self, node: &Node<C::Target>) -> impl Iterator<Item = Sample<C::Target>> + Clone {
        self.members[node.start..node.end].iter().map(|&member| self.samples[usize::from(member)])
    }
}
