//! Blocks within blocks: each holds a node of the one before, and of its features those that are searched.

use super::Space;
use super::block::Block;
use super::criterion::Criterion;
use super::entry;
use super::features::{Features, SplitMix64};
use super::lists::Lists;
use super::node::{Node, Sample};
use super::presort::{InBag, Presorted};
use super::scan::Best;
use super::steps::Search;

/// A node of at most so many samples is grown in a block of its own, within the one before. Places in a block are counted
/// in 16 bits, and the last one's samples are the bits of a word.
pub(super) const SIZES: [usize; 4] = [16384, 2048, 384, 64];

/// The blocks that lie within each other, and the one that nodes are split in.
#[derive(Debug)]
pub(super) struct Blocks<C: Criterion> {
    sizes: [Block<C>; SIZES.len()],
    current: usize,
    in_bag: InBag,
    list: Vec<u32>,
}

impl<C: Criterion> Default for Blocks<C> {
    fn default() -> Self {
        Self { sizes: Default::default(), current: 0, in_bag: InBag::default(), list: Vec::new() }
    }
}

impl<C: Criterion> Blocks<C> {
    /// Takes in the rows of positive weight, at most as many as the largest block holds: the root of the tree.
    #[expect(clippy::cast_possible_truncation, reason = "columns are counted in 30 bits")]
    pub(super) fn fill(
        &mut self,
        presorted: &Presorted,
        y: &[C::Target],
        weights: &[f64],
        n_samples: usize,
    ) -> Node<C::Target> {
        self.current = 0;
        let n_features = presorted.n_features();
        let block = &mut self.sizes[0];
        block.clear(n_samples, n_features);
        let sums = self.in_bag.fill(y, weights, |row, sample| block.push(row, sample));
        self.list.resize(n_samples + 1, 0);
        for feature in 0..n_features {
            presorted.select(feature, &self.in_bag, &mut self.list);
            let list = &self.list[..n_samples];
            let n_present = presorted.n_present(feature, list);
            let in_order = list.iter().map(|&entry| (entry::sample(entry), entry::begins(entry)));
            block.take(feature as u32, presorted.has_ties(feature), n_present, in_order);
        }
        Node::root(n_samples, sums)
    }

    /// Takes over a node of the lists, which becomes the root of the largest block.
    pub(super) fn enter_lists(
        &mut self,
        lists: &Lists<C>,
        node: &Node<C::Target>,
        features: &Features,
    ) -> Node<C::Target> {
        self.current = 0;
        let block = &mut self.sizes[0];
        block.clear(node.len(), features.n_features());
        let (rows, samples) = lists.contents(node);
        for (&row, &sample) in rows.iter().zip(samples) {
            block.push(row, sample);
        }
        for &feature in features.varying(node.n_constant) {
            block.take(feature, lists.has_ties(feature), lists.n_present(node, feature), lists.in_order(node, feature));
        }
        Node { start: 0, end: node.len(), ..node.clone() }
    }

    /// Whether a node is grown in a smaller block than the current one.
    pub(super) fn is_small(&self, node: &Node<C::Target>) -> bool {
        SIZES.get(self.current + 1).is_some_and(|&size| node.len() <= size)
    }

    /// Turns to the next smaller block, for a node of the current one: it becomes the root of the block.
    pub(super) fn enter(&mut self, node: &Node<C::Target>) -> Node<C::Target> {
        let (larger, smaller) = self.sizes.split_at_mut(self.current + 1);
        self.current += 1;
        smaller[0].enter(&mut larger[self.current - 1], node)
    }

    /// Turns back to the block before.
    pub(super) fn leave(&mut self) {
        self.current -= 1;
    }

    /// Takes a feature in from the larger blocks as far as that has not been done.
    fn take(&mut self, feature: u32) {
        let blocks = &mut self.sizes[..=self.current];
        let taken = blocks.iter().rposition(|block| block.is_taken(feature)).unwrap_or(0);
        for index in taken + 1..blocks.len() {
            let (larger, smaller) = blocks.split_at_mut(index);
            smaller[0].take_from(&mut larger[index - 1], feature);
        }
    }

    fn block(&self) -> &Block<C> {
        &self.sizes[self.current]
    }

    fn block_mut(&mut self) -> &mut Block<C> {
        &mut self.sizes[self.current]
    }
}

impl<C: Criterion> Space<C> for Blocks<C> {
    fn begin(&mut self, node: &Node<C::Target>, criterion: &mut C) {
        self.block_mut().begin(node, criterion);
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
        if !self.block().is_taken(feature) {
            self.take(feature);
        }
        self.block_mut().search(node, feature, search, criterion, best)
    }

    fn rows_around(&self, _node: &Node<C::Target>, best: &Best<C::Score>) -> [u32; 2] {
        self.block().rows_around(best)
    }

    fn divide(
        &mut self,
        node: &Node<C::Target>,
        best: &Best<C::Score>,
        n_constant: usize,
        search: &Search<'_>,
    ) -> [Node<C::Target>; 2] {
        self.block_mut().divide(node, best, n_constant, search)
    }

    /// Nothing: children are told apart by where their samples lie.
    fn prepare_children(&mut self, _: &Node<C::Target>, _: usize, _: &Best<C::Score>, _: &Features, _: usize) {}

    fn samples(&self, node: &Node<C::Target>) -> impl Iterator<Item = Sample<C::Target>> + Clone {
        self.block().samples(node)
    }
}
