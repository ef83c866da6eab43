//! Numbers as bins.

use std::{collections::BTreeMap, num::NonZeroUsize};

use drivetrain_plan::{
    Categories, DataType, Function, Op, Operator, Plan, PlanBuilder, PlanError, Schema, Table, UnknownCategory,
};
use serde::{Deserialize, Serialize};

use crate::{
    Estimator, Extremes, FitError, Fitted, ParameterError, QuantileMethod, Statistic, Summary, arithmetic,
    at_least_two::AtLeastTwo,
    categories::refuse_absent,
    check_input, check_numeric,
    random::Draws,
    summary::{list, number},
    widen,
};

/// What comes out of a [`KBinsDiscretizer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BinEncoding {
    /// One column per bin, as scikit-learn's `onehot-dense`.
    #[default]
    OneHot,
    /// The number of the bin.
    Ordinal,
}

/// How a [`KBinsDiscretizer`] chooses the edges of bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BinStrategy {
    /// Bins of equal width.
    Uniform,
    /// Bins of about equally many values.
    #[default]
    Quantile,
}

/// Cuts each column into bins, like scikit-learn's `KBinsDiscretizer`.
///
/// Takes boolean, `int64` and `float64` columns without missing values and gives `float64`. A bin holds its lower edge; the
/// first and the last reach on without end. Bins narrower than 1e-8 are merged with the next one by the strategy
/// [`BinStrategy::Quantile`]; a constant column has one bin. A missing value at transform is in no bin: its number is
/// missing, its one-hot columns are 0.
///
/// Tables of more than `subsample` (200 000) rows are represented by as many rows, drawn with replacement by `random_state`
/// (0); the draws are not numpy's. The strategy `kmeans` and sample weights are not there.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{BinEncoding, BinStrategy, Estimator, KBinsDiscretizer};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![0.0, 1.0, 2.0, 9.0]))])?;
/// let bins = KBinsDiscretizer::new().n_bins(3)?.strategy(BinStrategy::Uniform);
/// let names = bins.fit_transform(&table, None)?.feature_names().to_vec();
/// assert_eq!(names, ["x_0.0", "x_1.0", "x_2.0"]);
/// let numbers = bins.encode(BinEncoding::Ordinal).fit_transform(&table, None)?;
/// assert_eq!(numbers.values().column(0).to_vec(), [0.0, 0.0, 0.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KBinsDiscretizer {
    n_bins: AtLeastTwo,
    columns: BTreeMap<String, AtLeastTwo>,
    encode: BinEncoding,
    strategy: BinStrategy,
    quantile_method: QuantileMethod,
    subsample: Option<NonZeroUsize>,
    random_state: u64,
}

impl Default for KBinsDiscretizer {
    fn default() -> Self {
        Self {
            n_bins: AtLeastTwo::FIVE,
            columns: BTreeMap::new(),
            encode: BinEncoding::default(),
            strategy: BinStrategy::default(),
            quantile_method: QuantileMethod::default(),
            subsample: const { NonZeroUsize::new(200_000) },
            random_state: 0,
        }
    }
}

impl KBinsDiscretizer {
    /// A discretizer to 5 bins per column by quantiles, one-hot.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of bins.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is below 2.
    pub fn n_bins(self, n_bins: usize) -> Result<Self, ParameterError> {
        Ok(Self { n_bins: AtLeastTwo::new("n_bins", n_bins)?, ..self })
    }

    /// The number of bins of one column, where it is not that of the others.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is below 2.
    pub fn column_n_bins(mut self, column: &str, n_bins: usize) -> Result<Self, ParameterError> {
        self.columns.insert(column.to_owned(), AtLeastTwo::new("n_bins", n_bins)?);
        Ok(self)
    }

    /// What comes out.
    #[must_use]
    pub fn encode(self, encode: BinEncoding) -> Self {
        Self { encode, ..self }
    }

    /// How the edges are chosen.
    #[must_use]
    pub fn strategy(self, strategy: BinStrategy) -> Self {
        Self { strategy, ..self }
    }

