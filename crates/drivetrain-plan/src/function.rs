//! Functions of one number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A function of one `float64`. A missing value (NaN) stays missing, but for [`Function::IsMissing`].
///
/// Transcendental functions are computed by `libm`, so that every machine gives the same bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "function", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Function {
    /// The value without its sign.
    Abs,
    /// The square root; missing below 0.
    Sqrt,
    /// e to the power of the value.
    Exp,
    /// `exp(value) - 1`, exact near 0.
    Expm1,
    /// The natural logarithm; missing below 0, negative infinity at 0.
    Log,
    /// `log(1 + value)`, exact near 0; missing below -1.
    Log1p,
    /// The nearest value between two bounds.
    Clip {
        /// The lower bound; negative infinity for none.
        low: f64,
        /// The upper bound; infinity for none.
        high: f64,
    },
    /// 1 where the value is missing, 0 elsewhere.
    IsMissing,
    /// The number of edges that are at most the value: the bin of `edges.len() + 1` that it lies in.
    Bin {
        /// The inner edges of the bins, ascending.
        edges: Vec<f64>,
    },
    /// The Box-Cox transformation; missing at and below 0.
    ///
    /// Source: Box, G. and Cox, D. (1964), An Analysis of Transformations, doi:10.1111/j.2517-6161.1964.tb00553.x.
    BoxCox {
        /// The exponent; 0 for the logarithm.
        lambda: f64,
    },
    /// The Yeo-Johnson transformation.
    ///
    /// Source: Yeo, I.-K. and Johnson, R. (2000), A new family of power transformations to improve normality or
    /// symmetry, doi:10.1093/biomet/87.4.954.
    YeoJohnson {
        /// The exponent.
        lambda: f64,
    },
    /// The share of a distribution that lies below the value, by its quantiles, as scikit-learn's
    /// `QuantileTransformer` interpolates it.
    Quantile {
        /// The quantiles, ascending, from the smallest to the largest value.
        quantiles: Vec<f64>,
        /// Whether the share is mapped on to the standard normal distribution.
        normal: bool,
    },
    /// The number that [`Function::BoxCox`] makes the value of; missing where there is none.
    InverseBoxCox {
        /// The exponent; 0 for the logarithm.
        lambda: f64,
    },
    /// The number that [`Function::YeoJohnson`] makes the value of; missing where there is none.
    InverseYeoJohnson {
        /// The exponent.
        lambda: f64,
    },
    /// The number below which a share of a distribution lies, interpolated between its quantiles: what
    /// [`Function::Quantile`] makes the value of. Shares below 0 and above 1 give the first and the last quantile.
    InverseQuantile {
        /// The quantiles, ascending, from the smallest to the largest value.
        quantiles: Vec<f64>,
        /// Whether the value is a quantile of the standard normal distribution, and its share is meant.
        normal: bool,
    },
}

/// A share closer to 0 or 1 than this counts as this far from it when it is mapped to the normal distribution.
const BOUNDS_THRESHOLD: f64 = 1e-7;

impl Function {
    /// The function of `x`.
    #[must_use]
    pub fn compute(&self, x: f64) -> f64 {
        match self {
            Self::IsMissing => f64::from(u8::from(x.is_nan())),
            _ if x.is_nan() => f64::NAN,
            Self::Abs => x.abs(),
            Self::Sqrt => canonical(x.sqrt()),
            Self::Exp => libm::exp(x),
            Self::Expm1 => libm::expm1(x),
            Self::Log => canonical(libm::log(x)),
            Self::Log1p => canonical(libm::log1p(x)),
            // Not by `max` and `min`: of zeros of both signs they give either.
            Self::Clip { low, .. } if x < *low => *low,
            Self::Clip { high, .. } if x > *high => *high,
            Self::Clip { .. } => x,
            Self::Bin { edges } => edges.partition_point(|edge| *edge <= x) as f64,
            Self::BoxCox { lambda } => canonical(box_cox(x, *lambda)),
            Self::YeoJohnson { lambda } => canonical(yeo_johnson(x, *lambda)),
            Self::Quantile { quantiles, normal } => quantile(x, quantiles, *normal),
            Self::InverseBoxCox { lambda } => canonical(inverse_box_cox(x, *lambda)),
            Self::InverseYeoJohnson { lambda } => canonical(inverse_yeo_johnson(x, *lambda)),
            Self::InverseQuantile { quantiles, normal } => canonical(inverse_quantile(x, quantiles, *normal)),
        }
    }

