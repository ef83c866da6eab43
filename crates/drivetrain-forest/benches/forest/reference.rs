//! scikit-learn in a process of its own, which measures when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use drivetrain_forest::ndarray::Array2;

use crate::{Cell, Measured};

/// The process: a line in is a cell, a line out what was measured.
pub(crate) struct ScikitLearn {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl ScikitLearn {
    /// Starts `python` on `reference.py` and hands the table over.
    pub(crate) fn start(python: &str, x: &Array2<f64>, y: &[f64]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/forest/reference.py");
        let mut child = Command::new(python)
            .arg(script)
            .args([x.nrows().to_string(), x.ncols().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let bytes: Vec<u8> = x.iter().chain(y).flat_map(|value| value.to_le_bytes()).collect();
        input.write_all(&bytes).unwrap();
        input.flush().unwrap();
        Self { child, input, output }
    }

    /// One turn.
    pub(crate) fn measure(&mut self, cell: Cell) -> Measured {
        let depth = cell.max_depth.unwrap_or(0);
        writeln!(self.input, "{} {depth} {}", cell.n_trees, cell.max_features.unwrap_or(0)).unwrap();
        self.input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let numbers: Vec<f64> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [fit_seconds, rows_per_second, row_microseconds] = numbers[..] else { panic!("unexpected line {line:?}") };
        Measured { fit_seconds, rows_per_second, row_microseconds }
    }
}

impl Drop for ScikitLearn {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
