//! The walk through a coded tree, without checks of bounds: the one module of the workspace with `unsafe` code.
//!
//! What is read without a check was checked before: each node when the tree is laid out, the width of the codes once
//! a walk. The fields are private, so nothing changes them in between and no caller can make a walk unsound.

#![expect(unsafe_code, reason = "checks of bounds take a quarter of the time of a prediction")]

use std::mem;

/// Walks side by side: enough to hide how long the second cache takes.
pub(super) const LANES: usize = 16;

/// Walks for which it is noted together whether codes were equal.
const FEW: usize = 4;

/// The code of a leaf; no other is as large.
pub(super) const LEAF: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
#[repr(align(8))]
struct CodedNode {
    /// The code of the threshold, or [`LEAF`].
    code: u32,
    /// The column asked about in the lowest bits, above them where the left child lies. A leaf is its own.
    place: u32,
}

/// The nodes of one tree in their order.
///
/// Invariant, unless there are no nodes: there are as many values as nodes; of each node the column is below
/// `n_features`, and wherever a step leads from it there is a node.
#[derive(Debug, Default)]
pub(super) struct CodedNodes {
    nodes: Vec<CodedNode>,
    /// The thresholds of splits, the predictions of leaves.
    values: Vec<f64>,
    n_features: usize,
    feature_bits: u32,
}

/// A group of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    /// Feature by feature.
    pub(super) codes: &'a [[u32; LANES]],
    /// Row by row, at most as many as there are lanes.
    pub(super) values: &'a [f64],
    /// Whether equal codes are those of equal values.
    pub(super) exact: bool,
}

impl CodedNodes {
    /// Becomes a tree: of each node the value, the code, the feature and where the left child lies or, at a leaf,
    /// itself. The feature takes `feature_bits` of 32, the place the others.
    ///
    /// # Panics
    /// If there is no node, or one asks about a column that is none of `n_features` or leads to where no node lies.
    pub(super) fn lay_out(
        &mut self,
        n_features: usize,
        feature_bits: u32,
        nodes: impl ExactSizeIterator<Item = (f64, u32, u32, u32)>,
    ) {
        // Nodes are the tree's only once all of them were found sound, whatever panics before.
        let mut laid_out = mem::take(&mut self.nodes);
        self.n_features = n_features;
        self.feature_bits = feature_bits;
        laid_out.resize(nodes.len(), CodedNode { code: LEAF, place: 0 });
        self.values.resize(nodes.len(), 0.0);
        for ((node, place), (value, code, feature, next)) in laid_out.iter_mut().zip(&mut self.values).zip(nodes) {
            *node = CodedNode { code, place: next << feature_bits | feature };
            *place = value;
        }
        let is_sound = |&node: &CodedNode| {
            let (feature, next) = self.parts(node);
            (feature < n_features) & (next as usize + usize::from(node.code != LEAF) < laid_out.len())
        };
        let are_sound = laid_out.iter().fold(!laid_out.is_empty(), |all, node| all & is_sound(node));
        assert!(are_sound, "a node leads out of the tree");
        self.nodes = laid_out;
    }

    #[expect(clippy::inline_always, reason = "part of every step")]
    #[inline(always)]
    fn parts(&self, node: CodedNode) -> (usize, u32) {
        ((node.place & ((1 << self.feature_bits) - 1)) as usize, node.place >> self.feature_bits)
    }

    /// The values of the nodes that the rows of a group are at after `depth` steps, and in how many steps values had to
    /// decide. No leaf lies above `least_depth`.
    #[inline]
    pub(super) fn walk(&self, group: Group<'_>, least_depth: usize, depth: usize) -> ([f64; LANES], usize) {
        if group.exact {
            self.walk_as::<true>(group, least_depth, depth)
        } else {
            self.walk_as::<false>(group, least_depth, depth)
        }
    }

    fn walk_as<const EXACT: bool>(&self, group: Group<'_>, least_depth: usize, depth: usize) -> ([f64; LANES], usize) {
        assert!(!self.nodes.is_empty() && group.codes.len() >= self.n_features, "a tree, and all of its columns");
        let mut at = [0; LANES];
        let mut n_decided = 0;
        for _ in 0..least_depth {
            n_decided += self.step::<EXACT>(&mut at, group);
        }
        for _ in 0..(depth - least_depth).div_ceil(2) {
            let before = at;
            n_decided += self.step::<EXACT>(&mut at, group);
            n_decided += self.step::<EXACT>(&mut at, group);
            if at == before {
                break;
            }
        }
        // SAFETY: a step leads to where a node lies, and there are as many values.
        (at.map(|at| unsafe { *self.values.get_unchecked(at as usize) }), n_decided)
    }

