//! Trees and rows in half the bytes: 32-bit codes in the order of the values, nodes of 8 bytes.
//!
//! A code is a value rounded down. A row whose values lost nothing goes where its codes go: codes compare as the
//! values do, equal ones included. This holds for whole numbers, for values that float32 can hold, and for zero.
//! With other values two different ones may have one code; where such meet, the values decide.

use std::hint::black_box;

use super::node::Node;
pub(super) use super::unchecked::LANES;
use super::unchecked::{CodedNodes, Group};

/// Codes lie between the negative of this and this, and are stored with this added.
const LARGEST: i64 = (1 << 30) - 1;

/// Binades below the least threshold seen in which values are still told apart.
const MARGIN: i64 = 4 << 52;

/// Nodes of a tree whose children lie level by level: as much as the first cache holds. The trees of tests are small.
const TOP: usize = if cfg!(test) { 4 } else { 1 << 12 };

/// Values in a line of the cache.
const LEAVES_A_LINE: usize = 8;

/// How the values of one feature become codes: the bits of the magnitude less `bias`, at least 0, with the sign,
/// without the last `shift` bits. Any pair keeps the order, some tell more values apart.
#[derive(Debug, Clone, Copy)]
struct Scale {
    bias: i64,
    shift: u32,
}

impl Scale {
    /// Tells thresholds whose magnitudes have these bits, and those between, apart as well as 30 bits can.
    fn of(least: i64, largest: i64) -> Self {
        let least = (least - MARGIN).max(1);
        let width = i64::BITS - (largest - least).leading_zeros();
        // A bit is always lost, so that what the bias clamps is never taken for exact.
        let shift = width.saturating_sub(29).max(1);
        Self { bias: ((least >> shift) - 1) << shift, shift }
    }

    /// The code of a value, and whether it stands for no other value.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped, and shifted to above 0")]
    fn code(self, value: f64) -> (u32, bool) {
        let bits = value.to_bits().cast_signed();
        let (magnitude, sign) = (bits & i64::MAX, bits >> 63);
        let is_zero = magnitude == 0;
        // What is nearer to zero than the bias lies between zero and all other values.
        let above = (magnitude - self.bias).max(1) & (i64::from(is_zero) - 1);
        let signed = (above ^ sign) - sign;
        let code = signed >> self.shift;
        let is_exact = is_zero | (code << self.shift == signed && code.abs() < LARGEST);
        ((code.clamp(-LARGEST, LARGEST) + LARGEST) as u32, is_exact)
    }
}

/// How the values of each feature become codes.
#[derive(Debug)]
pub(super) struct Scales(Vec<Scale>);

impl Scales {
    /// Scales that tell the thresholds of `nodes` apart, some nodes of a forest.
    pub(super) fn new(nodes: &[Node], n_features: usize) -> Self {
        let mut ranges = vec![(i64::MAX, 0); n_features];
        for node in nodes.iter().filter(|node| !node.is_leaf() && node.value != 0.0) {
            let magnitude = node.value.abs().to_bits().cast_signed();
            let (least, largest) = &mut ranges[node.feature as usize];
            *least = magnitude.min(*least);
            *largest = magnitude.max(*largest);
        }
        let scale = |(least, largest)| if least > largest { Scale::of(1, i64::MAX) } else { Scale::of(least, largest) };
        Self(ranges.into_iter().map(scale).collect())
    }
}

/// Rows in groups of [`LANES`], in each feature by feature, and a column of zeros for the leaves.
#[derive(Debug)]
pub(super) struct CodedRows<'a> {
    codes: Vec<[u32; LANES]>,
    rows: &'a [f64],
    /// Whether the codes of a group's rows stand for their values and no others.
    exact: Vec<bool>,
    n_features: usize,
}

