//! A statistic per numeric column, fed chunk by chunk.

use std::fmt;

use drivetrain_plan::{Schema, Table};

use crate::{
    Estimator, Filling, FitError, PartialFit, Progress, check::numeric, partial_fit::check_target,
    statistics::Statistic,
};

/// An estimator that learns from a statistic of each numeric column alone: all that it takes to be a [`PartialFit`].
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, Plan, PlanBuilder, PlanError, Op, Schema, Table};
/// use drivetrain_transform::{DynPartialFit, Estimator, FitError, Fitted, InBlocks, Mean, PerColumn, fit_in_parts};
///
/// /// Subtracts the mean.
/// struct Center;
/// #[derive(Debug, PartialEq)]
/// struct Centered(Schema, Vec<f64>);
///
/// impl Estimator for Center {
///     type Fitted = Centered;
///
///     fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Centered, FitError> {
///         fit_in_parts(self, x, y)
///     }
///
///     fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
///         Some(self)
///     }
/// }
///
/// impl PerColumn for Center {
///     type Statistic = InBlocks<Mean>;
///     const NAME: &'static str = "Center";
///
///     fn learn(&self, schema: Schema, columns: Vec<InBlocks<Mean>>) -> Result<Centered, FitError> {
///         Ok(Centered(schema, columns.into_iter().map(|column| column.total().mean()).collect()))
///     }
/// }
///
/// impl Fitted for Centered {
///     fn lower(&self) -> Result<Plan, PlanError> {
///         let mut builder = PlanBuilder::new(self.0.clone());
///         for (column, center) in self.0.names().map(str::to_owned).zip(self.1.iter().copied()) {
///             let output = builder.fresh(&column);
///             builder.output(&column, &output);
///             builder.push(Op::Scale { column, center, scale: 1.0, output });
///         }
///         builder.build()
///     }
/// }
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1_i64, 2, 6]))])?;
/// assert_eq!(Center.fit_transform(&table, None)?.column("x"), Some(vec![-2.0, -1.0, 3.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait PerColumn: Estimator + Sync {
    /// What is collected of a column.
    type Statistic: Statistic + Clone + fmt::Debug + Send + Sync + 'static;

    /// The estimator's name, for messages.
    const NAME: &'static str;

    /// What is learned from the statistics of the columns of `schema`, in its order.
    ///
    /// # Errors
    /// [`FitError`] when nothing can be learned from them.
    fn learn(&self, schema: Schema, columns: Vec<Self::Statistic>) -> Result<Self::Fitted, FitError>;
}

impl<E: PerColumn> PartialFit for E {
    type State = ColumnStatistics<E::Statistic>;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        ColumnStatistics::start(schema, E::NAME)
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.feed(x, y)
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        state.merge(later)
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError> {
        let (schema, columns) = state.finish()?;
        Ok(Progress::Done(self.learn(schema, columns)?))
    }

    fn follows_filling(&self) -> bool {
        E::Statistic::default().filled(0.0, 0).is_some()
    }

    fn filled(&self, state: Self::State, filling: &Filling) -> Option<Self::State> {
        state.filled(filling)
    }
}

/// A statistic per column of a table of numbers: the state of estimators that look at each column alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStatistics<S> {
    estimator: &'static str,
    schema: Schema,
    n_rows: usize,
    columns: Vec<S>,
}

impl<S: Statistic> ColumnStatistics<S> {
    /// The statistics of the columns as `filling` makes them; `None` where they do not follow from these.
    pub(crate) fn filled(&self, filling: &Filling) -> Option<Self> {
        let columns = filling.columns().iter().map(|(column, fill)| {
            let position = self.schema.names().position(|name| name == column)?;
            self.columns.get(position)?.filled(*fill, self.n_rows)
        });
        let (schema, columns) = (filling.schema().clone(), columns.collect::<Option<_>>()?);
        Some(Self { estimator: self.estimator, schema, n_rows: self.n_rows, columns })
    }

    /// The statistics of the columns of `schema`, of which nothing is known yet, on behalf of `estimator`.
    ///
    /// # Errors
    /// [`FitError::Empty`] when there is no column, [`FitError::NotNumeric`] for one that holds no numbers.
    pub fn start(schema: &Schema, estimator: &'static str) -> Result<Self, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        for field in schema.fields() {
            if !field.dtype.is_numeric() {
                return Err(FitError::NotNumeric { estimator, column: field.name.clone(), dtype: field.dtype });
            }
        }
        let columns = schema.fields().iter().map(|_| S::default()).collect();
        Ok(Self { estimator, schema: schema.clone(), n_rows: 0, columns })
    }

    /// Adds the rows of `x`; missing values are left out.
    ///
    /// # Errors
    /// [`FitError::AbsentColumn`], [`FitError::TargetLength`], and [`FitError::NotFinite`] with the row of `x`.
    pub fn feed(&mut self, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        check_target(x, y)?;
        for (field, statistic) in self.schema.fields().iter().zip(&mut self.columns) {
            let values = numeric(x, field, self.estimator)?;
            if !statistic.feed(&values)
                && let Some(row) = values.iter().position(|value| value.is_infinite())
            {
                return Err(FitError::NotFinite { column: field.name.clone(), row, value: values[row] });
            }
        }
        self.n_rows += x.n_rows();
        Ok(())
    }

    /// Adds what `later` was fed.
    ///
    /// # Errors
    /// [`FitError::Merge`] when its columns are others.
    pub fn merge(&mut self, later: Self) -> Result<(), FitError> {
        if self.schema != later.schema {
            return Err(FitError::Merge { reason: "their columns differ" });
        }
        self.n_rows += later.n_rows;
        for (own, later) in self.columns.iter_mut().zip(later.columns) {
            own.merge(later);
        }
        Ok(())
    }

    /// The schema and the statistic of each column.
    ///
    /// # Errors
    /// [`FitError::Empty`] when there was no row.
    pub fn finish(self) -> Result<(Schema, Vec<S>), FitError> {
        self.collected()?;
        Ok((self.schema, self.columns))
    }

    /// As [`finish`](Self::finish), for whoever goes on collecting.
    pub(crate) fn collected(&self) -> Result<(&Schema, &[S]), FitError> {
        if self.n_rows == 0 {
            return Err(FitError::Empty { rows: 0, columns: self.schema.len() });
        }
        Ok((&self.schema, &self.columns))
    }
}
