//! The feature matrices in the hands of numpy.

use std::{io::Write, path::PathBuf, process::Command};

use crate::command::Workplace;

/// The interpreter that has numpy.
const VARIABLE: &str = "DRIVETRAIN_PYTHON";

const SCRIPT: &str = "
import sys, numpy
values = numpy.load(sys.argv[1])
assert values.dtype == numpy.float64 and values.flags.c_contiguous, values.dtype
print(*values.shape, values[0, 0])
";

#[test]
fn numpy_loads_the_features() {
    let Some(python) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        // Around the capture of the test harness: a skipped test is to be noticed.
        let _ = writeln!(std::io::stderr(), "SKIPPED numpy_loads_the_features: {VARIABLE} names no Python with numpy");
        return;
    };
    let place = Workplace::with_first_run();
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(place.object("data/gold/train/train_feats.npy"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let train = std::fs::read_to_string(place.object("data/bronze/train/train.csv")).unwrap();
    let first = train.lines().nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("318 14 {first}"));
}
