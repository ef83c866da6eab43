//! The interpreter by itself: nanoseconds per row and column of single operations, and of one row through a small plan.
//!
//! ```console
//! $ cargo bench -p drivetrain-plan
//! ```
//!
//! Sixteen columns each, one value in ten missing; the best of many runs, on as many threads as there are processors for
//! the large table. How the plans that transformers lower to compare with the same work by hand, `cargo bench -p
//! drivetrain-transform` says.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use drivetrain_plan::{
    Categories, Column, ColumnTable, Op, Operand, Operator, PlanBuilder, Program, Registry, Table, UnknownCategory,
    Value,
};

const COLUMNS: usize = 16;
const LARGE: usize = 200_000;
/// How long each measurement goes on.
const BUDGET: Duration = Duration::from_millis(500);

/// One operation of a plan, on a column called `name`.
type Operation = fn(&str) -> Op;

const OPERATIONS: [(&str, Operation); 4] = [
    ("scale", |name| Op::Scale { column: name.into(), center: 3.0, scale: 2.0, output: format!("{name} out") }),
    ("impute", |name| Op::Impute { column: name.into(), value: Value::Float64(3.0), output: format!("{name} out") }),
    ("subtract", |name| Op::Arithmetic {
        operator: Operator::Subtract,
        left: Operand::Constant(82.0),
        right: Operand::Column(name.into()),
        output: format!("{name} out"),
    }),
    ("one-hot of 4", |name| Op::OneHot {
        column: name.into(),
        categories: Categories::Int64(vec![0, 1, 2, 3]),
        missing: false,
        unknown: UnknownCategory::Ignore,
        outputs: (0..4).map(|category| format!("{name} out {category}")).collect(),
    }),
];

fn main() {
    println!("{:>14}  {:>22}  {:>22}", "", "ns per row and column", "one row, ns");
    for (name, operation) in OPERATIONS {
        let many = best(&program(operation, &table(LARGE)), &table(LARGE));
        let one = best(&program(operation, &table(1)), &table(1));
        println!("{name:>14}  {:>22.3}  {:>22.0}", many * 1e9 / (LARGE * COLUMNS) as f64, one * 1e9);
    }
}

/// Numbers 0 to 3 as integers, which every operation takes.
fn table(n_rows: usize) -> ColumnTable {
    let column = |index: usize| {
        let value =
            |row: usize| i64::try_from((row * 7 + index) % 10).ok().filter(|digit| *digit < 9).map(|digit| digit % 4);
        (format!("x{index}"), Column::from((0..n_rows).map(value).collect::<Vec<_>>()))
    };
    ColumnTable::new((0..COLUMNS).map(column).collect()).unwrap()
}

/// The operation on all columns.
fn program(operation: Operation, table: &ColumnTable) -> Program {
    let mut builder = PlanBuilder::new(table.schema().clone());
    for name in table.schema().names() {
        let op = operation(name);
        let outputs = match &op {
            Op::OneHot { outputs, .. } => outputs.clone(),
            _ => vec![format!("{name} out")],
        };
        builder.push(op);
        for output in outputs {
            builder.output(&output, &output);
        }
    }
    Program::new(&builder.build().unwrap(), &Registry::new()).unwrap()
}

/// The least seconds that one application takes.
fn best(program: &Program, table: &ColumnTable) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed() < BUDGET {
        let started = Instant::now();
        black_box(program.apply(black_box(table)).unwrap());
        best = best.min(started.elapsed().as_secs_f64());
    }
    best
}
