//! Sending the entries of a sorted list to the two children, in order.

use super::entry::{self, BEGINS, FLAGS};

/// Moves the entries whose sample moves below `boundary` to the start of the list, the others behind
/// them, both in their order; samples are renumbered by `moves`. `spare` is as long as the list.
///
/// An entry begins a run in its child if a run began at it, or at an entry since its predecessor. Only lists
/// with `TIES` have runs and missing values.
#[expect(clippy::cast_possible_truncation, reason = "samples are numbered in 30 bits")]
pub(super) fn partition<const TIES: bool>(list: &mut [u32], spare: &mut [u32], boundary: usize, moves: &[u32]) {
    let boundary = boundary as u32;
    let (mut n_left, mut n_right) = (0, 0);
    let (mut left_flags, mut right_flags) = (0, 0);
    for index in 0..list.len() {
        let entry = list[index];
        let target = moves[entry::sample(entry)];
        let goes_right = target >= boundary;
        // Written to both sides: which one a row takes is as good as random, so nothing branches on it.
        if TIES {
            left_flags |= entry & FLAGS;
            right_flags |= entry & FLAGS;
            list[n_left] = target | left_flags;
            spare[n_right] = target | right_flags;
            // All ones or all zeros.
            let mask = u32::from(goes_right).wrapping_neg();
            left_flags &= mask;
            right_flags &= !mask;
        } else {
            list[n_left] = target | BEGINS;
            spare[n_right] = target | BEGINS;
        }
        n_left += usize::from(!goes_right);
        n_right += usize::from(goes_right);
    }
    list[n_left..].copy_from_slice(&spare[..n_right]);
}
