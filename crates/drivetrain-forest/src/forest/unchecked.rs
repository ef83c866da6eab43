//! The walk through a coded tree, without checks of bounds: the one module of the workspace with `unsafe` code.
//!
//! What is read without a check was checked before: each node when the tree is laid out, the width of the codes once
//! a walk. The fields are private, so nothing changes them in between and no caller can make a walk unsound.

#![expect(unsafe_code, reason = "checks of bounds take a quarter of the time of a prediction")]

use std::hint::black_box;

use super::node::Node;

/// Walks side by side: enough to hide how long the second cache takes.
pub(super) const LANES: usize = 16;

/// Walks for which it is noted together whether codes were equal.
const FEW: usize = 4;

/// Nodes in a line of the cache.
const LINE: usize = 8;

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(8))]
struct CodedNode {
    /// The code of the threshold; at a leaf which of the leaves it is, counted from 1.
    code: u32,
    /// The column asked about in the lowest bits, above them where the left child lies. A leaf leads to itself: it asks
    /// about one column more than there are, which is 0 in all rows.
    place: u32,
}

/// One tree: its nodes in their order, but for the thresholds of splits.
///
/// Invariant: of each node the column is at most `n_features`, and where it leads to and right behind that lies a node.
#[derive(Debug)]
pub(super) struct CodedNodes {
    /// After the last one lies one to which nothing leads.
    nodes: Vec<CodedNode>,
    /// For each place which node of the tree lies there.
    origins: Vec<u32>,
    n_features: usize,
    feature_bits: u32,
}

/// A group of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    /// Feature by feature, then 0 for the leaves.
    pub(super) codes: &'a [[u32; LANES]],
    /// Row by row, at most as many as there are lanes.
    pub(super) values: &'a [f64],
    /// Whether equal codes are those of equal values.
    pub(super) exact: bool,
}

impl CodedNodes {
    /// A tree: of its nodes, in order, where each lies, its code, its column and where it leads to. The root lies at 0,
    /// others below `n_places`; the column takes `feature_bits` of 32, the place it leads to the others.
    ///
    /// # Panics
    /// If there is no place, or a node asks about a column beyond `n_features` or lies in or leads to no place.
    pub(super) fn new(
        n_features: usize,
        feature_bits: u32,
        n_places: usize,
        nodes: impl Iterator<Item = (u32, u32, u32, u32)>,
    ) -> Self {
        let mut laid_out = vec![CodedNode::default(); n_places + 1];
        let mut origins = vec![0; n_places];
        let mut are_sound = n_places > 0;
        for (origin, (at, code, feature, next)) in (0..).zip(nodes) {
            let node = CodedNode { code, place: next << feature_bits | feature };
            let (feature, next) = parts(node, feature_bits);
            are_sound &= feature <= n_features && (next as usize) < n_places;
            laid_out[at as usize] = node;
            origins[at as usize] = origin;
        }
        assert!(are_sound, "a node leads out of the tree");
        Self { nodes: laid_out, origins, n_features, feature_bits }
    }

    /// How many nodes it has room for.
    pub(super) fn n_places(&self) -> usize {
        self.nodes.len()
    }

    /// Has the processor fetch all of it, which it does in order many times as fast as here and there.
    pub(super) fn fetch(&self) {
        black_box(self.nodes.iter().step_by(LINE).fold(0, |all, node| all ^ node.code));
    }

    /// The codes of the nodes that the rows of a group are at after `depth` steps, and in how many steps values had to
    /// decide. No leaf lies above `least_depth`; `nodes` are those of the tree, in its order.
    #[inline]
    pub(super) fn walk(
        &self,
        nodes: &[Node],
        group: Group<'_>,
        least_depth: usize,
        depth: usize,
    ) -> ([u32; LANES], usize) {
        if group.exact {
            self.walk_as::<true>(nodes, group, least_depth, depth)
        } else {
            self.walk_as::<false>(nodes, group, least_depth, depth)
        }
    }

    fn walk_as<const EXACT: bool>(
        &self,
        nodes: &[Node],
        group: Group<'_>,
        least_depth: usize,
        depth: usize,
    ) -> ([u32; LANES], usize) {
        assert!(group.codes.len() > self.n_features, "all columns of the tree, and that of leaves");
        let mut at = [0; LANES];
        let mut n_decided = 0;
        for _ in 0..least_depth {
            n_decided += self.step::<EXACT>(nodes, &mut at, group);
        }
        for _ in 0..(depth - least_depth).div_ceil(2) {
            let before = at;
            n_decided += self.step::<EXACT>(nodes, &mut at, group);
            n_decided += self.step::<EXACT>(nodes, &mut at, group);
            if at == before {
                break;
            }
        }
        // SAFETY: a step leads to where a node lies.
        (at.map(|at| unsafe { self.nodes.get_unchecked(at as usize) }.code), n_decided)
    }

