//! Every criterion against its definition: the impurity of both sides, computed from the samples.

use proptest::prelude::*;

use super::*;
use crate::grow::exact::node::Target;

/// For each number of samples on the left what a criterion says the split gains and the sides predict.
fn searched<C: Criterion>(mut criterion: C, samples: &[Sample<C::Target>]) -> Vec<Option<(f64, [f64; 2])>> {
    let mut sums = Sums::NONE;
    for &sample in samples {
        sums.add(sample);
    }
    criterion.begin(&sums, samples.iter().copied());
    let moments: Vec<C::Moment> =
        samples.iter().enumerate().map(|(position, &sample)| criterion.moment(position, sample)).collect();
    let mut walk = criterion.walk();
    walk.look_ahead(moments.iter().copied());
    let mut found = Vec::new();
    for &moment in &moments[..samples.len() - 1] {
        walk.pass(moment);
        let mut score = C::NONE;
        let values = walk.values();
        found.push(walk.improve(0.0, &mut score).then_some((score, values)));
    }
    drop(walk);
    found.into_iter().map(|found| found.map(|(score, values)| (criterion.gain(score), values))).collect()
}

/// The same by the definition: `impurity` of some samples, times their weight, and what they predict.
fn defined<T: Target>(samples: &[Sample<T>], impurity: impl Fn(&[Sample<T>]) -> (f64, f64)) -> Vec<(f64, [f64; 2])> {
    let whole = impurity(samples).0;
    let cut = |n_left| {
        let (left, right) = samples.split_at(n_left);
        let (left, right) = (impurity(left), impurity(right));
        (whole - left.0 - right.0, [left.1, right.1])
    };
    (1..samples.len()).map(cut).collect()
}

fn mean(samples: &[Sample<f64>]) -> f64 {
    samples.iter().map(|sample| sample.weight * sample.y).sum::<f64>() / weight(samples)
}

fn weight<T>(samples: &[Sample<T>]) -> f64 {
    samples.iter().map(|sample| sample.weight).sum()
}

fn shares(samples: &[Sample<u32>]) -> [f64; 3] {
    let of = |class| samples.iter().filter(|sample| sample.y == class).map(|sample| sample.weight).sum::<f64>();
    [0, 1, 2].map(|class| of(class) / weight(samples))
}

/// The weighted median, in the middle of a gap with half of the weight on either side.
fn median(samples: &[Sample<f64>]) -> f64 {
    let half = weight(samples) / 2.0;
    let up_to = |y: f64, strictly: bool| -> f64 {
        let counted = samples.iter().filter(|sample| sample.y < y || (!strictly && sample.y == y));
        counted.map(|sample| sample.weight).sum()
    };
    let mut targets: Vec<f64> = samples.iter().map(|sample| sample.y).collect();
    targets.sort_by(f64::total_cmp);
    let lower = targets.iter().copied().find(|&y| up_to(y, false) >= half).unwrap();
    let upper = targets.iter().copied().find(|&y| up_to(y, false) > half).unwrap();
    f64::midpoint(lower, upper)
}

fn assert_agree<C: Criterion>(
    criterion: C,
    samples: &[Sample<C::Target>],
    impurity: impl Fn(&[Sample<C::Target>]) -> (f64, f64),
) {
    for (ours, (gain, values)) in searched(criterion, samples).into_iter().zip(defined(samples, impurity)) {
        let (our_gain, our_values) = ours.unwrap();
        assert!((our_gain - gain).abs() < 1e-10 * (1.0 + gain.abs()), "{our_gain} {gain}");
        for (ours, value) in our_values.iter().zip(values) {
            assert!((ours - value).abs() < 1e-10, "{ours} {value}");
        }
    }
}

fn samples(cells: &[(u8, u8)]) -> Vec<Sample<f64>> {
    // Weights are such that halves of them are met exactly.
    cells.iter().map(|&(y, weight)| Sample { y: f64::from(y) / 16.0, weight: f64::from(weight) / 4.0 }).collect()
}

