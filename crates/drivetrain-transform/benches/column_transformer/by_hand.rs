//! The same work written out for this very table, in a single pass each.

use std::hint::black_box;

use crate::table::{CATEGORIES, FEATURES, Lent, NUMBERS, ORDER, TEXTS};

/// Mean and standard deviation of every number after imputation by the mean, in one pass with shifted sums; and which
/// categories there are.
pub(crate) fn fit(table: &Lent) -> Vec<(f64, f64)> {
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
        // After imputation by the mean the deviations are spread over all rows.
        (shift + sum / count, ((squares - sum * sum / count) / values.len() as f64).sqrt())
    };
    let mut seen = [[false; CATEGORIES]; TEXTS];
    for (seen, codes) in seen.iter_mut().zip(&table.codes) {
        for code in codes {
            seen[*code as usize] = true;
        }
    }
    black_box(seen);
    table.numbers.iter().map(learn).collect()
}

/// The features of the rows from `start` on, row by row, into `values`: zeros, or anything when they are to be cleared.
pub(crate) fn transform<const CLEAR: bool>(table: &Lent, learned: &[(f64, f64)], start: usize, values: &mut [f64]) {
    for (row, features) in values.chunks_exact_mut(FEATURES).enumerate() {
        let row = start + row;
        if CLEAR {
            features[NUMBERS..].fill(0.0);
        }
        for ((feature, column), (mean, scale)) in features.iter_mut().zip(&table.numbers).zip(learned) {
            let value = column[row];
            *feature = if value.is_nan() { 0.0 } else { (value - mean) / scale };
        }
        for (index, codes) in table.codes.iter().enumerate() {
            features[NUMBERS + index * CATEGORIES + ORDER[codes[row] as usize]] = 1.0;
        }
    }
}
