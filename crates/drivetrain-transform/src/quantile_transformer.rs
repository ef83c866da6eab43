//! Mapping to a uniform or normal distribution by quantiles.

use std::num::NonZeroUsize;

use drivetrain_plan::{Function, Op, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    Estimator, FitError, Fitted, ParameterError, Summary, check_input, check_numeric, random::Draws,
    statistics::percentile, summary::number, widen,
};

/// The distribution that a [`QuantileTransformer`] maps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputDistribution {
    /// Uniform between 0 and 1.
    #[default]
    Uniform,
    /// Standard normal, cut off about 5.2 standard deviations from 0.
    Normal,
}

/// Maps each column to a uniform or normal distribution by its quantiles, like scikit-learn's `QuantileTransformer`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. Missing values are skipped at fit and stay missing;
/// a column without any value at fit comes out missing. Values between two quantiles are interpolated; values beyond
/// those at fit go to the ends of the distribution, and the inverse leads from there to the smallest and the largest.
///
/// `n_quantiles` (1000) are taken, but no more than there are rows to take them from: tables of more rows than
/// `subsample` (10 000) are represented by as many rows, drawn without replacement by `random_state` (0). The draws are
/// not numpy's, so that a table that is drawn from gives the numbers of scikit-learn only up to the chance of the draw.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, QuantileTransformer};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 10.0, 1000.0, 2.0, 3.0]))])?;
/// let uniform = QuantileTransformer::new().fit_transform(&table, None)?;
/// assert_eq!(uniform.values().column(0).to_vec(), [0.0, 0.75, 1.0, 0.25, 0.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileTransformer {
    n_quantiles: NonZeroUsize,
    output_distribution: OutputDistribution,
    subsample: Option<NonZeroUsize>,
    random_state: u64,
}

impl Default for QuantileTransformer {
    fn default() -> Self {
        Self {
            n_quantiles: const { NonZeroUsize::new(1000).expect("not 0") },
            output_distribution: OutputDistribution::Uniform,
            subsample: const { NonZeroUsize::new(10_000) },
            random_state: 0,
        }
    }
}

impl QuantileTransformer {
    /// A transformer to the uniform distribution, by 1000 quantiles.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of quantiles; where fewer rows are used, that of the rows.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is 0.
    pub fn n_quantiles(self, n_quantiles: usize) -> Result<Self, ParameterError> {
        Ok(Self { n_quantiles: ParameterError::at_least_1("n_quantiles", n_quantiles)?, ..self })
    }

    /// The distribution to map to.
    #[must_use]
    pub const fn output_distribution(self, output_distribution: OutputDistribution) -> Self {
        Self { output_distribution, ..self }
    }

    /// The number of rows above which as many are drawn; `None` to use all.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is 0.
    pub fn subsample(self, subsample: Option<usize>) -> Result<Self, ParameterError> {
        let subsample = subsample.map(|rows| ParameterError::at_least_1("subsample", rows)).transpose()?;
        Ok(Self { subsample, ..self })
    }

    /// The seed of the draw.
    #[must_use]
    pub const fn random_state(self, random_state: u64) -> Self {
        Self { random_state, ..self }
    }

    /// The quantiles of sorted values.
    fn quantiles(&self, sorted: &[f64], n_rows: usize) -> Vec<f64> {
        let n = self.n_quantiles.get().min(n_rows);
        let step = if n > 1 { 1.0 / (n - 1) as f64 } else { 0.0 };
        let percents = (0..n).map(|index| if n > 1 && index == n - 1 { 100.0 } else { index as f64 * step * 100.0 });
        let mut highest = f64::NAN;
        let ascending = percents.map(|percent| {
            // Interpolation can put a quantile a rounding error below the one before.
            highest = percentile(sorted, percent).unwrap_or(f64::NAN).max(highest);
            highest
        });
        ascending.collect()
    }
}

