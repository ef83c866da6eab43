//! What a person would write who has only this one table: the bar for general code.

use std::hint::black_box;

use super::{FIT, INTO, TRANSFORM, mean_size};
use crate::data::{CATEGORIES, Columns, FEATURES, NUMBERS};
use crate::{Failure, Printer};

/// Mean and standard deviation of each number, and the place of each category among the sorted ones.
struct Learned {
    numbers: Vec<(f64, f64)>,
    order: [usize; CATEGORIES.len()],
}

pub(super) fn run(columns: &Columns, meter: &mut Printer) -> Result<(), Failure> {
    let rows = columns.numbers[0].len();
    let learned = meter.measure(FIT, || fit(columns));
    let features = meter.measure(TRANSFORM, || {
        let mut features = vec![0.0; rows * FEATURES];
        transform(columns, &learned, &mut features);
        features
    });
    meter.check(mean_size(&features, rows));
    let mut warm = features;
    meter.measure(INTO, || {
        warm.fill(0.0);
        transform(columns, &learned, &mut warm);
    });
    Ok(())
}

/// One pass, with shifted sums. After imputation by the mean the deviations are spread over all rows.
fn fit(columns: &Columns) -> Learned {
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
    let mut seen = [[false; CATEGORIES.len()]; 2];
    for (seen, codes) in seen.iter_mut().zip(&columns.codes) {
        for code in codes {
            seen[*code as usize] = true;
        }
    }
    black_box(seen);
    let mut sorted = CATEGORIES;
    sorted.sort_unstable();
    let order = CATEGORIES.map(|name| sorted.iter().position(|other| *other == name).unwrap_or(0));
    Learned { numbers: columns.numbers.iter().map(learn).collect(), order }
}

/// Row by row, into zeros.
fn transform(columns: &Columns, learned: &Learned, features: &mut [f64]) {
    for (row, features) in features.chunks_exact_mut(FEATURES).enumerate() {
        for ((feature, column), (mean, scale)) in features.iter_mut().zip(&columns.numbers).zip(&learned.numbers) {
            let value = column[row];
            *feature = if value.is_nan() { 0.0 } else { (value - mean) / scale };
        }
        for (index, codes) in columns.codes.iter().enumerate() {
            features[NUMBERS + index * CATEGORIES.len() + learned.order[codes[row] as usize]] = 1.0;
        }
    }
}
