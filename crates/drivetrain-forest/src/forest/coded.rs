//! Trees and rows in half the bytes, for as long as a prediction takes: 32-bit codes in the order of the values,
//! nodes of 8 bytes.
//!
//! A code is a value rounded down. A row whose values lost nothing goes where its codes go: codes compare as the
//! values do, equal ones included. This holds for whole numbers, for values that float32 can hold, and for zero.
//! With other values two different ones may have one code; where such meet, the values decide.

use super::node::Node;
pub(super) use super::unchecked::LANES;
use super::unchecked::{CodedNodes, Group, LEAF};

/// Codes lie between the negative of this and this; the code of a leaf lies above.
const LARGEST: i64 = (1 << 30) - 1;

/// Binades below the least threshold seen in which values are still told apart.
const MARGIN: i64 = 4 << 52;

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

/// Rows in groups of [`LANES`], in each feature by feature.
#[derive(Debug)]
pub(super) struct CodedRows<'a> {
    codes: Vec<[u32; LANES]>,
    rows: &'a [f64],
    /// Whether the codes of a group's rows stand for their values and no others.
    exact: Vec<bool>,
}

impl<'a> CodedRows<'a> {
    pub(super) fn new(rows: &'a [f64], scales: &Scales) -> Self {
        let n_features = scales.0.len();
        let n_groups = rows.len().div_ceil(n_features * LANES);
        let mut codes = vec![[0; LANES]; n_groups * n_features];
        let mut exact = vec![true; n_groups];
        let groups = codes.chunks_exact_mut(n_features).zip(&mut exact);
        for ((codes, exact), rows) in groups.zip(rows.chunks(n_features * LANES)) {
            for (lane, row) in rows.chunks_exact(n_features).enumerate() {
                for ((codes, &value), scale) in codes.iter_mut().zip(row).zip(&scales.0) {
                    let (code, is_exact) = scale.code(value);
                    codes[lane] = code;
                    *exact &= is_exact;
                }
            }
        }
        Self { codes, rows, exact }
    }

    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = Group<'_>> {
        let n_features = (self.codes.len() / self.exact.len().max(1)).max(1);
        let groups = self.codes.chunks_exact(n_features).zip(self.rows.chunks(n_features * LANES)).zip(&self.exact);
        groups.map(|((codes, values), &exact)| Group { codes, values, exact })
    }
}

/// One tree, its nodes in their order.
#[derive(Debug, Default)]
pub(super) struct CodedTree {
    nodes: CodedNodes,
    least_depth: usize,
    depth: usize,
}

impl CodedTree {
    /// Becomes the tree of `nodes`, whose root lies at `root` in the forest. False if 32 bits do not hold a feature
    /// and a place; then it is no tree.
    pub(super) fn lay_out(&mut self, nodes: &[Node], root: u32, scales: &Scales) -> bool {
        let bits = usize::BITS - (scales.0.len() - 1).leading_zeros();
        let places = 1_u64 << (32 - bits.min(32));
        let Some(n_nodes) = u32::try_from(nodes.len()).ok().filter(|&n| u64::from(n) <= places) else { return false };
        let (mut depth, mut level_end, mut next_end, mut least_depth) = (0, 1, 1, u32::MAX);
        let coded = (0..n_nodes).zip(nodes).map(|(index, node)| {
            if index == level_end {
                depth += 1;
                level_end = next_end;
            }
            // Masks, not branches: leaves and splits follow each other at random.
            let is_split = u32::from(!node.is_leaf());
            let (split, leaf) = (is_split.wrapping_neg(), is_split.wrapping_sub(1));
            next_end += 2 * is_split;
            least_depth = least_depth.min(depth | split);
            let code = scales.0[node.feature as usize].code(node.value).0;
            let next = node.left.wrapping_sub(root) & split | index & leaf;
            (node.value, code | leaf & LEAF, node.feature, next)
        });
        self.nodes.lay_out(scales.0.len(), bits, coded);
        self.depth = depth as usize;
        self.least_depth = least_depth.min(depth) as usize;
        true
    }

    /// What the tree predicts for a group's rows, and in how many steps codes left open which way a row goes.
    #[inline]
    pub(super) fn predict(&self, group: Group<'_>) -> ([f64; LANES], usize) {
        self.nodes.walk(group, self.least_depth, self.depth)
    }
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
            let (coded_rows, mut coded) = (CodedRows::new(rows, &scales), CodedTree::default());
            prop_assert!(coded.lay_out(&tree(&[(true, 1, 0.5)]), 7, &scales));
            prop_assert!(coded.lay_out(&nodes, 7, &scales));
            prop_assert_eq!(coded_rows.groups().count(), rows.len().div_ceil(3 * LANES));
            for (group, rows) in coded_rows.groups().zip(rows.chunks(3 * LANES)) {
                let (found, n_decided) = coded.predict(group);
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
                prop_assert!(code < LEAF && at < LEAF);
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
        let mut coded = CodedTree::default();
        assert!(coded.lay_out(&nodes, 7, &scales));
        let predict = |values: [f64; 2]| {
            let rows = CodedRows::new(&values, &scales);
            let (found, n_decided) = coded.predict(rows.groups().next().unwrap());
            (found[0], found[1], n_decided)
        };
        assert_eq!(predict([1.0, 2.0]), (1.0, 2.0, 0));
        assert_eq!(predict([0.1, 1.1]), (1.0, 2.0, 0));
        assert_eq!(predict([threshold, threshold + f64::EPSILON]), (1.0, 2.0, 1));
        assert_eq!(predict([threshold + f64::EPSILON, 1.0 - f64::EPSILON]), (2.0, 1.0, 1));
    }

    #[test]
    fn a_tree_that_32_bits_do_not_hold_is_left_as_it_is() {
        // 11 bits are left for 2,049 nodes, or 12.
        let nodes = tree(&[(true, 0, 0.5); 1024]);
        let mut coded = CodedTree::default();
        assert!(!coded.lay_out(&nodes, 7, &Scales::new(&nodes, (1 << 20) + 1)));
        assert!(coded.lay_out(&nodes, 7, &Scales::new(&nodes, 1 << 20)));
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
