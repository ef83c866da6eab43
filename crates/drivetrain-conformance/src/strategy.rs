//! Random tables.

use std::{borrow::Cow, sync::Arc};

use drivetrain_plan::{CategoricalColumn, CategoryType, Column, ColumnTable, DataType, Int64Column, Schema};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// What random tables look like.
///
/// ```
/// use drivetrain_conformance::TableOptions;
///
/// let options = TableOptions::default().max_rows(100).missing(0.0).extremes(true);
/// assert_eq!(options, options.clone());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions {
    min_rows: usize,
    max_rows: usize,
    missing: f64,
    extremes: bool,
    edges: bool,
    categories: usize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { min_rows: 1, max_rows: 24, missing: 0.1, extremes: false, edges: false, categories: 4 }
    }
}

impl TableOptions {
    /// The smallest number of rows: 1 unless set.
    #[must_use]
    pub const fn min_rows(self, min_rows: usize) -> Self {
        Self { min_rows, ..self }
    }

    /// The largest number of rows: 24 unless set.
    #[must_use]
    pub const fn max_rows(self, max_rows: usize) -> Self {
        Self { max_rows, ..self }
    }

    /// The probability that a value is missing (NaN in a float column): 0.1 unless set.
    #[must_use]
    pub const fn missing(self, missing: f64) -> Self {
        Self { missing, ..self }
    }

    /// Whether floats reach from 1e-100 to 1e100: false unless set.
    #[must_use]
    pub const fn extremes(self, extremes: bool) -> Self {
        Self { extremes, ..self }
    }

    /// Whether values from the edges of their types are among the numbers: infinities, negative zero, the smallest and the
    /// largest floats, integers that no float holds. False unless set; much of arithmetic ends there.
    #[must_use]
    pub const fn edges(self, edges: bool) -> Self {
        Self { edges, ..self }
    }

    /// The number of distinct texts and integer categories, at most 8: 4 unless set. The empty text is the third.
    #[must_use]
    pub const fn categories(self, categories: usize) -> Self {
        Self { categories, ..self }
    }

    pub(crate) fn texts(&self) -> Vec<&'static str> {
        let all = ["a", "b", "", "ß", "日本", "A b", "_", "10"];
        all[..self.categories.clamp(1, all.len())].to_vec()
    }
}

