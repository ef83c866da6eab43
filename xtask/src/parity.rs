//! The transformers beside a live scikit-learn, on fresh random tables.

use std::path::Path;
use std::process::Stdio;

use crate::binaries;
use crate::cli::ParityArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;
use crate::report;

const SCRIPT: &str = "data/fixtures/parity.py";
const REQUIREMENTS: &str = "data/fixtures/requirements.txt";
/// The variable that tells the parity tests where the fresh cases are.
const FOLDER: &str = "DRIVETRAIN_PARITY";

/// Has scikit-learn write its answers and the parity tests read them; the text is the largest difference per
/// transformer.
pub(crate) fn run(args: &ParityArgs) -> Result<String, Error> {
    let root = workspace_root();
    let python = Python::environment(&args.python.python, "fixtures", &root.join(REQUIREMENTS))?;
    let folder = root.join("target").join("parity").join(args.seed.to_string());
    python.script(&root.join(SCRIPT), &[Path::new(&args.seed.to_string()), &folder])?;

    let mut tests = binaries::cargo("test");
    tests
        .args(["--quiet", "--package", "drivetrain-transform", "--test", "parity", "--no-fail-fast"])
        .args(["--", "--nocapture"])
        .env(FOLDER, &folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = tests.output().map_err(|source| Error::Start { program: tests.get_program().into(), source })?;

    let mut rows = differences(&String::from_utf8_lossy(&output.stdout));
    rows.sort();
    let title = format!("scikit-learn and ours, seed {}: the largest relative difference", args.seed);
    let sides = [report::Side::Left, report::Side::Right, report::Side::Right];
    let mut table = report::Table::new(&title, &sides).header(&["", "tables", "difference"]);
    let compared = !rows.is_empty();
    for row in rows {
        table.row(row);
    }
    let text = table.render(report::for_stdout());
    if output.status.success() && compared {
        return Ok(text);
    }
    report::print(&text)?;
    Err(Error::Parity { seed: args.seed, folder })
}

/// What the parity tests say of each transformer: name, cases, difference.
fn differences(output: &str) -> Vec<[String; 3]> {
    let lines = output.lines().filter_map(|line| line.strip_prefix("parity "));
    let row = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        Some([words.next()?, words.next()?, words.next()?])
    };
    lines.filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found_among_what_the_tests_print() {
        let output = "running 2 tests\n.\nparity MaxAbsScaler 25 2.2e-16\n\nparity Normalizer 75 0e0\ntest result: ok.";
        let rows = differences(output);
        assert_eq!(rows, [["MaxAbsScaler", "25", "2.2e-16"], ["Normalizer", "75", "0e0"]]);
    }
}
