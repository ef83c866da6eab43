//! How long a table takes, beside the same by hand.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use drivetrain_plan::Table;
use drivetrain_transform::Estimator;
use rayon::ThreadPool;

use crate::{
    by_hand::{self, FEATURES, Learned},
    column_transformer, program,
    table::Lent,
};

/// What is measured.
pub(crate) const WORK: [&str; 3] = ["fit", "transform", "transform_into"];

/// The best of several runs of each work, ours and by hand, in seconds: what else the machine does only ever adds.
pub(crate) type Best = [[f64; 2]; WORK.len()];

fn timed<T>(best: &mut f64, pool: &ThreadPool, work: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    // By hand in the pool too: memory that one thread gave back costs another one page faults.
    let (result, elapsed): (T, Duration) = pool.install(|| {
        let started = Instant::now();
        let result = black_box(work());
        (result, started.elapsed())
    });
    *best = best.min(elapsed.as_secs_f64());
    result
}

/// Measures ours and by hand in turns. Who is first finds the caches and the heap as other work left them, who is second as
/// the same work did: so either is first in every other round.
pub(crate) fn measure(table: &Lent, threads: usize, rounds: usize) -> Best {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let transformer = column_transformer();
    let mut best = [[f64::INFINITY; 2]; WORK.len()];
    let mut buffer = vec![0.0; table.n_rows() * FEATURES];
    let by_hand = |table: &Lent| by_hand::fit(&table.numbers, &table.codes);
    let learned = by_hand(table);
    let program = program(&transformer, table);
    for round in 0..rounds {
        for turn in 0..2 {
            let [fit, transform, transform_into] = &mut best;
            if (round + turn) % 2 == 0 {
                timed(&mut fit[0], &pool, || transformer.fit(table, None).unwrap());
                timed(&mut transform[0], &pool, || program.apply(table).unwrap());
                timed(&mut transform_into[0], &pool, || program.apply_into(table, &mut buffer).unwrap());
                assert_agreement(table, &learned, &buffer);
            } else {
                timed(&mut fit[1], &pool, || by_hand(table));
                timed(&mut transform[1], &pool, || {
                    let mut values = vec![0.0; table.n_rows() * FEATURES];
                    by_hand::transform::<false>(&table.numbers, &table.codes, &learned, 0, &mut values);
                    values
                });
                timed(&mut transform_into[1], &pool, || {
                    by_hand::transform::<true>(&table.numbers, &table.codes, &learned, 0, &mut buffer);
                });
            }
        }
    }
    best
}

/// Fails when `features` are not what they are by hand.
fn assert_agreement(table: &Lent, learned: &Learned, features: &[f64]) {
    const ROWS: usize = 1024;
    let mut expected = vec![0.0; ROWS * FEATURES];
    for (index, found) in features.chunks(ROWS * FEATURES).enumerate() {
        let expected = &mut expected[..found.len()];
        by_hand::transform::<true>(&table.numbers, &table.codes, learned, index * ROWS, expected);
        let close = found.iter().zip(&*expected).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(close, "the two disagree");
    }
}

/// The exponent of the power of the number of rows that the seconds grow with: the slope of the line through their
/// logarithms, by least squares.
pub(crate) fn exponent(points: &[(usize, f64)]) -> f64 {
    let points: Vec<(f64, f64)> = points.iter().map(|(rows, seconds)| ((*rows as f64).ln(), seconds.ln())).collect();
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    covariance / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}
