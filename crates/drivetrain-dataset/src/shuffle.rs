//! A permutation that is the same on every machine and in every version.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The numbers `0..n` in an order that depends on `seed` alone: a Fisher-Yates shuffle drawing from `ChaCha8`.
///
/// The draws are made here and not by a library whose next version may draw otherwise: a seed is part of what a stored
/// model says about itself.
pub(crate) fn permutation(n: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        rows.swap(last, up_to(&mut rng, last));
    }
    rows
}

/// A number in `0..=last`, each equally likely: draws that would favour the low ones are thrown away.
fn up_to(rng: &mut impl Rng, last: usize) -> usize {
    let choices = last as u64 + 1;
    let unfair = (u64::MAX % choices + 1) % choices;
    loop {
        let draw = rng.next_u64();
        if draw <= u64::MAX - unfair {
            #[expect(clippy::cast_possible_truncation, reason = "at most `last`")]
            return (draw % choices) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_appears_once(n in 0_usize..500, seed: u64) {
            let mut rows = permutation(n, seed);
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_order_of_a_seed_never_changes() {
        assert_eq!(permutation(10, 42), [1, 5, 9, 6, 3, 2, 0, 8, 4, 7]);
    }

    #[test]
    fn every_order_of_three_is_about_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            *counts.entry(permutation(3, seed)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
