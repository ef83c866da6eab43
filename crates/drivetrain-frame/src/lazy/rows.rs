//! The rows of a query, to fit on.

use std::{num::NonZeroUsize, sync::mpsc::sync_channel, thread};

use drivetrain_plan::{Field, Schema, SelectedTable, Table};
use drivetrain_transform::{ChunkSource, Estimator, FitError, ReadChunk};
use polars::prelude::{DataFrame, Engine, LazyFrame, PlanCallback, PolarsResult};

use super::{column, failed};
use crate::{FrameError, FrameTable, table::table_type};

/// Rows that are fed at once unless said otherwise.
const CHUNK_ROWS: NonZeroUsize = NonZeroUsize::new(64 * 1024).expect("not 0");

/// Some columns of a query, to fit on: as the chunks that [`fit_chunks`](drivetrain_transform::fit_chunks) asks for, or, for
/// estimators that need all rows at once, by [`fit`](Self::fit).
///
/// polars reads no other columns. In chunks its streaming engine takes the rows through, so that they need not fit into
/// memory: a few chunks are there at a time. A pipeline runs the query once per step; it has to give the same rows in the
/// same order each time.
///
/// ```
/// use drivetrain_frame::{lazy, polars::prelude::*};
/// use drivetrain_transform::{Pipeline, RobustScaler, SimpleImputer, StandardScaler, Step, fit_chunks};
///
/// let cars = df!["name" => ["a", "b", "c"], "weight" => [Some(3000.0), None, Some(2000.0)], "mpg" => [18.0, 26.0, 31.0]]?;
/// let rows = lazy::Rows::new(cars.lazy().filter(col("mpg").gt(lit(20))), ["weight"])?;
///
/// let steps = vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())];
/// let fitted = fit_chunks(&Pipeline::new(steps)?, &rows)?;
/// assert_eq!(fitted.to_string().lines().last(), Some("    weight  2000.0  1.0"));
///
/// // Quartiles cannot be had from chunks.
/// let fitted = rows.fit(&RobustScaler::new())?;
/// assert_eq!(fitted.columns()[0].center, 2000.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Rows {
    query: LazyFrame,
    schema: Schema,
    target: Option<String>,
    height: NonZeroUsize,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { query: _, schema, target, height } = self;
        let mut shown = f.debug_struct("Rows");
        shown.field("schema", schema).field("target", target).field("chunk_rows", height).finish_non_exhaustive()
    }
}

