//! The raw format: numbers between white space, one row a line.

use drivetrain_frame::polars::prelude::{Column, DataFrame};

use crate::{DatasetError, Description, TextError, TrailingText, cells::Cells, error::excerpt};

/// Parses `bytes` as the description says. Blank lines are skipped; `origin` names the bytes in an error.
///
/// The columns are those of the description's schema, of polars types `Int64` and `Float64`; missing values are null.
///
/// # Errors
/// [`DatasetError::Text`] with the first [`TextError`]: its line, its column and the text found there.
pub fn parse(description: &Description, origin: &str, bytes: &[u8]) -> Result<DataFrame, DatasetError> {
    let fields = description.schema().fields();
    let mut columns = fields.iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
    let height = fill(description, &mut columns, bytes)
        .map_err(|source| DatasetError::Text { origin: origin.to_owned(), source })?;
    let columns: Vec<Column> = columns.into_iter().map(Cells::finish).collect();
    Ok(DataFrame::new(height, columns)?)
}

/// What follows the numbers of each row, without the quotes around it; nothing where nothing follows by description.
pub(crate) fn labels(description: &Description, bytes: &[u8]) -> Option<Vec<String>> {
    if description.trailing() == TrailingText::None {
        return None;
    }
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let label = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        let label = text.split_once('\t').map_or("", |(_, label)| label).trim();
        label.strip_prefix('"').and_then(|label| label.strip_suffix('"')).unwrap_or(label).to_owned()
    };
    Some(lines.map(label).collect())
}

/// Appends every row to the columns; the number of rows.
fn fill(description: &Description, columns: &mut [Cells<'_>], bytes: &[u8]) -> Result<usize, TextError> {
    let mut height = 0;
    for (index, text) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        let text = str::from_utf8(text).map_err(|_| TextError::NotUtf8 { line })?;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let words = words(text, line, columns.len(), description.trailing())?;
        let names = description.schema().names();
        for (position, ((column, name), word)) in columns.iter_mut().zip(names).zip(words).enumerate() {
            if !description.is_missing(word) {
                column.push(word, line)?;
            } else if position == 0 {
                let (column, found) = (name.to_owned(), excerpt(word));
                return Err(TextError::MissingTarget { line, column, found });
            } else {
                column.push_missing();
            }
        }
        height += 1;
    }
    if height == 0 { Err(TextError::Empty) } else { Ok(height) }
}

