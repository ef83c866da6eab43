//! `text/csv`.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use drivetrain_plan::ColumnTable;

use super::{Cell, RowSchema, TableBuilder};
use crate::serve::response::Rejection;

/// Where the values of a record stand.
struct Layout {
    width: usize,
    places: Vec<Option<usize>>,
}

/// Reads CSV with or without a header line.
///
/// The first line is a header when one of its fields is the name of a column. Blank lines are skipped, as clients send
/// them between rows; a row of a single missing value is written `""`.
pub(super) fn read(body: &[u8], schema: &RowSchema) -> Result<ColumnTable, Rejection> {
    if let Err(error) = std::str::from_utf8(body) {
        return Err(Rejection::bad_request(format!("the body is not UTF-8 at byte {}", error.valid_up_to())));
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = StringRecord::new();
    let mut table = TableBuilder::new(schema.schema());
    let mut layout: Option<Layout> = None;
    while reader.read_record(&mut record).map_err(|error| Rejection::bad_request(format!("malformed CSV: {error}")))? {
        // A line without a single character does not get here.
        if record.len() == 1 && record.iter().all(|field| !field.is_empty() && field.trim().is_empty()) {
            continue;
        }
        let row = table.n_rows;
        let layout = match &layout {
            Some(layout) if layout.width == record.len() => layout,
            Some(layout) => {
                let line = record.position().map_or(0, csv::Position::line);
                let message = format!(
                    "row {row} (line {line}) has {} fields where the lines before it have {}",
                    record.len(),
                    layout.width
                );
                return Err(Rejection::bad_request(message).row(row));
            }
            None if is_header(&record, schema) => {
                let names = record.iter().map(str::trim);
                let places = schema.places(&names).map_err(|naming| naming.into_rejection("the header line"))?;
                layout = Some(Layout { width: record.len(), places });
                continue;
            }
            None => {
                let surplus = schema.surplus(row, record.len())?;
                let places = (surplus..record.len()).map(Some).collect();
                layout.insert(Layout { width: record.len(), places })
            }
        };
        table.push(|index| {
            let field = layout.places.get(index).copied().flatten().and_then(|place| record.get(place));
            field.map_or(Cell::Missing, |field| Cell::Text(Cow::Borrowed(field)))
        })?;
    }
    table.finish()
}

fn is_header(record: &StringRecord, schema: &RowSchema) -> bool {
    record.iter().any(|field| schema.schema().field(field.trim()).is_some())
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, DataType, Field, Schema, Table};
    use proptest::prelude::*;

    use super::*;
    use crate::serve::rows::Extra;

    fn schema(extra: Extra) -> RowSchema {
        let fields = [("cylinders", DataType::Int64), ("weight", DataType::Float64), ("name", DataType::String)];
        RowSchema::new(Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype)).into()).unwrap(), extra)
    }

    fn rows(body: &str) -> Result<ColumnTable, Rejection> {
        read(body.as_bytes(), &schema(Extra::Target))
    }

    fn message(body: &str) -> String {
        rows(body).unwrap_err().message().to_owned()
    }

    #[test]
    fn every_way_of_writing_the_same_rows_reads_alike() {
        let plain = rows("8,3504,a\n4,2372.5,b\n").unwrap();
        for body in [
            "8,3504,a\n4,2372.5,b",
            "8,3504,a\r\n4,2372.5,b\r\n",
            "8,3504,a\n\n4,2372.5,b\n\n",
            "8,3504,a\n   \n4,2372.5,b\n",
            "\"8\",\"3504\",\"a\"\n4,2372.5,b\n",
            "cylinders,weight,name\n8,3504,a\n4,2372.5,b\n",
            "weight,name,cylinders\n3504,a,8\n2372.5,b,4\n",
            "18.0,8,3504,a\n24.0,4,2372.5,b\n",
            "mpg,cylinders,weight,name\n18.0,8,3504,a\n,4,2372.5,b\n",
            " 8 , 3504 ,a\n4.0,2372.5,b\n",
        ] {
            assert_eq!(rows(body).unwrap(), plain, "{body:?}");
        }
    }

    #[test]
    fn one_row_without_a_newline_is_a_table() {
        assert_eq!(rows("8,3504,a").unwrap().n_rows(), 1);
    }

    #[test]
    fn a_single_missing_value_is_a_row() {
        let name = Schema::new(vec![Field::new("name", DataType::String)]).unwrap();
        let table = read(b"a\n\n\"\"\n  \nb", &RowSchema::new(name, Extra::Refuse)).unwrap();
        assert_eq!(table.column("name"), Some(Column::from(vec![Some("a"), None, Some("b")])));
    }

    #[test]
    fn quoted_fields_keep_commas_quotes_and_line_breaks() {
        let table = rows("8,3504,\"a, \"\"b\"\"\nc\"").unwrap();
        assert_eq!(table.column("name").unwrap().text(0), Some("a, \"b\"\nc"));
    }

    #[test]
    fn missing_values_are_missing() {
        let table = rows("?,NaN,\n,nan,x\n").unwrap();
        let missing = |name: &str| {
            let column = table.column(name).unwrap();
            [column.is_missing(0), column.is_missing(1)]
        };
        assert_eq!(missing("cylinders"), [true, true]);
        assert_eq!(missing("weight"), [true, true]);
        assert_eq!(missing("name"), [true, false]);
    }

    #[test]
    fn errors_name_row_column_and_value() {
        let rejection = rows("cylinders,weight,name\n8,3504,a\n\n4,heavy,b\n").unwrap_err();
        assert_eq!(rejection.message(), "row 1, column `weight`: `heavy` is not a finite number");
        let body = serde_json::to_value(&rejection).unwrap();
        assert_eq!(body["error"]["row"], 1);
        assert_eq!(body["error"]["column"], "weight");
        assert_eq!(body["error"]["value"], "heavy");
    }

    #[test]
    fn wrong_widths_and_names_are_refused() {
        assert!(message("8,3504\n").contains("row 0 has 2 values; the model reads 3 (cylinders, weight, name), or 4"));
        assert!(message("8,3504,a\n4,2372.5\n").contains("row 1 (line 2) has 2 fields"));
        assert!(message("cylinders,wheels,name\n8,4,a\n").contains("missing: `weight`"));
        assert!(message("cylinders,weight,name,name\n8,4,a,b\n").contains("repeated: `name`"));
        assert!(message("x,y,cylinders,weight,name\n1,2,8,4,a\n").contains("not expected: `x`, `y`"));
        for empty in ["", "\n\n", "cylinders,weight,name\n"] {
            assert_eq!(message(empty), "the request holds no rows");
        }
        let target = read(b"1,8,3504,a", &schema(Extra::Refuse)).unwrap_err();
        assert!(target.message().ends_with("the model reads 3 (cylinders, weight, name)"), "{}", target.message());
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        let error = read(b"8,3504,\xff", &schema(Extra::Target)).unwrap_err();
        assert!(error.message().contains("byte 7"), "{}", error.message());
    }

    proptest! {
        #[test]
        fn numbers_come_through_unchanged(values in prop::collection::vec((any::<i32>(), -1e9..1e9_f64), 1..20)) {
            let lines: Vec<String> = values.iter().map(|(a, b)| format!("{a},{b},x")).collect();
            let table = rows(&lines.join("\n")).unwrap();
            let floats: Vec<f64> = values.iter().map(|(_, b)| *b).collect();
            let integers: Vec<Option<i64>> = values.iter().map(|(a, _)| Some(i64::from(*a))).collect();
            prop_assert_eq!(table.column("weight").unwrap(), Column::from(floats));
            prop_assert_eq!(table.column("cylinders").unwrap(), Column::from(integers));
        }

        #[test]
        fn arbitrary_bytes_never_panic(body: Vec<u8>) {
            if let Ok(table) = read(&body, &schema(Extra::Target)) {
                prop_assert!(table.n_rows() > 0);
            }
        }
    }
}
