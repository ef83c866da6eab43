//! Fits that are fed in chunks.

use std::{any::Any, fmt, ops::Range};

use drivetrain_plan::{ApplyError, RowBlocks, Schema, Table};
use rayon::prelude::*;

use crate::{AnyFitted, Estimator, Filling, FitError, TransformError, check_input};

/// Rows that are fed at once: their columns stay in the caches next to the processor.
const CHUNK_ROWS: usize = 4 * 1024;

/// Rows after which parts that are merged give the same bits as rows fed one after the other; see
/// [`PartialFit::merge`].
pub(crate) const GROUP_ROWS: usize = 4 * CHUNK_ROWS;

/// Parts into which one table is split at the most. Fixed, so that the result does not depend on the number of threads.
const MAX_PARTS: usize = 64;

/// An estimator whose statistics can be collected chunk by chunk and merged.
///
/// One pass over the rows is [`start`](Self::start), any number of [`partial_fit`](Self::partial_fit) and
/// [`merge`](Self::merge), and [`finish`](Self::finish), which gives what was learned, or the state to begin another
/// pass with: a pipeline takes one pass per step, because a step learns from what the steps before it make of the rows,
/// but for steps after an imputer whose statistics follow from those of the rows before they are filled.
/// [`fit_chunks`] does all that with a source that can be read again, and this crate's estimators use it for
/// [`Estimator::fit`] too, so that data larger than memory are fitted by the same code. Estimators whose statistics cannot be
/// merged (medians, quantiles) do not implement it.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, Table};
/// use drivetrain_transform::{Estimator, PartialFit, StandardScaler};
///
/// let table = |values: Vec<f64>| ColumnTable::new(vec![("x".into(), Column::from(values))]);
/// let (first, second) = (table(vec![1.0, 2.0])?, table(vec![6.0])?);
///
/// let scaler = StandardScaler::new();
/// let mut state = scaler.start(first.schema())?;
/// scaler.partial_fit(&mut state, &first, None)?;
/// let mut elsewhere = scaler.start(first.schema())?;
/// scaler.partial_fit(&mut elsewhere, &second, None)?;
/// scaler.merge(&mut state, elsewhere)?;
/// let fitted = scaler.finish(state)?.fitted()?;
/// assert_eq!(fitted, scaler.fit(&table(vec![1.0, 2.0, 6.0])?, None)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait PartialFit: Estimator + Sync {
    /// What was collected so far.
    type State: Clone + fmt::Debug + Send + Sync + 'static;

    /// The state before the first row of tables of this schema.
    ///
    /// # Errors
    /// [`FitError`] when nothing can be learned from such tables.
    fn start(&self, schema: &Schema) -> Result<Self::State, FitError>;

    /// Adds the rows of `x`, which has at least the columns of the schema, and their targets `y`.
    ///
    /// # Errors
    /// [`FitError`] as [`Estimator::fit`]; rows are counted from the first one of `x`. The state is then of no use.
    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError>;

    /// Adds what `later` collected of the rows that follow, in the same pass.
    ///
    /// The result equals that of the rows fed one after the other, up to the rounding of sums; this crate's estimators
    /// give the same bits if every part but the last has a multiple of 16 384 rows.
    ///
    /// # Errors
    /// [`FitError::Merge`] when the two were started differently or are in different passes.
    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError>;

    /// Ends the pass over the rows.
    ///
    /// # Errors
    /// [`FitError`] when nothing can be learned from what was fed.
    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError>;

    /// What is learned from what another estimator collected of the same rows; `None` when that does not tell all. What
    /// is learned so has to lower to a [`Filling`]: a pipeline then fits this step, and the one whose state it is, which
    /// [follows](Self::follows_filling), in one pass.
    fn learn_from(&self, _collected: &AnyState) -> Option<Result<Self::Fitted, FitError>> {
        None
    }

    /// Whether [`filled`](Self::filled) gives a state.
    fn follows_filling(&self) -> bool {
        false
    }

    /// The state of all rows as `filling` makes them, from `state`, which was fed with the rows as they are; `None` where
    /// that does not follow. It may differ in the rounding of sums from a state that was fed with the filled rows.
    fn filled(&self, _state: Self::State, _filling: &Filling) -> Option<Self::State> {
        None
    }
}

