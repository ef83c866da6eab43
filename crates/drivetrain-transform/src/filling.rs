//! Steps that only fill, and what follows from it for the next one.

use drivetrain_plan::{Op, Plan, Schema, Value};

/// A plan of which every output is an input whose missing numbers are filled with a constant.
///
/// What it makes of a column are the values that were there, and the constant as often as one was missing. So the
/// statistics of a step after it may follow from those of the column as it is: see
/// [`PartialFit::filled`](crate::PartialFit::filled).
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, Filling, Fitted, SimpleImputer};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![Some(1_i64), None, Some(4)]))])?;
/// let filling = Filling::of(&SimpleImputer::mean().fit(&table, None)?.lower()?);
/// assert_eq!(filling.map(|filling| filling.columns().to_vec()), Some(vec![("x".to_owned(), 2.5)]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Filling {
    schema: Schema,
    columns: Vec<(String, f64)>,
}

impl Filling {
    /// What `plan` fills; `None` when it does anything else.
    #[must_use]
    pub fn of(plan: &Plan) -> Option<Self> {
        let columns = plan.outputs().iter().map(|output| {
            let written = plan.ops().iter().find_map(|op| match op {
                Op::Impute { column, value: Value::Float64(fill), output: written } if *written == output.column => {
                    Some((column, *fill))
                }
                _ => None,
            });
            written.filter(|(column, _)| plan.inputs().field(column).is_some())
        });
        let columns = columns.map(|column| column.map(|(column, fill)| (column.clone(), fill)));
        let columns = columns.collect::<Option<_>>()?;
        let only = plan.required_ops().iter().all(|op| matches!(op, Op::Impute { .. }));
        only.then(|| Self { schema: plan.output_schema().clone(), columns })
    }

    /// Names and types of the outputs.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Per output the input that it is made of, and what fills it.
    #[must_use]
    pub fn columns(&self) -> &[(String, f64)] {
        &self.columns
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;
    use crate::{Estimator, Fitted, SimpleImputer, StandardScaler};

    #[test]
    fn only_constants_in_place_of_missing_numbers_are_a_filling() {
        let columns = vec![
            ("x".into(), Column::from(vec![1.0, f64::NAN])),
            ("none".into(), Column::from(vec![f64::NAN, f64::NAN])),
            ("count".into(), Column::from(vec![Some(2_i64), None])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let filling = |imputer: &SimpleImputer| Filling::of(&imputer.fit(&table, None).unwrap().lower().unwrap());
        let filled = filling(&SimpleImputer::mean()).unwrap();
        assert_eq!(filled.columns(), [("x".to_owned(), 1.0), ("count".to_owned(), 2.0)]);
        assert_eq!(filled.schema().names().collect::<Vec<_>>(), ["x", "count"]);
        assert_eq!(filling(&SimpleImputer::mean().add_indicator(true)), None);
        // An integer stays one.
        assert_eq!(filling(&SimpleImputer::most_frequent()), None);
        assert_eq!(Filling::of(&StandardScaler::new().fit(&table, None).unwrap().lower().unwrap()), None);
    }
}