/// Whether some samples part into those of a mask and the others as well as any can.
fn is_best_of_all(samples: &[Sample<f64>], mask: usize) -> bool {
    let sides = |mask: usize| -> f64 {
        let side = |left: bool| -> f64 {
            let of_side = |(index, _): &(usize, &Sample<f64>)| (mask >> index & 1 == 1) == left;
            let part: Vec<_> = samples.iter().enumerate().filter(of_side).map(|(_, sample)| *sample).collect();
            let mean = mean(&part);
            part.iter().map(|sample| sample.weight * (sample.y - mean).powi(2)).sum()
        };
        side(true) + side(false)
    };
    let all = 1..(1 << samples.len()) - 1;
    let least = all.map(sides).fold(f64::INFINITY, f64::min);
    sides(mask) <= least + 1e-9
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn only_the_best_of_all_splits_is_called_optimal(
        cells in prop::collection::vec((-9_i32..9, 1_u8..4), 3..=8),
        choice in any::<prop::sample::Index>(),
    ) {
        let samples: Vec<_> =
            cells.iter().map(|&(y, weight)| Sample { y: f64::from(y), weight: f64::from(weight) }).collect();
        let mask = 1 + choice.index((1 << samples.len()) - 2);
        let mut criterion = SquaredError::default();
        let mut sums = Sums::NONE;
        for &sample in &samples {
            sums.add(sample);
        }
        prop_assume!(!sums.is_pure());
        criterion.begin(&sums, samples.iter().copied());
        let of_node = criterion.clone();
        let mut walk = criterion.walk();
        for (index, &sample) in samples.iter().enumerate() {
            if mask >> index & 1 == 1 {
                walk.pass(of_node.moment(index, sample));
            }
        }
        let mut score = SquaredError::NONE;
        let is_found = walk.improve(0.0, &mut score);
        prop_assert_eq!(is_found && criterion.is_optimal(&score), is_best_of_all(&samples, mask));
    }

    #[test]
    fn gains_and_values_are_those_of_the_definition(cells in prop::collection::vec((0_u8..40, 1_u8..9), 2..40)) {
        let numbers = samples(&cells);
        assert_agree(SquaredError::default(), &numbers, |samples| {
            let mean = mean(samples);
            (samples.iter().map(|sample| sample.weight * (sample.y - mean).powi(2)).sum(), mean)
        });
        assert_agree(AbsoluteError::default(), &numbers, |samples| {
            let median = median(samples);
            (samples.iter().map(|sample| sample.weight * (sample.y - median).abs()).sum(), median)
        });
        let positive: Vec<_> = numbers.iter().map(|sample| Sample { y: sample.y + 0.125, ..*sample }).collect();
        assert_agree(Poisson::default(), &positive, |samples| {
            let mean = mean(samples);
            (samples.iter().map(|sample| sample.weight * sample.y * (sample.y / mean).ln()).sum(), mean)
        });
        let classes: Vec<_> = cells.iter().zip(&numbers).map(|(cell, sample)| {
            Sample { y: u32::from(cell.0 % 3), weight: sample.weight }
        }).collect();
        assert_agree(Gini::new(3), &classes, |samples| {
            let shares = shares(samples);
            (weight(samples) * (1.0 - shares.iter().map(|share| share * share).sum::<f64>()), shares[1])
        });
        assert_agree(Entropy::new(3), &classes, |samples| {
            let shares = shares(samples);
            let entropy: f64 = shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.log2()).sum();
            (weight(samples) * entropy, shares[1])
        });
    }

    #[test]
    fn a_node_predicts_its_median(cells in prop::collection::vec((0_u8..40, 1_u8..9), 1..30)) {
        let numbers = samples(&cells);
        let mut sums = Sums::NONE;
        for &sample in &numbers {
            sums.add(sample);
        }
        let value = AbsoluteError::default().value(&sums, numbers.iter().copied());
        prop_assert_eq!(value, median(&numbers));
    }
}

#[test]
fn no_split_leaves_a_side_of_zeros_to_poisson() {
    let numbers = samples(&[(0, 4), (0, 4), (3, 4), (5, 4), (0, 4)]);
    let found: Vec<bool> = searched(Poisson::default(), &numbers).iter().map(Option::is_some).collect();
    assert_eq!(found, [false, false, true, false]);
}

#[test]
fn sides_must_weigh_enough() {
    assert!(weigh_enough(1.0, 3.0, 1.0) && weigh_enough(2.0, 3.0, 1.0));
    assert!(!weigh_enough(1.0, 3.0, 1.5) && !weigh_enough(0.0, 3.0, 0.0) && !weigh_enough(3.0, 3.0, 0.0));
}
