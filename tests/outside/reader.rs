//! A program that has never heard of the transformer in the artifact given as the only argument, and prints what it makes
//! of three rows.

use drivetrain_artifact::{Artifact, Limits};
use drivetrain_plan::{Column, ColumnTable};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: reader ARTIFACT")?;
    let artifact = Artifact::read_tar_gz(path, &Limits::default())?;
    let plan = artifact.model().preprocessor().ok_or("not a preprocessor")?;
    let rows = ColumnTable::new(vec![
        ("weight".into(), Column::from(vec![3504.0, f64::NAN, 2130.5])),
        ("doors".into(), Column::from(vec![Some(3_i64), Some(5), None])),
    ])?;
    let features = plan.apply(&rows)?;
    println!("{:?} {:?}", features.feature_names(), features.values().as_slice());
    Ok(())
}
