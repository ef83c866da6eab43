//! One node, and the walk from a root to a leaf.
//!
//! What a node knows is kept in two lists: its value, the threshold of a split or the prediction of a leaf, and
//! a [`Step`] of 12 bytes, all that most steps of most walks load.

/// Where a row goes from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The [code](super::codes) of the threshold; at a leaf [`Step::LEAF_CODE`].
    pub(super) code: u32,
    /// The column a split asks about; 0 at a leaf.
    pub(super) feature: u32,
    /// How many nodes ahead the left child lies, next to which lies the right one; 0 at a leaf.
    pub(super) left: u32,
}

impl Step {
    /// Above all other codes, so that a walk that has come to a leaf stays there.
    pub(super) const LEAF_CODE: u32 = u32::MAX;

    #[inline]
    pub(super) fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// Where the leaf lies that `row` ends in. `row` is as wide as the forest and finite.
#[inline]
pub(super) fn leaf(steps: &[Step], values: &[f64], root: u32, row: &[f64]) -> usize {
    let mut index = root as usize;
    loop {
        let step = steps[index];
        if step.is_leaf() {
            return index;
        }
        index += step.left as usize + usize::from(row[step.feature as usize] > values[index]);
    }
}

/// Where the leaves lie that `row` ends in from each root, one step of each walk after the other.
///
/// The step of a walk that has arrived leaves it where it is: nothing but the end is branched on.
#[inline]
pub(super) fn leaves_of_row<const N: usize>(steps: &[Step], values: &[f64], mut at: [u32; N], row: &[f64]) -> [u32; N] {
    loop {
        let mut all_arrived = true;
        for at in &mut at {
            let (step, value) = (steps[*at as usize], values[*at as usize]);
            let next = step.left + u32::from(row[step.feature as usize] > value);
            let arrived = step.is_leaf();
            *at += if arrived { 0 } else { next };
            all_arrived &= arrived;
        }
        if all_arrived {
            return at;
        }
    }
}

/// Rows side by side, by their codes and, where these do not tell, their values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    pub(super) codes: &'a [u32],
    pub(super) values: &'a [f64],
    /// How wide a row is.
    pub(super) width: usize,
}

/// Where the leaves lie that so many rows end in, one step of each walk after the other.
///
/// Codes in different order say which way to go without a branch; equal ones leave it to the values.
#[inline]
pub(super) fn leaves<const N: usize>(steps: &[Step], values: &[f64], root: u32, rows: Group<'_>) -> [u32; N] {
    let mut at = [root; N];
    loop {
        let mut moving = 0;
        for (lane, at) in at.iter_mut().enumerate() {
            let step = steps[*at as usize];
            let place = lane * rows.width + step.feature as usize;
            let code = rows.codes[place];
            let mut next = step.left + u32::from(step.code < code);
            if step.code == code {
                next = step.left + u32::from(rows.values[place] > values[*at as usize]);
            }
            *at += next;
            moving |= step.left;
        }
        if moving == 0 {
            return at;
        }
    }
}
