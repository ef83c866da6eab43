//! Seeded randomness with draws of our own, so that no other crate's release changes a model.

pub(crate) use rand_chacha::ChaCha8Rng as Generator;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The `index`-th of the independent generators a seed stands for.
pub(crate) fn stream(seed: u64, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}

/// A uniform draw from `0..n`; `n` is at least 1.
///
/// Source: Lemire, D. (2019), Fast random integer generation in an interval, doi:10.1145/3230636.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is wanted of the first cast, and a draw is below n, a usize"
)]
pub(crate) fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    let n = n as u64;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        // The lowest 2^64 mod n products of every run are one too many.
        if product as u64 >= n.wrapping_neg() % n {
            return (product >> 64) as usize;
        }
    }
}

/// Puts `items` into a uniformly random order (Fisher and Yates).
pub(crate) fn shuffle(rng: &mut ChaCha8Rng, items: &mut [usize]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_the_same_for_ever() {
        let mut rng = stream(42, 3);
        let draws: Vec<usize> = (0..8).map(|_| below(&mut rng, 1000)).collect();
        assert_eq!(draws, [361, 592, 730, 499, 200, 802, 31, 395]);
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        let mut items: Vec<usize> = (0..100).collect();
        shuffle(&mut stream(1, 0), &mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn draws_are_uniform_and_streams_differ() {
        let mut rng = stream(0, 0);
        let mut counts = [0_u32; 7];
        for _ in 0..7000 {
            counts[below(&mut rng, 7)] += 1;
        }
        // Six standard deviations of a count of mean 1000.
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 176), "{counts:?}");
        assert_ne!(stream(0, 0).next_u64(), stream(0, 1).next_u64());
        assert_ne!(stream(0, 0).next_u64(), stream(1, 0).next_u64());
    }
}