/// What a [`QuantileTransformer`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedQuantileTransformer {
    parameters: QuantileTransformer,
    schema: Schema,
    columns: Vec<QuantileColumn>,
}

/// What a [`QuantileTransformer`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileColumn {
    /// The column.
    pub name: String,
    /// Its quantiles, ascending and equally spaced from the smallest to the largest value; NaN when there was none.
    pub quantiles: Vec<f64>,
}

impl FittedQuantileTransformer {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[QuantileColumn] {
        &self.columns
    }

    /// The plan that computes a function of each column, which is made of its quantiles and whether they are mapped to the
    /// normal distribution.
    fn each(&self, mut builder: PlanBuilder, function: impl Fn(Vec<f64>, bool) -> Function) -> Result<Plan, PlanError> {
        let normal = self.parameters.output_distribution == OutputDistribution::Normal;
        for QuantileColumn { name, quantiles } in &self.columns {
            let (function, output) = (function(quantiles.clone(), normal), builder.fresh(name));
            builder.push(Op::Function { function, column: name.clone(), output: output.clone() });
            builder.output(name, &output);
        }
        builder.build()
    }
}

impl Estimator for QuantileTransformer {
    type Fitted = FittedQuantileTransformer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        let rows = self.subsample.map(NonZeroUsize::get).filter(|&rows| rows < x.n_rows());
        let rows = rows.map(|rows| Draws::new(self.random_state).permutation(x.n_rows(), rows));
        let columns = x.schema().fields().iter().map(|field| {
            let values = check_numeric(x, field, "QuantileTransformer")?;
            let mut values = match &rows {
                Some(rows) => rows.iter().map(|&row| values[row]).collect(),
                None => values.into_owned(),
            };
            let n_rows = values.len();
            values.retain(|value| !value.is_nan());
            values.sort_unstable_by(f64::total_cmp);
            Ok(QuantileColumn { name: field.name.clone(), quantiles: self.quantiles(&values, n_rows) })
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        Ok(FittedQuantileTransformer { parameters: *self, schema: x.schema().clone(), columns })
    }
}

impl Fitted for FittedQuantileTransformer {
    fn lower(&self) -> Result<Plan, PlanError> {
        self.each(PlanBuilder::new(self.schema.clone()), |quantiles, normal| Function::Quantile { quantiles, normal })
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let builder = widen::back_from(&self.lower()?);
        self.each(builder, |quantiles, normal| Function::InverseQuantile { quantiles, normal }).map(Some)
    }

