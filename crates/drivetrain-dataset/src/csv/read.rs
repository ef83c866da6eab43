//! CSV to data frames, by a schema.

use std::{collections::BTreeSet, fs, path::Path};

use csv::{Position, Reader, ReaderBuilder, StringRecord};
use drivetrain_frame::polars::prelude::{Column, DataFrame};
use drivetrain_plan::Schema;

use super::lines::LineCounter;
use crate::{DatasetError, TextError, cells::Cells};

/// Reads a CSV file whose header has exactly the columns of `schema`, as [`parse_csv`] does.
///
/// # Errors
/// [`DatasetError::Read`] when the file cannot be read; otherwise as [`parse_csv`].
pub fn read_csv(path: impl AsRef<Path>, schema: &Schema) -> Result<DataFrame, DatasetError> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|source| DatasetError::Read { path: path.to_owned(), source })?;
    parse_csv(&path.display().to_string(), &bytes, schema)
}

/// Parses CSV whose header has exactly the columns of `schema`, in any order.
///
/// The frame has the columns in the order of the schema, of polars types `Boolean`, `Int64`, `Float64` and `String`;
/// an empty cell is null. Blank lines are skipped. `origin` names the bytes in an error.
///
/// # Errors
/// [`DatasetError::Text`] with the first [`TextError`]: the columns missing or not expected, or the line, the column
/// and the text of a bad cell. [`DatasetError::UnsupportedType`] for a categorical column.
///
/// ```
/// use drivetrain_dataset::parse_csv;
/// use drivetrain_plan::{DataType, Field, Schema};
///
/// let schema = Schema::new(vec![Field::new("y", DataType::Float64), Field::new("count", DataType::Int64)])?;
/// let frame = parse_csv("small.csv", b"count,y\n8,18\n,9.5\n", &schema)?;
/// assert_eq!(frame.column("count")?.null_count(), 1);
///
/// let error = parse_csv("small.csv", b"count,y\nmany,18\n", &schema).unwrap_err();
/// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), r#"line 2, column `count`: "many" is not a number"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn parse_csv(origin: &str, bytes: &[u8], schema: &Schema) -> Result<DataFrame, DatasetError> {
    let mut columns = schema.fields().iter().map(Cells::new).collect::<Result<Vec<_>, _>>()?;
    let height =
        fill(schema, &mut columns, bytes).map_err(|source| DatasetError::Text { origin: origin.to_owned(), source })?;
    let columns: Vec<Column> = columns.into_iter().map(Cells::finish).collect();
    Ok(DataFrame::new(height, columns)?)
}

