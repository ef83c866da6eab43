//! Nodes whose splits are drawn, not searched: samples need no order.
//!
//! Source: Geurts, P., Ernst, D., Wehenkel, L. (2006), Extremely randomized trees,
//! doi:10.1007/s10994-006-6226-1; `node_split_random` of scikit-learn.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Space;
use super::criterion::{Criterion, Walk};
use super::features::{Features, SplitMix64};
use super::node::{Node, Sample, Sums};
use super::scan::{Best, Way};
use super::steps::Search;
use crate::forest::{CategorySet, category};

/// The values of each feature, row after row: made once, used by every tree.
#[derive(Debug)]
pub(super) struct Columns {
    n_rows: usize,
    values: Vec<f64>,
}

impl Columns {
    pub(super) fn new(x: &ArrayView2<'_, f64>) -> Self {
        let (n_rows, n_features) = x.dim();
        let mut values = vec![0.0; n_rows * n_features];
        values.par_chunks_mut(n_rows).zip(0..n_features).for_each(|(values, feature)| {
            for (value, &own) in values.iter_mut().zip(x.column(feature)) {
                *value = own;
            }
        });
        Self { n_rows, values }
    }

    fn of(&self, feature: u32) -> &[f64] {
        &self.values[feature as usize * self.n_rows..][..self.n_rows]
    }
}

/// The samples of a tree, a node's being neighbours.
#[derive(Debug)]
pub(super) struct Unsorted<'a, C: Criterion> {
    columns: &'a Columns,
    memory: &'a mut Memory<C>,
}

/// What is allocated once, for tree after tree.
#[derive(Debug)]
pub(super) struct Memory<C: Criterion> {
    rows: Vec<u32>,
    samples: Vec<Sample<C::Target>>,
    moments: Vec<C::Moment>,
    /// For each sample of the node, the feature's value.
    values: Vec<f64>,
    /// For each sample of the node, whether it goes left.
    goes_left: Vec<bool>,
    spare: Vec<(u32, Sample<C::Target>)>,
}

impl<C: Criterion> Default for Memory<C> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            samples: Vec::new(),
            moments: Vec::new(),
            values: Vec::new(),
            goes_left: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl<'a, C: Criterion> Unsorted<'a, C> {
    /// Takes in the rows of positive weight; with the root.
    #[expect(clippy::cast_possible_truncation, reason = "rows are counted in 30 bits")]
    pub(super) fn fill(
        columns: &'a Columns,
        memory: &'a mut Memory<C>,
        y: &[C::Target],
        weights: &[f64],
    ) -> (Self, Node<C::Target>) {
        memory.rows.clear();
        memory.samples.clear();
        let mut sums = Sums::NONE;
        for (row, (&y, &weight)) in y.iter().zip(weights).enumerate().filter(|(_, (_, weight))| **weight > 0.0) {
            memory.rows.push(row as u32);
            memory.samples.push(Sample { y, weight });
            sums.add(Sample { y, weight });
        }
        let n_samples = memory.rows.len();
        (Self { columns, memory }, Node::root(n_samples, sums))
    }

    /// Looks the values of `feature` up; the number of missing ones, and the lowest and highest of the others.
    fn look_up(&mut self, node: &Node<C::Target>, feature: u32) -> (usize, f64, f64) {
        let column = self.columns.of(feature);
        let Memory { rows, values, .. } = &mut *self.memory;
        values.clear();
        values.extend(rows[node.start..node.end].iter().map(|&row| column[row as usize]));
        let mut found = (0, f64::INFINITY, f64::NEG_INFINITY);
        for &value in &*values {
            found.0 += usize::from(value.is_nan());
            found.1 = if value < found.1 { value } else { found.1 };
            found.2 = if value > found.2 { value } else { found.2 };
        }
        found
    }

    /// Decides for each sample of the node where it goes; how many go left.
    fn decide(&mut self, way: Way) -> usize {
        let Memory { values, goes_left, .. } = &mut *self.memory;
        goes_left.clear();
        match way {
            Way::Categories { left, missing_left } => {
                goes_left.extend(values.iter().map(|&value| match category(value) {
                    Some(category) => CategorySet(left).contains(category),
                    None => missing_left == Some(true),
                }));
            }
            Way::Threshold { threshold, missing_left } => {
                let missing_left = missing_left == Some(true);
                goes_left.extend(values.iter().map(|&value| value <= threshold || (missing_left && value.is_nan())));
            }
            Way::InOrder | Way::Missing { .. } => {}
        }
        goes_left.iter().filter(|goes_left| **goes_left).count()
    }

    /// Draws a set of categories of which some but not all that are `present` go left.
    fn draw_categories(present: u64, has_missing: bool, random: &mut SplitMix64) -> Way {
        let missing_left = has_missing.then(|| random.bits() >> 63 == 1);
        if present.is_power_of_two() {
            return Way::Categories { left: present, missing_left: Some(false) };
        }
        loop {
            let left = random.bits() & present;
            if left != 0 && left != present {
                return Way::Categories { left, missing_left };
            }
        }
    }
}

