//! `application/json`: an array of rows, each an array of values or an object by column name, or an object whose
//! `instances` are such an array. `application/jsonlines`: a row on each line.

use std::{borrow::Cow, fmt};

use drivetrain_plan::ColumnTable;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Cell, RowSchema, TableBuilder};
use crate::serve::response::Rejection;

/// Reads rows straight into columns, so that a large body is never held as a tree.
pub(super) fn read(body: &[u8], schema: &RowSchema) -> Result<ColumnTable, Rejection> {
    let mut reader = Reader::new(schema);
    let mut json = serde_json::Deserializer::from_slice(body);
    let outcome = Document(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    reader.finish(outcome)
}

/// Reads a row from each line; blank lines are skipped.
pub(super) fn read_lines(body: &[u8], schema: &RowSchema) -> Result<ColumnTable, Rejection> {
    let mut reader = Reader::new(schema);
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let mut outcome = Ok(());
    for line in lines {
        reader.within = Within::Rows;
        let mut json = serde_json::Deserializer::from_slice(line);
        outcome = Row(&mut reader).deserialize(&mut json).and_then(|()| json.end());
        if outcome.is_err() {
            break;
        }
    }
    reader.finish(outcome)
}

/// What is being read, for the message when it cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Within {
    /// What stands before or after the rows.
    Nothing,
    /// A row, or what stands between two of them.
    Rows,
    /// The value of this column in a row.
    Column(String),
}

struct Reader<'s> {
    schema: &'s RowSchema,
    table: TableBuilder<'s>,
    width: Option<usize>,
    within: Within,
    /// Why reading stopped; serde's errors are only text.
    rejection: Option<Rejection>,
}

impl<'s> Reader<'s> {
    fn new(schema: &'s RowSchema) -> Self {
        let table = TableBuilder::new(schema.schema());
        Self { schema, table, width: None, within: Within::Nothing, rejection: None }
    }

    /// The table, or why reading stopped.
    fn finish(self, outcome: serde_json::Result<()>) -> Result<ColumnTable, Rejection> {
        let row = self.table.n_rows;
        match (outcome, self.rejection) {
            (Ok(()), _) => self.table.finish(),
            (Err(_), Some(rejection)) => Err(rejection),
            (Err(error), None) => Err(match self.within {
                Within::Nothing => Rejection::bad_request(format!("malformed JSON: {error}")),
                Within::Rows => Rejection::bad_request(format!("row {row}: malformed JSON: {error}")).row(row),
                Within::Column(column) => {
                    let message = format!("row {row}, column `{column}`: malformed JSON: {error}");
                    Rejection::bad_request(message).row(row).column(column)
                }
            }),
        }
    }

    fn list(&mut self, cells: &[Cell<'_>]) -> Result<(), Rejection> {
        let row = self.table.n_rows;
        let surplus = self.schema.surplus(row, cells.len())?;
        let width = *self.width.get_or_insert(cells.len());
        if width != cells.len() {
            let message = format!("row {row} has {} values where the rows before it have {width}", cells.len());
            return Err(Rejection::bad_request(message).row(row));
        }
        self.table.push(|index| cells.get(index + surplus).cloned().unwrap_or(Cell::Missing))
    }

    fn object(&mut self, entries: &[(Cell<'_>, Cell<'_>)]) -> Result<(), Rejection> {
        let row = self.table.n_rows;
        let names = entries.iter().map(|(name, _)| if let Cell::Text(name) = name { name.as_ref() } else { "" });
        let places =
            self.schema.places(&names).map_err(|naming| naming.into_rejection(&format!("row {row}")).row(row))?;
        self.table.push(|index| {
            let entry = places.get(index).copied().flatten().and_then(|place| entries.get(place));
            entry.map_or(Cell::Missing, |(_, value)| value.clone())
        })
    }

    fn stop<E: Error>(&mut self, outcome: Result<(), Rejection>) -> Result<(), E> {
        outcome.map_err(|rejection| {
            let error = E::custom(rejection.message());
            self.rejection = Some(rejection);
            error
        })
    }
}

/// The rows, or an object that holds them.
struct Document<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows, or an object whose `instances` are one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, rows: A) -> Result<(), A::Error> {
        Rows(self.0).visit_seq(rows)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if key != "instances" {
                return Err(A::Error::custom(format_args!("unknown key `{key}`, expected `instances`")));
            }
            if std::mem::replace(&mut found, true) {
                return Err(A::Error::duplicate_field("instances"));
            }
            entries.next_value_seed(Rows(&mut *self.0))?;
        }
        if found { Ok(()) } else { Err(A::Error::missing_field("instances")) }
    }
}

/// The array of all rows.
struct Rows<'r, 's>(&'r mut Reader<'s>);

