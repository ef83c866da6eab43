//! The singular value decomposition of a tall matrix, by which least squares are solved.

use ndarray::{Array1, Array2, ArrayView2};

/// Columns are at right angles when the cosine between them is below this.
const RIGHT_ANGLE: f64 = 1e-15;
/// More sweeps than any matrix of double precision needs.
const MAX_SWEEPS: usize = 60;

/// `x = u * diag(singular) * v^T`, where `u` is kept as `u * diag(singular)`.
#[derive(Debug)]
pub(super) struct Svd {
    /// Columns at right angles to each other, whose lengths are the singular values.
    scaled: Array2<f64>,
    v: Array2<f64>,
    singular: Vec<f64>,
}

impl Svd {
    /// Turns the columns of `x` pairwise until each is at right angles to all others.
    ///
    /// Source: one-sided Jacobi rotations; Hestenes, M. (1958), Inversion of matrices by biorthogonalization and related
    /// results, doi:10.1137/0106005.
    pub(super) fn new(x: &ArrayView2<'_, f64>) -> Self {
        let n = x.ncols();
        // Column after column in memory, as they are what is worked on.
        let mut columns: Vec<Vec<f64>> = x.columns().into_iter().map(|column| column.to_vec()).collect();
        let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        for _ in 0..MAX_SWEEPS {
            let mut turned = false;
            for left in 0..n {
                for right in left + 1..n {
                    if let Some(rotation) = Rotation::between(&columns[left], &columns[right]) {
                        rotation.turn(&mut columns, left, right);
                        rotation.turn(&mut v, left, right);
                        turned = true;
                    }
                }
            }
            if !turned {
                break;
            }
        }
        let singular = columns.iter().map(|column| dot(column, column).sqrt()).collect();
        let matrix = |columns: &[Vec<f64>], n_rows| Array2::from_shape_fn((n_rows, n), |(row, j)| columns[j][row]);
        Self { scaled: matrix(&columns, x.nrows()), v: matrix(&v, n), singular }
    }

    /// The coefficients of smallest length that minimise `|y - x * w|^2 + alpha * |w|^2`.
    pub(super) fn solve(&self, y: &Array1<f64>, alpha: f64) -> Array1<f64> {
        let largest = self.singular.iter().copied().fold(0.0, f64::max);
        // What is smaller is rounding, as in `scipy.linalg.lstsq`.
        let smallest = largest * f64::EPSILON * self.scaled.nrows().max(self.scaled.ncols()) as f64;
        let mut turned = self.scaled.t().dot(y);
        for (value, &singular) in turned.iter_mut().zip(&self.singular) {
            *value = if singular > smallest { *value / (singular * singular + alpha) } else { 0.0 };
        }
        self.v.dot(&turned)
    }
}

/// A rotation of two columns.
#[derive(Debug, Clone, Copy)]
struct Rotation {
    cos: f64,
    sin: f64,
}

impl Rotation {
    /// The rotation that puts two columns at right angles; none if they are already.
    fn between(left: &[f64], right: &[f64]) -> Option<Self> {
        let (a, b, c) = (dot(left, left), dot(right, right), dot(left, right));
        if c == 0.0 || c.abs() <= RIGHT_ANGLE * (a * b).sqrt() {
            return None;
        }
        let zeta = (b - a) / (2.0 * c);
        let tan = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
        let cos = tan.hypot(1.0).recip();
        Some(Self { cos, sin: cos * tan })
    }

    fn turn(self, columns: &mut [Vec<f64>], left: usize, right: usize) {
        let (before, after) = columns.split_at_mut(right);
        for (l, r) in before[left].iter_mut().zip(&mut after[0]) {
            (*l, *r) = (self.cos * *l - self.sin * *r, self.sin * *l + self.cos * *r);
        }
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::Axis;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_multiply_to_the_whole(
            n in 1_usize..6, values in prop::collection::vec(-9.0_f64..9.0, 40), repeated: bool,
        ) {
            let mut x = Array2::from_shape_fn((8, n), |(i, j)| values[i * n + j]);
            if repeated && n > 1 {
                let first = x.column(0).to_owned();
                x.column_mut(n - 1).assign(&first);
            }
            let svd = Svd::new(&x.view());
            let whole = svd.scaled.dot(&svd.v.t());
            prop_assert!((&whole - &x).iter().all(|difference| difference.abs() < 1e-12));
            for (i, left) in svd.scaled.axis_iter(Axis(1)).enumerate() {
                for right in svd.scaled.axis_iter(Axis(1)).skip(i + 1) {
                    prop_assert!(left.dot(&right).abs() < 1e-11);
                }
            }
        }
    }
}
