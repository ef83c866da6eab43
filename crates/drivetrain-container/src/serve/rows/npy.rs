//! `application/x-npy`: one row per row of the array.

use drivetrain_artifact::npy;
use drivetrain_plan::ColumnTable;

use super::{Cell, RowSchema, TableBuilder};
use crate::{failure, serve::response::Rejection};

/// Reads numbers of any of numpy's usual types; NaN is missing.
pub(super) fn read(body: &[u8], schema: &RowSchema) -> Result<ColumnTable, Rejection> {
    let malformed = |error| Rejection::bad_request(format!("malformed npy: {}", failure::chain(&error).join(": ")));
    let values = npy::numbers_from_bytes(body).map_err(malformed)?;
    let surplus = schema.surplus(0, values.ncols())?;
    let mut table = TableBuilder::new(schema.schema());
    for row in values.rows() {
        table.push(|index| match row.get(index + surplus) {
            Some(value) if !value.is_nan() => Cell::Float(*value),
            _ => Cell::Missing,
        })?;
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, DataType, Field, Schema, Table, ndarray::array};

    use super::*;
    use crate::serve::rows::Extra;

    fn schema(dtype: DataType) -> RowSchema {
        let fields = vec![Field::new("cylinders", DataType::Int64), Field::new("weight", dtype)];
        RowSchema::new(Schema::new(fields).unwrap(), Extra::Target)
    }

    #[test]
    fn numbers_become_what_the_columns_are_and_nan_is_missing() {
        for body in [
            npy::to_bytes(array![[8.0, 3504.0], [f64::NAN, f64::NAN]].view()).unwrap(),
            npy::to_bytes(array![[18.0, 8.0, 3504.0], [15.0, f64::NAN, f64::NAN]].view()).unwrap(),
        ] {
            let table = read(&body, &schema(DataType::Float64)).unwrap();
            assert_eq!(table.column("cylinders"), Some(Column::from(vec![Some(8_i64), None])));
            assert!(table.column("weight").unwrap().is_missing(1));
        }
        assert_eq!(read(&npy::vector_to_bytes(&[4.0, 1.0]).unwrap(), &schema(DataType::Float64)).unwrap().n_rows(), 1);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused = |body: Vec<u8>, dtype| read(&body, &schema(dtype)).unwrap_err().message().to_owned();
        let body = |value: f64| npy::to_bytes(array![[4.0, 1.0], [value, 2.0]].view()).unwrap();
        assert_eq!(refused(body(4.5), DataType::Float64), "row 1, column `cylinders`: `4.5` is not a whole number");
        assert_eq!(refused(body(4.0), DataType::String), "row 0, column `weight`: `1` is not text");
        assert!(refused(b"[[1, 2]]".to_vec(), DataType::Float64).starts_with("malformed npy: the .npy header"));
        let wide = npy::to_bytes(array![[1.0, 2.0, 3.0, 4.0]].view()).unwrap();
        assert!(refused(wide, DataType::Float64).starts_with("row 0 has 4 values; the model reads 2"));
    }
}
