//! Aligned columns.

use super::paint::Paint;

/// Which side of its column a cell stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// A table with a title, its cells aligned by column.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    sides: Vec<Side>,
    header: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: &str, sides: &[Side]) -> Self {
        Self { title: title.to_owned(), sides: sides.to_vec(), header: None, rows: Vec::new() }
    }

    pub(crate) fn header(mut self, cells: &[&str]) -> Self {
        self.header = Some(cells.iter().map(|cell| (*cell).to_owned()).collect());
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, and an empty line.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let lines = || self.header.iter().chain(&self.rows);
        let width =
            |column: usize| lines().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max();
        let widths: Vec<_> = (0..self.sides.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = format!("{}\n", paint.bold(&self.title));
        if let Some(header) = &self.header {
            text.push_str(&paint.dim(&self.line(header, &widths)));
            text.push('\n');
        }
        for row in &self.rows {
            text.push_str(&self.line(row, &widths));
            text.push('\n');
        }
        text.push('\n');
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, side), width) in cells.iter().zip(&self.sides).zip(widths) {
            line.push_str("  ");
            match side {
                Side::Left => line.push_str(&format!("{cell:<width$}")),
                Side::Right => line.push_str(&format!("{cell:>width$}")),
            }
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_end_without_spaces() {
        let mut table = Table::new("Metrics", &[Side::Left, Side::Right, Side::Left]).header(&["", "train", "note"]);
        table.row(["rmse".into(), "1.5".into(), "x".into()]);
        table.row(["m".into(), "10.25".into(), String::new()]);
        let expected = "Metrics\n        train  note\n  rmse    1.5  x\n  m     10.25\n\n";
        assert_eq!(table.render(Paint::plain()), expected);
    }
}