/// Where a fit stands at the end of a pass over the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<S, F> {
    /// All rows have to be fed once more, to this state.
    Again(S),
    /// What was learned.
    Done(F),
}

impl<S, F> Progress<S, F> {
    /// What was learned, for whoever can feed the rows only once.
    ///
    /// # Errors
    /// [`FitError::AnotherPass`] when the rows are needed again.
    pub fn fitted(self) -> Result<F, FitError> {
        match self {
            Self::Done(fitted) => Ok(fitted),
            Self::Again(_) => Err(FitError::AnotherPass),
        }
    }
}

/// What a [`ChunkSource`] hands its chunks to, each with its target where there is one.
pub type ReadChunk<'r> = dyn FnMut(&dyn Table, Option<&[f64]>) -> Result<(), FitError> + 'r;

/// Rows in chunks that can be read more than once: files, a query, a generator with a seed.
pub trait ChunkSource {
    /// The schema that every chunk has.
    fn schema(&self) -> &Schema;

    /// Hands every chunk to `read`, in the same order each time.
    ///
    /// # Errors
    /// What `read` returned, at once; [`FitError::Chunk`] when a chunk cannot be had.
    fn for_each(&self, read: &mut ReadChunk<'_>) -> Result<(), FitError>;
}

/// Fits `estimator` on the chunks of `source`, of which one is in memory at a time: the same bits as
/// [`Estimator::fit`] on all rows in one table, wherever the chunks are cut.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, DataType, Field, Schema, Table};
/// use drivetrain_transform::{
///     ChunkSource, FitError, Pipeline, ReadChunk, SimpleImputer, StandardScaler, Step, fit_chunks,
/// };
///
/// struct Squares(Schema);
///
/// impl ChunkSource for Squares {
///     fn schema(&self) -> &Schema {
///         &self.0
///     }
///
///     fn for_each(&self, read: &mut ReadChunk<'_>) -> Result<(), FitError> {
///         for start in 0..3_i64 {
///             let chunk = vec![Some(start * start), None];
///             let chunk = ColumnTable::new(vec![("x".into(), Column::from(chunk))]);
///             read(&chunk.map_err(|error| FitError::Chunk(error.into()))?, None)?;
///         }
///         Ok(())
///     }
/// }
///
/// let source = Squares(Schema::new(vec![Field::new("x", DataType::Int64)])?);
/// let steps = vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())];
/// let fitted = fit_chunks(&Pipeline::new(steps)?, &source)?;
/// assert_eq!(fitted.steps().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Estimator::fit`], and what the source fails with; rows are counted from the first one of the first chunk.
pub fn fit_chunks<E: PartialFit>(estimator: &E, source: &dyn ChunkSource) -> Result<E::Fitted, FitError> {
    let mut state = estimator.start(source.schema())?;
    loop {
        let mut n_rows = 0;
        source.for_each(&mut |chunk, y| {
            check_target(chunk, y)?;
            estimator.partial_fit(&mut state, chunk, y).map_err(|error| error.after(n_rows))?;
            n_rows += chunk.n_rows();
            Ok(())
        })?;
        match estimator.finish(state)? {
            Progress::Done(fitted) => return Ok(fitted),
            Progress::Again(next) => state = next,
        }
    }
}

/// [`Estimator::fit`] by way of [`PartialFit`]: parts of `x` are fed in parallel on the current rayon pool. The same bits
/// for any number of threads.
///
/// # Errors
/// As [`PartialFit`]; of several faults that of the first part of the rows.
pub fn fit_in_parts<E: PartialFit>(estimator: &E, x: &dyn Table, y: Option<&[f64]>) -> Result<E::Fitted, FitError> {
    check_input(x, y)?;
    let blocks = RowBlocks::new(x);
    let mut state = estimator.start(x.schema())?;
    loop {
        state = one_pass(
            &blocks,
            y,
            state,
            |state, x, y| estimator.partial_fit(state, x, y),
            |state, later| estimator.merge(state, later),
        )?;
        match estimator.finish(state)? {
            Progress::Done(fitted) => return Ok(fitted),
            Progress::Again(next) => state = next,
        }
    }
}

/// Feeds all rows to copies of `fresh` and merges them in order.
pub(crate) fn one_pass<S: Clone + Send + Sync>(
    blocks: &RowBlocks<'_>,
    y: Option<&[f64]>,
    fresh: S,
    feed: impl Fn(&mut S, &dyn Table, Option<&[f64]>) -> Result<(), FitError> + Sync,
    merge: impl Fn(&mut S, S) -> Result<(), FitError>,
) -> Result<S, FitError> {
    let n_rows = blocks.n_rows();
    let feed_rows = |mut state: S, rows: Range<usize>| {
        for start in rows.clone().step_by(CHUNK_ROWS) {
            let rows = start..(start + CHUNK_ROWS).min(rows.end);
            let y = y.and_then(|y| y.get(rows.clone()));
            feed(&mut state, &blocks.block(rows), y).map_err(|error| error.after(start))?;
        }
        Ok(state)
    };
    let part_rows = n_rows.div_ceil(GROUP_ROWS).div_ceil(MAX_PARTS).max(1) * GROUP_ROWS;
    if n_rows <= part_rows {
        return feed_rows(fresh, 0..n_rows);
    }
    let parts = (0..n_rows.div_ceil(part_rows)).into_par_iter().map(|part| {
        let start = part * part_rows;
        feed_rows(fresh.clone(), start..(start + part_rows).min(n_rows))
    });
    let mut parts = parts.collect::<Vec<Result<S, FitError>>>().into_iter();
    let first = parts.next().unwrap_or_else(|| Ok(fresh.clone()))?;
    parts.try_fold(first, |mut state, part| {
        merge(&mut state, part?)?;
        Ok(state)
    })
}

/// Checks that the target of a chunk, if there is one, fits.
pub(crate) fn check_target(x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
    match y {
        Some(y) if y.len() != x.n_rows() => Err(FitError::TargetLength { rows: x.n_rows(), found: y.len() }),
        _ => Ok(()),
    }
}

impl FitError {
    /// The same error with rows counted from `n_rows` rows earlier.
    pub(crate) fn after(mut self, n_rows: usize) -> Self {
        match &mut self {
            Self::NotFinite { row, .. }
            | Self::OutOfDomain { row, .. }
            | Self::MissingValue { row, .. }
            | Self::TargetNotFinite { row, .. }
            | Self::UnknownCategory { row, .. }
            | Self::Transform(TransformError::Apply(
                ApplyError::UnknownCategory { row, .. }
                | ApplyError::UnknownCode { row, .. }
                | ApplyError::Missing { row, .. },
            )) => *row += n_rows,
            Self::Step { step, source } => {
                let source = std::mem::replace(&mut **source, Self::AnotherPass).after(n_rows);
                return Self::Step { step: std::mem::take(step), source: Box::new(source) };
            }
            _ => {}
        }
        self
    }
}

/// The state of a fit whose type is not known: see [`DynPartialFit`].
#[derive(Debug)]
pub struct AnyState(Box<dyn DynState>);

trait DynState: Any + fmt::Debug + Send + Sync {
    fn copy(&self) -> Box<dyn DynState>;
}

impl<S: Clone + fmt::Debug + Send + Sync + 'static> DynState for S {
    fn copy(&self) -> Box<dyn DynState> {
        Box::new(self.clone())
    }
}

