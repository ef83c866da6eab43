//! Power transformations that make a distribution more like the normal one.

use drivetrain_plan::{Field, Function, Op, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    Estimator, FitError, Fitted, Moments, Summary, arithmetic, check_input, check_numeric, optimize::maximum,
    summary::number, widen,
};

/// The family of power transformations of a [`PowerTransformer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PowerMethod {
    /// For numbers of any sign: [`Function::YeoJohnson`].
    #[default]
    YeoJohnson,
    /// For numbers above 0: [`Function::BoxCox`].
    BoxCox,
}

/// Transforms each column by the power that makes it most like a normal distribution, then standardises it, like
/// scikit-learn's `PowerTransformer`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. The power, lambda, is that of the largest likelihood;
/// it is kept so small that numbers up to 20 times those at fit can be transformed. Missing values are skipped at fit and
/// stay missing. A constant column keeps its values under Yeo-Johnson and is refused under Box-Cox, as are numbers at and
/// below 0, which at transform become missing, as do at the inverse numbers that no number is transformed to.
///
/// Source: Box, G. and Cox, D. (1964), An Analysis of Transformations, doi:10.1111/j.2517-6161.1964.tb00553.x; Yeo, I.-K.
/// and Johnson, R. (2000), A new family of power transformations to improve normality or symmetry,
/// doi:10.1093/biomet/87.4.954.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, PowerTransformer};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 3.0, 4.0])), ("y".into(), Column::from(vec![2.0, 2.0, 5.0]))])?;
/// let fitted = PowerTransformer::new().fit(&table, None)?;
/// let lambdas: Vec<String> = fitted.columns().iter().map(|column| format!("{:.3}", column.lambda)).collect();
/// assert_eq!(lambdas, ["1.387", "-3.101"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerTransformer {
    method: PowerMethod,
    standardize: bool,
}

impl Default for PowerTransformer {
    fn default() -> Self {
        Self { method: PowerMethod::YeoJohnson, standardize: true }
    }
}

impl PowerTransformer {
    /// A transformer by Yeo-Johnson that standardises.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The family of transformations.
    #[must_use]
    pub const fn method(self, method: PowerMethod) -> Self {
        Self { method, ..self }
    }

    /// Whether what comes out has mean 0 and variance 1.
    #[must_use]
    pub const fn standardize(self, standardize: bool) -> Self {
        Self { standardize, ..self }
    }

    fn learn(self, field: &Field, values: &[f64]) -> Result<PowerColumn, FitError> {
        let (unit, lambda) = match self.method {
            PowerMethod::YeoJohnson => (1.0, yeo_johnson_lambda(values)),
            PowerMethod::BoxCox => {
                if let Some(row) = values.iter().position(|value| *value <= 0.0) {
                    let (column, value, expected) = (field.name.clone(), values[row], "numbers above 0");
                    return Err(FitError::OutOfDomain { estimator: "PowerTransformer", column, row, value, expected });
                }
                let present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
                if present.first().is_some_and(|first| present.iter().all(|value| value == first)) {
                    return Err(FitError::Constant { estimator: "PowerTransformer", column: field.name.clone() });
                }
                let ratios = Ratios::of(&present);
                // Powers of numbers around 1 keep their digits, and another unit changes mean and scale alone.
                let divides = self.standardize && !present.is_empty();
                (if divides { ratios.unit } else { 1.0 }, ratios.lambda())
            }
        };
        let mut column = PowerColumn { name: field.name.clone(), lambda, unit, mean: 0.0, scale: 1.0 };
        if self.standardize {
            let function = self.function(lambda);
            let transformed: Vec<f64> = values.iter().map(|value| function.compute(value / unit)).collect();
            let moments = Moments::of(&transformed);
            (column.mean, column.scale) = (moments.mean(), moments.scale());
        }
        Ok(column)
    }

    const fn function(self, lambda: f64) -> Function {
        match self.method {
            PowerMethod::YeoJohnson => Function::YeoJohnson { lambda },
            PowerMethod::BoxCox => Function::BoxCox { lambda },
        }
    }
}

/// How close to the best lambda the search stops; scipy's stop at 1.5 times this.
const TOLERANCE: f64 = 1e-8;

/// Half of the range of exponents, so that squares of what comes out stay within it: logarithms of the smallest and the
/// largest number.
fn half_range() -> (f64, f64) {
    let digits = libm::log(f64::EPSILON);
    (0.5 * (libm::log(f64::MIN_POSITIVE) - digits), 0.5 * (libm::log(f64::MAX) + digits))
}

