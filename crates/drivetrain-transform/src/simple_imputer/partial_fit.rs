//! Means and constants, from rows fed in chunks.

use drivetrain_plan::{Schema, Table, Value};

use super::{FittedSimpleImputer, ImputedColumn, SimpleImputer, Strategy, fill_value};
use crate::{
    ColumnStatistics, FitError, InBlocks, Mean, PartialFit, Progress, check::column, partial_fit::check_target,
};

/// What a [`SimpleImputer`] collected so far.
#[derive(Debug, Clone, PartialEq)]
pub struct ImputerState(Collected);

#[derive(Debug, Clone, PartialEq)]
enum Collected {
    Means(ColumnStatistics<InBlocks<Mean>>),
    /// What fills each column, and whether a value was found in it.
    Constants {
        schema: Schema,
        n_rows: usize,
        columns: Vec<(Value, bool)>,
    },
}

impl SimpleImputer {
    /// Whether the strategy's statistics can be merged.
    pub(super) const fn is_mergeable(&self) -> bool {
        matches!(self.strategy, Strategy::Mean | Strategy::Constant(_))
    }

    /// What stands in for missing values: `found`, or the fallback for a column without values.
    fn imputed(&self, name: &str, found: Option<Value>, fallback: Value) -> ImputedColumn {
        ImputedColumn { name: name.to_owned(), statistic: found.or(self.keep_empty_features.then_some(fallback)) }
    }
}

impl PartialFit for SimpleImputer {
    type State = ImputerState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        let collected = match &self.strategy {
            Strategy::Mean => Collected::Means(ColumnStatistics::start(schema, "SimpleImputer")?),
            Strategy::Constant(value) => {
                let columns = schema.fields().iter().map(|field| Ok((fill_value(field, value)?, false)));
                Collected::Constants {
                    schema: schema.clone(),
                    n_rows: 0,
                    columns: columns.collect::<Result<_, FitError>>()?,
                }
            }
            _ => {
                let reason = "the statistics of its strategy cannot be merged";
                return Err(FitError::NotInParts { estimator: "SimpleImputer".to_owned(), reason });
            }
        };
        Ok(ImputerState(collected))
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        match &mut state.0 {
            Collected::Means(means) => means.feed(x, y),
            Collected::Constants { schema, n_rows, columns } => {
                check_target(x, y)?;
                for (field, (_, found)) in schema.fields().iter().zip(columns) {
                    let values = column(x, field)?;
                    *found = *found || (0..values.len()).any(|row| !values.is_missing(row));
                }
                *n_rows += x.n_rows();
                Ok(())
            }
        }
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        match (&mut state.0, later.0) {
            (Collected::Means(own), Collected::Means(later)) => own.merge(later),
            (
                Collected::Constants { schema, n_rows, columns },
                Collected::Constants { schema: later_schema, n_rows: later_rows, columns: later },
            ) if *schema == later_schema => {
                *n_rows += later_rows;
                for ((_, own), (_, later)) in columns.iter_mut().zip(later) {
                    *own |= later;
                }
                Ok(())
            }
            _ => Err(FitError::Merge { reason: "their strategies or columns differ" }),
        }
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError> {
        let (schema, columns) = match state.0 {
            Collected::Means(means) => {
                let (schema, means) = means.finish()?;
                let learn = |(name, mean): (&str, InBlocks<Mean>)| {
                    let mean = mean.total();
                    let found = (mean.count() > 0).then(|| Value::Float64(mean.mean()));
                    self.imputed(name, found, Value::Float64(0.0))
                };
                let columns = schema.names().zip(means).map(learn).collect();
                (schema, columns)
            }
            Collected::Constants { schema, n_rows: rows, .. } if rows == 0 || schema.is_empty() => {
                return Err(FitError::Empty { rows, columns: schema.len() });
            }
            Collected::Constants { schema, columns, .. } => {
                let learn = |(name, (value, found)): (&str, (Value, bool))| {
                    self.imputed(name, found.then(|| value.clone()), value)
                };
                let columns = schema.names().zip(columns).map(learn).collect();
                (schema, columns)
            }
        };
        Ok(Progress::Done(FittedSimpleImputer { schema, columns }))
    }
}