    /// One step of every walk; a leaf is not left. In how many of them values had to decide.
    #[expect(clippy::inline_always, reason = "the loop around it is what takes the time of a prediction")]
    #[inline(always)]
    fn step<const EXACT: bool>(&self, nodes: &[Node], at: &mut [u32; LANES], group: Group<'_>) -> usize {
        let mut n_decided = 0;
        // Lanes whose flags the registers hold: one branch for each few, hardly ever taken.
        for (few, at) in at.as_chunks_mut::<FEW>().0.iter_mut().enumerate() {
            let before = *at;
            let mut equal = false;
            for (lane, at) in (few * FEW..).zip(&mut *at) {
                // SAFETY: a walk starts at place 0, which is there, and where a step leads to and right behind it lies a
                // node, by the invariant; `decide` leads to no other places.
                let node = unsafe { *self.nodes.get_unchecked(*at as usize) };
                let (feature, next) = parts(node, self.feature_bits);
                // SAFETY: `walk_as` found that the codes have all of the columns that nodes ask about.
                let code = unsafe { group.codes.get_unchecked(feature)[lane] };
                equal |= !EXACT && code == node.code;
                // To `next`, or right behind it.
                *at = next + u32::from(code > node.code);
            }
            if equal {
                self.decide(nodes, few * FEW, before, at, group);
                n_decided += 1;
            }
        }
        n_decided
    }

    /// Where codes were equal, the values decide the step from `before`.
    #[cold]
    #[inline(never)]
    fn decide(&self, nodes: &[Node], first_lane: usize, before: [u32; FEW], at: &mut [u32; FEW], group: Group<'_>) {
        for ((lane, before), at) in (first_lane..).zip(before).zip(at) {
            let node = self.nodes[before as usize];
            let (feature, next) = parts(node, self.feature_bits);
            if group.codes[feature][lane] == node.code {
                let threshold = nodes[self.origins[before as usize] as usize].value;
                // The lanes after the last row have none.
                let value = group.values.get(lane * self.n_features + feature);
                *at = next + u32::from(value.is_some_and(|&value| value > threshold));
            }
        }
    }
}

/// The column that a node asks about, and where it leads to.
#[expect(clippy::inline_always, reason = "part of every step")]
#[inline(always)]
fn parts(node: CodedNode, feature_bits: u32) -> (usize, u32) {
    ((node.place & ((1 << feature_bits) - 1)) as usize, node.place >> feature_bits)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const BITS: u32 = 2;

    /// A split of column 2 at code 5, and its leaves, the first and the second; each with its place.
    const NODES: [(u32, u32, u32, u32); 3] = [(0, 5, 2, 2), (2, 1, 3, 2), (3, 2, 3, 3)];

    /// The same tree as it is in a forest.
    const TREE: [Node; 3] = [
        Node { value: 0.5, feature: 2, left: 1 },
        Node { value: 10.0, feature: 0, left: 0 },
        Node { value: 20.0, feature: 0, left: 0 },
    ];

    fn laid_out(nodes: &[(u32, u32, u32, u32)], n_places: usize) -> Option<CodedNodes> {
        let lay_out = || CodedNodes::new(3, BITS, n_places, nodes.iter().copied());
        catch_unwind(AssertUnwindSafe(lay_out)).ok()
    }

    /// Codes of three columns, and that of leaves.
    fn codes(code: u32) -> [[u32; LANES]; 4] {
        [[code; LANES], [code; LANES], [code; LANES], [0; LANES]]
    }

    fn walk(codes: &[[u32; LANES]], values: &[f64], depth: usize) -> ([u32; LANES], usize) {
        let nodes = laid_out(&NODES, 4).unwrap();
        nodes.fetch();
        nodes.walk(&TREE, Group { codes, values, exact: false }, 0, depth)
    }

    #[test]
    fn nodes_that_lead_out_of_the_tree_are_refused() {
        assert!(laid_out(&NODES, 4).is_some());
        assert!(laid_out(&[], 0).is_none(), "no root");
        assert!(laid_out(&NODES, 3).is_none(), "a node beyond the places");
        let split = |feature, next| [(0, 5, feature, next), NODES[1], NODES[2]];
        let two_columns = || CodedNodes::new(2, BITS, 4, split(3, 2).into_iter());
        assert!(catch_unwind(AssertUnwindSafe(two_columns)).is_err(), "column 3 of 0 to 2");
        assert!(laid_out(&split(2, 4), 4).is_none(), "no child");
        assert!(laid_out(&split(2, u32::MAX >> BITS), 4).is_none());
        assert!(laid_out(&split(2, 0), 4).is_some(), "a circle, but nothing that is not there");
    }

    #[test]
    #[should_panic(expected = "all columns of the tree")]
    fn rows_with_too_few_columns_are_refused() {
        walk(&codes(0)[..3], &[], 1);
    }

    #[test]
    fn no_code_leads_past_a_leaf() {
        for code in [6, u32::MAX] {
            assert_eq!(walk(&codes(code), &[1.0; 3 * LANES], 9).0, [2; LANES]);
        }
    }

    #[test]
    fn wherever_codes_lead_there_is_a_node() {
        // No group has such codes: the last node leads to the place behind all others, which leads to the root.
        walk(&[[u32::MAX; LANES]; 4], &[], 9);
        let last = laid_out(&[(0, 5, 2, 1), (1, 1, 3, 1)], 2).unwrap();
        last.walk(&TREE, Group { codes: &[[u32::MAX; LANES]; 4], values: &[], exact: true }, 9, 9);
    }

    #[test]
    fn values_decide_for_equal_codes_of_each_lane() {
        let values: Vec<f64> = (0..3 * (LANES - 1)).map(|index| f64::from(u8::from(index % 2 == 0))).collect();
        let (found, n_decided) = walk(&codes(5), &values, 1);
        let expected = |lane| if values.get(3 * lane + 2).is_some_and(|&value| value > 0.5) { 2 } else { 1 };
        assert_eq!(found, std::array::from_fn(expected));
        assert_eq!(n_decided, LANES / FEW);
    }
}