    /// What a quantile is, for the strategy that uses them.
    #[must_use]
    pub fn quantile_method(self, quantile_method: QuantileMethod) -> Self {
        Self { quantile_method, ..self }
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
    pub fn random_state(self, random_state: u64) -> Self {
        Self { random_state, ..self }
    }

    /// The edges of the bins of a column's values.
    fn edges(&self, mut values: Vec<f64>, n_bins: usize) -> Vec<f64> {
        let mut extremes = Extremes::default();
        extremes.feed(&values);
        let (low, high) = (extremes.min(), extremes.max());
        if low == high {
            return vec![f64::NEG_INFINITY, f64::INFINITY];
        }
        match self.strategy {
            BinStrategy::Uniform => {
                let step = (high - low) / n_bins as f64;
                (0..n_bins).map(|index| index as f64 * step + low).chain([high]).collect()
            }
            BinStrategy::Quantile => {
                values.sort_unstable_by(f64::total_cmp);
                let step = 100.0 / n_bins as f64;
                let percents = (0..n_bins).map(|index| index as f64 * step).chain([100.0]);
                let quantiles = percents.filter_map(|percent| self.quantile_method.quantile(&values, percent / 100.0));
                let mut before = f64::NEG_INFINITY;
                let wide = quantiles.filter(|edge| *edge - std::mem::replace(&mut before, *edge) > 1e-8);
                wide.collect()
            }
        }
    }
}

/// What a [`KBinsDiscretizer`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedKBinsDiscretizer {
    encode: BinEncoding,
    schema: Schema,
    columns: Vec<BinnedColumn>,
}

/// What a [`KBinsDiscretizer`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct BinnedColumn {
    /// The column.
    pub name: String,
    /// The edges of its bins, ascending, those at the ends among them; infinite ones for a constant column.
    pub bin_edges: Vec<f64>,
}

impl BinnedColumn {
    /// The number of bins.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.inner_edges().len() + 1
    }

    /// The middle of each bin: what the inverse gives. NaN for that of a constant column, as in scikit-learn.
    #[must_use]
    pub fn bin_centers(&self) -> Vec<f64> {
        match self.bin_edges.as_slice() {
            // All bins were too narrow.
            [only] => vec![*only],
            edges => edges.windows(2).map(|edges| f64::midpoint(edges[0], edges[1])).collect(),
        }
    }

    fn inner_edges(&self) -> &[f64] {
        match self.bin_edges.as_slice() {
            [_, inner @ .., _] => inner,
            _ => &[],
        }
    }
}

impl BinnedColumn {
    /// The numbers of the bins.
    fn bins(&self) -> Categories {
        Categories::Float64((0..self.n_bins()).map(|bin| bin as f64).collect())
    }

    /// The names of one output per bin.
    fn feature_names(&self) -> Vec<String> {
        let bins = self.bins();
        let labels = (0..bins.len()).filter_map(|bin| bins.label(bin));
        labels.map(|label| format!("{}_{label}", self.name)).collect()
    }
}

impl FittedKBinsDiscretizer {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[BinnedColumn] {
        &self.columns
    }
}

impl Estimator for KBinsDiscretizer {
    type Fitted = FittedKBinsDiscretizer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        refuse_absent(x.schema(), self.columns.keys(), "KBinsDiscretizer")?;
        let rows = self.subsample.map(NonZeroUsize::get).filter(|&rows| rows < x.n_rows());
        let rows = rows.map(|rows| Draws::new(self.random_state).with_replacement(x.n_rows(), rows));
        let columns = x.schema().fields().iter().map(|field| {
            let values = check_numeric(x, field, "KBinsDiscretizer")?;
            if let Some(row) = values.iter().position(|value| value.is_nan()) {
                return Err(FitError::MissingValue { estimator: "KBinsDiscretizer", column: field.name.clone(), row });
            }
            let values = match &rows {
                Some(rows) => rows.iter().map(|&row| values[row]).collect(),
                None => values.into_owned(),
            };
            let n_bins = self.columns.get(&field.name).unwrap_or(&self.n_bins).get();
            Ok(BinnedColumn { name: field.name.clone(), bin_edges: self.edges(values, n_bins) })
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        Ok(FittedKBinsDiscretizer { encode: self.encode, schema: x.schema().clone(), columns })
    }
}

impl Fitted for FittedKBinsDiscretizer {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for binned in &self.columns {
            let bin = builder.fresh(&binned.name);
            let function = Function::Bin { edges: binned.inner_edges().to_vec() };
            builder.push(Op::Function { function, column: binned.name.clone(), output: bin.clone() });
            if self.encode == BinEncoding::Ordinal {
                builder.output(&binned.name, &bin);
                continue;
            }
            let categories = binned.bins();
            let names = binned.feature_names();
            let outputs: Vec<String> = names.iter().map(|name| builder.fresh(name)).collect();
            for (name, output) in names.iter().zip(&outputs) {
                builder.output(name, output);
            }
            let unknown = UnknownCategory::Ignore;
            builder.push(Op::OneHot { column: bin, categories, missing: false, unknown, outputs });
        }
        builder.build()
    }