/// Tables of `schema`.
pub fn tables(schema: &Schema, options: &TableOptions) -> BoxedStrategy<ColumnTable> {
    let fields = schema.fields().to_vec();
    let row: Vec<_> = fields.iter().map(|field| cell(field.dtype, options)).collect();
    // Rows, not columns: the shrinking leaves out any of them.
    let rows = vec(row, options.min_rows..=options.max_rows.max(options.min_rows));
    let indexed = vec(any::<bool>(), fields.len());
    let dictionary: Arc<[Cow<'static, str>]> = options.texts().into_iter().map(Cow::Borrowed).collect();
    (rows, indexed)
        .prop_filter_map("the columns of a schema form a table", move |(rows, indexed)| {
            let columns = fields.iter().zip(indexed).enumerate().map(|(index, (field, indexed))| {
                let cells = rows.iter().map(|row| row[index].as_ref());
                (field.name.clone(), column(field.dtype, cells, indexed.then_some(&dictionary)))
            });
            ColumnTable::new(columns.collect()).ok()
        })
        .boxed()
}

/// A value of a table.
#[derive(Debug, Clone)]
enum Cell {
    Boolean(bool),
    Int64(i64),
    Float64(f64),
    String(&'static str),
}

/// Values of the type, `None` where missing.
fn cell(dtype: DataType, options: &TableOptions) -> BoxedStrategy<Option<Cell>> {
    let value = match dtype {
        DataType::Boolean => any::<bool>().prop_map(Cell::Boolean).boxed(),
        DataType::Int64 => integer(options).prop_map(Cell::Int64).boxed(),
        DataType::Float64 => float(options).prop_map(Cell::Float64).boxed(),
        DataType::Categorical(CategoryType::Int64) => {
            let count = i64::try_from(options.categories.max(1)).unwrap_or(i64::MAX);
            // The largest ones have two digits, so that sorting them as text would show.
            (9..9 + count).prop_map(Cell::Int64).boxed()
        }
        DataType::String | DataType::Categorical(CategoryType::String) => {
            select(options.texts()).prop_map(Cell::String).boxed()
        }
    };
    let present = 1.0 - options.missing.clamp(0.0, 0.99);
    // A weight of exactly 1 is refused.
    if present < 1.0 { option::weighted(present, value).boxed() } else { value.prop_map(Some).boxed() }
}

fn column<'c>(
    dtype: DataType,
    cells: impl Iterator<Item = Option<&'c Cell>>,
    dictionary: Option<&Arc<[Cow<'static, str>]>>,
) -> Column<'static> {
    let booleans = |cell: Option<&Cell>| if let Some(Cell::Boolean(value)) = cell { Some(*value) } else { None };
    let integers = |cell: Option<&Cell>| if let Some(Cell::Int64(value)) = cell { Some(*value) } else { None };
    let floats = |cell: Option<&Cell>| if let Some(Cell::Float64(value)) = cell { *value } else { f64::NAN };
    let texts =
        |cell: Option<&Cell>| if let Some(Cell::String(value)) = cell { Some(Cow::Borrowed(*value)) } else { None };
    match (dtype, dictionary) {
        (DataType::Boolean, _) => Column::from(cells.map(booleans).collect::<Vec<_>>()),
        (DataType::Int64, _) => Column::from(cells.map(integers).collect::<Vec<_>>()),
        (DataType::Float64, _) => Column::from(cells.map(floats).collect::<Vec<_>>()),
        (DataType::String, _) => Column::String(cells.map(texts).collect()),
        (DataType::Categorical(CategoryType::Int64), _) => {
            let values: Vec<Option<i64>> = cells.map(integers).collect();
            Column::Categorical(CategoricalColumn::Int64(Int64Column::from(values)))
        }
        (DataType::Categorical(CategoryType::String), None) => {
            Column::Categorical(CategoricalColumn::String(cells.map(texts).collect()))
        }
        (DataType::Categorical(CategoryType::String), Some(dictionary)) => {
            let code = |text| dictionary.iter().position(|known| *known == text);
            let codes = cells.map(|cell| texts(cell).and_then(code).and_then(|code| u32::try_from(code).ok()));
            Column::Categorical(CategoricalColumn::Dictionary {
                codes: codes.map(|code| code.unwrap_or(u32::MAX)).collect(),
                dictionary: Arc::clone(dictionary),
            })
        }
    }
}

fn integer(options: &TableOptions) -> BoxedStrategy<i64> {
    let ordinary = -50..50_i64;
    if !options.edges {
        return ordinary.boxed();
    }
    prop_oneof![4 => ordinary, 1 => select(vec![i64::MIN, i64::MAX, (1 << 53) + 1])].boxed()
}

pub(crate) fn float(options: &TableOptions) -> BoxedStrategy<f64> {
    let ordinary = prop_oneof![3 => -1e3..1e3, 2 => (-5..5_i32).prop_map(f64::from), 1 => Just(0.0)];
    let magnitude =
        (-100..=100_i32, -10.0..10.0).prop_map(|(exponent, digits): (i32, f64)| digits * 10_f64.powi(exponent));
    let edges =
        vec![f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, f64::EPSILON];
    let edge = select(edges);
    match (options.extremes, options.edges) {
        (false, false) => ordinary.boxed(),
        (true, false) => prop_oneof![2 => ordinary, 1 => magnitude].boxed(),
        (false, true) => prop_oneof![3 => ordinary, 1 => edge].boxed(),
        (true, true) => prop_oneof![2 => ordinary, 1 => magnitude, 1 => edge].boxed(),
    }
}
