//! Products of columns.

use std::iter;

use drivetrain_plan::{Operand, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{DynPartialFit, Estimator, FitError, Fitted, ParameterError, PerColumn, Summary, arithmetic, fit_in_parts};

/// Products with more factors than these, counted together, would make no table that anyone could hold.
const MAX_FACTORS: u64 = 1 << 20;

/// All products of the columns up to a degree, like scikit-learn's `PolynomialFeatures`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. For columns `a` and `b` and degree 2 the outputs are
/// `1`, `a`, `b`, `a^2`, `a b` and `b^2`. A product is computed from the product of one factor less, multiplied in the
/// order of scikit-learn's, so that every bit is the same. Missing values, which scikit-learn refuses, make the products
/// missing.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, PolynomialFeatures};
///
/// let columns = vec![("a".into(), Column::from(vec![2_i64])), ("b".into(), Column::from(vec![0.5]))];
/// let products = PolynomialFeatures::new().fit_transform(&ColumnTable::new(columns)?, None)?;
/// assert_eq!(products.feature_names(), ["1", "a", "b", "a^2", "a b", "b^2"]);
/// assert_eq!(products.values().row(0).to_vec(), [1.0, 2.0, 0.5, 4.0, 1.0, 0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PolynomialFeaturesData", into = "PolynomialFeaturesData")]
pub struct PolynomialFeatures {
    degrees: (usize, usize),
    interaction_only: bool,
    include_bias: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolynomialFeaturesData {
    degree: (usize, usize),
    interaction_only: bool,
    include_bias: bool,
}

impl From<PolynomialFeatures> for PolynomialFeaturesData {
    fn from(features: PolynomialFeatures) -> Self {
        let PolynomialFeatures { degrees: degree, interaction_only, include_bias } = features;
        Self { degree, interaction_only, include_bias }
    }
}

impl TryFrom<PolynomialFeaturesData> for PolynomialFeatures {
    type Error = ParameterError;

    fn try_from(data: PolynomialFeaturesData) -> Result<Self, ParameterError> {
        let features = Self::new().degrees(data.degree.0, data.degree.1)?;
        Ok(features.interaction_only(data.interaction_only).include_bias(data.include_bias))
    }
}

impl Default for PolynomialFeatures {
    fn default() -> Self {
        Self { degrees: (0, 2), interaction_only: false, include_bias: true }
    }
}

impl PolynomialFeatures {
    /// All products of up to two factors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The largest number of factors.
    #[must_use]
    pub const fn degree(self, max: usize) -> Self {
        Self { degrees: (0, max), ..self }
    }

    /// The smallest and the largest number of factors. [`include_bias`](Self::include_bias) alone decides on the product
    /// of none.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when `min` is above `max`.
    pub fn degrees(self, min: usize, max: usize) -> Result<Self, ParameterError> {
        if min <= max {
            return Ok(Self { degrees: (min, max), ..self });
        }
        let (value, expected) = (format!("({min}, {max})"), "two numbers of factors, the smaller one first");
        Err(ParameterError::OutOfRange { name: "degree", value, expected })
    }

    /// Whether products with equal factors are left out.
    #[must_use]
    pub const fn interaction_only(self, interaction_only: bool) -> Self {
        Self { interaction_only, ..self }
    }

    /// Whether the product of no factor, 1, is the first output.
    #[must_use]
    pub const fn include_bias(self, include_bias: bool) -> Self {
        Self { include_bias, ..self }
    }

    /// Counts the factors of all products before any of them is made.
    fn check_size(self, columns: usize) -> Result<(), FitError> {
        let columns = columns as u64;
        let (mut products, mut factors) = (1_u64, 0_u64);
        for degree in 1..=self.degrees.1 as u64 {
            let choices =
                if self.interaction_only { columns.saturating_sub(degree - 1) } else { columns + (degree - 1) };
            products = products.saturating_mul(choices) / degree;
            factors = factors.saturating_add(products.saturating_mul(degree));
            if factors > MAX_FACTORS {
                return Err(FitError::TooManyFactors { estimator: "PolynomialFeatures", limit: MAX_FACTORS });
            }
            if products == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// What a [`PolynomialFeatures`] learned: the columns that are multiplied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittedPolynomialFeatures {
    parameters: PolynomialFeatures,
    schema: Schema,
}

/// A product: its factors as positions of columns, ascending, and the column of the plan that holds it.
struct Product {
    factors: Vec<usize>,
    column: String,
}

impl FittedPolynomialFeatures {
    /// `a^2 b` for the factors a, a, b.
    fn name(&self, factors: &[usize]) -> String {
        let powers = factors.chunk_by(|left, right| left == right).filter_map(|equal| {
            let column = &self.schema.fields().get(*equal.first()?)?.name;
            Some(if equal.len() > 1 { format!("{column}^{}", equal.len()) } else { column.clone() })
        });
        powers.collect::<Vec<_>>().join(" ")
    }

    /// The products of one factor more, in the order of their factors.
    fn next(&self, builder: &mut PlanBuilder, columns: &[String], products: &[Product]) -> Vec<Product> {
        let mut next = Vec::new();
        for (position, column) in columns.iter().enumerate() {
            let lowest = position + usize::from(self.parameters.interaction_only);
            for product in products.iter().filter(|product| product.factors.first() >= Some(&lowest)) {
                let factors: Vec<usize> = iter::once(position).chain(product.factors.iter().copied()).collect();
                let (left, right) = (Operand::Column(product.column.clone()), Operand::Column(column.clone()));
                let column = arithmetic::compute(builder, Operator::Multiply, left, right, &self.name(&factors));
                next.push(Product { factors, column });
            }
        }
        next
    }
}

impl Estimator for PolynomialFeatures {
    type Fitted = FittedPolynomialFeatures;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PerColumn for PolynomialFeatures {
    type Statistic = ();
    const NAME: &'static str = "PolynomialFeatures";

    fn learn(&self, schema: Schema, columns: Vec<()>) -> Result<Self::Fitted, FitError> {
        self.check_size(columns.len())?;
        let fitted = FittedPolynomialFeatures { parameters: *self, schema };
        if fitted.lower()?.outputs().is_empty() {
            let (min, max) = self.degrees;
            let reason = format!("{} columns have no product of {min} to {max} factors", columns.len());
            return Err(FitError::NothingKept { estimator: "PolynomialFeatures", reason });
        }
        Ok(fitted)
    }
}

impl Fitted for FittedPolynomialFeatures {
    fn lower(&self) -> Result<Plan, PlanError> {
        let (min, max) = self.parameters.degrees;
        let mut builder = PlanBuilder::new(self.schema.clone());
        if self.parameters.include_bias {
            let bias = arithmetic::constant(&mut builder, 1.0, "1");
            builder.output("1", &bias);
        }
        let columns: Vec<String> =
            self.schema.fields().iter().map(|field| arithmetic::float(&mut builder, field)).collect();
        let mut products: Vec<Product> = columns
            .iter()
            .enumerate()
            .map(|(position, column)| Product { factors: vec![position], column: column.clone() })
            .collect();
        for degree in 1..=max {
            if degree > 1 {
                products = self.next(&mut builder, &columns, &products);
            }
            if products.is_empty() {
                break;
            }
            for Product { factors, column } in products.iter().filter(|_| degree >= min) {
                builder.output(&self.name(factors), column);
            }
        }
        builder.build()
    }

    fn summary(&self) -> Summary {
        let (min, max) = self.parameters.degrees;
        Summary::new(format!("PolynomialFeatures of degree {min} to {max}"))
            .table(["column"], self.schema.names().map(|name| [name.to_owned()]))
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn table(columns: usize) -> ColumnTable {
        let names = (0..columns).map(|column| format!("x{column}"));
        ColumnTable::new(names.map(|name| (name, Column::from(vec![1.5, f64::NAN]))).collect()).unwrap()
    }

    #[test]
    fn missing_values_make_products_missing_and_leave_the_bias() {
        let products = PolynomialFeatures::new().fit_transform(&table(2), None).unwrap();
        assert_eq!(products.values().row(0).to_vec(), [1.0, 1.5, 1.5, 2.25, 2.25, 2.25]);
        let row = products.values().row(1).to_vec();
        assert!(row[0] == 1.0 && row[1..].iter().all(|value| value.is_nan()), "{row:?}");
    }

    #[test]
    fn each_product_is_one_multiplication() {
        let plan = PolynomialFeatures::new().degree(4).fit(&table(3), None).unwrap().lower().unwrap();
        // The bias is computed too; the three columns are not.
        assert_eq!(plan.ops().len(), plan.outputs().len() - 3);
    }

    #[test]
    fn what_gives_nothing_or_far_too_much_is_refused() {
        let error = PolynomialFeatures::new().degree(0).include_bias(false).fit(&table(2), None).unwrap_err();
        assert!(error.to_string().contains("2 columns have no product of 0 to 0 factors"), "{error}");
        let only = PolynomialFeatures::new().interaction_only(true).include_bias(false).degrees(3, 9).unwrap();
        assert!(only.fit(&table(2), None).is_err());
        for (degree, columns) in [(9, 60), (usize::MAX, 1), (usize::MAX, 2)] {
            let error = PolynomialFeatures::new().degree(degree).fit(&table(columns), None).unwrap_err();
            assert!(matches!(error, FitError::TooManyFactors { .. }), "{error}");
        }
        let one = PolynomialFeatures::new().interaction_only(true).degree(usize::MAX);
        assert_eq!(one.fit_transform(&table(2), None).unwrap().n_columns(), 4);
    }

    #[test]
    fn degrees_out_of_order_are_refused_also_when_they_are_read() {
        assert!(PolynomialFeatures::new().degrees(3, 2).is_err());
        let text = serde_json::to_string(&PolynomialFeatures::new().degrees(1, 3).unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<PolynomialFeatures>(&text).unwrap().degrees, (1, 3));
        assert!(serde_json::from_str::<PolynomialFeatures>(&text.replace("[1,3]", "[4,3]")).is_err());
    }
}