    /// Every bin leads to its middle, and no bin to a missing value, as it came from one.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let mut builder = widen::back_from(&self.lower()?);
        for binned in &self.columns {
            let bin = match self.encode {
                BinEncoding::Ordinal => binned.name.clone(),
                BinEncoding::OneHot => {
                    let bin = builder.fresh(&binned.name);
                    builder.push(Op::ArgMax { columns: binned.feature_names(), output: bin.clone() });
                    bin
                }
            };
            let centers = binned.bin_centers();
            let output = if centers.iter().any(|center| center.is_nan()) {
                arithmetic::steps(&mut builder, &bin, &[(Operator::Multiply, f64::NAN)])
            } else {
                let output = builder.fresh(&binned.name);
                builder.push(Op::Decode {
                    column: bin,
                    values: (0..centers.len()).map(|bin| bin as f64).collect(),
                    // Not necessarily distinct: bins may have no width.
                    categories: Categories::Float64(centers),
                    missing: Some(f64::NAN),
                    unknown: UnknownCategory::Error,
                    to: DataType::Float64,
                    output: output.clone(),
                });
                output
            };
            builder.output(&binned.name, &output);
        }
        builder.build().map(Some)
    }

    fn summary(&self) -> Summary {
        let rows = self.columns.iter().map(|binned| {
            let edges = match binned.inner_edges() {
                [] => "all in one".to_owned(),
                _ => list(binned.bin_edges.iter().map(|edge| number(*edge))),
            };
            [binned.name.clone(), binned.n_bins().to_string(), edges]
        });
        Summary::new("KBinsDiscretizer").table(["column", "bins", "edges"], rows)
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

    fn ordinal() -> KBinsDiscretizer {
        KBinsDiscretizer::new().encode(BinEncoding::Ordinal)
    }

    proptest! {
        #[test]
        fn every_value_is_between_the_edges_of_its_bin(
            values in proptest::collection::vec(prop_oneof![-1e3..1e3_f64, (-3..3_i32).prop_map(f64::from)], 1..40),
            n_bins in 2_usize..9,
        ) {
            for strategy in [BinStrategy::Uniform, BinStrategy::Quantile] {
                let fitted = ordinal().strategy(strategy).n_bins(n_bins).unwrap().fit(&table(values.clone()), None).unwrap();
                let binned = &fitted.columns()[0];
                prop_assert!(binned.bin_edges.is_sorted() && binned.n_bins() <= n_bins);
                let found = fitted.transform(&table(values.clone())).unwrap().values().column(0).to_vec();
                for (value, bin) in values.iter().zip(found) {
                    let below = binned.inner_edges().iter().filter(|edge| *edge <= value).count();
                    prop_assert_eq!(bin, below as f64);
                }
            }
        }
    }

    #[test]
    fn columns_have_bins_of_their_own_number() {
        let columns =
            vec![("a".into(), Column::from(vec![1_i64, 2, 3, 4])), ("b".into(), Column::from(vec![1_i64, 2, 3, 4]))];
        let both = ColumnTable::new(columns).unwrap();
        let fitted =
            KBinsDiscretizer::new().n_bins(2).unwrap().column_n_bins("b", 4).unwrap().fit(&both, None).unwrap();
        assert_eq!([fitted.columns()[0].n_bins(), fitted.columns()[1].n_bins()], [2, 4]);
        let error = KBinsDiscretizer::new().column_n_bins("c", 4).unwrap().fit(&both, None).unwrap_err();
        assert_eq!(error.to_string(), "KBinsDiscretizer names columns that are not there: c");
    }

    #[test]
    fn a_missing_value_is_refused_at_fit_and_in_no_bin_later() {
        let error = ordinal().fit(&table(vec![1.0, f64::NAN]), None).unwrap_err();
        assert_eq!(error.to_string(), "column `x`, row 1: KBinsDiscretizer cannot take a missing value");
        let fitted = ordinal().fit(&table(vec![1.0, 2.0]), None).unwrap();
        assert!(fitted.transform(&table(vec![f64::NAN])).unwrap().values()[(0, 0)].is_nan());
        let fitted = KBinsDiscretizer::new().n_bins(2).unwrap().fit(&table(vec![1.0, 2.0]), None).unwrap();
        assert_eq!(fitted.transform(&table(vec![f64::NAN])).unwrap().values().row(0).to_vec(), [0.0, 0.0]);
    }

    #[test]
    fn bins_lead_to_their_middle_and_what_is_none_is_refused() {
        let train = ColumnTable::new(vec![
            ("x".into(), Column::from(vec![0.0, 1.0, 8.0])),
            ("same".into(), Column::from(vec![5_i64; 3])),
            ("narrow".into(), Column::from(vec![1.0, 1.0 + 1e-12, 1.0 + 2e-12])),
        ]);
        let train = train.unwrap();
        let bins = KBinsDiscretizer::new().n_bins(2).unwrap();
        for encode in [BinEncoding::Ordinal, BinEncoding::OneHot] {
            let fitted = bins.clone().encode(encode).fit(&train, None).unwrap();
            let back = fitted.inverse_transform(&fitted.run(&train).unwrap()).unwrap();
            let back = |name: &str| back.column(name).unwrap().to_f64().unwrap().into_owned();
            assert_eq!((back("x"), back("narrow")), (vec![0.5, 4.5, 4.5], vec![1.0; 3]));
            assert!(back("same").iter().all(|value| value.is_nan()));
        }
        let fitted = ordinal().fit(&table(vec![1.0, 2.0]), None).unwrap();
        assert!(fitted.inverse_transform(&table(vec![f64::NAN])).unwrap().column("x").unwrap().is_missing(0));
        let error = fitted.inverse_transform(&table(vec![0.0, 5.0])).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 1: 5 stands for no category");
    }

    #[test]
    fn a_summary_has_the_edges() {
        let columns = vec![("x".into(), Column::from(vec![0.0, 9.0])), ("same".into(), Column::from(vec![5.0, 5.0]))];
        let bins = KBinsDiscretizer::new().n_bins(3).unwrap().strategy(BinStrategy::Uniform);
        let text = bins.fit(&ColumnTable::new(columns).unwrap(), None).unwrap().summary().to_string();
        let expected =
            "KBinsDiscretizer\n  column  bins  edges\n  x       3     0.0, 3.0, 6.0, 9.0\n  same    1     all in one\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_draw_depends_on_its_seed_alone_and_represents_the_table() {
        let all = table((0..5000).map(f64::from).collect());
        let bins = ordinal().n_bins(2).unwrap().subsample(Some(1000)).unwrap();
        let fitted = bins.fit(&all, None).unwrap();
        assert_eq!(fitted, bins.fit(&all, None).unwrap());
        assert_ne!(fitted, bins.random_state(1).fit(&all, None).unwrap());
        // Six standard deviations of the median of 1000 rows.
        let median = fitted.columns()[0].bin_edges[1];
        assert!((median - 2500.0).abs() < 6.0 * 2500.0 / 1000_f64.sqrt(), "{median}");
    }

    #[test]
    fn a_number_of_bins_that_cuts_nothing_is_refused_also_when_it_is_read() {
        let error = KBinsDiscretizer::new().n_bins(1).unwrap_err();
        assert_eq!(error.to_string(), "n_bins is 1: expected a number of at least 2");
        let text = serde_json::to_string(&KBinsDiscretizer::new()).unwrap();
        assert_eq!(serde_json::from_str::<KBinsDiscretizer>(&text).unwrap(), KBinsDiscretizer::new());
        assert!(serde_json::from_str::<KBinsDiscretizer>(&text.replace(":5,", ":1,")).is_err());
    }
}