    fn summary(&self) -> Summary {
        let to = match self.parameters.output_distribution {
            OutputDistribution::Uniform => "uniform",
            OutputDistribution::Normal => "normal",
        };
        let rows = self.columns.iter().map(|QuantileColumn { name, quantiles }| {
            let at = |percent| number(percentile(quantiles, percent).unwrap_or(f64::NAN));
            let [min, low, median, high, max] = [0.0, 25.0, 50.0, 75.0, 100.0].map(at);
            [name.clone(), quantiles.len().to_string(), min, low, median, high, max]
        });
        let header = ["column", "quantiles", "min", "25%", "50%", "75%", "max"];
        Summary::new(format!("QuantileTransformer to {to}")).table(header, rows)
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

    proptest! {
        #[test]
        fn the_order_is_kept_and_quantiles_ascend(
            values in proptest::collection::vec(prop_oneof![-1e3..1e3_f64, (-3..3_i32).prop_map(f64::from)], 1..60),
            n_quantiles in 1_usize..70,
        ) {
            let transformer = QuantileTransformer::new().n_quantiles(n_quantiles).unwrap();
            for distribution in [OutputDistribution::Uniform, OutputDistribution::Normal] {
                let fitted = transformer.output_distribution(distribution).fit(&table(values.clone()), None).unwrap();
                let quantiles = &fitted.columns()[0].quantiles;
                prop_assert_eq!(quantiles.len(), n_quantiles.min(values.len()));
                prop_assert!(quantiles.is_sorted());
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                let found = fitted.transform(&table(sorted)).unwrap().values().column(0).to_vec();
                prop_assert!(found.is_sorted(), "{found:?}");
            }
        }
    }

    #[test]
    fn more_quantiles_than_values_ascend_also_between_huge_ones() {
        let mut values = vec![f64::NAN; 40];
        values.extend([f64::MIN / 2.0, f64::MAX, 0.0]);
        let fitted = QuantileTransformer::new().fit(&table(values), None).unwrap();
        let quantiles = &fitted.columns()[0].quantiles;
        assert!(quantiles.is_sorted() && quantiles.iter().all(|quantile| quantile.is_finite()), "{quantiles:?}");
        assert!(fitted.lower().is_ok());
    }

    #[test]
    fn a_draw_depends_on_its_seed_alone_and_represents_the_table() {
        let all = table((0..5000).map(f64::from).collect());
        let transformer = QuantileTransformer::new().n_quantiles(101).unwrap().subsample(Some(1000)).unwrap();
        let fitted = transformer.fit(&all, None).unwrap();
        assert_eq!(fitted, transformer.fit(&all, None).unwrap());
        let other = transformer.random_state(1).fit(&all, None).unwrap();
        assert_ne!(fitted.columns(), other.columns());
        let median = fitted.columns()[0].quantiles[50];
        // Six standard deviations of the median of 1000 rows.
        assert!((median - 2500.0).abs() < 6.0 * 2500.0 / 1000_f64.sqrt(), "{median}");
        let fewer = QuantileTransformer::new().subsample(Some(50)).unwrap().fit(&all, None).unwrap();
        assert_eq!(fewer.columns()[0].quantiles.len(), 50);
    }

    #[test]
    fn beyond_the_ends_there_is_no_way_back_but_to_the_ends() {
        for distribution in [OutputDistribution::Uniform, OutputDistribution::Normal] {
            let transformer = QuantileTransformer::new().output_distribution(distribution);
            let fitted = transformer.fit(&table(vec![4.0, 1.0, 2.0]), None).unwrap();
            let features = fitted.run(&table(vec![-7.0, 2.0, 3.0, 99.0, f64::NAN])).unwrap();
            let back = fitted.inverse_transform(&features).unwrap().column("x").unwrap().into_owned();
            let back = back.to_f64().unwrap();
            assert!(back[..4].iter().zip([1.0, 2.0, 3.0, 4.0]).all(|(x, y)| (x - y).abs() < 1e-14), "{back:?}");
            assert!(back[4].is_nan());
        }
    }

    #[test]
    fn a_summary_has_the_quarters_however_many_quantiles_there_are() {
        let values = table((0..=100).map(f64::from).collect());
        let summary = |n| QuantileTransformer::new().n_quantiles(n).unwrap().fit(&values, None).unwrap().summary();
        let text = "QuantileTransformer to uniform\n  column  quantiles  min  25%   50%   75%   max\n";
        assert_eq!(summary(11).to_string(), format!("{text}  x       11         0.0  25.0  50.0  75.0  100.0\n"));
        assert!(summary(1).to_string().ends_with("1          0.0  0.0  0.0  0.0  0.0\n"));
    }

    #[test]
    fn numbers_of_nothing_are_refused_also_when_they_are_read() {
        let error = QuantileTransformer::new().n_quantiles(0).unwrap_err();
        assert_eq!(error.to_string(), "n_quantiles is 0: expected a number of at least 1");
        assert!(QuantileTransformer::new().subsample(Some(0)).is_err());
        let text = serde_json::to_string(&QuantileTransformer::new()).unwrap();
        assert_eq!(serde_json::from_str::<QuantileTransformer>(&text).unwrap(), QuantileTransformer::new());
        assert!(serde_json::from_str::<QuantileTransformer>(&text.replace("1000,", "0,")).is_err());
    }
}
