//! Writes valid inputs for the fuzz target `plan` to start from into the folder given as the only argument.

use std::{fs, path::PathBuf};

use drivetrain_conformance::{
    TableOptions, plans,
    proptest::{
        strategy::{Strategy, ValueTree},
        test_runner::TestRunner,
    },
    tables,
};
use drivetrain_plan::{CategoryType, DataType, Field, Schema};

const COUNT: usize = 300;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: seeds FOLDER")?);
    fs::create_dir_all(&folder)?;
    let schema = Schema::new(vec![
        Field::new("b", DataType::Boolean),
        Field::new("i", DataType::Int64),
        Field::new("f", DataType::Float64),
        Field::new("s", DataType::String),
        Field::new("ci", DataType::Categorical(CategoryType::Int64)),
        Field::new("cs", DataType::Categorical(CategoryType::String)),
    ])?;
    let options = TableOptions::default().min_rows(0).max_rows(4).missing(0.3).extremes(true).edges(true);
    let inputs = (plans(&schema, &options), tables(&schema, &options));
    let mut runner = TestRunner::deterministic();
    for number in 0..COUNT {
        let input = inputs.new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        fs::write(folder.join(format!("seed-{number}")), rmp_serde::to_vec_named(&input)?)?;
    }
    Ok(())
}