/// The lambda of the largest likelihood; 1 for what cannot be told from a constant, NaN for nothing.
fn yeo_johnson_lambda(values: &[f64]) -> f64 {
    let moments = Moments::of(values);
    if moments.count() == 0 {
        return f64::NAN;
    }
    if moments.is_constant() {
        return 1.0;
    }
    let present = || values.iter().copied().filter(|value| !value.is_nan());
    let largest = libm::log1p(20.0 * present().fold(0.0, |largest: f64, value| largest.max(value.abs())));
    let (lowest, highest) = half_range();
    let (low, high) = (lowest / largest, highest / largest);
    let (low, high) = match (present().any(|value| value < 0.0), present().any(|value| value >= 0.0)) {
        (false, _) => (low, high),
        (true, false) => (2.0 - high, 2.0 - low),
        (true, true) => (low.max(2.0 - high), high.min(2.0 - low)),
    };
    let jacobian: f64 = present().map(|value| libm::log1p(value.abs()).copysign(value)).sum();
    let likelihood = |lambda: f64| {
        let function = Function::YeoJohnson { lambda };
        let transformed: Vec<f64> = present().map(|value| function.compute(value)).collect();
        log_likelihood(&transformed) + (lambda - 1.0) * jacobian
    };
    maximum(likelihood, low, high, TOLERANCE)
}

/// The logarithm of the likelihood of values under the normal distribution of their own mean and variance, but for what is
/// the same for all values; negative infinity where rounding leaves no variance.
fn log_likelihood(values: &[f64]) -> f64 {
    let variance = Moments::of(values).variance();
    // A variance that is no number, or too small for one, says nothing of the values.
    if variance >= f64::MIN_POSITIVE && variance.is_finite() {
        -0.5 * values.len() as f64 * libm::log(variance)
    } else {
        f64::NEG_INFINITY
    }
}

/// Positive numbers as ratios to their geometric mean.
struct Ratios {
    unit: f64,
    /// The logarithms of the ratios.
    logs: Vec<f64>,
    /// The logarithms of the smallest and the largest number.
    ends: (f64, f64),
}

impl Ratios {
    fn of(values: &[f64]) -> Self {
        let logs: Vec<f64> = values.iter().map(|value| libm::log(*value)).collect();
        let unit = libm::exp(Moments::of(&logs).mean());
        let ends =
            logs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| (low.min(*log), high.max(*log)));
        // Exact also where all ratios are near 1.
        let logs = values.iter().map(|value| libm::log1p((value - unit) / unit)).collect();
        Self { unit, logs, ends }
    }

    /// The lambda of the largest likelihood; NaN for nothing.
    ///
    /// The likelihood in the unit of the geometric mean, where its Jacobian is 1, does not depend on the unit of the
    /// values. It is concave: Kouider, E. and Chen, H. (1995), Concavity of Box-Cox log-likelihood function,
    /// doi:10.1016/0167-7152(94)00220-3.
    fn lambda(&self) -> f64 {
        if self.logs.is_empty() {
            return f64::NAN;
        }
        let (_, highest) = half_range();
        let widest = self.logs.iter().fold(0.0, |widest: f64, log| widest.max(log.abs())) + libm::log(20.0);
        let bound = highest / widest;
        // Nor may the numbers themselves overflow, when they are not standardised.
        let (smallest, largest) = self.ends;
        let low = if smallest < 0.0 { (-bound).max(2.0 * highest / smallest) } else { -bound };
        let high = if largest > 0.0 { bound.min(2.0 * highest / largest) } else { bound };
        let jacobian: f64 = self.logs.iter().sum();
        let likelihood = |lambda: f64| {
            let power = |log: &f64| if lambda == 0.0 { *log } else { libm::expm1(lambda * log) / lambda };
            let transformed: Vec<f64> = self.logs.iter().map(power).collect();
            log_likelihood(&transformed) + lambda * jacobian
        };
        maximum(likelihood, low, high, TOLERANCE)
    }
}

/// What a [`PowerTransformer`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPowerTransformer {
    parameters: PowerTransformer,
    schema: Schema,
    columns: Vec<PowerColumn>,
}

/// What a [`PowerTransformer`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerColumn {
    /// The column.
    pub name: String,
    /// Its power; NaN when there was no value.
    pub lambda: f64,
    /// What values are divided by before they are transformed: their geometric mean where they are then standardised after
    /// a Box-Cox transformation, otherwise 1.
    pub unit: f64,
    /// What is subtracted from what comes out.
    pub mean: f64,
    /// What is then divided by.
    pub scale: f64,
}

impl FittedPowerTransformer {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[PowerColumn] {
        &self.columns
    }
}

impl Estimator for PowerTransformer {
    type Fitted = FittedPowerTransformer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        let columns = x.schema().fields().iter();
        let columns = columns.map(|field| self.learn(field, &check_numeric(x, field, "PowerTransformer")?));
        let columns = columns.collect::<Result<_, FitError>>()?;
        Ok(FittedPowerTransformer { parameters: *self, schema: x.schema().clone(), columns })
    }
}

