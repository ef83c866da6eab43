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
