//! Data frames as tables.

use std::{borrow::Cow, sync::Arc};

use drivetrain_plan::{CategoricalColumn, CategoryType, Column, DataType, Field, Int64Column, Schema, Table};
use polars::prelude::{
    CategoricalChunked, ChunkedArray, DataFrame, DataType as PolarsType, PolarsCategoricalType, PolarsNumericType,
    Series,
};

use crate::FrameError;

/// A data frame as a [`Table`]; columns are borrowed where polars stores them contiguously and without nulls.
///
/// | polars | table |
/// |---|---|
/// | `Boolean` | `boolean` |
/// | `Int8` ... `Int64`, `UInt8` ... `UInt32` | `int64` |
/// | `Float32`, `Float64` | `float64`; null becomes NaN |
/// | `String` | `string` |
/// | `Categorical`, `Enum` | `categorical[string]`, by value, never by polars' physical codes |
#[derive(Debug, Clone)]
pub struct FrameTable<'a> {
    frame: &'a DataFrame,
    schema: Schema,
}

impl<'a> FrameTable<'a> {
    /// The data frame as a table.
    ///
    /// # Errors
    /// [`FrameError::UnsupportedType`] when a column has a type that is not in the list above.
    pub fn new(frame: &'a DataFrame) -> Result<Self, FrameError> {
        let fields = frame.columns().iter().map(|column| {
            let name = column.name().as_str();
            let dtype = table_type(column.dtype()).ok_or_else(|| FrameError::UnsupportedType {
                column: name.to_owned(),
                dtype: column.dtype().to_string(),
            })?;
            Ok(Field::new(name, dtype))
        });
        let schema = Schema::new(fields.collect::<Result<_, FrameError>>()?)?;
        Ok(Self { frame, schema })
    }
}

/// The type of a table's column that a column of the polars type `dtype` becomes.
pub(crate) const fn table_type(dtype: &PolarsType) -> Option<DataType> {
    Some(match dtype {
        PolarsType::Boolean => DataType::Boolean,
        PolarsType::Int8
        | PolarsType::Int16
        | PolarsType::Int32
        | PolarsType::Int64
        | PolarsType::UInt8
        | PolarsType::UInt16
        | PolarsType::UInt32 => DataType::Int64,
        PolarsType::Float32 | PolarsType::Float64 => DataType::Float64,
        PolarsType::String => DataType::String,
        PolarsType::Categorical(..) | PolarsType::Enum(..) => DataType::Categorical(CategoryType::String),
        _ => return None,
    })
}

impl Table for FrameTable<'_> {
    fn n_rows(&self) -> usize {
        self.frame.height()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let series = self.frame.column(name).ok()?.as_materialized_series();
        match series.dtype() {
            PolarsType::Boolean => Some(Column::Boolean(series.bool().ok()?.iter().collect())),
            PolarsType::Float64 => Some(floats(series)),
            PolarsType::Float32 => {
                let values = series.f32().ok()?.iter();
                Some(Column::from(values.map(|value| value.map_or(f64::NAN, f64::from)).collect::<Vec<_>>()))
            }
            PolarsType::Int64 => Some(integers(series)),
            PolarsType::String => {
                Some(Column::String(series.str().ok()?.iter().map(|text| text.map(Cow::Borrowed)).collect()))
            }
            PolarsType::Categorical(..) | PolarsType::Enum(..) => {
                let column = if let Ok(column) = series.cat32() {
                    categories(column)
                } else if let Ok(column) = series.cat16() {
                    categories(column)
                } else {
                    categories(series.cat8().ok()?)
                };
                Some(Column::Categorical(column))
            }
            dtype if dtype.is_integer() => Some(integers(&series.cast(&PolarsType::Int64).ok()?).into_owned()),
            _ => None,
        }
    }
}

/// The single chunk of an array without nulls.
fn contiguous<T: PolarsNumericType>(values: &ChunkedArray<T>) -> Option<&[T::Native]> {
    values.cont_slice().ok()
}

fn floats(series: &Series) -> Column<'_> {
    let Ok(values) = series.f64() else { return Column::from(Vec::<f64>::new()) };
    match contiguous(values) {
        Some(slice) => Column::Float64(Cow::Borrowed(slice)),
        None => Column::from(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>()),
    }
}

