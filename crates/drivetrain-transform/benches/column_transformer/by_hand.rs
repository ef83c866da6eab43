//! What a person would write who has only this one table: the bar for general code.
//!
//! The comparison with other crates in `benches/peers` includes this file, so nothing else of the benchmark is named here.

use std::hint::black_box;

/// Columns of numbers, some of them missing.
pub(crate) const NUMBERS: usize = 8;
/// Columns of texts, as codes.
pub(crate) const TEXTS: usize = 2;
/// The text of each code. Not in order, so that sorting them has to be done.
pub(crate) const CATEGORIES: [&str; 4] = ["d", "b", "a", "c"];
/// The columns of the output.
pub(crate) const FEATURES: usize = NUMBERS + TEXTS * CATEGORIES.len();

/// Mean and standard deviation of each number, and the place of each category among the sorted ones.
pub(crate) struct Learned {
    numbers: Vec<(f64, f64)>,
    order: [usize; CATEGORIES.len()],
}

/// A single pass, with shifted sums. After imputation by the mean the deviations are spread over all rows.
pub(crate) fn fit(numbers: &[Vec<f64>], codes: &[Vec<u32>]) -> Learned {
    let learn = |values: &Vec<f64>| {
        let shift = values.iter().copied().find(|value| !value.is_nan()).unwrap_or(0.0);
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for value in values {
            let present = f64::from(u8::from(!value.is_nan()));
            let deviation = if value.is_nan() { 0.0 } else { value - shift };
            count += present;
            sum += deviation;
            squares += deviation * deviation;
        }
        (shift + sum / count, ((squares - sum * sum / count) / values.len() as f64).sqrt())
    };
    let mut seen = [[false; CATEGORIES.len()]; TEXTS];
    for (seen, codes) in seen.iter_mut().zip(codes) {
        for code in codes {
            seen[*code as usize] = true;
        }
    }
    black_box(seen);
    let mut sorted = CATEGORIES;
    sorted.sort_unstable();
    let order = CATEGORIES.map(|name| sorted.iter().position(|other| *other == name).unwrap_or(0));
    Learned { numbers: numbers.iter().map(learn).collect(), order }
}

/// The features of the rows from `start` on, row by row, into `values`: zeros, or anything when they are to be cleared.
pub(crate) fn transform<const CLEAR: bool>(
    numbers: &[Vec<f64>],
    codes: &[Vec<u32>],
    learned: &Learned,
    start: usize,
    values: &mut [f64],
) {
    for (row, features) in values.chunks_exact_mut(FEATURES).enumerate() {
        let row = start + row;
        if CLEAR {
            features[NUMBERS..].fill(0.0);
        }
        for ((feature, column), (mean, scale)) in features.iter_mut().zip(numbers).zip(&learned.numbers) {
            let value = column[row];
            *feature = if value.is_nan() { 0.0 } else { (value - mean) / scale };
        }
        for (index, codes) in codes.iter().enumerate() {
            features[NUMBERS + index * CATEGORIES.len() + learned.order[codes[row] as usize]] = 1.0;
        }
    }
}