impl Clone for AnyState {
    fn clone(&self) -> Self {
        Self(self.0.copy())
    }
}

impl AnyState {
    fn new<S: Clone + fmt::Debug + Send + Sync + 'static>(state: S) -> Self {
        Self(Box::new(state))
    }

    /// The state, if it is an `S`.
    #[must_use]
    pub fn downcast_ref<S: 'static>(&self) -> Option<&S> {
        let state: &dyn Any = &*self.0;
        state.downcast_ref()
    }

    fn get_mut<S: 'static>(&mut self) -> Result<&mut S, FitError> {
        let state: &mut dyn Any = &mut *self.0;
        state.downcast_mut().ok_or(FitError::Merge { reason: "the state belongs to another estimator" })
    }

    fn take<S: 'static>(self) -> Result<S, FitError> {
        let state: Box<dyn Any> = self.0;
        let state =
            state.downcast().map_err(|_| FitError::Merge { reason: "the state belongs to another estimator" })?;
        Ok(*state)
    }
}

/// A [`PartialFit`] of any type, as pipelines and column transformers use it: what
/// [`Estimator::as_partial_fit`] returns. Implemented for every [`PartialFit`].
pub trait DynPartialFit: Sync {
    /// As [`PartialFit::start`].
    ///
    /// # Errors
    /// As there.
    fn start_any(&self, schema: &Schema) -> Result<AnyState, FitError>;