impl<C: Criterion> Space<C> for Unsorted<'_, C> {
    fn begin(&mut self, node: &Node<C::Target>, criterion: &mut C) {
        let Memory { samples, moments, .. } = &mut *self.memory;
        let samples = &samples[node.start..node.end];
        criterion.begin(&node.sums, samples.iter().copied());
        moments.clear();
        moments.extend(samples.iter().enumerate().map(|(position, &sample)| criterion.moment(position, sample)));
    }

    fn search(
        &mut self,
        node: &Node<C::Target>,
        feature: u32,
        search: &Search<'_>,
        criterion: &mut C,
        random: &mut SplitMix64,
        best: &mut Best<C::Score>,
    ) -> bool {
        let (n_missing, low, high) = self.look_up(node, feature);
        let has_missing = n_missing > 0;
        if n_missing == node.len() || (low == high && !has_missing) {
            return false;
        }
        let way = if search.is_categorical(feature) {
            let present = self.memory.values.iter().filter_map(|&value| category(value));
            Self::draw_categories(present.fold(0, |set, category| set | 1 << category), has_missing, random)
        } else {
            let share = random.share();
            let drawn = (1.0 - share) * low + share * high;
            // Rounding must not send all samples to one side.
            let threshold = if drawn >= low && drawn < high { drawn } else { low };
            Way::Threshold { threshold, missing_left: has_missing.then(|| random.bits() >> 63 == 1) }
        };
        let n_left = self.decide(way);
        let n_right = node.len() - n_left;
        if n_left.min(n_right) < search.limits.min_leaf {
            return true;
        }
        let Memory { moments, goes_left, .. } = &*self.memory;
        let side = |left: bool| {
            let samples = moments.iter().zip(goes_left);
            samples.filter(move |(_, goes_left)| **goes_left == left).map(|(moment, _)| *moment)
        };
        let mut walk = criterion.walk();
        if C::LOOKS_AHEAD {
            walk.look_ahead(side(true).chain(side(false)));
        }
        side(true).for_each(|moment| walk.pass(moment));
        if search.allows(feature, node.bounds, || walk.values())
            && walk.improve(search.limits.min_weight, &mut best.score)
        {
            *best = Best { score: best.score, feature, below: 0, above: 1, way };
        }
        true
    }

    fn rows_around(&self, node: &Node<C::Target>, _best: &Best<C::Score>) -> [u32; 2] {
        [self.memory.rows[node.start]; 2]
    }

    fn divide(
        &mut self,
        node: &Node<C::Target>,
        best: &Best<C::Score>,
        n_constant: usize,
        _search: &Search<'_>,
    ) -> [Node<C::Target>; 2] {
        self.look_up(node, best.feature);
        let n_left = self.decide(best.way);
        let Memory { rows, samples, goes_left, spare, .. } = &mut *self.memory;
        spare.clear();
        let mut sums = [Sums::NONE; 2];
        let mut place = node.start;
        for (index, &goes_left) in (node.start..node.end).zip(&*goes_left) {
            let (row, sample) = (rows[index], samples[index]);
            if goes_left {
                (rows[place], samples[place]) = (row, sample);
                place += 1;
                sums[0].add(sample);
            } else {
                spare.push((row, sample));
                sums[1].add(sample);
            }
        }
        for &(row, sample) in &*spare {
            (rows[place], samples[place]) = (row, sample);
            place += 1;
        }
        let boundary = node.start + n_left;
        let [left, right] = sums;
        [node.child(node.start, boundary, n_constant, left), node.child(boundary, node.end, n_constant, right)]
    }

    fn prepare_children(&mut self, _: &Node<C::Target>, _: usize, _: &Best<C::Score>, _: &Features, _: usize) {}

    fn samples(&self, node: &Node<C::Target>) -> impl Iterator<Item = Sample<C::Target>> + Clone {
        self.memory.samples[node.start..node.end].iter().copied()
    }
}