impl<'a> CodedRows<'a> {
    pub(super) fn new(rows: &'a [f64], scales: &Scales) -> Self {
        let n_features = scales.0.len();
        let n_groups = rows.len().div_ceil(n_features * LANES);
        let mut codes = vec![[0; LANES]; n_groups * (n_features + 1)];
        let mut exact = vec![true; n_groups];
        let groups = codes.chunks_exact_mut(n_features + 1).zip(&mut exact);
        for ((codes, exact), rows) in groups.zip(rows.chunks(n_features * LANES)) {
            for (lane, row) in rows.chunks_exact(n_features).enumerate() {
                for ((codes, &value), scale) in codes.iter_mut().zip(row).zip(&scales.0) {
                    let (code, is_exact) = scale.code(value);
                    codes[lane] = code;
                    *exact &= is_exact;
                }
            }
        }
        Self { codes, rows, exact, n_features }
    }

    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = Group<'_>> {
        let rows = self.rows.chunks(self.n_features * LANES);
        let groups = self.codes.chunks_exact(self.n_features + 1).zip(rows).zip(&self.exact);
        groups.map(|((codes, values), &exact)| Group { codes, values, exact })
    }
}

/// One tree.
#[derive(Debug)]
pub(super) struct CodedTree {
    nodes: CodedNodes,
    /// What the leaves predict, in their order.
    leaves: Vec<f64>,
    least_depth: usize,
    depth: usize,
}

impl CodedTree {
    /// The tree of `nodes`, whose root lies at `root` in the forest; none if 32 bits do not hold a feature and a place.
    pub(super) fn new(nodes: &[Node], root: u32, scales: &Scales) -> Option<Self> {
        let n_features = u32::try_from(scales.0.len()).ok()?;
        // One more is that of leaves.
        let bits = u32::BITS - n_features.leading_zeros();
        let n_places = u32::try_from(nodes.len() + 1).ok().filter(|&n| u64::from(n) <= 1 << (u32::BITS - bits))?;
        let (mut depth, mut level_end, mut next_end, mut least_depth) = (0, 1, 1, usize::MAX);
        let mut leaves = vec![0.0; nodes.len().div_ceil(2) + 1];
        let mut n_leaves = 0;
        // Without a branch on whether a node is a leaf, as none could be foretold.
        let coded = nodes.iter().zip(places(nodes, root)).enumerate().map(|(index, (node, (place, below)))| {
            if index == level_end {
                depth += 1;
                level_end = next_end;
            }
            let is_leaf = node.is_leaf();
            least_depth = least_depth.min(if is_leaf { depth } else { usize::MAX });
            leaves[n_leaves as usize] = node.value;
            n_leaves += u32::from(is_leaf);
            next_end += 2 * usize::from(!is_leaf);
            let code = scales.0[node.feature as usize].code(node.value).0;
            let [code, feature, next] = select(is_leaf, [n_leaves, n_features, place], [code, node.feature, below]);
            (place, code, feature, next)
        });
        let coded = CodedNodes::new(scales.0.len(), bits, n_places as usize, coded);
        leaves.truncate(n_leaves as usize);
        Some(Self { nodes: coded, leaves, depth, least_depth })
    }

    /// How many places for nodes it has, one more than nodes.
    pub(super) fn n_places(&self) -> usize {
        self.nodes.n_places()
    }

    /// Has the processor fetch the tree, which it does in order many times as fast as here and there.
    pub(super) fn fetch(&self) {
        self.nodes.fetch();
        black_box(self.leaves.iter().step_by(LEAVES_A_LINE).fold(0, |all, leaf| all ^ leaf.to_bits()));
    }

    /// What the tree, whose nodes these are, predicts for a group's rows, and in how many steps codes left open which
    /// way a row goes.
    #[inline]
    pub(super) fn predict(&self, nodes: &[Node], group: Group<'_>) -> ([f64; LANES], usize) {
        let (found, n_decided) = self.nodes.walk(nodes, group, self.least_depth, self.depth);
        // Leaves are counted from 1.
        (found.map(|leaf| self.leaves[leaf as usize - 1]), n_decided)
    }
}

