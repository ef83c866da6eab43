//! Categories that the training rows do not hold.

use std::collections::BTreeMap;

use drivetrain_plan::{Matrix, Op, Plan, Table};

/// Column, value and number of rows for every value that a one-hot encoding of `plan` encoded as all zero.
///
/// `features` is what `plan` made of `table`.
pub(super) fn categories(plan: &Plan, features: &Matrix, table: &dyn Table) -> Vec<(String, String, usize)> {
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for op in plan.ops() {
        let Op::OneHot { column, outputs, .. } = op else { continue };
        let places: Vec<usize> = plan
            .outputs()
            .iter()
            .enumerate()
            .filter(|(_, output)| outputs.contains(&output.column))
            .map(|(place, _)| place)
            .collect();
        let column = origin(plan, column);
        let values = table.column(column);
        if places.len() != outputs.len() {
            // Without all of its columns an all-zero row proves nothing.
            continue;
        }
        for (row, features) in features.values().rows().into_iter().enumerate() {
            if places.iter().all(|place| features.get(*place) == Some(&0.0)) {
                let value = values.as_ref().map_or_else(String::new, |values| values.describe(row));
                *found.entry((column.to_owned(), value)).or_default() += 1;
            }
        }
    }
    found.into_iter().map(|((column, value), rows)| (column, value, rows)).collect()
}

/// The column from which `column` was cast.
fn origin<'p>(plan: &'p Plan, mut column: &'p str) -> &'p str {
    // Operations are in order, so each cast has its own before it.
    for op in plan.ops().iter().rev() {
        if let Op::Cast { column: source, output, .. } = op
            && output == column
        {
            column = source;
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{
        Categories, CategoryType, Column, ColumnTable, DataType, Field, PlanBuilder, Schema, UnknownCategory,
    };

    use super::*;

    #[test]
    fn unknown_values_are_counted_under_the_name_of_the_raw_column() {
        let mut builder = PlanBuilder::new(Schema::new(vec![Field::new("cylinders", DataType::Int64)]).unwrap());
        let to = DataType::Categorical(CategoryType::Int64);
        builder.push(Op::Cast { column: "cylinders".into(), to, output: "cast".into() });
        builder.push(Op::OneHot {
            column: "cast".into(),
            categories: Categories::Int64(vec![4, 8]),
            missing: false,
            unknown: UnknownCategory::Ignore,
            outputs: vec!["four".into(), "eight".into()],
        });
        builder.output("four", "four").output("eight", "eight");
        let plan = builder.build().unwrap();
        let column = Column::from(vec![Some(4_i64), Some(5), Some(8), None, Some(5)]);
        let table = ColumnTable::new(vec![("cylinders".into(), column)]).unwrap();
        let features = plan.apply(&table).unwrap();
        let expected = [("cylinders".to_owned(), "5".to_owned(), 2), ("cylinders".to_owned(), "missing".to_owned(), 1)];
        assert_eq!(categories(&plan, &features, &table), expected);
    }
}
