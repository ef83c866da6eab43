//! A plan and a table from bytes: whatever they hold, nothing panics, and the results do not depend on the way taken.

#![no_main]

use drivetrain_plan::{ColumnTable, Plan, Program, Registry, Table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok((plan, table)) = rmp_serde::from_slice::<(Plan, ColumnTable)>(bytes) else { return };

    // What was read is written and read again.
    let written = rmp_serde::to_vec_named(&plan).expect("a plan that was read can be written");
    let again: Plan = rmp_serde::from_slice(&written).expect("a plan that was written can be read");
    assert_eq!(plan.to_string(), again.to_string());

    let matrix = plan.apply(&table);
    let columns = plan.run(&table);
    if let (Ok(matrix), Ok(columns)) = (&matrix, &columns) {
        assert_eq!(matrix.n_rows(), columns.n_rows());
        for name in matrix.feature_names() {
            let (left, right) = (matrix.column(name), columns.column(name));
            let right = right.as_ref().and_then(|column| column.to_f64()).expect("a feature is numeric");
            for (left, right) in left.unwrap_or_default().iter().zip(right.iter()) {
                assert!(left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan()), "{left} {right}");
            }
        }
    }
    if let Ok(program) = Program::new(&plan, &Registry::new()) {
        let mut buffer = vec![f64::NAN; table.n_rows() * plan.outputs().len()];
        assert_eq!(program.apply_into(&table, &mut buffer).is_ok(), matrix.is_ok());
    }
    for error in [matrix.err(), columns.err()].into_iter().flatten() {
        assert!(!error.to_string().is_empty());
    }
});
