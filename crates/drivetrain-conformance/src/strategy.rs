//! Random tables.

use std::{borrow::Cow, sync::Arc};

use drivetrain_plan::{CategoricalColumn, CategoryType, Column, ColumnTable, DataType, Int64Column, Schema};
use proptest::{option, prelude::*};

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
    let (min_rows, max_rows) = (options.min_rows, options.max_rows.max(options.min_rows));
    let columns: Vec<_> = schema.fields().iter().map(|field| column(field.dtype, max_rows, options)).collect();
    let names: Vec<String> = schema.names().map(str::to_owned).collect();
    let whole = columns.prop_filter_map("the columns of a schema form a table", move |columns| {
        ColumnTable::new(names.iter().cloned().zip(columns).collect()).ok()
    });
    // Cutting a table short shrinks better than generating a shorter one.
    let cut = |(rows, table): (usize, ColumnTable)| table.take(&(0..rows).collect::<Vec<_>>());
    (min_rows..=max_rows, whole).prop_map(cut).boxed()
}

fn column(dtype: DataType, rows: usize, options: &TableOptions) -> BoxedStrategy<Column<'static>> {
    let present = 1.0 - options.missing.clamp(0.0, 0.99);
    match dtype {
        DataType::Boolean => cells(any::<bool>(), present, rows, Column::from),
        DataType::Int64 => cells(integer(options), present, rows, Column::from),
        DataType::Float64 => cells(float(options), present, rows, |values: Vec<Option<f64>>| {
            Column::from(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>())
        }),
        DataType::String => cells(text(options), present, rows, Column::from),
        DataType::Categorical(CategoryType::Int64) => {
            let count = i64::try_from(options.categories.max(1)).unwrap_or(i64::MAX);
            // The largest ones have two digits, so that sorting them as text would show.
            cells((9..9 + count).boxed(), present, rows, |values: Vec<Option<i64>>| {
                Column::Categorical(CategoricalColumn::Int64(Int64Column::from(values)))
            })
        }
        DataType::Categorical(CategoryType::String) => {
            let dictionary = options.texts();
            let plain = cells(text(options), present, rows, |values: Vec<Option<&'static str>>| {
                let values = values.into_iter().map(|text| text.map(Cow::Borrowed));
                Column::Categorical(CategoricalColumn::String(values.collect()))
            });
            let codes = 0..u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
            let indexed = cells(codes.boxed(), present, rows, move |codes: Vec<Option<u32>>| {
                let dictionary: Arc<[_]> = dictionary.iter().map(|text| Cow::Borrowed(*text)).collect();
                let codes = codes.into_iter().map(|code| code.unwrap_or(u32::MAX)).collect();
                Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary })
            });
            prop_oneof![plain, indexed].boxed()
        }
    }
}

fn cells<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
    present: f64,
    rows: usize,
    column: impl Fn(Vec<Option<T>>) -> Column<'static> + 'static,
) -> BoxedStrategy<Column<'static>> {
    // A weight of exactly 1 is refused.
    let cell = if present < 1.0 { option::weighted(present, value).boxed() } else { value.prop_map(Some).boxed() };
    proptest::collection::vec(cell, rows).prop_map(column).boxed()
}

fn integer(options: &TableOptions) -> BoxedStrategy<i64> {
    let ordinary = -50..50_i64;
    if !options.edges {
        return ordinary.boxed();
    }
    prop_oneof![4 => ordinary, 1 => proptest::sample::select(vec![i64::MIN, i64::MAX, (1 << 53) + 1])].boxed()
}

pub(crate) fn float(options: &TableOptions) -> BoxedStrategy<f64> {
    let ordinary = prop_oneof![3 => -1e3..1e3, 2 => (-5..5_i32).prop_map(f64::from), 1 => Just(0.0)];
    let magnitude =
        (-100..=100_i32, -10.0..10.0).prop_map(|(exponent, digits): (i32, f64)| digits * 10_f64.powi(exponent));
    let edges =
        vec![f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, f64::EPSILON];
    let edge = proptest::sample::select(edges);
    match (options.extremes, options.edges) {
        (false, false) => ordinary.boxed(),
        (true, false) => prop_oneof![2 => ordinary, 1 => magnitude].boxed(),
        (false, true) => prop_oneof![3 => ordinary, 1 => edge].boxed(),
        (true, true) => prop_oneof![2 => ordinary, 1 => magnitude, 1 => edge].boxed(),
    }
}

fn text(options: &TableOptions) -> BoxedStrategy<&'static str> {
    proptest::sample::select(options.texts()).boxed()
}
