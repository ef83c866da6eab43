//! A power of two that brings targets near one.

/// Scaling by a power of two commutes with rounding, so growing on scaled targets gives the same
/// splits and, scaled back, the same leaf values; but squares of targets neither overflow nor vanish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TargetScale {
    down: f64,
    up: f64,
}

impl TargetScale {
    /// Changes nothing.
    #[cfg(feature = "train")]
    pub(crate) const ONE: Self = Self { down: 1.0, up: 1.0 };

    /// Chosen by the largest magnitude among `y`, which is finite.
    pub(crate) fn new(y: &[f64]) -> Self {
        let largest = y.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let power = |biased: u64| f64::from_bits(biased << 52);
        // Exponents are stored with 1023 added; the ends of the range have no exact inverse.
        let exponent = (largest.to_bits() >> 52).clamp(1, 2045);
        Self { down: power(2046 - exponent), up: power(exponent) }
    }

    pub(crate) fn down(self, value: f64) -> f64 {
        value * self.down
    }

    pub(crate) fn up(self, value: f64) -> f64 {
        value * self.up
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_largest_magnitude_becomes_about_one() {
        for largest in [1e-310, f64::MIN_POSITIVE, 1e-200, 0.1, 1.0, 46.6, 1e200, 1e300] {
            let scale = TargetScale::new(&[0.0, -largest, largest / 2.0]);
            let scaled = scale.down(largest);
            assert!(scaled > 1e-16 && scaled < 2.0, "{largest} becomes {scaled}");
            assert_eq!(scale.up(scaled), largest);
        }
        let nothing = TargetScale::new(&[0.0]);
        assert_eq!(nothing.up(nothing.down(0.0)), 0.0);
    }

    proptest! {
        #[test]
        fn there_and_back_is_exact(y in prop::collection::vec(-1e6_f64..1e6, 1..20)) {
            let scale = TargetScale::new(&y);
            for &value in &y {
                prop_assert_eq!(scale.up(scale.down(value)), value);
            }
        }
    }
}