/// Where each node of a tree lies, and where its children do: side by side, the left one at an even place.
///
/// The first levels lie one after the other, as their nodes are all asked for. Deeper down, what is below a node lies in
/// one piece, so that of the nodes on a way many lie close together: right behind two children lie those of the one with
/// more nodes below it.
fn places(nodes: &[Node], root: u32) -> Vec<(u32, u32)> {
    // The left child of a node; of a leaf what lies behind all nodes, which may be written to.
    let left_of = |node: &Node| if node.is_leaf() { nodes.len() } else { (node.left - root) as usize };
    // Splits below and with each node: how many pairs of children.
    let mut n_splits = vec![0_u32; nodes.len() + 2];
    for (index, node) in nodes.iter().enumerate().rev() {
        let left = left_of(node);
        n_splits[index] = u32::from(!node.is_leaf()) * (1 + n_splits[left] + n_splits[left + 1]);
    }
    let mut places = vec![(0, 0); nodes.len() + 2];
    // Beside the root lies nothing.
    let mut free = 2;
    let (top, others) = nodes.split_at(TOP.min(nodes.len()));
    let mut n_announced = 1;
    for (index, node) in top.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
        let left = left_of(node);
        places[index].1 = free;
        places[left].0 = free;
        places[left + 1].0 = free + 1;
        free += 2;
        n_announced += 2;
    }
    for index in top.len()..n_announced.max(top.len()) {
        places[index].1 = free;
        free += 2 * n_splits[index];
    }
    for (index, node) in (top.len()..).zip(others) {
        let left = left_of(node);
        let below = places[index].1;
        let (behind_left, behind_right) = (2 * n_splits[left], 2 * n_splits[left + 1]);
        let right_first = u32::from(behind_left < behind_right);
        places[left] = (below, below + 2 + right_first * behind_right);
        places[left + 1] = (below + 1, below + 2 + (1 - right_first) * behind_left);
    }
    places.truncate(nodes.len());
    places
}

