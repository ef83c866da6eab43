//! One node, and the walk from a root to a leaf.

/// A node of 16 bytes. The right child lies next to the left one; a leaf has `left` 0, where the
/// first root lies and so never a child.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// The threshold of a split, the prediction of a leaf.
    pub(super) value: f64,
    /// The column a split asks about; 0 at a leaf.
    pub(super) feature: u32,
    /// Where the left child lies.
    pub(super) left: u32,
}

impl Node {
    pub(super) fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// Where the leaf lies that `row` ends in. `row` is as wide as the forest and finite.
#[inline]
pub(super) fn leaf(nodes: &[Node], root: u32, row: &[f64]) -> usize {
    let mut index = root as usize;
    loop {
        let node = nodes[index];
        if node.is_leaf() {
            return index;
        }
        index = node.left as usize + usize::from(row[node.feature as usize] > node.value);
    }
}

/// Where the leaves lie that `rows` end in, walking from `at`, one step of each after the other.
///
/// The step of a walk that has arrived leaves it where it is: nothing but the end is branched on.
#[inline]
pub(super) fn leaves<const N: usize>(nodes: &[Node], mut at: [u32; N], rows: [&[f64]; N]) -> [u32; N] {
    loop {
        let mut all_arrived = true;
        for (at, row) in at.iter_mut().zip(rows) {
            let node = nodes[*at as usize];
            let next = node.left + u32::from(row[node.feature as usize] > node.value);
            let arrived = node.is_leaf();
            *at = if arrived { *at } else { next };
            all_arrived &= arrived;
        }
        if all_arrived {
            return at;
        }
    }
}
