//! Where values are missing, as numbers.

use drivetrain_plan::{Function, Op, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, FitError, Fitted, PartialFit, Progress, Summary,
    check::{column, has_missing},
    fit_in_parts,
    partial_fit::check_target,
};

/// Which columns a [`MissingIndicator`] marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndicatedFeatures {
    /// Those that have a missing value at fit.
    #[default]
    MissingOnly,
    /// All of them.
    All,
}

/// One `float64` column per column, 1 where a value is missing and 0 elsewhere, like scikit-learn's `MissingIndicator`.
///
/// Takes columns of every type. Outputs are called `missingindicator_column`.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, MissingIndicator};
///
/// let columns = vec![("a".into(), Column::from(vec![1.0, f64::NAN])), ("b".into(), Column::from(vec![1_i64, 2]))];
/// let marked = MissingIndicator::new().fit_transform(&ColumnTable::new(columns)?, None)?;
/// assert_eq!(marked.feature_names(), ["missingindicator_a"]);
/// assert_eq!(marked.values().column(0).to_vec(), [0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingIndicator {
    features: IndicatedFeatures,
    error_on_new: bool,
}

impl Default for MissingIndicator {
    fn default() -> Self {
        Self { features: IndicatedFeatures::MissingOnly, error_on_new: true }
    }
}

impl MissingIndicator {
    /// An indicator of the columns that have a missing value at fit, which refuses missing values in the others later.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The columns that are marked.
    #[must_use]
    pub const fn features(self, features: IndicatedFeatures) -> Self {
        Self { features, ..self }
    }

    /// Whether a missing value at transform is an error in a column that had none at fit. Without effect when all
    /// columns are marked.
    #[must_use]
    pub const fn error_on_new(self, error_on_new: bool) -> Self {
        Self { error_on_new, ..self }
    }
}

/// What a [`MissingIndicator`] learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FittedMissingIndicator {
    schema: Schema,
    features: Vec<String>,
    refused: Vec<String>,
}

impl FittedMissingIndicator {
    /// The columns that are marked, in the order of the table.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }
}

impl Estimator for MissingIndicator {
    type Fitted = FittedMissingIndicator;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

/// Which columns have a missing value, from rows fed in chunks.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingIndicatorState {
    schema: Schema,
    n_rows: usize,
    missing: Vec<bool>,
}

impl MissingIndicatorState {
    /// What is collected of columns of this schema.
    pub(crate) fn start(schema: &Schema) -> Result<Self, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        Ok(Self { schema: schema.clone(), n_rows: 0, missing: vec![false; schema.len()] })
    }

    /// Adds the rows of `x`.
    pub(crate) fn feed(&mut self, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        check_target(x, y)?;
        for (field, missing) in self.schema.fields().iter().zip(&mut self.missing) {
            *missing = *missing || has_missing(&column(x, field)?);
        }
        self.n_rows += x.n_rows();
        Ok(())
    }

    /// Adds what `later` was fed.
    pub(crate) fn merge(&mut self, later: &Self) -> Result<(), FitError> {
        if self.schema != later.schema {
            return Err(FitError::Merge { reason: "their columns differ" });
        }
        self.n_rows += later.n_rows;
        for (own, later) in self.missing.iter_mut().zip(&later.missing) {
            *own |= later;
        }
        Ok(())
    }

    /// The columns with and without a missing value.
    pub(crate) fn finish(&self) -> Result<(Vec<String>, Vec<String>), FitError> {
        if self.n_rows == 0 {
            return Err(FitError::Empty { rows: 0, columns: self.schema.len() });
        }
        let (with, without): (Vec<_>, Vec<_>) =
            self.schema.names().zip(&self.missing).partition(|(_, missing)| **missing);
        let names = |columns: Vec<(&str, &bool)>| columns.into_iter().map(|(name, _)| name.to_owned()).collect();
        Ok((names(with), names(without)))
    }
}

impl PartialFit for MissingIndicator {
    type State = MissingIndicatorState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        MissingIndicatorState::start(schema)
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.feed(x, y)
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        state.merge(&later)
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError> {
        let (with, without) = state.finish()?;
        let schema = state.schema;
        let (features, refused) = match self.features {
            IndicatedFeatures::All => (schema.names().map(str::to_owned).collect(), Vec::new()),
            IndicatedFeatures::MissingOnly if self.error_on_new => (with, without),
            IndicatedFeatures::MissingOnly => (with, Vec::new()),
        };
        Ok(Progress::Done(FittedMissingIndicator { schema, features, refused }))
    }
}

impl Fitted for FittedMissingIndicator {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        if !self.refused.is_empty() {
            builder.push(Op::RefuseMissing { columns: self.refused.clone() });
        }
        indicate(&mut builder, &self.features);
        builder.build()
    }

    fn summary(&self) -> Summary {
        Summary::new("MissingIndicator").table(["column"], self.features.iter().map(|name| [name.clone()]))
    }
}

/// What the indicator of `column` is called.
pub(crate) fn indicator_name(column: &str) -> String {
    format!("missingindicator_{column}")
}

/// Appends an indicator of each of `columns` and its output.
pub(crate) fn indicate(builder: &mut PlanBuilder, columns: &[String]) {
    for column in columns {
        let name = indicator_name(column);
        let output = builder.fresh(&name);
        let function = Function::IsMissing;
        builder.push(Op::Function { function, column: column.clone(), output: output.clone() });
        builder.output(&name, &output);
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn table(a: Vec<Option<i64>>, b: Vec<Option<&'static str>>) -> ColumnTable {
        ColumnTable::new(vec![("a".into(), Column::from(a)), ("b".into(), Column::from(b))]).unwrap()
    }

    #[test]
    fn a_new_gap_is_refused_by_name_unless_it_is_allowed_or_marked() {
        let train = table(vec![None, Some(1)], vec![Some("x"), Some("")]);
        let later = table(vec![Some(1), Some(2)], vec![Some("x"), None]);
        let fitted = MissingIndicator::new().fit(&train, None).unwrap();
        let error = fitted.transform(&later).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `b`, row 1 is missing; at fit no value of the column was");
        let allowed = MissingIndicator::new().error_on_new(false).fit(&train, None).unwrap();
        assert_eq!(allowed.transform(&later).unwrap().values().column(0).to_vec(), [0.0, 0.0]);
        let all = MissingIndicator::new().features(IndicatedFeatures::All).fit(&train, None).unwrap();
        assert_eq!(all.transform(&later).unwrap().values().column(1).to_vec(), [0.0, 1.0]);
    }

    #[test]
    fn a_table_without_gaps_has_no_indicator_and_refuses_every_gap() {
        let fitted = MissingIndicator::new().fit(&table(vec![Some(1)], vec![Some("x")]), None).unwrap();
        assert_eq!(fitted.transform(&table(vec![Some(1)], vec![Some("x")])).unwrap().n_columns(), 0);
        assert!(fitted.transform(&table(vec![None], vec![Some("x")])).is_err());
    }
}