/// One row.
struct Row<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        self.0.within = Within::Rows;
        while rows.next_element_seed(Row(self.0))?.is_some() {
            self.0.within = Within::Rows;
        }
        self.0.within = Within::Nothing;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: an array of values or an object of values by column name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let mut cells = Vec::with_capacity(self.0.schema.schema().len() + 1);
        while let Some(cell) = values.next_element()? {
            cells.push(cell);
        }
        let outcome = self.0.list(&cells);
        self.0.stop(outcome)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let mut entries = Vec::with_capacity(self.0.schema.schema().len() + 1);
        while let Some(name) = values.next_key::<Cell<'_>>()? {
            self.0.within = Within::Column(name.to_string());
            let value = values.next_value()?;
            self.0.within = Within::Rows;
            entries.push((name, value));
        }
        let outcome = self.0.object(&entries);
        self.0.stop(outcome)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, DataType, Field, Schema, Table};
    use proptest::prelude::*;

    use super::*;
    use crate::serve::rows::Extra;

    fn schema(extra: Extra) -> RowSchema {
        let fields = [("cylinders", DataType::Int64), ("weight", DataType::Float64), ("turbo", DataType::Boolean)];
        RowSchema::new(Schema::new(fields.map(|(name, dtype)| Field::new(name, dtype)).into()).unwrap(), extra)
    }

    fn rows(body: &str) -> Result<ColumnTable, Rejection> {
        read(body.as_bytes(), &schema(Extra::Target))
    }

    fn message(body: &str) -> String {
        rows(body).unwrap_err().message().to_owned()
    }

    #[test]
    fn lists_and_objects_read_alike() {
        let plain = rows("[[8, 3504, true], [4, 2372.5, false]]").unwrap();
        for body in [
            "[[18.0, 8, 3504, true], [null, 4, 2372.5, false]]",
            r#"[["8", "3504", "True"], [4.0, 2372.5, false]]"#,
            r#"[{"cylinders": 8, "weight": 3504, "turbo": true}, {"turbo": false, "weight": 2372.5, "cylinders": 4}]"#,
            r#"[{"mpg": 18, "cylinders": 8, "weight": 3504, "turbo": true}, [4, 2372.5, false]]"#,
        ] {
            assert_eq!(rows(body).unwrap(), plain, "{body}");
        }
    }

    #[test]
    fn null_is_missing() {
        let table = rows("[[null, null, null]]").unwrap();
        assert!(table.schema().names().all(|name| table.column(name).unwrap().is_missing(0)));
    }

    #[test]
    fn instances_and_lines_read_as_the_array_does() {
        let plain = rows("[[8, 3504, true], [4, 2372.5, false]]").unwrap();
        assert_eq!(rows(r#"{"instances": [[8, 3504, true], [4, 2372.5, false]]}"#).unwrap(), plain);
        let lines = |body: &str| read_lines(body.as_bytes(), &schema(Extra::Target));
        for body in [
            "[8, 3504, true]\n[4, 2372.5, false]\n",
            "\n[8, 3504, true]\r\n  \n[4, 2372.5, false]",
            "{\"cylinders\": 8, \"weight\": 3504, \"turbo\": true}\n[4, 2372.5, false]",
        ] {
            assert_eq!(lines(body).unwrap(), plain, "{body}");
        }
        assert!(lines("[8, 3504, true]\n[4, 2372.5").unwrap_err().message().starts_with("row 1: malformed JSON"));
        assert!(lines("[8, 3504, true] [4, 2372.5, false]").unwrap_err().message().contains("trailing characters"));
        assert_eq!(lines("\n").unwrap_err().message(), "the request holds no rows");
    }

    #[test]
    fn errors_name_row_column_and_value() {
        let rejection = rows(r#"[[8, 3504, true], [4, "heavy", false]]"#).unwrap_err();
        let body = serde_json::to_value(&rejection).unwrap();
        assert_eq!(body["error"]["row"], 1);
        assert_eq!(body["error"]["column"], "weight");
        assert_eq!(body["error"]["value"], "heavy");
        assert!(message("[[8.5, 1, true]]").contains("column `cylinders`: `8.5` is not a whole number"));
        assert!(message("[[8, [1], true]]").contains("column `weight`: `a nested array or object`"));
    }

    #[test]
    fn wrong_shapes_are_refused() {
        assert!(message("[[8, 3504]]").contains("row 0 has 2 values"));
        assert!(message("[[8, 3504, true], [1, 8, 3504, true]]").contains("row 1 has 4 values where"));
        assert!(message(r#"[{"cylinders": 8}]"#).contains("row 0: columns missing: `weight`, `turbo`"));
        assert!(message("[[8, 3504, true], 2]").starts_with("row 1: malformed JSON: invalid type"));
        assert!(
            message(r#"[{"cylinders": 8, "weight": 1e999}]"#).starts_with("row 0, column `weight`: malformed JSON")
        );
        assert!(message("{}").contains("missing field `instances`"));
        assert!(message("7").contains("expected an array of rows, or an object whose `instances` are one"));
        assert!(message(r#"{"rows": []}"#).contains("unknown key `rows`, expected `instances`"));
        assert!(message(r#"{"instances": [], "instances": []}"#).contains("duplicate field `instances`"));
        assert!(message("[[8, 3504, true]").starts_with("row 1: malformed JSON"));
        assert!(message("[[8, 3504, true]] x").starts_with("malformed JSON: trailing characters"));
        assert_eq!(message("[]"), "the request holds no rows");
        let target = read(b"[[1, 8, 3504, true]]", &schema(Extra::Refuse)).unwrap_err();
        assert!(target.message().contains("row 0 has 4 values"), "{}", target.message());
    }

    proptest! {
        #[test]
        fn numbers_come_through_unchanged(values in prop::collection::vec((any::<i64>(), -1e9..1e9_f64), 1..20)) {
            let body = serde_json::to_vec(&values.iter().map(|(a, b)| (a, b, true)).collect::<Vec<_>>()).unwrap();
            let table = read(&body, &schema(Extra::Refuse)).unwrap();
            let (integers, floats): (Vec<_>, Vec<_>) = values.into_iter().unzip();
            prop_assert_eq!(table.column("weight").unwrap(), Column::from(floats));
            prop_assert_eq!(table.column("cylinders").unwrap(), Column::from(integers));
        }

        #[test]
        fn arbitrary_text_never_panics(body: String) {
            if let Ok(table) = rows(&body) {
                prop_assert!(table.n_rows() > 0);
            }
        }
    }
}
