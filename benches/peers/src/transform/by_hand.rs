//! What a person would write who has only this one table: the same as in the column transformer's own benchmark.

#[path = "../../../../crates/drivetrain-transform/benches/column_transformer/by_hand.rs"]
mod pass;

use super::{FIT, INTO, TRANSFORM, mean_size};
use crate::data::Columns;
use crate::{Failure, Printer};

pub(crate) use pass::{CATEGORIES, FEATURES, NUMBERS, TEXTS};

pub(super) fn run(columns: &Columns, meter: &mut Printer) -> Result<(), Failure> {
    let Columns { numbers, codes } = columns;
    let rows = numbers[0].len();
    let learned = meter.measure(FIT, || pass::fit(numbers, codes));
    let features = meter.measure(TRANSFORM, || {
        let mut features = vec![0.0; rows * FEATURES];
        pass::transform::<false>(numbers, codes, &learned, 0, &mut features);
        features
    });
    meter.check(mean_size(&features, rows));
    let mut warm = features;
    meter.measure(INTO, || pass::transform::<true>(numbers, codes, &learned, 0, &mut warm));
    Ok(())
}
