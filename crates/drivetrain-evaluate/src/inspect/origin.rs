//! Which raw columns a feature is made of.

use std::collections::{BTreeMap, BTreeSet};

use drivetrain_plan::Plan;

use super::ColumnImportance;

/// The importances of a plan's features, added up per raw column, in the order of the plan's inputs; what a feature of
/// several columns counts is shared out equally among them.
#[must_use]
pub fn fold_back(plan: &Plan, importances: &[f64]) -> Vec<ColumnImportance> {
    let mut sums: BTreeMap<&str, f64> = plan.inputs().names().map(|name| (name, 0.0)).collect();
    for (columns, importance) in origins(plan).iter().zip(importances) {
        for column in columns {
            if let Some(sum) = sums.get_mut(column) {
                *sum += importance / columns.len() as f64;
            }
        }
    }
    let importance = |name: &str| ColumnImportance { column: name.to_owned(), mean: sums[name], std: 0.0 };
    plan.inputs().names().map(importance).collect()
}

/// For each output of a plan the inputs it is computed from.
fn origins(plan: &Plan) -> Vec<BTreeSet<&str>> {
    let mut known: BTreeMap<&str, BTreeSet<&str>> =
        plan.inputs().names().map(|name| (name, BTreeSet::from([name]))).collect();
    for op in plan.ops() {
        let of = |column: &str| known.get(column).into_iter().flatten().copied();
        let inputs: BTreeSet<&str> = op.reads().into_iter().flat_map(of).collect();
        for written in op.writes() {
            known.insert(written, inputs.clone());
        }
    }
    plan.outputs().iter().map(|output| known.get(output.column.as_str()).cloned().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};
    use drivetrain_transform::{
        Block, ColumnTransformer, Estimator, Fitted, OneHotEncoder, PolynomialFeatures, StandardScaler,
    };

    use super::*;

    #[test]
    fn one_hot_columns_and_products_go_back_to_what_they_are_made_of() {
        let x = ColumnTable::new(vec![
            ("a".into(), Column::from(vec![1.0, 2.0, 3.0])),
            ("unused".into(), Column::from(vec![1.0, 2.0, 3.0])),
            ("b".into(), Column::from(vec![3.0, 2.0, 3.0])),
            ("c".into(), Column::from(vec![Some("x"), Some("y"), Some("z")])),
        ])
        .unwrap();
        let columns = ColumnTransformer::new(vec![
            Block::new("hot", OneHotEncoder::new(), ["c"]),
            Block::new("scaled", StandardScaler::new(), ["a"]),
            Block::new("products", PolynomialFeatures::new().include_bias(false).interaction_only(true), ["a", "b"]),
        ]);
        let plan = columns.unwrap().fit(&x, None).unwrap().lower().unwrap();
        // Three categories, a scaled, then a, b and a times b.
        let found = fold_back(&plan, &[0.1, 0.2, 0.05, 0.3, 0.1, 0.05, 0.2]);
        let sums: Vec<(&str, f64)> =
            found.iter().map(|of| (of.column.as_str(), (of.mean * 1e9).round() / 1e9)).collect();
        assert_eq!(sums, [("a", 0.5), ("unused", 0.0), ("b", 0.15), ("c", 0.35)]);
    }
}
