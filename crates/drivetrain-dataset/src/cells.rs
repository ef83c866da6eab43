//! Typed columns filled from text, one cell at a time.

use drivetrain_frame::polars::prelude::{Column, NamedFrom, Series};
use drivetrain_plan::{DataType, Field};

use crate::{DatasetError, TextError, error::excerpt};

/// Above this, not every integer is an `f64`, so `1e300` is not accepted as an integer.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// A column under construction.
#[derive(Debug)]
pub(crate) struct Cells<'a> {
    name: &'a str,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<Option<bool>>),
    Int64(Vec<Option<i64>>),
    Float64(Vec<Option<f64>>),
    String(Vec<Option<String>>),
}

impl<'a> Cells<'a> {
    /// An empty column for `field`.
    ///
    /// Categories are made by a pipeline out of what a file holds, so a categorical field is an error.
    pub(crate) fn new(field: &'a Field) -> Result<Self, DatasetError> {
        let values = match field.dtype {
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::String => Values::String(Vec::new()),
            dtype @ DataType::Categorical(_) => {
                return Err(DatasetError::UnsupportedType { column: field.name.clone(), dtype });
            }
        };
        Ok(Self { name: &field.name, values })
    }

    /// Appends a missing value.
    pub(crate) fn push_missing(&mut self) {
        match &mut self.values {
            Values::Boolean(values) => values.push(None),
            Values::Int64(values) => values.push(None),
            Values::Float64(values) => values.push(None),
            Values::String(values) => values.push(None),
        }
    }

    /// Appends the value that `text`, found on `line`, stands for.
    pub(crate) fn push(&mut self, text: &str, line: usize) -> Result<(), TextError> {
        let at = At { line, column: self.name, text };
        match &mut self.values {
            Values::Boolean(values) => values.push(Some(boolean(&at)?)),
            Values::Int64(values) => values.push(Some(integer(&at)?)),
            Values::Float64(values) => values.push(Some(float(&at)?)),
            Values::String(values) => values.push(Some(text.to_owned())),
        }
        Ok(())
    }

    /// The finished column.
    pub(crate) fn finish(self) -> Column {
        let name = self.name.into();
        let series = match self.values {
            Values::Boolean(values) => Series::new(name, values),
            Values::Int64(values) => Series::new(name, values),
            Values::Float64(values) => Series::new(name, values),
            Values::String(values) => Series::new(name, values),
        };
        series.into()
    }
}

/// A cell's text and its place.
struct At<'a> {
    line: usize,
    column: &'a str,
    text: &'a str,
}

impl At<'_> {
    /// The error that `variant` makes of this place.
    fn fail(&self, variant: impl FnOnce(usize, String, String) -> TextError) -> TextError {
        variant(self.line, self.column.to_owned(), excerpt(self.text))
    }
}

fn boolean(at: &At<'_>) -> Result<bool, TextError> {
    let text = at.text.trim_ascii();
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(at.fail(|line, column, found| TextError::NotABoolean { line, column, found }))
    }
}

fn float(at: &At<'_>) -> Result<f64, TextError> {
    let number: f64 = at
        .text
        .trim_ascii()
        .parse()
        .map_err(|_| at.fail(|line, column, found| TextError::NotANumber { line, column, found }))?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err(at.fail(|line, column, found| TextError::NotFinite { line, column, found }))
    }
}

/// `8`, and also `8.` and `8.0`, which is how data files of old write whole numbers.
fn integer(at: &At<'_>) -> Result<i64, TextError> {
    if let Ok(integer) = at.text.trim_ascii().parse() {
        return Ok(integer);
    }
    let number = float(at)?;
    if number.fract() != 0.0 || number.abs() > MAX_EXACT_INTEGER {
        return Err(at.fail(|line, column, found| TextError::NotAnInteger { line, column, found }));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the range just checked")]
    let integer = number as i64;
    Ok(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(reader: fn(&At<'_>) -> Result<T, TextError>, text: &str) -> Result<T, TextError> {
        reader(&At { line: 7, column: "c", text })
    }

    #[test]
    fn whole_numbers_are_integers_however_written() {
        for (text, expected) in [("8", 8), ("8.", 8), ("8.0", 8), ("-3", -3), ("+3", 3), (" 4 ", 4), ("1e3", 1000)] {
            assert_eq!(read(integer, text), Ok(expected), "{text}");
        }
        assert_eq!(read(integer, &i64::MIN.to_string()), Ok(i64::MIN));
        for text in ["8.5", "9223372036854775808", "1e300"] {
            assert!(matches!(read(integer, text), Err(TextError::NotAnInteger { .. })), "{text}");
        }
    }

    #[test]
    fn a_bad_cell_says_where_it_is_and_what_it_holds() {
        let error = read(float, "12,5").unwrap_err();
        assert_eq!(error.to_string(), "line 7, column `c`: \"12,5\" is not a number");
        for text in ["nan", "inf", "-infinity", "1e400"] {
            assert!(matches!(read(float, text), Err(TextError::NotFinite { .. })), "{text}");
            assert!(matches!(read(integer, text), Err(TextError::NotFinite { .. })), "{text}");
        }
        for text in ["", " ", "0x10", "1_000", "1e", "--1"] {
            assert!(matches!(read(float, text), Err(TextError::NotANumber { .. })), "{text}");
        }
    }

    #[test]
    fn booleans_are_true_and_false() {
        assert_eq!(read(boolean, "true"), Ok(true));
        assert_eq!(read(boolean, "False"), Ok(false));
        assert!(matches!(read(boolean, "1"), Err(TextError::NotABoolean { line: 7, .. })));
    }
}
