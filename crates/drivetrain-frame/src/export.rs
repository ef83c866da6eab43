//! Tables and matrices as data frames.

use drivetrain_plan::{CategoricalColumn, Column as TableColumn, Matrix, Table};
use polars::prelude::{Categories, Column, DataFrame, DataType, IntoColumn, NamedFrom, Series};

use crate::FrameError;

/// A copy of `table` as a data frame.
///
/// NaN of a float column stays NaN; other missing values become null. Text categories become polars' `Categorical`;
/// integer categories, which polars does not have, become `Int64`.
///
/// # Errors
/// [`FrameError`] when the table does not keep what its schema says.
pub fn to_data_frame(table: &dyn Table) -> Result<DataFrame, FrameError> {
    let columns = table.schema().names().map(|name| {
        let column = table.column(name).ok_or_else(|| FrameError::AbsentColumn { column: name.to_owned() })?;
        export(name, &column)
    });
    Ok(DataFrame::new(table.n_rows(), columns.collect::<Result<_, FrameError>>()?)?)
}

/// A copy of `matrix` as a data frame of `Float64` columns.
///
/// # Errors
/// [`FrameError`] when polars refuses the columns.
pub fn matrix_to_data_frame(matrix: &Matrix) -> Result<DataFrame, FrameError> {
    let values = matrix.values();
    let columns = matrix.feature_names().iter().zip(values.columns());
    let columns = columns.map(|(name, values)| Column::new(name.as_str().into(), values.to_vec()));
    Ok(DataFrame::new(matrix.n_rows(), columns.collect())?)
}

/// A copy of `column` as a polars column called `name`.
pub(crate) fn export(name: &str, column: &TableColumn<'_>) -> Result<Column, FrameError> {
    let texts = || (0..column.len()).map(|row| column.text(row)).collect::<Vec<_>>();
    let series = match column {
        TableColumn::Boolean(values) => Series::new(name.into(), values.as_ref()),
        TableColumn::Int64(column) | TableColumn::Categorical(CategoricalColumn::Int64(column)) => {
            Series::new(name.into(), column.iter().collect::<Vec<_>>())
        }
        TableColumn::Float64(values) => Series::new(name.into(), values.as_ref()),
        TableColumn::String(_) => Series::new(name.into(), texts()),
        TableColumn::Categorical(_) => {
            let dtype = DataType::from_categories(Categories::global());
            Series::new(name.into(), texts()).cast(&dtype)?
        }
    };
    Ok(series.into_column())
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{ColumnTable, Plan};

    use super::*;
    use crate::FrameTable;

    #[test]
    fn tables_survive_the_way_there_and_back() {
        let texts = vec![Some("b".into()), None, Some("a".into())];
        let columns = vec![
            ("flag".to_owned(), TableColumn::from(vec![Some(true), None, Some(false)])),
            ("count".to_owned(), TableColumn::from(vec![Some(1_i64), None, Some(3)])),
            ("size".to_owned(), TableColumn::from(vec![0.5, 1.5, 2.5])),
            ("text".to_owned(), TableColumn::String(texts.clone())),
            ("category".to_owned(), TableColumn::Categorical(CategoricalColumn::String(texts))),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let frame = to_data_frame(&table).unwrap();
        let back = FrameTable::new(&frame).unwrap();
        assert_eq!(back.schema(), table.schema());
        for name in table.schema().names() {
            let (before, after) = (table.column(name).unwrap(), back.column(name).unwrap());
            for row in 0..3 {
                assert_eq!(before.describe(row), after.describe(row), "{name}, row {row}");
            }
        }
    }

    #[test]
    fn matrices_become_float_columns() {
        let table = ColumnTable::new(vec![("x".into(), TableColumn::from(vec![1_i64, 2]))]).unwrap();
        let matrix = Plan::identity(table.schema().clone()).unwrap().apply(&table).unwrap();
        let frame = matrix_to_data_frame(&matrix).unwrap();
        assert_eq!(frame.column("x").unwrap().f64().unwrap().get(1), Some(2.0));
    }
}
