//! Smallest and largest values.

use super::{Statistic, lanes::LANES};

/// The smallest and the largest value, missing ones left out.
///
/// ```
/// use drivetrain_transform::{Extremes, Statistic};
///
/// let mut extremes = Extremes::default();
/// extremes.feed(&[2.0, f64::NAN, -1.0]);
/// assert_eq!((extremes.min(), extremes.max()), (-1.0, 2.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    min: f64,
    max: f64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Statistic for Extremes {
    fn feed(&mut self, values: &[f64]) -> bool {
        // Comparisons with NaN are false; lanes wait for each other as little as the parts of a sum do.
        let mut lanes = [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]];
        let mut add = |part: &[f64]| {
            for (lane, &value) in part.iter().enumerate() {
                lanes[0][lane] = if value < lanes[0][lane] { value } else { lanes[0][lane] };
                lanes[1][lane] = if value > lanes[1][lane] { value } else { lanes[1][lane] };
            }
        };
        let (whole, rest) = values.as_chunks::<LANES>();
        for part in whole {
            add(part);
        }
        add(rest);
        let [min, max] = lanes;
        let min = min.into_iter().fold(f64::INFINITY, f64::min);
        let max = max.into_iter().fold(f64::NEG_INFINITY, f64::max);
        self.merge(Self { min, max });
        min > f64::NEG_INFINITY && max < f64::INFINITY
    }

    fn merge(&mut self, later: Self) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
    }
}

impl Extremes {
    /// The smallest value; NaN when there was none. A zero has no sign.
    #[must_use]
    pub fn min(&self) -> f64 {
        if self.min > self.max { f64::NAN } else { self.min + 0.0 }
    }

    /// The largest value; NaN when there was none. A zero has no sign.
    #[must_use]
    pub fn max(&self) -> f64 {
        if self.min > self.max { f64::NAN } else { self.max + 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_leave_nan_out() {
        let extremes = |values: &[f64]| {
            let mut extremes = Extremes::default();
            (extremes.feed(values), extremes.min(), extremes.max())
        };
        assert_eq!(extremes(&[f64::NAN, 2.0, -1.0]), (true, -1.0, 2.0));
        assert_eq!(extremes(&[f64::NAN, -0.0]), (true, 0.0, 0.0));
        assert!(extremes(&[f64::NAN]).1.is_nan() && extremes(&[]).2.is_nan());
        assert_eq!(extremes(&[f64::INFINITY]), (false, f64::INFINITY, f64::INFINITY));
    }
}