    /// What is wrong with the constants, if anything is.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let ascending = |values: &[f64]| values.iter().all(|v| !v.is_nan()) && values.is_sorted();
        match self {
            Self::Clip { low, high } => {
                (low.is_nan() || high.is_nan() || low > high).then_some("the bounds are not in order")
            }
            Self::Bin { edges } => (!ascending(edges)).then_some("the edges are not in order"),
            Self::BoxCox { lambda }
            | Self::YeoJohnson { lambda }
            | Self::InverseBoxCox { lambda }
            | Self::InverseYeoJohnson { lambda } => lambda.is_infinite().then_some("the exponent is infinite"),
            Self::Quantile { quantiles, .. } | Self::InverseQuantile { quantiles, .. } => {
                (!quantiles.iter().all(|v| v.is_nan()) && !ascending(quantiles))
                    .then_some("the quantiles are not in order")
            }
            _ => None,
        }
    }
}

/// One NaN for all: which bits an invalid operation gives differs between processors.
fn canonical(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

fn box_cox(x: f64, lambda: f64) -> f64 {
    if x <= 0.0 {
        f64::NAN
    } else if lambda == 0.0 {
        libm::log(x)
    } else {
        // Exact also where the exponent is near 0.
        libm::expm1(lambda * libm::log(x)) / lambda
    }
}

fn yeo_johnson(x: f64, lambda: f64) -> f64 {
    // At or above 0 a Box-Cox transformation of 1 + x, below it one of 1 - x with the exponent mirrored about 1.
    let part = |magnitude: f64, lambda: f64| {
        let log = libm::log1p(magnitude);
        if lambda.abs() < f64::EPSILON { log } else { libm::expm1(lambda * log) / lambda }
    };
    if lambda == 1.0 {
        x
    } else if x >= 0.0 {
        part(x, lambda)
    } else {
        -part(-x, 2.0 - lambda)
    }
}

/// The logarithm of `1 + lambda * x`, also where the product is too large for a float.
fn log1p_of_product(lambda: f64, x: f64) -> f64 {
    let product = lambda * x;
    if product == f64::INFINITY { libm::log(lambda.abs()) + libm::log(x.abs()) } else { libm::log1p(product) }
}

fn inverse_box_cox(x: f64, lambda: f64) -> f64 {
    libm::exp(if lambda == 0.0 { x } else { log1p_of_product(lambda, x) / lambda })
}

fn inverse_yeo_johnson(x: f64, lambda: f64) -> f64 {
    let part = |x: f64, lambda: f64| {
        libm::expm1(if lambda.abs() < f64::EPSILON { x } else { log1p_of_product(lambda, x) / lambda })
    };
    if lambda == 1.0 {
        x
    } else if x >= 0.0 {
        part(x, lambda)
    } else {
        -part(-x, 2.0 - lambda)
    }
}

/// The mean of two interpolations, one from each side, so that a value that many rows share lands in the middle of its
/// step.
fn quantile(x: f64, quantiles: &[f64], normal: bool) -> f64 {
    let (Some(&first), Some(&last)) = (quantiles.first(), quantiles.last()) else { return f64::NAN };
    if first.is_nan() {
        return f64::NAN;
    }
    let (at_low, at_high) =
        if normal { (x - BOUNDS_THRESHOLD < first, x + BOUNDS_THRESHOLD > last) } else { (x == first, x == last) };
    let share = if at_low {
        0.0
    } else if at_high {
        1.0
    } else {
        0.5 * (from_left(x, quantiles) + from_right(x, quantiles))
    };
    if !normal {
        return share;
    }
    let margin = BOUNDS_THRESHOLD - f64::EPSILON;
    normal_quantile(share).clamp(normal_quantile(margin), normal_quantile(1.0 - margin))
}

/// The reference of quantile `index` of `n`: equally spaced from 0 to 1, and 0 of one quantile alone.
fn reference(index: usize, n: usize) -> f64 {
    match (index, n) {
        (_, 0 | 1) => 0.0,
        (index, n) if index == n - 1 => 1.0,
        (index, n) => index as f64 * (1.0 / (n - 1) as f64),
    }
}

/// Linear interpolation that stays at the last of equal quantiles.
fn from_left(x: f64, quantiles: &[f64]) -> f64 {
    let n = quantiles.len();
    let above = quantiles.partition_point(|quantile| *quantile <= x);
    match above {
        0 => 0.0,
        above if above == n => reference(n - 1, n),
        above => {
            let (x0, x1) = (quantiles[above - 1], quantiles[above]);
            let (y0, y1) = (reference(above - 1, n), reference(above, n));
            if x == x0 { y0 } else { (y1 - y0) / (x1 - x0) * (x - x0) + y0 }
        }
    }
}

/// Linear interpolation that stays at the first of equal quantiles: the one from the left, seen in a mirror.
fn from_right(x: f64, quantiles: &[f64]) -> f64 {
    let n = quantiles.len();
    let below = quantiles.partition_point(|quantile| *quantile < x);
    match below {
        0 => 0.0,
        below if below == n => reference(n - 1, n),
        below => {
            let (x0, x1) = (quantiles[below], quantiles[below - 1]);
            let (y0, y1) = (reference(below, n), reference(below - 1, n));
            if x == x0 { y0 } else { (y1 - y0) / (x1 - x0) * (x - x0) + y0 }
        }
    }
}

/// Linear interpolation from references to quantiles.
fn inverse_quantile(x: f64, quantiles: &[f64], normal: bool) -> f64 {
    let (Some(&first), Some(&last)) = (quantiles.first(), quantiles.last()) else { return f64::NAN };
    let share = if normal { normal_share(x) } else { x };
    // Of both, the low end is the one that holds, as for `quantile`.
    if share <= 0.0 || (normal && share < BOUNDS_THRESHOLD) {
        return first;
    }
    if share >= 1.0 || (normal && share + BOUNDS_THRESHOLD > 1.0) {
        return last;
    }
    let n = quantiles.len();
    let (mut below, mut above) = (0, n);
    while above - below > 1 {
        let middle = usize::midpoint(below, above);
        if reference(middle, n) <= share { below = middle } else { above = middle }
    }
    let (y0, x0) = (quantiles[below], reference(below, n));
    match quantiles.get(below + 1) {
        Some(y1) if share != x0 && y0 != *y1 => (y1 - y0) / (reference(below + 1, n) - x0) * (share - x0) + y0,
        _ => y0,
    }
}

/// The share of the standard normal distribution that lies below `x`: what [`normal_quantile`] undoes.
fn normal_share(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value below which a share `p` of the standard normal distribution lies.
///
/// Newton's iteration on the complementary error function, which takes the error to the last digits in a few steps from
/// a rough start (Abramowitz and Stegun, 26.2.23). Infinite at and beyond 0 and 1.
///
/// ```
/// use drivetrain_plan::normal_quantile;
///
/// assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
/// ```
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 {
        // The distance to 1 is exact here.
        return -normal_quantile(1.0 - p);
    }
    let t = libm::sqrt(-2.0 * libm::log(p));
    let mut x = -(t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308))));
    for _ in 0..4 {
        let density = libm::exp(-0.5 * x * x) * 0.398_942_280_401_432_7;
        // Halley's correction of Newton's step.
        let step = (normal_share(x) - p) / density;
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abs => write!(f, "abs"),
            Self::Sqrt => write!(f, "sqrt"),
            Self::Exp => write!(f, "exp"),
            Self::Expm1 => write!(f, "expm1"),
            Self::Log => write!(f, "log"),
            Self::Log1p => write!(f, "log1p"),
            Self::Clip { low, high } => write!(f, "clip to [{low:?}, {high:?}]"),
            Self::IsMissing => write!(f, "is-missing"),
            Self::Bin { edges } => write!(f, "bin at {edges:?}"),
            Self::BoxCox { lambda } => write!(f, "box-cox({lambda:?})"),
            Self::YeoJohnson { lambda } => write!(f, "yeo-johnson({lambda:?})"),
            Self::Quantile { quantiles, normal } => {
                let to = if *normal { "normal" } else { "uniform" };
                write!(f, "quantile of {} to {to}", quantiles.len())
            }
            Self::InverseBoxCox { lambda } => write!(f, "inverse box-cox({lambda:?})"),
            Self::InverseYeoJohnson { lambda } => write!(f, "inverse yeo-johnson({lambda:?})"),
            Self::InverseQuantile { quantiles, normal } => {
                let from = if *normal { "normal" } else { "uniform" };
                write!(f, "{from} to quantile of {}", quantiles.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-14 * expected.abs().max(1e-300)
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (p, expected) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054_2),
            (0.025, -1.959_963_984_540_054_2),
            (0.841_344_746_068_542_9, 1.0),
            (1e-7, -5.199_337_582_192_816),
            (1e-300, -37.047_096_299_361_2),
        ] {
            assert!(
                (normal_quantile(p) - expected).abs() <= 4e-15 * expected.abs().max(1.0),
                "{p}: {}",
                normal_quantile(p)
            );
        }
    }

    #[test]
    fn power_transformations_at_known_points() {
        assert!(close(Function::BoxCox { lambda: 0.0 }.compute(std::f64::consts::E), 1.0));
        assert!(close(Function::BoxCox { lambda: 2.0 }.compute(3.0), 4.0));
        assert!(Function::BoxCox { lambda: 2.0 }.compute(-3.0).is_nan());
        assert_eq!(Function::YeoJohnson { lambda: 1.0 }.compute(1e300), 1e300);
        assert!(close(Function::YeoJohnson { lambda: 2.0 }.compute(2.0), 4.0));
        assert!(close(Function::YeoJohnson { lambda: 2.0 }.compute(-1.0), -std::f64::consts::LN_2));
    }

    #[test]
    fn a_bin_holds_its_lower_edge() {
        let bin = Function::Bin { edges: vec![1.0, 2.0] };
        let bins = [-9.0, 1.0, 1.5, 2.0, f64::INFINITY].map(|x| bin.compute(x));
        assert_eq!(bins, [0.0, 1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn clipping_keeps_the_sign_of_zero() {
        let clip = Function::Clip { low: 0.0, high: 1.0 };
        let clipped = [-1.0, -0.0, 0.0, 2.0, f64::NEG_INFINITY].map(|x| clip.compute(x).to_bits());
        assert_eq!(clipped, [0.0, -0.0, 0.0, 1.0, 0.0].map(f64::to_bits));
    }

    #[test]
    fn a_repeated_value_lands_in_the_middle_of_its_step() {
        let quantile = Function::Quantile { quantiles: vec![0.0, 1.0, 1.0, 1.0, 2.0], normal: false };
        let shares = [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0].map(|x| quantile.compute(x));
        assert_eq!(shares, [0.0, 0.0, 0.125, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn one_quantile_alone_has_the_share_0() {
        let uniform = Function::Quantile { quantiles: vec![3.0], normal: false };
        assert_eq!([2.0, 3.0, 4.0].map(|x| uniform.compute(x)), [0.0; 3]);
        let normal = Function::Quantile { quantiles: vec![3.0], normal: true };
        assert!(normal.compute(3.0) < -5.0 && normal.compute(4.0) > 5.0);
    }

    #[test]
    fn inverses_at_known_points() {
        assert!(close(Function::InverseBoxCox { lambda: 0.0 }.compute(1.0), std::f64::consts::E));
        assert!(close(Function::InverseBoxCox { lambda: 2.0 }.compute(4.0), 3.0));
        assert_eq!(Function::InverseBoxCox { lambda: 2.0 }.compute(-0.5), 0.0);
        assert_eq!(Function::InverseBoxCox { lambda: -2.0 }.compute(0.5), f64::INFINITY);
        // 1e308 * 100 is too large for a float, its square root is not.
        assert!((Function::InverseBoxCox { lambda: 100.0 }.compute(1e308).ln() - 3.1 * 10_f64.ln()).abs() < 1e-14);
        assert!(close(Function::InverseYeoJohnson { lambda: 2.0 }.compute(4.0), 2.0));
        assert!(close(Function::InverseYeoJohnson { lambda: 2.0 }.compute(-std::f64::consts::LN_2), -1.0));
        assert_eq!(Function::InverseYeoJohnson { lambda: 1.0 }.compute(-1e300), -1e300);
        for nowhere in [Function::InverseBoxCox { lambda: 2.0 }, Function::InverseYeoJohnson { lambda: 4.0 }] {
            assert!(nowhere.compute(-0.75).is_nan(), "{nowhere}");
        }
    }

    #[test]
    fn shares_lead_back_to_quantiles_and_beyond_the_ends_to_the_ends() {
        let quantiles = vec![0.0, 1.0, 1.0, 1.0, 2.0];
        let uniform = Function::InverseQuantile { quantiles: quantiles.clone(), normal: false };
        let found = [-1.0, 0.0, 0.125, 0.25, 0.5, 0.75, 0.875, 1.0, 7.0].map(|share| uniform.compute(share));
        assert_eq!(found, [0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.5, 2.0, 2.0]);
        let normal = Function::InverseQuantile { quantiles, normal: true };
        let found = [-9.0, -5.2, 0.0, 5.2, 9.0].map(|share| normal.compute(share));
        assert_eq!(found, [0.0, 0.0, 1.0, 2.0, 2.0]);
        for (quantiles, expected) in [(vec![3.0], 3.0), (vec![f64::INFINITY; 2], f64::INFINITY)] {
            assert_eq!(Function::InverseQuantile { quantiles, normal: false }.compute(0.5), expected);
        }
        for quantiles in [vec![], vec![f64::NAN; 2]] {
            assert!(Function::InverseQuantile { quantiles, normal: false }.compute(0.5).is_nan());
        }
    }

    #[test]
    fn constants_that_make_no_sense_are_faults() {
        assert!(Function::Clip { low: 1.0, high: 0.0 }.fault().is_some());
        assert!(Function::Bin { edges: vec![2.0, 1.0] }.fault().is_some());
        assert!(Function::YeoJohnson { lambda: f64::INFINITY }.fault().is_some());
        assert!(Function::Quantile { quantiles: vec![1.0, 0.0], normal: true }.fault().is_some());
        assert!(Function::InverseQuantile { quantiles: vec![1.0, f64::NAN], normal: true }.fault().is_some());
        assert!(Function::InverseBoxCox { lambda: f64::NEG_INFINITY }.fault().is_some());
        assert!(Function::Clip { low: 0.0, high: f64::INFINITY }.fault().is_none());
    }

    proptest! {
        #[test]
        fn missing_stays_missing_and_monotone_functions_keep_the_order(a in -1e6..1e6_f64, b in -1e6..1e6_f64, lambda in -3.0..3.0_f64) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            for function in [
                Function::Expm1,
                Function::Clip { low: -10.0, high: 1e5 },
                Function::Bin { edges: vec![-1e3, 0.0, 5.0] },
                Function::YeoJohnson { lambda },
                Function::Quantile { quantiles: vec![-1e5, -3.0, 0.0, 0.0, 12.0, 1e5], normal: true },
                Function::InverseQuantile { quantiles: vec![-1e5, -3.0, 0.0, 0.0, 12.0, 1e5], normal: true },
            ] {
                prop_assert!(function.compute(low) <= function.compute(high), "{function}");
                prop_assert!(function.compute(f64::NAN).is_nan());
            }
        }

        #[test]
        fn inverses_lead_back(x in -50.0..50.0_f64, lambda in -2.0..4.0_f64, steps in proptest::collection::vec(0.1..9.0_f64, 1..20)) {
            let quantiles: Vec<f64> = steps.iter().scan(-50.0, |sum, step| { *sum += step; Some(*sum) }).collect();
            let (low, high) = (quantiles[0], quantiles[quantiles.len() - 1]);
            let normal = steps.len() % 2 == 0;
            for (function, inverse, x, tolerance) in [
                (Function::BoxCox { lambda }, Function::InverseBoxCox { lambda }, x.abs() + 0.1, 1e-8),
                (Function::YeoJohnson { lambda }, Function::InverseYeoJohnson { lambda }, x, 1e-8),
                (
                    Function::Quantile { quantiles: quantiles.clone(), normal },
                    Function::InverseQuantile { quantiles, normal },
                    x.clamp(low, high),
                    // What is that close to an end counts as the end.
                    if normal { 2e-5 } else { 1e-12 },
                ),
            ] {
                let back = inverse.compute(function.compute(x));
                prop_assert!((back - x).abs() <= tolerance * x.abs().max(1.0), "{function}: {x} came back as {back}");
            }
        }
    }
}
