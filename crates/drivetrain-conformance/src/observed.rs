//! What a transformer gave, in a form in which bits can be compared and read.

use drivetrain_plan::{Matrix, Table};

/// Names and values; equal exactly when all bits of all values are, save those that tell one NaN from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Observed {
    pub(crate) fn matrix(matrix: &Matrix) -> Self {
        let values = matrix.values();
        let rows = values.rows().into_iter().map(|row| row.iter().map(|value| format!("{value:?}")).collect());
        Self { names: matrix.feature_names().to_vec(), rows: rows.collect() }
    }

    pub(crate) fn table(table: &dyn Table) -> Self {
        let names: Vec<String> = table.schema().names().map(str::to_owned).collect();
        let columns: Vec<_> = names.iter().filter_map(|name| table.column(name)).collect();
        let row = |row| columns.iter().map(|column| column.describe(row)).collect();
        Self { names, rows: (0..table.n_rows()).map(row).collect() }
    }
}
