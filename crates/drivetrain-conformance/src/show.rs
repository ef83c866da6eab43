//! Tables as text.

use drivetrain_plan::Table;

/// `table` as aligned text: names, types, then one line per row.
///
/// ```
/// use drivetrain_conformance::show;
/// use drivetrain_plan::{Column, ColumnTable};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NAN]))])?;
/// assert_eq!(show(&table), "x      \nfloat64\n1.0    \nmissing\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn show(table: &dyn Table) -> String {
    let columns: Vec<Vec<String>> = table
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let values = table.column(&field.name);
            let values = values.iter().flat_map(|column| (0..column.len()).map(|row| column.describe(row)));
            [field.name.clone(), field.dtype.to_string()].into_iter().chain(values).collect()
        })
        .collect();
    let widths: Vec<usize> =
        columns.iter().map(|cells| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for line in 0..table.n_rows() + 2 {
        let cells = columns.iter().zip(&widths);
        let cells = cells.map(|(cells, width)| format!("{:<width$}", cells.get(line).map_or("", String::as_str)));
        text += &cells.collect::<Vec<_>>().join("  ");
        text += "\n";
    }
    text
}