    /// As [`PartialFit::partial_fit`].
    ///
    /// # Errors
    /// As there, and [`FitError::Merge`] when the state belongs to another estimator.
    fn partial_fit_any(&self, state: &mut AnyState, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError>;

    /// As [`PartialFit::merge`].
    ///
    /// # Errors
    /// As there.
    fn merge_any(&self, state: &mut AnyState, later: AnyState) -> Result<(), FitError>;

    /// As [`PartialFit::finish`].
    ///
    /// # Errors
    /// As there, and [`FitError::Merge`] when the state belongs to another estimator.
    fn finish_any(&self, state: AnyState) -> Result<Progress<AnyState, AnyFitted>, FitError>;

    /// As [`PartialFit::learn_from`].
    fn learn_from_any(&self, collected: &AnyState) -> Option<Result<AnyFitted, FitError>>;

    /// As [`PartialFit::follows_filling`].
    fn follows_filling(&self) -> bool;

    /// As [`PartialFit::filled`].
    ///
    /// # Errors
    /// [`FitError::Merge`] when the state belongs to another estimator.
    fn filled_any(&self, state: AnyState, filling: &Filling) -> Result<Option<AnyState>, FitError>;
}

impl<E: PartialFit> DynPartialFit for E {
    fn start_any(&self, schema: &Schema) -> Result<AnyState, FitError> {
        Ok(AnyState::new(self.start(schema)?))
    }

    fn partial_fit_any(&self, state: &mut AnyState, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        self.partial_fit(state.get_mut()?, x, y)
    }

    fn merge_any(&self, state: &mut AnyState, later: AnyState) -> Result<(), FitError> {
        self.merge(state.get_mut()?, later.take()?)
    }

    fn finish_any(&self, state: AnyState) -> Result<Progress<AnyState, AnyFitted>, FitError> {
        match self.finish(state.take()?)? {
            Progress::Again(state) => Ok(Progress::Again(AnyState::new(state))),
            Progress::Done(fitted) => Ok(Progress::Done(AnyFitted::new(fitted))),
        }
    }

    fn learn_from_any(&self, collected: &AnyState) -> Option<Result<AnyFitted, FitError>> {
        Some(self.learn_from(collected)?.map(AnyFitted::new))
    }

    fn follows_filling(&self) -> bool {
        PartialFit::follows_filling(self)
    }

    fn filled_any(&self, state: AnyState, filling: &Filling) -> Result<Option<AnyState>, FitError> {
        Ok(self.filled(state.take()?, filling).map(AnyState::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_an_error_names_is_counted_from_the_first_chunk() {
        let applied = |error: ApplyError| FitError::Transform(error.into());
        let column = || "x".to_owned();
        let errors = [
            FitError::NotFinite { column: column(), row: 2, value: f64::INFINITY },
            FitError::OutOfDomain { estimator: "E", column: column(), row: 2, value: 0.0, expected: "others" },
            FitError::MissingValue { estimator: "E", column: column(), row: 2 },
            FitError::TargetNotFinite { row: 2, value: f64::NAN },
            FitError::UnknownCategory { column: column(), row: 2, value: "a".to_owned() },
            applied(ApplyError::UnknownCategory { column: column(), row: 2, value: "a".to_owned() }),
            applied(ApplyError::UnknownCode { column: column(), row: 2, value: 7.0 }),
            applied(ApplyError::Missing { column: column(), row: 2 }),
        ];
        for error in errors {
            let error = FitError::Step { step: "s".to_owned(), source: Box::new(error) }.after(40);
            let mut deepest: &dyn std::error::Error = &error;
            while let Some(source) = deepest.source() {
                deepest = source;
            }
            assert!(deepest.to_string().contains("row 42"), "{deepest}");
        }
    }
}
