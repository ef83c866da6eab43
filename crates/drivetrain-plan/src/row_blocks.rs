//! Tables looked at a block of rows at a time.

use std::{ops::Range, sync::OnceLock};

use crate::{Column, Schema, Table};

/// Lends blocks of a table's rows. Each column is fetched once, when the first block needs it, whatever the number of
/// blocks and threads.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, RowBlocks, Table};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1_i64, 2, 3]))])?;
/// let blocks = RowBlocks::new(&table);
/// assert_eq!(blocks.block(1..3).column("x"), Some(Column::from(vec![2_i64, 3])));
/// # Ok::<(), drivetrain_plan::TableError>(())
/// ```
pub struct RowBlocks<'a> {
    table: &'a dyn Table,
    columns: Vec<OnceLock<Option<Column<'a>>>>,
}

impl std::fmt::Debug for RowBlocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowBlocks").field("schema", self.table.schema()).finish_non_exhaustive()
    }
}

impl<'a> RowBlocks<'a> {
    /// Blocks of `table`.
    #[must_use]
    pub fn new(table: &'a dyn Table) -> Self {
        Self { table, columns: vec![OnceLock::new(); table.schema().len()] }
    }

    /// The number of rows of the table.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.table.n_rows()
    }

    /// The rows `rows`; those that the table does not have are left out.
    #[must_use]
    pub fn block(&self, rows: Range<usize>) -> RowBlock<'_, 'a> {
        let end = rows.end.min(self.n_rows());
        RowBlock { blocks: self, rows: rows.start.min(end)..end }
    }
}

/// Some consecutive rows of a table, lent by [`RowBlocks`].
#[derive(Debug, Clone)]
pub struct RowBlock<'b, 'a> {
    blocks: &'b RowBlocks<'a>,
    rows: Range<usize>,
}

impl Table for RowBlock<'_, '_> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn schema(&self) -> &Schema {
        self.blocks.table.schema()
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let RowBlocks { table, columns } = self.blocks;
        let column = columns.get(self.schema().names().position(|column| column == name)?)?;
        let column = column.get_or_init(|| table.column(name)).as_ref()?;
        // A table that breaks its word about its length hands out nothing.
        (column.len() == table.n_rows()).then(|| column.view(self.rows.start, self.rows.end))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::ColumnTable;

    /// Counts how often its columns are asked for.
    struct Counted(ColumnTable, AtomicUsize);

    impl Table for Counted {
        fn n_rows(&self) -> usize {
            self.0.n_rows()
        }

        fn schema(&self) -> &Schema {
            self.0.schema()
        }

        fn column(&self, name: &str) -> Option<Column<'_>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.column(name)
        }
    }

    #[test]
    fn blocks_partition_the_rows_and_fetch_each_column_once() {
        let columns = vec![
            ("text".into(), Column::from(vec![Some("a"), None, Some("c"), Some("d"), None])),
            ("unused".into(), Column::from(vec![0_i64; 5])),
        ];
        let table = Counted(ColumnTable::new(columns).unwrap(), AtomicUsize::new(0));
        let blocks = RowBlocks::new(&table);
        let texts = (0..5).step_by(2).flat_map(|start| {
            let block = blocks.block(start..start + 2);
            assert_eq!(block.n_rows(), 2.min(5 - start));
            let column = block.column("text").unwrap().into_owned();
            (0..column.len()).map(move |row| column.text(row).map(str::to_owned)).collect::<Vec<_>>()
        });
        let texts: Vec<_> = texts.collect();
        assert_eq!(texts, ["a", "", "c", "d", ""].map(|text| (!text.is_empty()).then(|| text.to_owned())));
        assert_eq!(table.1.load(Ordering::Relaxed), 1);
        assert_eq!((blocks.block(7..9).n_rows(), blocks.block(0..1).column("absent")), (0, None));
    }
}
