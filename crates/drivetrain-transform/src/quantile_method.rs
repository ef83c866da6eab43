//! Sample quantiles by the definitions that numpy offers.

use serde::{Deserialize, Serialize};

use crate::statistics::between;

/// A definition of the quantile of a sample, by numpy's name.
///
/// Source: Hyndman, R. and Fan, Y. (1996), Sample Quantiles in Statistical Packages, doi:10.1080/00031305.1996.10473566;
/// the numbers are theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuantileMethod {
    /// 1: the value at which the share of values up to it reaches the quantile.
    InvertedCdf,
    /// 2: the same, averaged with the next value where the share is reached exactly.
    #[default]
    AveragedInvertedCdf,
    /// 3: the nearest value, the even one of two.
    ClosestObservation,
    /// 4: 1, interpolated.
    InterpolatedInvertedCdf,
    /// 5: interpolated, a value in the middle of its step.
    Hazen,
    /// 6: interpolated, with a step below the smallest and above the largest value.
    Weibull,
    /// 7: interpolated between the smallest and the largest value.
    Linear,
    /// 8: interpolated, about unbiased for the median.
    MedianUnbiased,
    /// 9: interpolated, about unbiased for normally distributed values.
    NormalUnbiased,
}

impl QuantileMethod {
    /// The quantile `share`, from 0 to 1, of sorted values without NaN; `None` if there is no value.
    ///
    /// ```
    /// use drivetrain_transform::QuantileMethod;
    ///
    /// assert_eq!(QuantileMethod::Linear.quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
    /// ```
    #[must_use]
    pub fn quantile(self, sorted: &[f64], share: f64) -> Option<f64> {
        let last = sorted.len().checked_sub(1)?;
        let n = sorted.len() as f64;
        let plotted = |alpha: f64, beta: f64| n * share + (alpha + share * (1.0 - alpha - beta)) - 1.0;
        let position = match self {
            Self::InvertedCdf | Self::AveragedInvertedCdf => n * share - 1.0,
            Self::ClosestObservation => n * share - 1.0 - 0.5,
            Self::InterpolatedInvertedCdf => plotted(0.0, 1.0),
            Self::Hazen => plotted(0.5, 0.5),
            Self::Weibull => plotted(0.0, 0.0),
            Self::Linear => last as f64 * share,
            Self::MedianUnbiased => plotted(1.0 / 3.0, 1.0 / 3.0),
            Self::NormalUnbiased => plotted(3.0 / 8.0, 3.0 / 8.0),
        };
        let below = position.floor();
        let exact = position == below;
        let part = match self {
            Self::InvertedCdf => f64::from(u8::from(!exact)),
            Self::AveragedInvertedCdf => {
                if exact {
                    0.5
                } else {
                    1.0
                }
            }
            Self::ClosestObservation => f64::from(u8::from(!(exact && below.rem_euclid(2.0) == 1.0))),
            _ => position - below,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the indices there are")]
        let at = |position: f64| sorted[(position.max(0.0) as usize).min(last)];
        Some(if part == 1.0 { at(below + 1.0) } else { between(at(below), at(below + 1.0), part) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_of_five_values_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        // numpy.quantile([1, 2, 4, 8, 16], 0.25, method=...)
        for (method, expected) in [
            (QuantileMethod::InvertedCdf, 2.0),
            (QuantileMethod::AveragedInvertedCdf, 2.0),
            (QuantileMethod::ClosestObservation, 1.0),
            (QuantileMethod::InterpolatedInvertedCdf, 1.25),
            (QuantileMethod::Hazen, 1.75),
            (QuantileMethod::Weibull, 1.5),
            (QuantileMethod::Linear, 2.0),
            (QuantileMethod::MedianUnbiased, 1.0 + 2.0 / 3.0),
            (QuantileMethod::NormalUnbiased, 1.6875),
        ] {
            let found = method.quantile(&sorted, 0.25).unwrap();
            assert!((found - expected).abs() < 1e-14, "{method:?}: {found}");
            assert_eq!(method.quantile(&sorted, 1.0), Some(16.0), "{method:?}");
            assert_eq!(method.quantile(&sorted, 0.0), Some(1.0), "{method:?}");
            assert_eq!(method.quantile(&[], 0.5), None);
        }
        assert_eq!(QuantileMethod::AveragedInvertedCdf.quantile(&sorted[..4], 0.5), Some(3.0));
    }
}