fn integers(series: &Series) -> Column<'_> {
    let Ok(values) = series.i64() else { return Column::from(Vec::<i64>::new()) };
    match contiguous(values) {
        Some(slice) => Column::Int64(Int64Column::new(slice)),
        None => Column::from(values.iter().collect::<Vec<Option<i64>>>()),
    }
}

fn categories<T: PolarsCategoricalType>(column: &CategoricalChunked<T>) -> CategoricalColumn<'_>
where
    u32: From<T::Native>,
{
    let mapping = column.get_mapping();
    let size = mapping.num_cats_upper_bound();
    // Frames that share their categories may carry far more of them than they have rows.
    if size > column.len() {
        return CategoricalColumn::String(column.iter_str().map(|text| text.map(Cow::Borrowed)).collect());
    }
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    let dictionary: Arc<[Cow<'_, str>]> =
        (0..size).map(|code| Cow::Borrowed(mapping.cat_to_str(code).unwrap_or_default())).collect();
    let codes = column.physical().iter().map(|code| code.map_or(u32::MAX, u32::from)).collect();
    CategoricalColumn::Dictionary { codes, dictionary }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Categories, IntoColumn, NamedFrom, df};

    use super::*;

    fn only(frame: &DataFrame) -> Column<'static> {
        FrameTable::new(frame).unwrap().column("x").unwrap().into_owned()
    }

    #[test]
    fn every_number_type_is_widened() {
        let wide = Series::new("x".into(), [Some(1_i64), None, Some(3)]);
        for dtype in [PolarsType::Int32, PolarsType::UInt32, PolarsType::Int64] {
            let frame = DataFrame::new(3, vec![wide.cast(&dtype).unwrap().into_column()]).unwrap();
            assert_eq!(only(&frame), Column::from(vec![Some(1), None, Some(3)]), "{dtype}");
        }
        let single = DataFrame::new(3, vec![wide.cast(&PolarsType::Float32).unwrap().into_column()]).unwrap();
        let column = only(&single);
        assert!(column.is_missing(1) && column.describe(2) == "3.0");
    }

    #[test]
    fn full_float_columns_are_borrowed() {
        let frame = df!["x" => [0.5, 1.5]].unwrap();
        let table = FrameTable::new(&frame).unwrap();
        assert!(matches!(table.column("x"), Some(Column::Float64(Cow::Borrowed(_)))));
    }

    #[test]
    fn nulls_and_nan_of_floats_are_the_same() {
        let column = only(&df!["x" => [Some(0.5), None, Some(f64::NAN)]].unwrap());
        assert_eq!([column.is_missing(0), column.is_missing(1), column.is_missing(2)], [false, true, true]);
    }

    #[test]
    fn several_chunks_are_joined() {
        let mut frame = df!["x" => [1_i64, 2]].unwrap();
        frame.vstack_mut(&df!["x" => [3_i64]].unwrap()).unwrap();
        assert_eq!(only(&frame), Column::from(vec![1_i64, 2, 3]));
    }

    #[test]
    fn categories_come_by_value_whatever_their_codes() {
        let texts = Series::new("x".into(), [Some("b"), None, Some("a"), Some("b")]);
        let shared = Categories::global();
        for rows in [4, 1] {
            let series = texts.cast(&PolarsType::from_categories(shared.clone())).unwrap().head(Some(rows));
            let frame = DataFrame::new(rows, vec![series.into_column()]).unwrap();
            let column = only(&frame);
            assert_eq!(column.dtype(), DataType::Categorical(CategoryType::String));
            assert_eq!(column.text(0), Some("b"));
            assert!(rows == 1 || (column.text(1).is_none() && column.text(2) == Some("a")));
        }
    }

    #[test]
    fn other_types_are_named() {
        let series = Series::new("x".into(), [1_u64]);
        let frame = DataFrame::new(1, vec![series.into_column()]).unwrap();
        let error = FrameTable::new(&frame).unwrap_err().to_string();
        assert!(error.starts_with("column `x` is u64"), "{error}");
    }
}
