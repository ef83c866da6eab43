//! What many measurements of one thing say together.

/// Measurements of one thing, in order of size.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self { values }
    }
}

impl Sample {
    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The middle one, or the mean of the two in the middle; NaN without any.
    #[must_use]
    pub fn median(&self) -> f64 {
        match self.values.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => self.values[n / 2],
            n => f64::midpoint(self.values[n / 2 - 1], self.values[n / 2]),
        }
    }

    /// The value below which the given share lies, from 0 to 1: the nearest of those measured; NaN without any.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.values.len().saturating_sub(1);
        self.values.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The smallest; NaN without any.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }

    /// The largest; NaN without any.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NAN)
    }
}

/// The power of the size with which a cost grows: 1 where doubling the size doubles the cost. The slope of the line
/// through the logarithms of (size, cost) that has the least squared distance to them; none below two sizes.
///
/// ```
/// let exponent = drivetrain_bench::statistics::growth_exponent(&[(100.0, 3.0), (200.0, 12.0), (400.0, 48.0)]);
/// assert!((exponent.unwrap() - 2.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn growth_exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let n = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / n;
    let (x_mean, y_mean) = (mean(|point| point.0), mean(|point| point.1));
    let both: f64 = logs.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let spread: f64 = logs.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let slope = both / spread;
    slope.is_finite().then_some(slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let median = |values: &[f64]| values.iter().copied().collect::<Sample>().median();
        assert!(median(&[]).is_nan());
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[3.0, 1.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 3.0]), 3.0);
        let sample: Sample = [9.0, 1.0, 3.0].into_iter().collect();
        assert_eq!((sample.min(), sample.max()), (1.0, 9.0));
        assert_eq!([0.0, 0.5, 0.74, 0.76, 1.0].map(|share| sample.quantile(share)), [1.0, 3.0, 3.0, 9.0, 9.0]);
        assert!(Sample::default().quantile(0.5).is_nan());
    }

    #[test]
    fn exponents_need_two_sizes() {
        assert_eq!(growth_exponent(&[]), None);
        assert_eq!(growth_exponent(&[(10.0, 1.0)]), None);
        assert_eq!(growth_exponent(&[(10.0, 1.0), (10.0, 2.0)]), None);
        assert_eq!(growth_exponent(&[(10.0, 0.0), (20.0, 2.0)]), None);
        let linear = growth_exponent(&[(10.0, 1.0), (20.0, 2.1), (40.0, 3.9)]).unwrap();
        assert!((linear - 1.0).abs() < 0.05);
    }
}
