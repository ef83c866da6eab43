//! Data frames to CSV.

use std::path::Path;

use drivetrain_frame::polars::prelude::{Column, CsvWriter, DataFrame, DataType, SerWriter};

use crate::{DatasetError, atomic};

/// The frame as CSV: a header, then one line a row, each ended by LF.
///
/// Floats have the fewest digits that read back as the same number (`18.0`), integers plain (`8`), booleans `true` and
/// `false`; null and NaN are empty cells. The bytes are the same on every machine. CSV cannot tell an empty string
/// from a missing one; [`parse_csv`](crate::parse_csv) takes both as missing.
///
/// # Errors
/// [`DatasetError::InfiniteCell`] for an infinite value; [`DatasetError::Frame`] for a nested column.
///
/// ```
/// use drivetrain_frame::polars::prelude::df;
///
/// let frame = df!("y" => [18.0, 9.25], "count" => [Some(8_i64), None])?;
/// assert_eq!(drivetrain_dataset::to_csv(&frame)?, b"y,count\n18.0,8\n9.25,\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn to_csv(frame: &DataFrame) -> Result<Vec<u8>, DatasetError> {
    let columns = frame.columns().iter().map(nan_to_null).collect::<Result<Vec<_>, _>>()?;
    let mut frame = DataFrame::new(frame.height(), columns)?;
    let mut bytes = Vec::new();
    let mut writer = CsvWriter::new(&mut bytes);
    if frame.width() == 1 {
        // An empty cell alone on its line would be a blank line, which readers skip.
        writer = writer.with_null_value("\"\"".into());
    }
    writer.finish(&mut frame)?;
    Ok(bytes)
}

/// Writes the frame as CSV, as [`to_csv`] does, atomically: through a temporary file in the same directory, which must
/// exist.
///
/// # Errors
/// As [`to_csv`]; [`DatasetError::Write`] when the file cannot be written.
pub fn write_csv(path: impl AsRef<Path>, frame: &DataFrame) -> Result<(), DatasetError> {
    let path = path.as_ref();
    let bytes = to_csv(frame)?;
    atomic::write(path, &bytes).map_err(|source| DatasetError::Write { path: path.to_owned(), source })
}

fn nan_to_null(column: &Column) -> Result<Column, DatasetError> {
    if *column.dtype() != DataType::Float64 {
        return Ok(column.clone());
    }
    let values = column.f64()?;
    let infinite = values.iter().enumerate().find_map(|(row, value)| {
        let value = value.filter(|value| value.is_infinite())?;
        Some(DatasetError::InfiniteCell { column: column.name().to_string(), row, value })
    });
    if let Some(error) = infinite {
        return Err(error);
    }
    let values: Vec<Option<f64>> = values.iter().map(|value| value.filter(|value| !value.is_nan())).collect();
    Ok(Column::new(column.name().clone(), values))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use drivetrain_frame::polars::prelude::df;

    use super::*;

    #[test]
    fn missing_cells_are_empty_and_names_are_quoted_when_needed() {
        let frame = df!(
            "a b" => [Some(1_i64), None],
            "c,d" => [Some("x,\"y\""), None],
            "e" => [f64::NAN, -0.5],
            "f" => [Some(true), None],
        );
        let csv = to_csv(&frame.unwrap()).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), "a b,\"c,d\",e,f\n1,\"x,\"\"y\"\"\",,true\n,,-0.5,\n");
    }

    #[test]
    fn floats_are_shortest() {
        let frame = df!("x" => [0.1, 1e300, 5e-324, 1.0 / 3.0, 3504.0]).unwrap();
        let csv = String::from_utf8(to_csv(&frame).unwrap()).unwrap();
        assert_eq!(csv, "x\n0.1\n1e+300\n5e-324\n0.3333333333333333\n3504.0\n");
    }

    #[test]
    fn an_infinite_cell_is_named_and_nothing_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        let frame = df!("x" => [1.0, f64::NEG_INFINITY]).unwrap();
        let error = write_csv(&path, &frame).unwrap_err();
        assert_eq!(error.to_string(), "column `x`, row 1: -inf cannot be written as CSV");
        assert!(!path.exists());
    }

    #[test]
    fn the_file_is_named_when_it_cannot_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let frame = df!("x" => [1.0]).unwrap();
        let path = directory.path().join("x.csv");
        write_csv(&path, &frame).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x\n1.0\n");

        let error = write_csv(directory.path().join("absent/x.csv"), &frame).unwrap_err();
        assert!(error.to_string().contains("x.csv"), "{error}");
    }
}
