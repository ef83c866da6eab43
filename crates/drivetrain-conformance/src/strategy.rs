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
    max_rows: usize,
    missing: f64,
    extremes: bool,
    categories: usize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { max_rows: 24, missing: 0.1, extremes: false, categories: 4 }
    }
}

impl TableOptions {
    /// The largest number of rows; the smallest is 1.
    #[must_use]
    pub const fn max_rows(self, max_rows: usize) -> Self {
        Self { max_rows, ..self }
    }

    /// The probability that a value is missing.
    #[must_use]
    pub const fn missing(self, missing: f64) -> Self {
        Self { missing, ..self }
    }

    /// Whether floats reach from 1e-100 to 1e100.
    #[must_use]
    pub const fn extremes(self, extremes: bool) -> Self {
        Self { extremes, ..self }
    }

    /// The number of distinct texts and integer categories, at most 8.
    #[must_use]
    pub const fn categories(self, categories: usize) -> Self {
        Self { categories, ..self }
    }

    fn texts(&self) -> Vec<&'static str> {
        let all = ["a", "b", "", "ß", "日本", "A b", "_", "10"];
        all[..self.categories.clamp(1, all.len())].to_vec()
    }
}

/// Tables of `schema` with 1 row or more.
pub fn tables(schema: &Schema, options: &TableOptions) -> BoxedStrategy<ColumnTable> {
    let max_rows = options.max_rows.max(1);
    let columns: Vec<_> = schema.fields().iter().map(|field| column(field.dtype, max_rows, options)).collect();
    let names: Vec<String> = schema.names().map(str::to_owned).collect();
    let whole = columns.prop_filter_map("the columns of a schema form a table", move |columns| {
        ColumnTable::new(names.iter().cloned().zip(columns).collect()).ok()
    });
    // Cutting a table short shrinks better than generating a shorter one.
    let cut = |(rows, table): (usize, ColumnTable)| table.take(&(0..rows).collect::<Vec<_>>());
    (1..=max_rows, whole).prop_map(cut).boxed()
}

fn column(dtype: DataType, rows: usize, options: &TableOptions) -> BoxedStrategy<Column<'static>> {
    let present = 1.0 - options.missing.clamp(0.0, 0.99);
    match dtype {
        DataType::Boolean => cells(any::<bool>(), present, rows, Column::from),
        DataType::Int64 => cells(-50..50_i64, present, rows, Column::from),
        DataType::Float64 => cells(float(options.extremes), present, rows, |values: Vec<Option<f64>>| {
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

fn float(extremes: bool) -> BoxedStrategy<f64> {
    let ordinary = prop_oneof![3 => -1e3..1e3, 2 => (-5..5_i32).prop_map(f64::from), 1 => Just(0.0)];
    if !extremes {
        return ordinary.boxed();
    }
    let magnitude =
        (-100..=100_i32, -10.0..10.0).prop_map(|(exponent, digits): (i32, f64)| digits * 10_f64.powi(exponent));
    prop_oneof![2 => ordinary, 1 => magnitude].boxed()
}

fn text(options: &TableOptions) -> BoxedStrategy<&'static str> {
    proptest::sample::select(options.texts()).boxed()
}
