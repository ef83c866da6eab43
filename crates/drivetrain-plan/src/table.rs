//! What a plan reads.

use std::borrow::Cow;

use crate::{Column, Field, Matrix, Schema, TableError};

/// Named, typed columns of equal length.
pub trait Table: Sync {
    /// The number of rows.
    fn n_rows(&self) -> usize;
    /// The columns' names and types.
    fn schema(&self) -> &Schema;
    /// The column called `name`, of the type that the schema says; `None` if there is none.
    fn column(&self, name: &str) -> Option<Column<'_>>;
}

/// A table that owns its columns.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, Table};
///
/// let table = ColumnTable::new(vec![("weight".into(), Column::from(vec![3504.0, f64::NAN]))])?;
/// assert_eq!(table.n_rows(), 2);
/// # Ok::<(), drivetrain_plan::TableError>(())
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<(String, Column<'static>)>", into = "Vec<(String, Column<'static>)>")]
pub struct ColumnTable {
    schema: Schema,
    columns: Vec<Column<'static>>,
    n_rows: usize,
}

impl ColumnTable {
    /// A table of these columns, in this order.
    ///
    /// # Errors
    /// [`TableError::Schema`] when two columns share a name, [`TableError::Ragged`] when lengths differ.
    pub fn new(columns: Vec<(String, Column<'static>)>) -> Result<Self, TableError> {
        let n_rows = columns.first().map_or(0, |(_, column)| column.len());
        if let Some((name, column)) = columns.iter().find(|(_, column)| column.len() != n_rows) {
            return Err(TableError::Ragged { column: name.clone(), expected: n_rows, found: column.len() });
        }
        let fields = columns.iter().map(|(name, column)| Field::new(name, column.dtype())).collect();
        let schema = Schema::new(fields)?;
        Ok(Self { schema, columns: columns.into_iter().map(|(_, column)| column).collect(), n_rows })
    }

    /// A copy of `table`.
    ///
    /// # Errors
    /// As [`ColumnTable::new`], when `table` does not keep what its schema says.
    pub fn copy_of(table: &dyn Table) -> Result<Self, TableError> {
        let columns =
            table.schema().names().filter_map(|name| Some((name.to_owned(), table.column(name)?.into_owned())));
        Self::new(columns.collect())
    }

    /// The rows `rows`, in that order.
    ///
    /// # Panics
    /// When a row index is not below [`Table::n_rows`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            schema: self.schema.clone(),
            columns: self.columns.iter().map(|column| column.take(rows)).collect(),
            n_rows: rows.len(),
        }
    }
}

impl Table for ColumnTable {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let index = self.schema.names().position(|column| column == name)?;
        self.columns.get(index).map(|column| column.view(0, self.n_rows))
    }
}

impl TryFrom<Vec<(String, Column<'static>)>> for ColumnTable {
    type Error = TableError;

    fn try_from(columns: Vec<(String, Column<'static>)>) -> Result<Self, Self::Error> {
        Self::new(columns)
    }
}

impl From<ColumnTable> for Vec<(String, Column<'static>)> {
    fn from(table: ColumnTable) -> Self {
        table.schema.names().map(str::to_owned).zip(table.columns).collect()
    }
}

impl TryFrom<&Matrix> for ColumnTable {
    type Error = TableError;

    /// The features as `float64` columns.
    fn try_from(matrix: &Matrix) -> Result<Self, Self::Error> {
        let values = matrix.values();
        let columns = values.columns().into_iter().map(|column| Column::from(column.to_vec()));
        Self::new(matrix.feature_names().iter().cloned().zip(columns).collect())
    }
}

/// Some columns of another table.
#[derive(Clone)]
pub struct SelectedTable<'a> {
    table: &'a dyn Table,
    schema: Cow<'a, Schema>,
}

impl std::fmt::Debug for SelectedTable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelectedTable").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl<'a> SelectedTable<'a> {
    /// The columns called `names`, in that order; `Err` holds the first name that is not there or appears twice.
    ///
    /// # Errors
    /// The name at fault.
    pub fn new(table: &'a dyn Table, names: &[String]) -> Result<Self, String> {
        let fields = names.iter().map(|name| table.schema().field(name).cloned().ok_or_else(|| name.clone()));
        let schema = Schema::new(fields.collect::<Result<_, _>>()?).map_err(|error| match error {
            crate::SchemaError::DuplicateColumn { column } => column,
            other => other.to_string(),
        })?;
        Ok(Self { table, schema: Cow::Owned(schema) })
    }

    /// The columns that `schema` lists. Whether `table` has them shows when they are asked for.
    pub fn with_schema(table: &'a dyn Table, schema: &'a Schema) -> Self {
        Self { table, schema: Cow::Borrowed(schema) }
    }
}

impl Table for SelectedTable<'_> {
    fn n_rows(&self) -> usize {
        self.table.n_rows()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        self.schema.field(name)?;
        self.table.column(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ColumnTable {
        let columns = vec![("a".into(), Column::from(vec![1_i64, 2])), ("b".into(), Column::from(vec![0.5, f64::NAN]))];
        ColumnTable::new(columns).unwrap()
    }

    #[test]
    fn ragged_columns_are_refused() {
        let columns = vec![("a".into(), Column::from(vec![1_i64, 2])), ("b".into(), Column::from(vec![0.5]))];
        assert_eq!(
            ColumnTable::new(columns).unwrap_err(),
            TableError::Ragged { column: "b".into(), expected: 2, found: 1 }
        );
    }

    #[test]
    fn a_selection_shows_only_what_was_selected() {
        let table = table();
        let selected = SelectedTable::new(&table, &["b".into()]).unwrap();
        assert!(selected.column("a").is_none() && selected.column("b").is_some());
        assert_eq!(SelectedTable::new(&table, &["c".into()]).unwrap_err(), "c");
    }

    #[test]
    fn a_table_survives_messagepack_with_its_missing_values() {
        let table = table();
        let bytes = rmp_serde::to_vec_named(&table).unwrap();
        let back: ColumnTable = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(back.schema(), table.schema());
        assert!(back.column("b").unwrap().is_missing(1));
    }

    #[test]
    fn rows_are_taken_in_the_order_asked_for() {
        let taken = table().take(&[1, 0, 1]);
        assert_eq!(taken.column("a"), Some(Column::from(vec![2_i64, 1, 2])));
    }
}
