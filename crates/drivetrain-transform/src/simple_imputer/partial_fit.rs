//! Means, most frequent values and constants, from rows fed in chunks.

use drivetrain_plan::{DataType, Field, Schema, Table, Value};

use super::{FittedSimpleImputer, ImputedColumn, SimpleImputer, Strategy, fill_value};
use crate::{
    ColumnStatistics, FitError, InBlocks, Mean, MissingColumns, PartialFit, Progress, category_counts::CategoryCounts,
    check::column, partial_fit::check_target,
};

/// What a [`SimpleImputer`] collected so far.
#[derive(Debug, Clone, PartialEq)]
pub struct ImputerState {
    collected: Collected,
    /// Where indicators are to be added.
    gaps: Option<MissingColumns>,
}

#[derive(Debug, Clone, PartialEq)]
enum Collected {
    Means(ColumnStatistics<InBlocks<Mean>>),
    Counts {
        schema: Schema,
        n_rows: usize,
        columns: Vec<CategoryCounts>,
    },
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
        matches!(self.strategy, Strategy::Mean | Strategy::MostFrequent | Strategy::Constant(_))
    }

    /// What finds the columns that get an indicator.
    pub(super) fn gaps(&self, schema: &Schema) -> Option<MissingColumns> {
        self.add_indicator.then(|| MissingColumns::start(schema))
    }

    /// What stands in for missing values: the most frequent value, or a zero for a column without values that is kept.
    fn imputed_mode(&self, field: &Field, found: Option<Value>) -> Result<ImputedColumn, FitError> {
        let statistic = match found {
            None if !self.keep_empty_features => None,
            None if field.dtype == DataType::Boolean => Some(Value::Boolean(false)),
            None => Some(fill_value(field, &Value::Int64(0))?),
            // An infinity cannot.
            Some(Value::Float64(value)) => Some(fill_value(field, &Value::Float64(value))?),
            found => found,
        };
        Ok(ImputedColumn { name: field.name.clone(), statistic })
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
            Strategy::MostFrequent => {
                let columns = schema.fields().iter().map(|field| CategoryCounts::new(field.dtype)).collect();
                Collected::Counts { schema: schema.clone(), n_rows: 0, columns }
            }
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
        Ok(ImputerState { collected, gaps: self.gaps(schema) })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        if let Some(gaps) = &mut state.gaps {
            gaps.feed(x, y)?;
        }
        match &mut state.collected {
            Collected::Means(means) => means.feed(x, y),
            Collected::Counts { schema, n_rows, columns } => {
                check_target(x, y)?;
                for (field, counts) in schema.fields().iter().zip(columns) {
                    counts.feed(&column(x, field)?);
                }
                *n_rows += x.n_rows();
                Ok(())
            }
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
        if let (Some(own), Some(later)) = (&mut state.gaps, later.gaps) {
            own.merge(later)?;
        }
        match (&mut state.collected, later.collected) {
            (Collected::Means(own), Collected::Means(later)) => own.merge(later),
            (
                Collected::Counts { schema, n_rows, columns },
                Collected::Counts { schema: later_schema, n_rows: later_rows, columns: later },
            ) if *schema == later_schema => {
                *n_rows += later_rows;
                for (own, later) in columns.iter_mut().zip(later) {
                    own.merge(later);
                }
                Ok(())
            }
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
        let indicated = state.gaps.map_or(Ok(Vec::new()), MissingColumns::finish)?;
        let (schema, columns) = match state.collected {
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
            Collected::Constants { schema, n_rows: rows, .. } | Collected::Counts { schema, n_rows: rows, .. }
                if rows == 0 || schema.is_empty() =>
            {
                return Err(FitError::Empty { rows, columns: schema.len() });
            }
            Collected::Counts { schema, columns, .. } => {
                let columns = schema.fields().iter().zip(columns);
                let columns = columns.map(|(field, counts)| self.imputed_mode(field, counts.mode()));
                let columns = columns.collect::<Result<_, FitError>>()?;
                (schema, columns)
            }
            Collected::Constants { schema, columns, .. } => {
                let learn = |(name, (value, found)): (&str, (Value, bool))| {
                    self.imputed(name, found.then(|| value.clone()), value)
                };
                let columns = schema.names().zip(columns).map(learn).collect();
                (schema, columns)
            }
        };
        Ok(Progress::Done(FittedSimpleImputer { schema, columns, indicated }))
    }
}
