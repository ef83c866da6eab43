//! The column transformer beside the same work written out by hand, in turns, on one thread: `cargo bench -p
//! drivetrain-transform`. Eight numbers are imputed and scaled, two texts one-hot encoded: sixteen features.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "low bits are wanted")]

use std::{
    borrow::Cow,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use drivetrain_plan::{CategoricalColumn, Column, DataType, Field, Program, Registry, Schema, Table};
use drivetrain_transform::{
    Block, ColumnTransformer, DtypeClass, Estimator, Fitted, OneHotEncoder, Pipeline, SimpleImputer, StandardScaler,
    Step, make_column_selector,
};

const NUMBERS: usize = 8;
const CATEGORIES: usize = 4;
const FEATURES: usize = NUMBERS + 2 * CATEGORIES;

/// Uniform numbers (xorshift), one in a hundred missing.
fn numbers(n_rows: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..n_rows).map(|_| if next() % 100 == 0 { f64::NAN } else { (next() >> 11) as f64 / 9e15 * 100.0 }).collect()
}

fn codes(n_rows: usize, seed: usize) -> Vec<u32> {
    (0..n_rows).map(|row| ((row * 2_654_435_761 + seed) >> 7) as u32 % 4).collect()
}

/// A table that lends its columns.
struct Lent {
    schema: Schema,
    numbers: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
    dictionary: Arc<[Cow<'static, str>]>,
}

impl Lent {
    fn new(n_rows: usize) -> Self {
        let fields = (0..NUMBERS).map(|index| Field::new(format!("x{index}"), DataType::Float64));
        let texts = (0..2)
            .map(|index| Field::new(format!("c{index}"), DataType::Categorical(drivetrain_plan::CategoryType::String)));
        Self {
            schema: Schema::new(fields.chain(texts).collect()).unwrap(),
            numbers: (0..NUMBERS).map(|index| numbers(n_rows, index as u64 + 1)).collect(),
            codes: (0..2).map(|index| codes(n_rows, index)).collect(),
            dictionary: ["d", "b", "a", "c"].into_iter().map(Cow::Borrowed).collect(),
        }
    }
}

impl Table for Lent {
    fn n_rows(&self) -> usize {
        self.numbers[0].len()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let index: usize = name[1..].parse().ok()?;
        if name.starts_with('x') {
            return Some(Column::Float64(Cow::Borrowed(&self.numbers[index])));
        }
        let (codes, dictionary) = (Cow::Borrowed(self.codes[index].as_slice()), self.dictionary.clone());
        Some(Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }))
    }
}

/// What the column transformer learns, in one pass with shifted sums.
fn fit_by_hand(table: &Lent) -> Vec<(f64, f64)> {
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
    let mut seen = [[false; CATEGORIES]; 2];
    for (seen, codes) in seen.iter_mut().zip(&table.codes) {
        for code in codes {
            seen[*code as usize] = true;
        }
    }
    black_box(seen);
    table.numbers.iter().map(learn).collect()
}

/// The same features, row by row, into zeros.
fn transform_by_hand(table: &Lent, learned: &[(f64, f64)], order: [usize; CATEGORIES], values: &mut [f64]) {
    for (row, features) in values.chunks_exact_mut(FEATURES).enumerate() {
        for ((feature, column), (mean, scale)) in features.iter_mut().zip(&table.numbers).zip(learned) {
            let value = column[row];
            *feature = if value.is_nan() { 0.0 } else { (value - mean) / scale };
        }
        for (index, codes) in table.codes.iter().enumerate() {
            features[NUMBERS + index * CATEGORIES + order[codes[row] as usize]] = 1.0;
        }
    }
}

fn column_transformer() -> ColumnTransformer {
    let numbers =
        Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())]);
    ColumnTransformer::new(vec![
        Block::new("numbers", numbers.unwrap(), make_column_selector().dtype_exclude([DtypeClass::Category])),
        Block::new("texts", OneHotEncoder::new(), make_column_selector().dtype_include([DtypeClass::Category])),
    ])
    .unwrap()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = black_box(work());
    (result, started.elapsed())
}

/// The best of several runs, in milliseconds: what else the machine does only ever adds.
fn best(samples: &[Duration]) -> f64 {
    samples.iter().min().map_or(f64::NAN, Duration::as_secs_f64) * 1e3
}

fn main() {
    let threads = std::env::args().nth(1).and_then(|threads| threads.parse().ok()).unwrap_or(1);
    // By hand in the pool too: memory that one thread gave back costs another one page faults.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    println!("{threads} thread(s), best of several runs in ms, and the ratio to the same by hand on one thread");
    println!("{:>9}  {:>26}  {:>26}  {:>26}", "rows", "fit", "transform", "into a warm buffer");
    for n_rows in [10_000, 100_000, 1_000_000, 4_000_000] {
        let table = Lent::new(n_rows);
        let transformer = column_transformer();
        let rounds = (16_000_000 / n_rows).clamp(5, 101);
        let mut samples: [[Vec<Duration>; 2]; 3] = Default::default();
        let (mut ours, mut theirs) = (vec![0.0; n_rows * FEATURES], vec![0.0; n_rows * FEATURES]);
        for _ in 0..rounds {
            let (fitted, elapsed) = timed(|| pool.install(|| transformer.fit(&table, None).unwrap()));
            samples[0][0].push(elapsed);
            let (learned, elapsed) = timed(|| pool.install(|| fit_by_hand(&table)));
            samples[0][1].push(elapsed);
            let by_hand = |values: &mut [f64]| transform_by_hand(&table, &learned, [3, 1, 0, 2], values);

            let program = Program::new(&fitted.lower().unwrap(), &Registry::new()).unwrap();
            let (_, elapsed) = timed(|| pool.install(|| program.apply(&table).unwrap()));
            samples[1][0].push(elapsed);
            let fresh = || {
                let mut values = vec![0.0; n_rows * FEATURES];
                by_hand(&mut values);
                values
            };
            let (_, elapsed) = timed(|| pool.install(fresh));
            samples[1][1].push(elapsed);

            let ((), elapsed) = timed(|| pool.install(|| program.apply_into(&table, &mut ours).unwrap()));
            samples[2][0].push(elapsed);
            let warm = |values: &mut [f64]| {
                values.fill(0.0);
                by_hand(values);
            };
            let ((), elapsed) = timed(|| pool.install(|| warm(&mut theirs)));
            samples[2][1].push(elapsed);
            let close = ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(close, "the two disagree");
        }
        print!("{n_rows:>9}");
        for [ours, by_hand] in &samples {
            let (ours, by_hand) = (best(ours), best(by_hand));
            print!("  {ours:>8.3} {by_hand:>8.3} {:>8.2}", ours / by_hand);
        }
        println!();
    }
}