    /// One step of every walk; a leaf is not left. In how many of them values had to decide.
    #[expect(clippy::inline_always, reason = "the loop around it is what takes the time of a prediction")]
    #[inline(always)]
    fn step<const EXACT: bool>(&self, at: &mut [u32; LANES], group: Group<'_>) -> usize {
        let mut n_decided = 0;
        // Lanes whose flags the registers hold: one branch for each few, hardly ever taken.
        for (few, at) in at.as_chunks_mut::<FEW>().0.iter_mut().enumerate() {
            let before = *at;
            let mut equal = false;
            for (lane, at) in (few * FEW..).zip(&mut *at) {
                // SAFETY: a walk starts at node 0, which is there, and a step leads to where a node lies: see below.
                let node = unsafe { *self.nodes.get_unchecked(*at as usize) };
                let (feature, next) = self.parts(node);
                // SAFETY: `walk_as` found that the codes have all of the columns that nodes ask about.
                let code = unsafe { group.codes.get_unchecked(feature)[lane] };
                equal |= !EXACT && code == node.code;
                // To `next`, or past it from nodes whose code is not that of a leaf: no code is above that one.
                *at = next + u32::from(code > node.code);
            }
            if equal {
                self.decide(few * FEW, before, at, group);
                n_decided += 1;
            }
        }
        n_decided
    }

    /// Where codes were equal, the values decide the step from `before`.
    #[cold]
    #[inline(never)]
    fn decide(&self, first_lane: usize, before: [u32; FEW], at: &mut [u32; FEW], group: Group<'_>) {
        for ((lane, before), at) in (first_lane..).zip(before).zip(at) {
            let node = self.nodes[before as usize];
            let (feature, next) = self.parts(node);
            if group.codes[feature][lane] == node.code && node.code != LEAF {
                // The lanes after the last row have none.
                let value = group.values.get(lane * self.n_features + feature);
                *at = next + u32::from(value.is_some_and(|&value| value > self.values[before as usize]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const BITS: u32 = 2;

    /// A split of column 2 at code 5, and its leaves.
    const NODES: [(f64, u32, u32, u32); 3] = [(0.5, 5, 2, 1), (10.0, LEAF, 0, 1), (20.0, LEAF, 0, 2)];

    fn laid_out(nodes: &[(f64, u32, u32, u32)]) -> Option<CodedNodes> {
        let mut laid_out = CodedNodes::default();
        let lay_out = || laid_out.lay_out(3, BITS, nodes.iter().copied());
        catch_unwind(AssertUnwindSafe(lay_out)).is_ok().then_some(laid_out)
    }

    fn walk(nodes: &CodedNodes, codes: &[[u32; LANES]], values: &[f64], depth: usize) -> ([f64; LANES], usize) {
        nodes.walk(Group { codes, values, exact: false }, 0, depth)
    }

    #[test]
    fn nodes_that_lead_out_of_the_tree_are_refused() {
        assert!(laid_out(&NODES).is_some());
        assert!(laid_out(&[]).is_none(), "no root");
        assert!(laid_out(&NODES[..2]).is_none(), "no right child");
        assert!(laid_out(&NODES[1..2]).is_none(), "a leaf that leads to node 1");
        let split = |feature, next| [(0.5, 5, feature, next), NODES[1], NODES[2]];
        assert!(laid_out(&split(3, 1)).is_none(), "column 3 of 0 to 2");
        assert!(laid_out(&split(2, 2)).is_none(), "no right child");
        assert!(laid_out(&split(2, u32::MAX >> BITS)).is_none());
        assert!(laid_out(&split(2, 0)).is_some(), "a circle, but nothing that is not there");
    }

    #[test]
    fn a_refused_tree_is_none_to_walk() {
        let mut nodes = laid_out(&NODES).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| nodes.lay_out(3, BITS, NODES[..2].iter().copied()))).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| walk(&nodes, &[[0; LANES]; 3], &[], 1))).is_err());
    }

    #[test]
    #[should_panic(expected = "all of its columns")]
    fn rows_with_too_few_columns_are_refused() {
        walk(&laid_out(&NODES).unwrap(), &[[0; LANES]; 2], &[], 1);
    }

    #[test]
    fn no_code_leads_past_a_leaf() {
        let nodes = laid_out(&NODES).unwrap();
        for code in [6, LEAF - 1, LEAF] {
            assert_eq!(walk(&nodes, &[[code; LANES]; 3], &[1.0; 3 * LANES], 9).0, [20.0; LANES]);
        }
    }

    #[test]
    fn values_decide_for_equal_codes_of_each_lane() {
        let nodes = laid_out(&NODES).unwrap();
        let values: Vec<f64> = (0..3 * (LANES - 1)).map(|index| f64::from(u8::from(index % 2 == 0))).collect();
        let (found, n_decided) = walk(&nodes, &[[5; LANES]; 3], &values, 1);
        let expected = |lane| if values.get(3 * lane + 2).is_some_and(|&value| value > 0.5) { 20.0 } else { 10.0 };
        assert_eq!(found, std::array::from_fn(expected));
        assert_eq!(n_decided, LANES / FEW);
    }
}
