//! Sending the entries of a sorted list to the two children, in order.

use super::entry::{self, BEGINS, FLAGS};

/// Writes the entries whose sample moves below `boundary` to the start of `to`, the others behind
/// them, both in their order; samples are renumbered by `moves`.
///
/// An entry begins a run in its child if a run began at it, or at an entry since its predecessor. Only lists
/// with `TIES` have runs and missing values.
#[expect(clippy::cast_possible_truncation, reason = "samples are numbered in 30 bits")]
pub(super) fn partition<const TIES: bool>(from: &[u32], to: &mut [u32], n_left: usize, boundary: usize, moves: &[u32]) {
    let boundary = boundary as u32;
    let (mut left, mut right) = (0, n_left);
    let (mut left_flags, mut right_flags) = (0, 0);
    for &entry in from {
        let target = moves[entry::sample(entry)];
        let goes_right = target >= boundary;
        // All ones or all zeros: which side a row takes is as good as random, so nothing branches on it.
        let mask = u32::from(goes_right).wrapping_neg();
        let wide = usize::from(goes_right).wrapping_neg();
        let place = (right & wide) | (left & !wide);
        if TIES {
            left_flags |= entry & FLAGS;
            right_flags |= entry & FLAGS;
            to[place] = target | (right_flags & mask) | (left_flags & !mask);
            left_flags &= mask;
            right_flags &= !mask;
        } else {
            to[place] = target | BEGINS;
        }
        right += usize::from(goes_right);
        left += usize::from(!goes_right);
    }
}