impl Fitted for FittedPowerTransformer {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for PowerColumn { name, lambda, unit, mean, scale } in &self.columns {
            let mut column = name.clone();
            let mut next = |builder: &mut PlanBuilder| {
                let output = builder.fresh(name);
                (std::mem::replace(&mut column, output.clone()), output)
            };
            if *unit != 1.0 {
                let (column, output) = next(&mut builder);
                builder.push(Op::Scale { column, center: 0.0, scale: *unit, output });
            }
            let (read, output) = next(&mut builder);
            builder.push(Op::Function { function: self.parameters.function(*lambda), column: read, output });
            if self.parameters.standardize {
                let (column, output) = next(&mut builder);
                builder.push(Op::Scale { column, center: *mean, scale: *scale, output });
            }
            builder.output(name, &column);
        }
        builder.build()
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let mut builder = widen::back_from(&self.lower()?);
        for PowerColumn { name, lambda, unit, mean, scale } in &self.columns {
            let spread = [(Operator::Multiply, *scale), (Operator::Add, *mean)];
            let spread = spread.into_iter().filter(|_| self.parameters.standardize).collect::<Vec<_>>();
            let column = arithmetic::steps(&mut builder, name, &spread);
            let function = match self.parameters.method {
                PowerMethod::YeoJohnson => Function::InverseYeoJohnson { lambda: *lambda },
                PowerMethod::BoxCox => Function::InverseBoxCox { lambda: *lambda },
            };
            let output = builder.fresh(name);
            builder.push(Op::Function { function, column, output: output.clone() });
            let unit = Some((Operator::Multiply, *unit)).filter(|(_, unit)| *unit != 1.0);
            let column = arithmetic::steps(&mut builder, &output, unit.as_slice());
            builder.output(name, &column);
        }
        builder.build().map(Some)
    }

    fn summary(&self) -> Summary {
        let method = match self.parameters.method {
            PowerMethod::YeoJohnson => "Yeo-Johnson",
            PowerMethod::BoxCox => "Box-Cox",
        };
        let summary = Summary::new(format!("PowerTransformer by {method}"));
        let columns = self.columns.iter();
        match (self.parameters.standardize, self.parameters.method) {
            (false, _) => summary.table(["column", "lambda"], columns.map(|c| [c.name.clone(), number(c.lambda)])),
            (true, PowerMethod::YeoJohnson) => {
                let rows = columns.map(|c| [c.name.clone(), number(c.lambda), number(c.mean), number(c.scale)]);
                summary.table(["column", "lambda", "mean", "scale"], rows)
            }
            (true, PowerMethod::BoxCox) => {
                let row = |c: &PowerColumn| [c.lambda, c.unit, c.mean, c.scale].map(number);
                let rows = columns.map(|column| {
                    let [lambda, unit, mean, scale] = row(column);
                    [column.name.clone(), lambda, unit, mean, scale]
                });
                summary.table(["column", "lambda", "unit", "mean", "scale"], rows)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};
    use proptest::prelude::*;

    use super::*;

    fn table(values: Vec<f64>) -> ColumnTable {
        ColumnTable::new(vec![("x".into(), Column::from(values))]).unwrap()
    }

    fn box_cox() -> PowerTransformer {
        PowerTransformer::new().method(PowerMethod::BoxCox)
    }

    proptest! {
        #[test]
        fn no_power_nearby_is_likelier(values in proptest::collection::vec(0.1..50.0_f64, 3..40)) {
            // Far apart, so that no power is so extreme that rounding blurs its likelihood.
            let values = [vec![0.1, 50.0], values].concat();
            for transformer in [PowerTransformer::new(), box_cox()] {
                let lambda = transformer.fit(&table(values.clone()), None).unwrap().columns()[0].lambda;
                let shift = if transformer.method == PowerMethod::BoxCox { 0.0 } else { 1.0 };
                let jacobian: f64 = values.iter().map(|value| (value + shift).ln()).sum();
                let likelihood = |lambda: f64| {
                    let function = transformer.function(lambda);
                    let transformed: Vec<f64> = values.iter().map(|value| function.compute(*value)).collect();
                    log_likelihood(&transformed) + (lambda - 1.0) * jacobian
                };
                for other in [lambda - 1e-3, lambda + 1e-3] {
                    prop_assert!(likelihood(lambda) >= likelihood(other) - 1e-9, "{lambda} is worse than {other}");
                }
            }
        }

        #[test]
        fn the_unit_of_positive_numbers_does_not_matter(values in proptest::collection::vec(0.1..50.0_f64, 3..20), exponent in -20..20_i32) {
            // Far apart, so that no power is near the bounds, which the unit does move.
            let values = [vec![0.1, 50.0], values].concat();
            let scaled: Vec<f64> = values.iter().map(|value| value * 10_f64.powi(exponent)).collect();
            let before = box_cox().fit_transform(&table(values), None).unwrap();
            let after = box_cox().fit_transform(&table(scaled), None).unwrap();
            for (before, after) in before.values().iter().zip(after.values()) {
                prop_assert!((before - after).abs() < 1e-5, "{before} became {after}");
            }
        }
    }

    #[test]
    fn extreme_magnitudes_neither_overflow_nor_vanish() {
        for magnitude in [1e-100, 1e100] {
            let values: Vec<f64> = [1.0, 2.0, 2.5, 3.0, 7.0].iter().map(|value| value * magnitude).collect();
            for transformer in [PowerTransformer::new(), box_cox()] {
                let output = transformer.fit_transform(&table(values.clone()), None).unwrap();
                let moments = Moments::of(&output.values().column(0).to_vec());
                // Yeo-Johnson's powers of 1e100 differ in their last digits alone.
                let tolerance = if transformer.method == PowerMethod::BoxCox { 1e-9 } else { 1e-2 };
                let (mean, variance) = (moments.mean(), moments.variance());
                assert!(mean.abs() < tolerance && (variance - 1.0).abs() < 1e-9, "{magnitude}: {mean}, {variance}");
            }
        }
    }

    #[test]
    fn numbers_far_from_1_and_close_to_each_other_keep_their_differences() {
        // Raised to the power of about -600, numbers near 1000 leave nothing of a float.
        let values: Vec<f64> = (0..50).map(|row| 1000.0 - (1.0 - f64::from(row) / 50.0).ln()).collect();
        let output = box_cox().fit_transform(&table(values), None).unwrap();
        let moments = Moments::of(&output.values().column(0).to_vec());
        assert!(moments.mean().abs() < 1e-9 && (moments.variance() - 1.0).abs() < 1e-9);
        assert!(output.values().column(0).iter().is_sorted());
    }

    #[test]
    fn constants_stay_or_are_refused_and_nothing_stays_missing() {
        let output = PowerTransformer::new().standardize(false).fit_transform(&table(vec![7.0, 7.0]), None).unwrap();
        assert_eq!(output.values().column(0).to_vec(), [7.0, 7.0]);
        let error = box_cox().fit(&table(vec![7.0, f64::NAN, 7.0]), None).unwrap_err();
        assert_eq!(error.to_string(), "column `x` is constant, which PowerTransformer cannot take");
        for transformer in [PowerTransformer::new(), box_cox(), box_cox().standardize(false)] {
            let fitted = transformer.fit(&table(vec![f64::NAN]), None).unwrap();
            assert!(fitted.transform(&table(vec![3.0])).unwrap().values()[(0, 0)].is_nan());
        }
    }

    #[test]
    fn what_no_number_is_transformed_to_comes_back_missing() {
        for transformer in [PowerTransformer::new(), box_cox(), box_cox().standardize(false)] {
            let fitted = transformer.fit(&table(vec![0.1, 0.2, 0.25, 5.0, f64::NAN]), None).unwrap();
            // The power is negative, and what comes of the largest numbers is near a bound.
            assert!(fitted.columns()[0].lambda < 0.0);
            let back = fitted.inverse_transform(&table(vec![1e3, f64::NAN])).unwrap();
            let back = back.column("x").unwrap().into_owned();
            assert!(back.is_missing(0) && back.is_missing(1), "{back:?}");
        }
    }

    #[test]
    fn a_summary_shows_what_is_done_and_no_more() {
        let fitted = |transformer: PowerTransformer| transformer.fit(&table(vec![7.0, 7.0]), None).unwrap();
        let text = fitted(PowerTransformer::new()).summary().to_string();
        let expected = "PowerTransformer by Yeo-Johnson\n  column  lambda  mean  scale\n  x       1.0     7.0   1.0\n";
        assert_eq!(text, expected);
        let text = fitted(PowerTransformer::new().standardize(false)).summary().to_string();
        assert_eq!(text, "PowerTransformer by Yeo-Johnson\n  column  lambda\n  x       1.0\n");
    }

    #[test]
    fn numbers_that_have_no_power_are_refused_with_their_place() {
        let error = box_cox().fit(&table(vec![1.0, f64::NAN, 0.0]), None).unwrap_err();
        let expected = "column `x`, row 2: PowerTransformer cannot take 0; it takes numbers above 0";
        assert_eq!(error.to_string(), expected);
        let fitted = box_cox().fit(&table(vec![1.0, 2.0, 4.0]), None).unwrap();
        let later = fitted.transform(&table(vec![-1.0, 2.0])).unwrap();
        assert!(later.values()[(0, 0)].is_nan() && later.values()[(1, 0)].abs() < 1e-7);
    }
}
