//! A synthetic table: twelve continuous columns, eight gridded ones, a target that depends on six.

use drivetrain_forest::ndarray::Array2;

/// Columns of the table.
pub(crate) const N_FEATURES: usize = 20;

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

/// `n_rows` rows by [`N_FEATURES`] columns and the targets; the values are those float32 can hold.
#[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is wanted")]
pub(crate) fn table(n_rows: usize) -> (Array2<f64>, Vec<f64>) {
    let mut uniform = Uniform(0x9E37_79B9_7F4A_7C15);
    let x = Array2::from_shape_fn((n_rows, N_FEATURES), |(_, column)| {
        let value = uniform.next();
        let levels = [2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];
        let value = if column < 12 { value } else { (value * levels[column - 12]).floor() };
        f64::from(value as f32)
    });
    let y = x.rows().into_iter().map(|row| {
        let noise: f64 = (0..12).map(|_| uniform.next()).sum::<f64>() - 6.0;
        let curve = 10.0 * (std::f64::consts::PI * row[0] * row[1]).sin() + 20.0 * (row[2] - 0.5).powi(2);
        curve + 10.0 * row[3] + row[14] + 0.05 * row[18] + noise
    });
    let y = y.collect();
    (x, y)
}