/// The `expected` words of a line that stand for values.
fn words(text: &str, line: usize, expected: usize, trailing: TrailingText) -> Result<Vec<&str>, TextError> {
    let (values, has_end) = match (trailing, text.split_once('\t')) {
        (TrailingText::AfterTab, Some((values, _))) => (values, true),
        (TrailingText::AfterTab, None) => (text, false),
        (TrailingText::None, _) => (text, true),
    };
    let words: Vec<&str> = values.split_ascii_whitespace().collect();
    let found = words.len();
    if found < expected || (has_end && found > expected) {
        return Err(TextError::Ragged { line, expected, found });
    }
    if has_end { Ok(words) } else { Err(TextError::NoTab { line }) }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{DataType, Field, Schema};
    use proptest::prelude::*;

    use super::*;

    fn description(trailing: TrailingText) -> Description {
        let schema = Schema::new(vec![
            Field::new("y", DataType::Float64),
            Field::new("count", DataType::Int64),
            Field::new("x", DataType::Float64),
        ])
        .unwrap();
        Description::new("test", schema).unwrap().missing_marker("?").unwrap().trailing_text(trailing)
    }

    fn error(bytes: &[u8]) -> TextError {
        match parse(&description(TrailingText::AfterTab), "t.data", bytes) {
            Err(DatasetError::Text { source, .. }) => source,
            other => panic!("expected a text error, found {other:?}"),
        }
    }

    #[test]
    fn numbers_missing_values_and_trailing_text() {
        let text = b"18.0   8   3504.\t\"a \"\"b\"\" c\t\"\r\n\n9.5 ? ?\t\n";
        let frame = parse(&description(TrailingText::AfterTab), "t.data", text).unwrap();
        let y: Vec<_> = frame.column("y").unwrap().f64().unwrap().iter().collect();
        let count: Vec<_> = frame.column("count").unwrap().i64().unwrap().iter().collect();
        let x: Vec<_> = frame.column("x").unwrap().f64().unwrap().iter().collect();
        assert_eq!(y, [Some(18.0), Some(9.5)]);
        assert_eq!(count, [Some(8), None]);
        assert_eq!(x, [Some(3504.0), None]);
    }

    #[test]
    fn what_follows_the_numbers_is_a_row_s_label() {
        let text = b"18.0 8 3504.\t\"a \"\"b\"\" c\t\"\r\n\n9.5 ? ?\t\n1 2 3\tplain\n";
        let found = labels(&description(TrailingText::AfterTab), text).unwrap();
        assert_eq!(found, ["a \"\"b\"\" c\t", "", "plain"]);
        assert_eq!(labels(&description(TrailingText::None), text), None);
    }

    #[test]
    fn a_ragged_line_says_how_many_fields_it_has() {
        let good = "1 2 3\ta\n";
        for (line, found) in [("1 2\ta", 2), ("1 2 3 4\ta", 4), ("1 2", 2), ("\ta", 0)] {
            let ragged = TextError::Ragged { line: 2, expected: 3, found };
            assert_eq!(error(format!("{good}{line}\n{good}").as_bytes()), ragged);
        }
        assert_eq!(error(b"1 2 3\ta\n\n1 2 3 a\n"), TextError::NoTab { line: 3 });
    }

    #[test]
    fn a_bad_value_says_its_line_column_and_text() {
        let place = |line, column: &str, found: &str| (line, column.to_owned(), found.to_owned());
        let (line, column, found) = place(2, "count", "8.5");
        assert_eq!(error(b"1 2 3\t\n1 8.5 3\t\n"), TextError::NotAnInteger { line, column, found });
        let (line, column, found) = place(1, "x", "abc");
        assert_eq!(error(b"1 2 abc\t\n"), TextError::NotANumber { line, column, found });
        let (line, column, found) = place(1, "x", "inf");
        assert_eq!(error(b"1 2 inf\t\n"), TextError::NotFinite { line, column, found });
        let (line, column, found) = place(2, "y", "?");
        assert_eq!(error(b"1 2 3\t\n? 2 3\t\n"), TextError::MissingTarget { line, column, found });
        assert_eq!(error(b"1 2 3\t\n1 2 3\t\xff\n"), TextError::NotUtf8 { line: 2 });
    }

    #[test]
    fn nothing_is_not_a_data_set() {
        assert_eq!(error(b""), TextError::Empty);
        assert_eq!(error(b"\n  \r\n"), TextError::Empty);
    }

    fn number() -> impl Strategy<Value = f64> {
        use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
    }

    fn word<T: std::fmt::Debug>(value: Option<&T>) -> String {
        value.map_or_else(|| "?".to_owned(), |value| format!("{value:?}"))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            rows in prop::collection::vec(
                (number(), prop::option::of(any::<i64>()), prop::option::of(number()), "[^\n]*", "[ ]{1,4}"), 1..20),
            has_label: bool,
        ) {
            let trailing = if has_label { TrailingText::AfterTab } else { TrailingText::None };
            let mut text = String::new();
            for (y, count, x, label, gap) in &rows {
                text += &[word(Some(y)), word(count.as_ref()), word(x.as_ref())].join(gap);
                if has_label {
                    text.push('\t');
                    text += label;
                }
                text.push('\n');
            }
            let frame = parse(&description(trailing), "t.data", text.as_bytes()).unwrap();
            prop_assert_eq!(frame.height(), rows.len());
            let y: Vec<_> = frame.column("y").unwrap().f64().unwrap().iter().collect();
            let count: Vec<_> = frame.column("count").unwrap().i64().unwrap().iter().collect();
            let x: Vec<_> = frame.column("x").unwrap().f64().unwrap().iter().collect();
            for (i, row) in rows.iter().enumerate() {
                prop_assert_eq!(y[i].map(f64::to_bits), Some(row.0.to_bits()));
                prop_assert_eq!(count[i], row.1);
                prop_assert_eq!(x[i].map(f64::to_bits), row.2.map(f64::to_bits));
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>, has_label: bool) {
            let trailing = if has_label { TrailingText::AfterTab } else { TrailingText::None };
            if let Ok(frame) = parse(&description(trailing), "t.data", &bytes) {
                prop_assert_eq!(frame.column("y").unwrap().null_count(), 0);
            }
        }
    }
}
