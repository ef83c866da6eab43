//! Tables, before it is known where they are shown.

use std::iter;

/// A table; the first column holds names, the others numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// One cell per column.
    pub header: Vec<String>,
    /// As wide as the header.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// In Markdown, names to the left and numbers to the right, without the title.
    ///
    /// ```
    /// let table = drivetrain_bench::Table {
    ///     title: "Fit".into(),
    ///     header: vec!["engine".into(), "median".into()],
    ///     rows: vec![vec!["a|b".into(), "1.0 s".into()]],
    /// };
    /// assert_eq!(table.to_markdown(), "| engine | median |\n|---|---:|\n| a\\|b | 1.0 s |\n");
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let numbers = iter::repeat_n("---:|", self.header.len().saturating_sub(1));
        let rule: String = iter::once("|---|").chain(numbers).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}\n{rows}", line(&self.header))
    }

    /// The same without the columns that have nothing in any row.
    pub(crate) fn without_empty_columns(self) -> Self {
        let used = |column: &usize| self.rows.iter().any(|row| row[*column] != "-");
        let keep: Vec<usize> = (0..self.header.len()).filter(|column| *column == 0 || used(column)).collect();
        let pick = |cells: &Vec<String>| keep.iter().map(|column| cells[*column].clone()).collect::<Vec<_>>();
        Self { header: pick(&self.header), rows: self.rows.iter().map(pick).collect(), title: self.title }
    }
}