/// Appends every row to the columns; the number of rows.
///
/// Not by polars' reader: it fills a short line with nulls and does not say on which line a value is wrong.
fn fill(schema: &Schema, columns: &mut [Cells<'_>], bytes: &[u8]) -> Result<usize, TextError> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut lines = LineCounter::new(bytes);
    let mut record = StringRecord::new();
    if !read(&mut reader, &mut record, &mut lines)? {
        return Err(TextError::Empty);
    }
    let order = match_header(&record, schema)?;
    let mut height = 0;
    while read(&mut reader, &mut record, &mut lines)? {
        let line = lines.line();
        if record.len() != order.len() {
            return Err(TextError::Ragged { line, expected: order.len(), found: record.len() });
        }
        for (&place, cell) in order.iter().zip(&record) {
            let Some(column) = columns.get_mut(place) else { continue };
            if cell.is_empty() {
                column.push_missing();
            } else {
                column.push(cell, line)?;
            }
        }
        height += 1;
    }
    if height == 0 { Err(TextError::NoRows) } else { Ok(height) }
}

/// Reads the next record and moves `lines` to where it starts; false at the end.
fn read(reader: &mut Reader<&[u8]>, record: &mut StringRecord, lines: &mut LineCounter<'_>) -> Result<bool, TextError> {
    let result = reader.read_record(record);
    let position = match &result {
        Ok(_) => record.position(),
        Err(error) => error.position(),
    };
    lines.advance(position.map_or(0, Position::byte));
    // Out of memory and with rows of any length, the only failure left is text that is not UTF-8.
    result.map_err(|_| TextError::NotUtf8 { line: lines.line() })
}

/// For each column of the header, its place in the schema.
fn match_header(header: &StringRecord, schema: &Schema) -> Result<Vec<usize>, TextError> {
    let mut seen = BTreeSet::new();
    for name in header {
        if !seen.insert(name) {
            return Err(TextError::DuplicateColumn { column: name.to_owned() });
        }
    }
    let missing: Vec<String> = schema.names().filter(|name| !seen.contains(name)).map(str::to_owned).collect();
    let extra: Vec<String> = header.iter().filter(|name| schema.field(name).is_none()).map(str::to_owned).collect();
    if !(missing.is_empty() && extra.is_empty()) {
        return Err(TextError::Columns { missing, extra });
    }
    Ok(header.iter().filter_map(|name| schema.names().position(|known| known == name)).collect())
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{CategoryType, DataType, Field};
    use proptest::prelude::*;

    use super::*;
    use crate::{to_csv, write_csv};

    fn schema(fields: &[(&str, DataType)]) -> Schema {
        Schema::new(fields.iter().map(|(name, dtype)| Field::new(*name, *dtype)).collect()).unwrap()
    }

    fn error(text: impl AsRef<[u8]>) -> TextError {
        let schema = schema(&[("y", DataType::Float64), ("n", DataType::Int64), ("t", DataType::String)]);
        match parse_csv("t.csv", text.as_ref(), &schema) {
            Err(DatasetError::Text { source, .. }) => source,
            other => panic!("expected a text error, found {other:?}"),
        }
    }

    #[test]
    fn the_frame_has_the_order_and_types_of_the_schema() {
        let schema = schema(&[("y", DataType::Float64), ("n", DataType::Int64), ("b", DataType::Boolean)]);
        let frame = parse_csv("t.csv", b"\xef\xbb\xbfb,y,n\r\ntrue,18,8.0\r\n\r\n,,\r\n", &schema).unwrap();
        assert_eq!(frame.get_column_names(), ["y", "n", "b"]);
        assert_eq!(frame.column("y").unwrap().f64().unwrap().iter().collect::<Vec<_>>(), [Some(18.0), None]);
        assert_eq!(frame.column("n").unwrap().i64().unwrap().iter().collect::<Vec<_>>(), [Some(8), None]);
        assert_eq!(frame.column("b").unwrap().bool().unwrap().iter().collect::<Vec<_>>(), [Some(true), None]);
    }

    #[test]
    fn a_wrong_header_names_its_columns() {
        let columns = |missing: &[&str], extra: &[&str]| TextError::Columns {
            missing: missing.iter().map(|&name| name.to_owned()).collect(),
            extra: extra.iter().map(|&name| name.to_owned()).collect(),
        };
        assert_eq!(error("y,n\n1,2\n"), columns(&["t"], &[]));
        assert_eq!(error("y,n,t,u\n1,2,a,b\n"), columns(&[], &["u"]));
        assert_eq!(error("1.0,2,a\n"), columns(&["y", "n", "t"], &["1.0", "2", "a"]));
        assert_eq!(error("y,n,n\n"), TextError::DuplicateColumn { column: "n".into() });
    }

    #[test]
    fn a_file_without_rows_is_an_error() {
        assert_eq!(error(""), TextError::Empty);
        assert_eq!(error("\n\n"), TextError::Empty);
        assert_eq!(error("y,n,t"), TextError::NoRows);
        assert_eq!(error("y,n,t\n\n"), TextError::NoRows);
    }

    #[test]
    fn errors_count_lines_as_an_editor_does() {
        let bad = |line| TextError::NotANumber { line, column: "n".into(), found: "x".into() };
        assert_eq!(error("y,n,t\n1,x,a\n"), bad(2));
        assert_eq!(error("y,n,t\r\n1,2,a\r\n1,x,a\r\n"), bad(3));
        assert_eq!(error("y,n,t\n\n\n1,2,a\n\n1,x,a\n"), bad(6));
        assert_eq!(error("y,n,t\n1,2,\"a\nb\nc\"\n1,x,\"a\nb\"\n"), bad(5));
        assert_eq!(error("y,n,t\n1,2,a\n1,2\n"), TextError::Ragged { line: 3, expected: 3, found: 2 });
        assert_eq!(error("y,n,t\n1,2,a,b\n"), TextError::Ragged { line: 2, expected: 3, found: 4 });
        assert_eq!(error(b"y,n,t\n1,2,a\n1,2,\xff\n"), TextError::NotUtf8 { line: 3 });
    }

    #[test]
    fn categories_are_not_read_from_files() {
        let schema = schema(&[("c", DataType::Categorical(CategoryType::String))]);
        let error = parse_csv("t.csv", b"c\na\n", &schema).unwrap_err();
        assert!(matches!(error, DatasetError::UnsupportedType { .. }), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_csv("absent/y.csv", &schema(&[("y", DataType::Float64)])).unwrap_err();
        assert!(error.to_string().contains("absent/y.csv"), "{error}");
    }

    fn finite() -> impl Strategy<Value = f64> {
        use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
    }

    type Row = (Option<f64>, Option<i64>, Option<bool>, Option<String>);

    fn row() -> impl Strategy<Value = Row> {
        use prop::option::of;
        (
            of(finite()),
            of(any::<i64>()),
            of(any::<bool>()),
            of(any::<String>().prop_filter("not empty", |t| !t.is_empty())),
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(row(), 1..20), width in 1_usize..=4) {
            let fields = [
                ("y y", DataType::Float64), ("n,\"n\"", DataType::Int64), ("b\n", DataType::Boolean), ("é", DataType::String),
            ];
            let schema = schema(&fields[..width]);
            let frame = DataFrame::new(rows.len(), vec![
                Column::new(fields[0].0.into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
                Column::new(fields[1].0.into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()),
                Column::new(fields[2].0.into(), rows.iter().map(|row| row.2).collect::<Vec<_>>()),
                Column::new(fields[3].0.into(), rows.iter().map(|row| row.3.as_deref()).collect::<Vec<_>>()),
            ]).unwrap().select(schema.names()).unwrap();

            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("t.csv");
            write_csv(&path, &frame).unwrap();
            let read = read_csv(&path, &schema).unwrap();
            prop_assert!(read.equals_missing(&frame), "{read} {frame}");
            prop_assert_eq!(to_csv(&read).unwrap(), fs::read(&path).unwrap());
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(text: Vec<u8>) {
            let schema = schema(&[("a", DataType::String)]);
            if let Ok(frame) = parse_csv("t.csv", &[b"a\n", text.as_slice()].concat(), &schema) {
                prop_assert!(frame.height() > 0);
            }
        }
    }
}
