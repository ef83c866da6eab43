//! What was learned, for people to read.

mod html;

use std::fmt;

use drivetrain_plan::Plan;
use serde::{Deserialize, Serialize};

/// Categories and other lists are shown up to this length.
const MAX_ITEMS: usize = 12;

/// What a fitted estimator learned: a title, a table with a line per column, and the same of its parts.
///
/// Its [`Display`](fmt::Display) is an indented tree of aligned tables; [`to_html`](Self::to_html) is a piece of a web page.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, Fitted, StandardScaler};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 3.0]))])?;
/// let summary = StandardScaler::new().fit(&table, None)?.summary();
/// assert_eq!(summary.to_string(), "StandardScaler\n  column  mean  scale\n  x       2.0   1.0\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    parts: Vec<(String, Summary)>,
}

impl Summary {
    /// A summary of which there is only the title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), header: Vec::new(), rows: Vec::new(), parts: Vec::new() }
    }

    /// With a table: the names of its columns, and one line per column of the data.
    #[must_use]
    pub fn table<const N: usize>(self, header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Self {
        let header = header.map(str::to_owned).to_vec();
        Self { header, rows: rows.into_iter().map(Vec::from).collect(), ..self }
    }

    /// With a named part after those that it has.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Self) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// The operations of a plan: what can be said of any estimator.
    pub(crate) fn of_plan(title: &str, plan: &Plan) -> Self {
        Self::new(title).table(["operation"], plan.ops().iter().map(|op| [op.to_string()]))
    }

    /// The title, which names the estimator.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The names of the table's columns, and its lines.
    #[must_use]
    pub fn rows(&self) -> (&[String], &[Vec<String>]) {
        (&self.header, &self.rows)
    }

    /// The parts with their names, in order.
    #[must_use]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = (&str, &Self)> {
        self.parts.iter().map(|(name, part)| (name.as_str(), part))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize, name: &str) -> fmt::Result {
        let indent = "  ".repeat(depth);
        writeln!(f, "{indent}{}{}", one_line(name), one_line(&self.title))?;
        let lines: Vec<Vec<String>> = std::iter::once(&self.header)
            .filter(|header| !header.is_empty())
            .chain(&self.rows)
            .map(|line| line.iter().map(|cell| one_line(cell)).collect())
            .collect();
        let width = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{indent}  {}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        self.parts.iter().try_for_each(|(name, part)| part.write(f, depth + 1, &format!("{name}: ")))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0, "")
    }
}

/// Names may hold anything; a line stays one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// A number with at most six significant digits, shorter where that says the same.
pub(crate) fn number(value: f64) -> String {
    let exact = format!("{value:?}");
    if exact.len() <= 8 || !value.is_finite() {
        return exact;
    }
    let scientific = format!("{value:.5e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return exact };
    match exponent.parse::<i32>() {
        Ok(exponent @ -4..=14) => {
            let decimals = usize::try_from(5 - exponent).unwrap_or(0);
            let text = format!("{value:.decimals$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        _ => format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.')),
    }
}

/// Items separated by commas, the last ones left out when there are many.
pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    let shown = items.iter().take(MAX_ITEMS).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > MAX_ITEMS { format!("{shown}, ... ({} in all)", items.len()) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_magnitude() {
        let pairs = [
            (2.0, "2.0"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333"),
            (2_970.424_36, "2970.42"),
            (-123_456_789.0, "-123456789"),
            (1.234_567_89e-9, "1.23457e-9"),
            (1e100, "1e100"),
            (2.000_000_000_1, "2"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in pairs {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let items = |count: usize| list((0..count).map(|item| item.to_string()));
        assert_eq!(items(3), "0, 1, 2");
        assert_eq!(items(40), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ... (40 in all)");
    }

    #[test]
    fn names_of_any_kind_stay_on_their_line_and_columns_stay_aligned() {
        let rows = [["größe\n".to_owned(), "1".to_owned()], ["b".to_owned(), "22".to_owned()]];
        let part = Summary::new("Inner").table(["column", "x"], rows);
        let text = Summary::new("Outer").part("na\tme", part).to_string();
        assert_eq!(text, "Outer\n  na\\tme: Inner\n    column   x\n    größe\\n  1\n    b        22\n");
    }
}