/// One of two, without a branch.
#[inline]
fn select<const N: usize>(first: bool, yes: [u32; N], no: [u32; N]) -> [u32; N] {
    let mask = u32::from(first).wrapping_neg();
    std::array::from_fn(|index| yes[index] & mask | no[index] & !mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values of all kinds: close to each other, far apart, whole, of float32, tiny, huge.
    fn value() -> impl Strategy<Value = f64> {
        let close = (1.0..2.0, -4_i64..4).prop_map(|(base, steps): (f64, i64)| {
            let base = f64::from_bits(base.to_bits() >> 45 << 45);
            f64::from_bits(base.to_bits().wrapping_add_signed(steps))
        });
        let float32 = any::<f32>().prop_filter("finite", |value| value.is_finite()).prop_map(f64::from);
        let any = any::<f64>().prop_filter("finite", |value| value.is_finite());
        let special = prop::sample::select(vec![0.0, -0.0, 5e-324, -5e-324, f64::MAX, f64::MIN, f64::MIN_POSITIVE]);
        prop_oneof![
            close.clone(),
            close.prop_map(|value| -value),
            (-9_i8..9).prop_map(f64::from),
            float32,
            any,
            special
        ]
    }

    fn split(value: f64) -> Node {
        Node { value, feature: 0, left: 1 }
    }

    /// A tree whose root lies at 7: each entry splits the next node in level order, or does not.
    fn tree(entries: &[(bool, u32, f64)]) -> Vec<Node> {
        let (mut nodes, mut announced) = (Vec::new(), 1);
        while nodes.len() < announced {
            let (splits, feature, value) = entries.get(nodes.len()).copied().unwrap_or((false, 0, nodes.len() as f64));
            let left = u32::try_from(announced).unwrap() + 7;
            nodes.push(if splits { Node { value, feature, left } } else { Node { value, feature: 0, left: 0 } });
            announced += 2 * usize::from(splits);
        }
        nodes
    }

    /// The value of the leaf that a row ends in, by the values.
    fn by_values(nodes: &[Node], row: &[f64]) -> f64 {
        let mut node = nodes[0];
        while !node.is_leaf() {
            node = nodes[node.left as usize - 7 + usize::from(row[node.feature as usize] > node.value)];
        }
        node.value
    }

    proptest! {
        #[test]
        fn coded_trees_predict_what_trees_do(
            entries in prop::collection::vec((prop::bool::weighted(0.8), 0_u32..3, value()), 0..80),
            rows in prop::collection::vec(value(), 1..70),
        ) {
            let rows = &rows[..rows.len() / 3 * 3];
            let nodes = tree(&entries);
            let scales = Scales::new(&nodes[..nodes.len() / 2], 3);
            let (coded_rows, coded) = (CodedRows::new(rows, &scales), CodedTree::new(&nodes, 7, &scales).unwrap());
            coded.fetch();
            prop_assert_eq!(coded_rows.groups().count(), rows.len().div_ceil(3 * LANES));
            for (group, rows) in coded_rows.groups().zip(rows.chunks(3 * LANES)) {
                let (found, n_decided) = coded.predict(&nodes, group);
                prop_assert!(n_decided == 0 || !group.exact);
                for (found, row) in found.iter().zip(rows.chunks(3)) {
                    prop_assert_eq!(found.to_bits(), by_values(&nodes, row).to_bits());
                }
            }
        }

        #[test]
        fn codes_keep_the_order_and_exact_ones_decide(
            seen in prop::collection::vec(value(), 0..4),
            pairs in prop::collection::vec((value(), value()), 1..50),
        ) {
            let nodes: Vec<Node> = seen.iter().map(|&value| split(value)).collect();
            let scale = Scales::new(&nodes, 1).0[0];
            for (x, threshold) in pairs {
                let (code, is_exact) = scale.code(x);
                let at = scale.code(threshold).0;
                prop_assert!(i64::from(code.max(at)) <= 2 * LARGEST);
                if is_exact || code != at {
                    prop_assert_eq!(code > at, x > threshold, "{:e} and {:e} by {:?}", x, threshold, scale);
                }
            }
        }
    }

    #[test]
    fn values_decide_where_different_ones_have_one_code() {
        let threshold = 1.0 + f64::EPSILON;
        let nodes = tree(&[(true, 0, threshold)]);
        let scales = Scales::new(&nodes, 1);
        let coded = CodedTree::new(&nodes, 7, &scales).unwrap();
        let predict = |values: [f64; 2]| {
            let rows = CodedRows::new(&values, &scales);
            let (found, n_decided) = coded.predict(&nodes, rows.groups().next().unwrap());
            (found[0], found[1], n_decided)
        };
        assert_eq!(predict([1.0, 2.0]), (1.0, 2.0, 0));
        assert_eq!(predict([0.1, 1.1]), (1.0, 2.0, 0));
        assert_eq!(predict([threshold, threshold + f64::EPSILON]), (1.0, 2.0, 1));
        assert_eq!(predict([threshold + f64::EPSILON, 1.0 - f64::EPSILON]), (2.0, 1.0, 1));
    }

    #[test]
    fn a_tree_that_32_bits_do_not_hold_is_left_as_it_is() {
        // 11 bits are left for 2,050 places, or 12.
        let nodes = tree(&[(true, 0, 0.5); 1024]);
        assert!(CodedTree::new(&nodes, 7, &Scales::new(&nodes, 1 << 20)).is_none());
        assert!(CodedTree::new(&nodes, 7, &Scales::new(&nodes, (1 << 20) - 1)).is_some());
    }

    #[test]
    fn each_node_has_a_place_and_what_lies_below_deep_ones_lies_in_one_piece() {
        // More splits than are laid out level by level; a chain of them to the right in the end.
        let entries: Vec<_> = (0..90).map(|index| (index < 30 || index % 2 == 0, 0, 0.5)).collect();
        let nodes = tree(&entries);
        let places = places(&nodes, 7);
        let mut seen = vec![false; nodes.len() + 1];
        for (node, &(place, below)) in nodes.iter().zip(&places) {
            assert!(!std::mem::replace(&mut seen[place as usize], true));
            if !node.is_leaf() {
                let left = node.left as usize - 7;
                assert_eq!((below % 2, places[left].0, places[left + 1].0), (0, below, below + 1));
            }
        }
        assert_eq!(seen.iter().position(|seen| !seen), Some(1));
        // Of a child, or of both if they have no children, the next pair is their parent's.
        let deep = nodes.iter().zip(&places).skip(TOP).filter(|(node, _)| !node.is_leaf());
        for (node, &(_, below)) in deep {
            let children = [0, 1].map(|child| node.left as usize - 7 + child);
            let next = children.map(|child| (!nodes[child].is_leaf()).then_some(places[child].1));
            assert!(next == [None; 2] || next.contains(&Some(below + 2)));
        }
    }

    #[test]
    fn whole_numbers_and_float32_are_exact() {
        let scale = Scales::new(&[split(0.5), split(-150.25)], 1).0[0];
        for value in [0.0, -0.0, 1.0, -3.0, 200.0, f64::from(0.1_f32), f64::from(-77.7_f32)] {
            assert!(scale.code(value).1, "{value}");
        }
        assert!(!scale.code(0.1).1);
    }
}