impl Rows {
    /// The columns called `columns`, in that order, of types that a [`FrameTable`] has.
    ///
    /// # Errors
    /// [`FrameError::UnsupportedType`] when a column has another type, [`FrameError::Polars`] when one is not there or the
    /// columns of the query cannot be worked out.
    pub fn new(query: LazyFrame, columns: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, FrameError> {
        let mut rows = Self { query, schema: Schema::default(), target: None, height: CHUNK_ROWS };
        let fields = columns.into_iter().map(|name| rows.field(&name.into())).collect::<Result<_, FrameError>>()?;
        rows.schema = Schema::new(fields)?;
        Ok(rows)
    }

    /// With the column called `name` as the target, which has to be numeric.
    ///
    /// ```
    /// use drivetrain_frame::{lazy, polars::prelude::*};
    /// use drivetrain_transform::TargetEncoder;
    ///
    /// let cars = df!["origin" => ["usa", "japan", "usa"], "mpg" => [18.0, 31.0, 20.0]]?;
    /// let rows = lazy::Rows::new(cars.lazy(), ["origin"])?.target("mpg")?;
    /// assert_eq!(rows.fit(&TargetEncoder::new())?.target_mean(), 23.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FrameError::UnsupportedType`] when it is not numeric, [`FrameError::Polars`] when it is not there.
    pub fn target(mut self, name: &str) -> Result<Self, FrameError> {
        let Field { name, dtype } = self.field(name)?;
        if !dtype.is_numeric() {
            return Err(FrameError::UnsupportedType { column: name, dtype: dtype.to_string() });
        }
        self.target = Some(name);
        Ok(self)
    }

    /// The number of rows of a chunk, 65 536 unless set. What is learned does not depend on it.
    #[must_use]
    pub fn chunk_rows(self, chunk_rows: NonZeroUsize) -> Self {
        Self { height: chunk_rows, ..self }
    }

    /// Fits `estimator` on all rows at once; the chosen columns and the target have to fit into memory.
    ///
    /// # Errors
    /// As [`Estimator::fit`], and [`FitError::Chunk`] when the query fails.
    pub fn fit<E: Estimator>(&self, estimator: &E) -> Result<E::Fitted, FitError> {
        let frame = self.chosen().collect_with_engine(Engine::Streaming).map_err(unread)?.unwrap_single();
        self.read(&frame, |x, y| estimator.fit(x, y))
    }

    fn field(&mut self, name: &str) -> Result<Field, FrameError> {
        let schema = self.query.collect_schema()?;
        let dtype = schema.try_get(name)?;
        let unsupported = || FrameError::UnsupportedType { column: name.to_owned(), dtype: dtype.to_string() };
        Ok(Field::new(name, table_type(dtype).ok_or_else(unsupported)?))
    }

    /// The query without other columns.
    fn chosen(&self) -> LazyFrame {
        let target = self.target.as_deref().filter(|target| self.schema.field(target).is_none());
        self.query.clone().select(self.schema.names().chain(target).map(column).collect::<Vec<_>>())
    }

    /// What `read` makes of the columns and the target in `frame`.
    fn read<R>(
        &self,
        frame: &DataFrame,
        read: impl FnOnce(&dyn Table, Option<&[f64]>) -> Result<R, FitError>,
    ) -> Result<R, FitError> {
        let table = FrameTable::new(frame).map_err(unread)?;
        let target = self.target.as_deref().and_then(|target| table.column(target));
        let y = target.as_ref().and_then(drivetrain_plan::Column::to_f64);
        read(&SelectedTable::with_schema(&table, &self.schema), y.as_deref())
    }
}

impl ChunkSource for Rows {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn for_each(&self, read: &mut ReadChunk<'_>) -> Result<(), FitError> {
        let (sender, chunks) = sync_channel::<DataFrame>(1);
        // Where nobody listens any more, the query stops.
        let send = PlanCallback::new(move |frame| Ok(sender.send(frame).is_err()));
        let query = self.chosen().sink_batches(send, true, Some(self.height)).map_err(unread)?;
        let run = move || query.collect_with_engine(Engine::Streaming).map(drop);
        thread::scope(|scope| {
            let running = scope.spawn(run);
            let read = chunks.iter().try_for_each(|mut frame| {
                frame.rechunk_mut();
                self.read(&frame, &mut *read)
            });
            drop(chunks);
            let ran: PolarsResult<()> = running.join().unwrap_or_else(|_| Err(failed("the query panicked".to_owned())));
            read.and(ran.map_err(unread))
        })
    }
}

fn unread(error: impl std::error::Error + Send + Sync + 'static) -> FitError {
    FitError::Chunk(Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use drivetrain_conformance::{TableOptions, tables};
    use drivetrain_plan::DataType;
    use drivetrain_transform::{
        Block, ColumnTransformer, OneHotEncoder, Pipeline, SimpleImputer, StandardScaler, Step, TargetEncoder,
        fit_chunks,
    };
    use polars::prelude::{IntoLazy, LazyCsvReader, LazyFileListReader, PlRefPath, col, df, lit};
    use proptest::prelude::*;

    use super::*;
    use crate::to_data_frame;

    fn schema() -> Schema {
        let fields = [("^x$", DataType::Float64), ("n", DataType::Int64), ("text", DataType::String)];
        Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype)).to_vec()).unwrap()
    }

    fn pipeline() -> Pipeline {
        let numbers = vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())];
        let blocks = vec![
            Block::new("numbers", Pipeline::new(numbers).unwrap(), ["^x$", "n"]),
            Block::new("text", OneHotEncoder::new(), ["text"]),
        ];
        Pipeline::new(vec![Step::new("columns", ColumnTransformer::new(blocks).unwrap())]).unwrap()
    }

    fn rows(frame: &DataFrame, chunk_rows: usize) -> Rows {
        let rows = Rows::new(frame.clone().lazy(), schema().names()).unwrap();
        rows.chunk_rows(NonZeroUsize::new(chunk_rows).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn chunks_teach_what_all_rows_do(table in tables(&schema(), &TableOptions::default()), chunk_rows in 1..9_usize) {
            let frame = to_data_frame(&table).unwrap();
            let rows = rows(&frame, chunk_rows);
            let (at_once, in_chunks) = (pipeline().fit(&table, None), fit_chunks(&pipeline(), &rows));
            match (at_once, in_chunks, rows.fit(&pipeline())) {
                (Ok(at_once), Ok(in_chunks), Ok(collected)) => {
                    prop_assert_eq!(&at_once, &in_chunks);
                    prop_assert_eq!(at_once, collected);
                }
                (Err(_), Err(_), Err(_)) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn chunks_are_full_but_for_the_last_one_and_come_in_order() {
        let frame = df!["i" => (0..1000_i64).collect::<Vec<_>>(), "y" => (0..1000_i64).collect::<Vec<_>>()].unwrap();
        let rows = Rows::new(frame.lazy(), ["i"]).unwrap().target("y").unwrap();
        let mut found: Vec<Vec<f64>> = Vec::new();
        let read = &mut |x: &dyn Table, y: Option<&[f64]>| {
            let values = x.column("i").unwrap().to_f64().unwrap().into_owned();
            assert_eq!((y, x.column("y")), (Some(&values[..]), None));
            found.push(values);
            Ok(())
        };
        rows.chunk_rows(NonZeroUsize::new(300).unwrap()).for_each(read).unwrap();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [300, 300, 300, 100]);
        assert_eq!(found.concat(), (0..1000).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_fit_that_fails_ends_the_query_and_names_the_row_of_all() {
        let mut values = vec![0.5; 5000];
        values[3210] = f64::INFINITY;
        let frame = df!["x" => values].unwrap();
        let rows = Rows::new(frame.lazy(), ["x"]).unwrap().chunk_rows(NonZeroUsize::new(100).unwrap());
        let error = fit_chunks(&StandardScaler::new(), &rows).unwrap_err();
        assert_eq!(error.to_string(), "column `x`, row 3210: inf is not finite");
    }

    #[test]
    fn a_query_that_fails_is_an_error_with_its_cause() {
        let folder = tempfile::tempdir().unwrap();
        let path = PlRefPath::new(folder.path().join("x.csv").to_str().unwrap());
        fs::write(path.as_str(), "x\n1.0\n2.0\n").unwrap();
        let query = LazyCsvReader::new(path.clone()).finish().unwrap();
        let rows = Rows::new(query, ["x"]).unwrap();
        assert_eq!(fit_chunks(&StandardScaler::new(), &rows).unwrap().columns()[0].mean, 1.5);
        fs::remove_file(path.as_str()).unwrap();
        for error in [fit_chunks(&StandardScaler::new(), &rows).err(), rows.fit(&StandardScaler::new()).err()] {
            assert!(matches!(error, Some(FitError::Chunk(_))), "{error:?}");
        }
    }

    #[test]
    fn only_what_is_fitted_on_is_read_and_a_query_without_rows_teaches_nothing() {
        let frame = df!["x" => [1.0, 2.0], "y" => [0.0, 1.0], "unused" => ["a", "b"]].unwrap();
        let rows = Rows::new(frame.clone().lazy(), ["x"]).unwrap().target("y").unwrap();
        let query = rows.chosen().explain(true).unwrap();
        assert!(query.contains("2/3 COLUMNS"), "{query}");
        let none = Rows::new(frame.lazy().filter(col("x").gt(lit(9))), ["x"]).unwrap();
        assert!(matches!(fit_chunks(&StandardScaler::new(), &none), Err(FitError::Empty { .. })));
    }

    #[test]
    fn columns_that_are_not_there_or_no_numbers_are_named() {
        let query = || df!["x" => ["a", "b"], "when" => [1_u64, 2]].unwrap().lazy();
        let error = Rows::new(query(), ["z"]).unwrap_err();
        assert!(matches!(&error, FrameError::Polars(error) if error.to_string().contains('z')), "{error:?}");
        let error = Rows::new(query(), ["when"]).unwrap_err().to_string();
        assert!(error.starts_with("column `when` is u64"), "{error}");
        let rows = Rows::new(query(), ["x"]).unwrap();
        assert!(rows.clone().target("x").is_err());
        assert!(matches!(rows.fit(&TargetEncoder::new()), Err(FitError::NoTarget { .. })));
    }
}
