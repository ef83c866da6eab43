//! The column transformer beside the same work written out by hand, in turns, and how much memory it takes.
//!
//! ```console
//! $ cargo bench -p drivetrain-transform
//! $ COLUMN_TRANSFORMER_ROWS=1e5,1e7 COLUMN_TRANSFORMER_THREADS=1 cargo bench -p drivetrain-transform
//! ```
//!
//! Eight numbers, one in a hundred missing, are imputed by the mean and scaled; two dictionary-coded texts of four
//! categories are one-hot encoded: sixteen features. By hand means code for this very table, on one thread
//! (`by_hand.rs`). `COLUMN_TRANSFORMER_ROWS` lists other sizes than 1e4, 1e5, 1e6 and 4e6,
//! `COLUMN_TRANSFORMER_THREADS` other numbers of threads than 1 and 2, and `COLUMN_TRANSFORMER_ROUNDS` sets how often
//! everything is run, by default as often as takes some seconds per size.
//!
//! Ours in times of by hand on 2026-11-29, two cores of an AMD EPYC in a virtual machine where nothing else was compiled
//! (4 to 301 rounds), and how many times as fast two threads are as one (before a strip's buffer was shared by its columns):
//!
//! | rows | fit | transform | `transform_into` | two threads: fit | transform | `transform_into` |
//! |---|---|---|---|---|---|---|
//! | 1e4 | 1.19 | 0.95 | 1.03 | | | |
//! | 1e5 | 0.80 | 1.19 | 1.23 | 1.34 | 0.99 | 1.49 |
//! | 1e6 | 0.97 | 0.93 | 0.87 | 1.76 | 2.11 | 1.98 |
//! | 4e6 | 0.91 | 1.02 | 1.18 | 1.76 | 1.93 | 1.96 |
//! | 1e7 | 0.91 | 1.02 | 1.89 | | | |
//!
//! Beside table and features it took 0.1 % more memory at 4e6 and at 1e7 rows. Of a fit at 1e4 rows some 35 of 80
//! microseconds do not depend on the rows: they are names, copied from plan to plan. `transform_into` at 1e7 rows is what
//! is left to be understood: by hand a row takes half as long there as at 1e6 rows.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]

mod by_hand;
mod memory;
mod table;
mod time;

use std::env;

use drivetrain_plan::{Program, Registry};
use drivetrain_transform::{
    Block, ColumnTransformer, DtypeClass, Estimator, Fitted, OneHotEncoder, Pipeline, SimpleImputer, StandardScaler,
    Step, make_column_selector,
};
use table::Lent;
use time::{Best, WORK};

pub(crate) fn column_transformer() -> ColumnTransformer {
    let numbers =
        Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())]);
    ColumnTransformer::new(vec![
        Block::new("numbers", numbers.unwrap(), make_column_selector().dtype_exclude([DtypeClass::Category])),
        Block::new("texts", OneHotEncoder::new(), make_column_selector().dtype_include([DtypeClass::Category])),
    ])
    .unwrap()
}

/// What `transformer` learns from `table`, ready to transform.
pub(crate) fn program(transformer: &ColumnTransformer, table: &Lent) -> Program {
    Program::new(&transformer.fit(table, None).unwrap().lower().unwrap(), &Registry::new()).unwrap()
}

/// The positive numbers, separated by commas, that an environment variable holds: `1e6` is one.
fn listed(variable: &str, default: &[usize]) -> Vec<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of at least 1")]
    let count = |text: &str| text.trim().parse().ok().filter(|count| *count >= 1.0).map(|count: f64| count as usize);
    match env::var(variable) {
        Err(_) => default.to_vec(),
        Ok(list) => list.split(',').map(|text| count(text).unwrap_or_else(|| panic!("{variable}: `{text}`"))).collect(),
    }
}

fn main() {
    let sizes = listed("COLUMN_TRANSFORMER_ROWS", &[10_000, 100_000, 1_000_000, 4_000_000]);
    let threads = listed("COLUMN_TRANSFORMER_THREADS", &[1, 2]);
    let rounds = listed("COLUMN_TRANSFORMER_ROUNDS", &[]).first().copied();
    if memory::serve(threads[0]) {
        return;
    }
    println!("Milliseconds, the best of several runs: ours, by hand on one thread, and the ratio of the two.");
    println!("transform gives fresh memory, transform_into writes into memory that was used before.");
    let mut measured: Vec<Vec<Best>> = vec![Vec::new(); threads.len()];
    for (&threads, measured) in threads.iter().zip(&mut measured) {
        println!("\n{:>10}  {:>27}  {:>27}  {:>27}", format!("{threads} thread(s)"), WORK[0], WORK[1], WORK[2]);
        for &n_rows in &sizes {
            let rounds = rounds.unwrap_or((40_000_000 / n_rows).clamp(7, 301));
            let best = time::measure(&Lent::new(n_rows), threads, rounds);
            print!("{n_rows:>10}");
            for [ours, by_hand] in best {
                print!("  {:>9.3} {:>9.3} {:>7.2}", ours * 1e3, by_hand * 1e3, ours / by_hand);
            }
            println!();
            measured.push(best);
        }
        if sizes.len() < 2 {
            continue;
        }
        print!("{:>10}", "rows^");
        for work in 0..WORK.len() {
            let [ours, by_hand] = [0, 1].map(|side| {
                let points = sizes.iter().zip(&*measured).map(|(n_rows, best)| (*n_rows, best[work][side]));
                time::exponent(&points.collect::<Vec<_>>())
            });
            print!("  {ours:>9.2} {by_hand:>9.2} {:>7}", "");
        }
        println!("  the power of the rows that the time grows with");
    }
    for (&more, faster) in threads.iter().zip(&measured).skip(1) {
        println!("\nTimes as fast with {more} threads as with {}:", threads[0]);
        for ((n_rows, one), more) in sizes.iter().zip(&measured[0]).zip(faster) {
            print!("{n_rows:>10}");
            for (one, more) in one.iter().zip(more) {
                print!("  {:>27.2}", one[0] / more[0]);
            }
            println!();
        }
    }
    println!("\nMiB to fit and transform in a process of its own: the table, the features, the most at once (VmHWM),");
    println!("and how much more that is than table and features.");
    for n_rows in sizes {
        let Some(peak) = memory::peak(n_rows) else { continue };
        let [input, output, most] = [peak.input, peak.output, peak.most].map(|bytes| bytes as f64 / f64::from(1 << 20));
        println!("{n_rows:>10}  {input:>9.1} {output:>9.1} {most:>9.1} {:>7.1} %", 100.0 * peak.overhead());
    }
}
