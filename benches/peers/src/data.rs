//! The tables: made once from a seed, kept as `.npy`, read by all engines.

use std::path::{Path, PathBuf};

use drivetrain_artifact::ndarray::{Array2, ArrayView2, Axis, Slice};
use drivetrain_artifact::npy;
use drivetrain_bench::Workload;

use crate::Failure;
pub(crate) use crate::transform::{CATEGORIES, FEATURES, NUMBERS, TEXTS};

/// The "engine" that writes the tables of a task and measures nothing.
pub(crate) const WRITER: &str = "data";

/// Columns of the table to grow forests on.
pub(crate) const COLUMNS: usize = 20;

/// The most rows that forests predict.
const MAX_TEST_ROWS: usize = 20_000;

/// Uniform numbers in 0..1 (xorshift).
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Writes the tables of a task, unless they are there.
pub(crate) fn write(workload: &Workload, folder: &Path) -> Result<(), Failure> {
    let rows = workload.rows();
    match *workload {
        Workload::Transform { missing, .. } => write_table(folder, rows, missing),
        Workload::Forest { .. } => write_forest(folder, rows),
        Workload::Artifact { trees: 0, .. } => write_table(folder, rows, true),
        Workload::Artifact { .. } => write_forest(folder, rows),
    }
}

fn path(folder: &Path, name: &str, rows: usize) -> PathBuf {
    folder.join(format!("{name}-{rows}.npy"))
}

fn write_table(folder: &Path, rows: usize, missing: bool) -> Result<(), Failure> {
    let name = if missing { "gaps" } else { "numbers" };
    let (numbers, codes) = (path(folder, name, rows), path(folder, "codes", rows));
    if numbers.exists() && codes.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let mut uniform = Uniform(0x9E37_79B9_7F4A_7C15);
    let mut value = |column: usize| {
        let gap = uniform.next() < 0.01;
        // Columns differ in place and spread, as those of real tables do.
        let value = (uniform.next() - 0.3) * 10_f64.powi(i32::try_from(column).unwrap_or(0) - 3) + column as f64;
        if missing && gap { f64::NAN } else { value }
    };
    npy::write(&numbers, Array2::from_shape_fn((NUMBERS, rows), |(column, _)| value(column)).view())?;
    let mut uniform = Uniform(0x1234_5678_9ABC_DEF1);
    let mut code = || (uniform.next() * CATEGORIES.len() as f64).floor();
    npy::write(&codes, Array2::from_shape_fn((TEXTS, rows), |_| code()).view())?;
    Ok(())
}

/// Eight columns of numbers and two of codes, each in one piece.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) numbers: Vec<Vec<f64>>,
    pub(crate) codes: Vec<Vec<u32>>,
}

/// The table to transform.
pub(crate) fn columns(folder: &Path, rows: usize, missing: bool) -> Result<Columns, Failure> {
    let numbers = npy::read(path(folder, if missing { "gaps" } else { "numbers" }, rows))?;
    let codes = npy::read(path(folder, "codes", rows))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "codes are 0 to 3")]
    let code = |code: &f64| *code as u32;
    Ok(Columns {
        numbers: numbers.rows().into_iter().map(|row| row.to_vec()).collect(),
        codes: codes.rows().into_iter().map(|row| row.iter().map(code).collect()).collect(),
    })
}

/// Twelve continuous columns, eight gridded ones, and in the last column a target that depends on six: Friedman's first
/// function (10.1214/aos/1176347963), two gridded columns and noise. The values are those that float32 can hold.
fn write_forest(folder: &Path, rows: usize) -> Result<(), Failure> {
    let mut uniform = Uniform(0x9E37_79B9_7F4A_7C15);
    for (name, rows) in [("train", rows), ("test", rows)] {
        let path = path(folder, name, rows);
        let wanted = if name == "test" { rows.min(MAX_TEST_ROWS) } else { rows };
        if path.exists() {
            continue;
        }
        std::fs::create_dir_all(folder)?;
        let mut table = Array2::zeros((wanted, COLUMNS + 1));
        for mut row in table.rows_mut() {
            for (column, cell) in row.iter_mut().take(COLUMNS).enumerate() {
                let levels = [2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];
                let value = uniform.next();
                let value = if column < 12 { value } else { (value * levels[column - 12]).floor() };
                #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is wanted")]
                let value = value as f32;
                *cell = f64::from(value);
            }
            let noise: f64 = (0..12).map(|_| uniform.next()).sum::<f64>() - 6.0;
            let curve = 10.0 * (std::f64::consts::PI * row[0] * row[1]).sin() + 20.0 * (row[2] - 0.5).powi(2);
            row[COLUMNS] = curve + 10.0 * row[3] + row[14] + 0.05 * row[18] + noise;
        }
        npy::write(&path, table.view())?;
    }
    Ok(())
}

/// Features (rows x columns, row-major) and targets.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) x: Array2<f64>,
    pub(crate) y: Vec<f64>,
}

/// The rows to grow a forest on, and others that it has not seen.
pub(crate) fn train_and_test(folder: &Path, rows: usize) -> Result<[Rows; 2], Failure> {
    let part = |name: &str| -> Result<Rows, Failure> {
        let table = npy::read(path(folder, name, rows))?;
        let x = table.slice_axis(Axis(1), Slice::from(..COLUMNS)).as_standard_layout().into_owned();
        Ok(Rows { x, y: table.column(COLUMNS).to_vec() })
    };
    Ok([part("train")?, part("test")?])
}

/// The values of a matrix in one piece, row by row.
pub(crate) fn row_major(x: &ArrayView2<'_, f64>) -> Vec<f64> {
    x.iter().copied().collect()
}
