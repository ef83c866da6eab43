//! Small nodes: samples are sorted anew for every feature searched, by setting bits.
//!
//! A block holds a subtree of few samples. It numbers them and keeps, for each feature, their rank by
//! ascending value. To walk a node's samples in the order of a feature, the bit of each one's rank is
//! set in an array of words, then the bits are read off from low to high: a sort whose cost is a few
//! cycles a sample, so that nothing has to be kept in order for features that are not drawn.

use super::Space;
use super::features::Features;
use super::lists::Lists;
use super::node::{Node, Sample, Sums};
use super::scan::{Best, Moment, Scan};

/// A subtree's samples and their ranks.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The room for a feature: the number of samples, rounded up to whole words of bits.
    stride: usize,
    /// Feature after feature, for each rank its sample.
    order: Vec<u16>,
    /// Feature after feature, for each sample its rank.
    rank: Vec<u16>,
    /// Feature after feature, for each rank the number of its value.
    run: Vec<u16>,
    has_ties: Vec<bool>,
    rows: Vec<u32>,
    samples: Vec<Sample>,
    /// Of the samples of the node being split.
    moments: Vec<Moment>,
    /// The samples in the order of the nodes.
    members: Vec<u16>,
    spare: Vec<u16>,
    words: Vec<u64>,
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
fn scan_small<const TIES: bool>(
    members: &[u16],
    (order, rank, runs): (&Small<u16>, &Small<u16>, &Small<u16>),
    moments: &Small<Moment>,
    mut scan: Scan,
) -> Option<Best> {
    let mut run = 0;
    in_order_small(members, rank, |rank| {
        let begins = !TIES || runs[rank] != run;
        run = runs[rank];
        scan.pass(rank as u32, begins, moments[usize::from(order[rank]) % 64]);
    });
    scan.end()
}

/// Scans the members of any block.
#[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
fn scan_large<const TIES: bool>(
    members: &[u16],
    (order, rank, runs): (&[u16], &[u16], &[u16]),
    moments: &[Moment],
    words: &mut [u64],
    mut scan: Scan,
) -> Option<Best> {
    let mut run = 0;
    in_order(members, rank, words, |rank| {
        let begins = !TIES || runs[rank] != run;
        if TIES {
            run = runs[rank];
        }
        scan.pass(rank as u32, begins, moments[usize::from(order[rank])]);
    });
    scan.end()
}

impl Block {
    /// The only split of two samples; where there is one already, it is as good.
    fn search_two(&self, node: &Node, feature: u32, members: [u16; 2], best: Best) -> Option<Best> {
        let range = self.range(feature);
        let rank = &self.rank[range.clone()];
        let mut ranks = members.map(|member| rank[usize::from(member)]);
        ranks.sort_unstable();
        let [below, above] = ranks;
        let runs = &self.run[range];
        if self.has_ties[feature as usize] && runs[usize::from(below)] == runs[usize::from(above)] {
            return None;
        }
        let moment = self.moments[usize::from(members[0])];
        let split = || Best::of_two(feature, [below, above].map(u32::from), moment, node.sums.weight);
        Some(best.found().unwrap_or_else(split))
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
        self.rows.clear();
        self.samples.clear();
        self.moments.clear();
        self.moments.resize(self.stride, Moment::default());
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
    pub(super) fn take_lists(&mut self, lists: &Lists, node: &Node, features: &Features) -> Node {
        self.clear(node.len(), features.n_features());
        let (rows, samples) = lists.contents(node);
        self.rows.extend_from_slice(rows);
        self.samples.extend_from_slice(samples);
        for &feature in features.varying(node.n_constant) {
            let mut take = self.feature(feature, lists.has_ties(feature));
            for (sample, begins) in lists.in_order(node, feature) {
                take(sample, begins);
            }
        }
        Node { start: 0, end: node.len(), ..node.clone() }
    }

    /// Takes over a node of a larger block, which becomes the root of this one.
    #[expect(clippy::cast_possible_truncation, reason = "a block's samples are counted in 16 bits")]
    pub(super) fn take_block(&mut self, block: &mut Self, node: &Node, features: &Features) -> Node {
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

impl Space for Block {
    fn centre(&mut self, node: &Node) {
        let mean = node.sums.mean();
        for &member in &self.members[node.start..node.end] {
            let member = usize::from(member);
            let sample = self.samples[member];
            self.moments[member] = Moment { weighted: sample.weight * (sample.y - mean), weight: sample.weight };
        }
    }

    fn search(&mut self, node: &Node, feature: u32, min_leaf: usize, best: Best) -> Option<Best> {
        let members = &self.members[node.start..node.end];
        if let ([first, second], 1) = (members, min_leaf) {
            return self.search_two(node, feature, [*first, *second], best);
        }
        let has_ties = self.has_ties[feature as usize];
        let range = self.range(feature);
        let ranks = (&self.order[range.clone()], &self.rank[range.clone()], &self.run[range]);
        let scan = Scan::new(feature, members.len(), node.sums.weight, min_leaf, best);
        if let (Ok(order), Ok(rank), Ok(run), Ok(moments)) =
            (ranks.0.try_into(), ranks.1.try_into(), ranks.2.try_into(), self.moments[..].try_into())
        {
            if has_ties {
                scan_small::<true>(members, (order, rank, run), moments, scan)
            } else {
                scan_small::<false>(members, (order, rank, run), moments, scan)
            }
        } else if has_ties {
            scan_large::<true>(members, ranks, &self.moments, &mut self.words, scan)
        } else {
            scan_large::<false>(members, ranks, &self.moments, &mut self.words, scan)
        }
    }

    fn rows_around(&self, _node: &Node, best: &Best) -> [u32; 2] {
        let start = self.range(best.feature).start;
        [best.below, best.above].map(|rank| self.rows[usize::from(self.order[start + rank as usize])])
    }

    fn divide(&mut self, node: &Node, best: &Best, n_constant: usize) -> [Node; 2] {
        let rank = &self.rank[self.range(best.feature)];
        let members = &mut self.members[node.start..node.end];
        let mut sums = [Sums::NONE; 2];
        let (mut n_left, mut n_right) = (0, 0);
        for index in 0..members.len() {
            let member = members[index];
            let goes_right = u32::from(rank[usize::from(member)]) >= best.above;
            members[n_left] = member;
            self.spare[n_right] = member;
            n_left += usize::from(!goes_right);
            n_right += usize::from(goes_right);
        }
        members[n_left..].copy_from_slice(&self.spare[..n_right]);
        let (left, right) = members.split_at(n_left);
        for (sums, members) in sums.iter_mut().zip([left, right]) {
            for &member in members {
                sums.add(self.samples[usize::from(member)]);
            }
        }
        let boundary = node.start + n_left;
        let [left, right] = sums;
        [node.child(node.start, boundary, n_constant, left), node.child(boundary, node.end, n_constant, right)]
    }

    fn prepare_children(&mut self, _node: &Node, _best: &Best, _features: &Features, _n_constant: usize) {}
}
