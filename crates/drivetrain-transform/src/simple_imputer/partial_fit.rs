//! Means, most frequent values and constants, from rows fed in chunks.

use drivetrain_plan::{DataType, Field, Schema, Table, Value};

use super::{FittedSimpleImputer, ImputedColumn, SimpleImputer, Strategy, fill_value, indicated};
use crate::{
    AnyState, ColumnStatistics, FitError, InBlocks, Mean, MissingIndicatorState, Moments, PartialFit, Progress,
    categories::Declared,
    category_counts::{ColumnCategories, EncoderState},
    check::column,
    partial_fit::check_target,
};

/// What a [`SimpleImputer`] collected so far.
#[derive(Debug, Clone)]
pub struct ImputerState {
    collected: Collected,
    /// Of an imputer that adds indicators.
    gaps: Option<MissingIndicatorState>,
}

#[derive(Debug, Clone)]
enum Collected {
    Means(ColumnStatistics<InBlocks<Mean>>),
    Counts(EncoderState),
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

    /// What stands in for missing values: `found`, or the fallback for a column without values.
    fn imputed(
        &self,
        field: &Field,
        found: Option<Value>,
        fallback: impl FnOnce() -> Result<Value, FitError>,
    ) -> Result<ImputedColumn, FitError> {
        let statistic = match found {
            None if self.keep_empty_features => Some(fallback()?),
            found => found,
        };
        Ok(ImputedColumn { name: field.name.clone(), statistic })
    }

    /// What fills the columns of `schema`, whose means these are.
    fn means(&self, schema: &Schema, means: impl Iterator<Item = Mean>) -> Result<Vec<ImputedColumn>, FitError> {
        let learn = |(field, mean): (&Field, Mean)| {
            let found = (mean.count() > 0).then(|| Value::Float64(mean.mean()));
            self.imputed(field, found, || Ok(Value::Float64(0.0)))
        };
        schema.fields().iter().zip(means).map(learn).collect()
    }

    /// The schema and what fills each of its columns.
    fn learn(&self, collected: Collected) -> Result<(Schema, Vec<ImputedColumn>), FitError> {
        match collected {
            Collected::Means(means) => {
                let (schema, means) = means.finish()?;
                let columns = self.means(&schema, means.iter().map(InBlocks::total))?;
                Ok((schema, columns))
            }
            Collected::Constants { schema, n_rows: rows, .. }
            | Collected::Counts(EncoderState { schema, n_rows: rows, .. })
                if rows == 0 || schema.is_empty() =>
            {
                Err(FitError::Empty { rows, columns: schema.len() })
            }
            Collected::Counts(EncoderState { schema, columns, .. }) => {
                let learn = |(field, counts): (&Field, ColumnCategories)| {
                    let found = counts.counts.and_then(|counts| counts.most_frequent());
                    self.imputed(field, found, || match field.dtype {
                        DataType::Boolean => Ok(Value::Boolean(false)),
                        _ => fill_value(field, &Value::Int64(0)),
                    })
                };
                let columns = schema.fields().iter().zip(columns).map(learn).collect::<Result<_, _>>()?;
                Ok((schema, columns))
            }
            Collected::Constants { schema, columns, .. } => {
                let learn = |(field, (value, found)): (&Field, (Value, bool))| {
                    self.imputed(field, found.then(|| value.clone()), || Ok(value))
                };
                let columns = schema.fields().iter().zip(columns).map(learn).collect::<Result<_, _>>()?;
                Ok((schema, columns))
            }
        }
    }
}

impl PartialFit for SimpleImputer {
    type State = ImputerState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        let collected = match &self.strategy {
            Strategy::Mean => Collected::Means(ColumnStatistics::start(schema, "SimpleImputer")?),
            Strategy::MostFrequent => {
                Collected::Counts(Declared::default().start(schema, "SimpleImputer", false, false)?)
            }
            Strategy::Constant(value) => {
                let columns = schema.fields().iter().map(|field| Ok((fill_value(field, value)?, false)));
                Collected::Constants {
                    schema: schema.clone(),
                    n_rows: 0,
                    columns: columns.collect::<Result<_, FitError>>()?,
                }
            }
            Strategy::Median => {
                let reason = "the statistics of its strategy cannot be merged";
                return Err(FitError::NotInParts { estimator: "SimpleImputer".to_owned(), reason });
            }
        };
        Ok(ImputerState { collected, gaps: self.gaps(schema)? })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        match &mut state.collected {
            Collected::Means(means) => means.feed(x, y)?,
            Collected::Counts(counts) => counts.feed(x, y)?,
            Collected::Constants { schema, n_rows, columns } => {
                check_target(x, y)?;
                for (field, (_, found)) in schema.fields().iter().zip(columns) {
                    let values = column(x, field)?;
                    *found = *found || (0..values.len()).any(|row| !values.is_missing(row));
                }
                *n_rows += x.n_rows();
            }
        }
        state.gaps.iter_mut().try_for_each(|gaps| gaps.feed(x, y))
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        match (&mut state.collected, later.collected) {
            (Collected::Means(own), Collected::Means(later)) => own.merge(later)?,
            (Collected::Counts(own), Collected::Counts(later)) => own.merge(later)?,
            (
                Collected::Constants { schema, n_rows, columns },
                Collected::Constants { schema: later_schema, n_rows: later_rows, columns: later },
            ) if *schema == later_schema => {
                *n_rows += later_rows;
                for ((_, own), (_, later)) in columns.iter_mut().zip(later) {
                    *own |= later;
                }
            }
            _ => return Err(FitError::Merge { reason: "their strategies or columns differ" }),
        }
        match (&mut state.gaps, &later.gaps) {
            (Some(own), Some(later)) => own.merge(later),
            (None, None) => Ok(()),
            _ => Err(FitError::Merge { reason: "one of them adds indicators" }),
        }
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError> {
        let (schema, columns) = self.learn(state.collected)?;
        let indicated = indicated(state.gaps.as_ref())?;
        Ok(Progress::Done(FittedSimpleImputer { schema, columns, indicated }))
    }

    /// Means are part of moments.
    fn learn_from(&self, collected: &AnyState) -> Option<Result<Self::Fitted, FitError>> {
        let moments: &ColumnStatistics<InBlocks<Moments>> = collected.downcast_ref()?;
        (self.strategy == Strategy::Mean && !self.add_indicator).then(|| {
            let (schema, moments) = moments.collected()?;
            let columns = self.means(schema, moments.iter().map(|moments| moments.total().rounded_mean()))?;
            Ok(FittedSimpleImputer { schema: schema.clone(), columns, indicated: None })
        })
    }
}
