//! Walks over some samples of a block in the order of a feature: a sort by setting bits.

use super::criterion::Walk;
use super::scan::{Best, Scan};

/// A feature of a block that fits a word; indices below 64 need no check.
pub(super) type Small<T> = [T; 64];

/// Walks the `members` of a block of one word in the order of their ranks.
#[inline]
pub(super) fn in_order_small(members: &[u16], rank: &Small<u16>, mut visit: impl FnMut(usize)) {
    let mut bits: u64 = 0;
    for &member in members {
        bits |= 1 << (rank[usize::from(member) % 64] % 64);
    }
    while bits != 0 {
        visit(bits.trailing_zeros() as usize % 64);
        bits &= bits - 1;
    }
}

/// Walks the `members` in the order of their ranks; `words` is zero before and after.
#[inline]
pub(super) fn in_order(members: &[u16], rank: &[u16], words: &mut [u64], mut visit: impl FnMut(usize)) {
    for &member in members {
        let rank = usize::from(rank[usize::from(member)]);
        words[rank / 64] |= 1 << (rank % 64);
    }
    for (index, word) in words.iter_mut().enumerate() {
        let mut bits = std::mem::take(word);
        while bits != 0 {
            visit(index * 64 + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
}

/// Scans the members of a block of one word.
#[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
pub(super) fn scan_small<W: Walk, const TIES: bool>(
    members: &[u16],
    (order, rank, runs): (&Small<u16>, &Small<u16>, &Small<u16>),
    moments: &Small<W::Moment>,
    mut scan: Scan<W>,
    best: &mut Best<W::Score>,
) -> bool {
    let mut run = 0;
    in_order_small(members, rank, |rank| {
        let begins = !TIES || runs[rank] != run;
        run = runs[rank];
        scan.pass(rank as u32, begins, moments[usize::from(order[rank]) % 64]);
    });
    scan.end(best)
}

/// Scans the members of any block.
#[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
pub(super) fn scan_large<W: Walk, const TIES: bool>(
    members: &[u16],
    (order, rank, runs): (&[u16], &[u16], &[u16]),
    moments: &[W::Moment],
    words: &mut [u64],
    mut scan: Scan<W>,
    best: &mut Best<W::Score>,
) -> bool {
    let mut run = 0;
    in_order(members, rank, words, |rank| {
        let begins = !TIES || runs[rank] != run;
        if TIES {
            run = runs[rank];
        }
        scan.pass(rank as u32, begins, moments[usize::from(order[rank])]);
    });
    scan.end(best)
}

/// Scans all samples of a block: their order is at hand.
#[expect(clippy::cast_possible_truncation, reason = "ranks are counted in 16 bits")]
pub(super) fn scan_all<W: Walk, const TIES: bool>(
    order: &[u16],
    runs: &[u16],
    moments: &[W::Moment],
    mut scan: Scan<W>,
    best: &mut Best<W::Score>,
) -> bool {
    let mut before = 0;
    for (rank, (&sample, &run)) in order.iter().zip(runs).enumerate() {
        let begins = !TIES || run != before;
        before = run;
        scan.pass(rank as u32, begins, moments[usize::from(sample)]);
    }
    scan.end(best)
}

/// Puts members that go right behind the others, both in their order; the number of those that go left.
#[inline]
pub(super) fn part(members: &mut [u16], spare: &mut [u16], goes_right: impl Fn(u16) -> bool) -> usize {
    let (mut n_left, mut n_right) = (0, 0);
    for index in 0..members.len() {
        let member = members[index];
        let goes_right = goes_right(member);
        members[n_left] = member;
        spare[n_right] = member;
        n_left += usize::from(!goes_right);
        n_right += usize::from(goes_right);
    }
    members[n_left..].copy_from_slice(&spare[..n_right]);
    n_left
}
