//! What can be typed after `cargo xtask bench`.
#![expect(clippy::doc_markdown, reason = "doc comments are what --help prints, where backticks are noise")]

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::groups::{BuildArgs, PythonArgs};

const ROUNDS: NonZeroUsize = NonZeroUsize::new(5).unwrap();
const QUICK_ROUNDS: usize = 2;
const PATIENCE: u64 = 120;
const SERVE_SECONDS: NonZeroU64 = NonZeroU64::new(5).unwrap();
const SERVE_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(16).unwrap();
const TRANSFORM_ROWS: &str = "10000,20000,40000,80000,160000,320000,640000,1280000";
const FOREST_ROWS: &str = "5000,10000,20000";
const FOREST_TREES: NonZeroUsize = NonZeroUsize::new(20).unwrap();
const ARTIFACT_ROWS: NonZeroUsize = NonZeroUsize::new(20_000).unwrap();
const ARTIFACT_TREES: NonZeroUsize = NonZeroUsize::new(20).unwrap();

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask bench all
  cargo xtask bench all --quick
  cargo xtask bench transform --rows 10000,100000,1000000,10000000
  cargo xtask bench forest --rows 20000,200000 --trees 10 --threads 1,2 --engine rafor --engine scikit-learn
  cargo xtask bench forest --rows 1000000 --trees 3 --cells depth10,depth10-third --rounds 1
  cargo xtask bench evaluate --release
  cargo xtask bench serve --release
  cargo xtask bench serve --release --engine drivetrain --rounds 1 --requests 1000000
  cargo xtask bench report";

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) suite: Suite,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Suite {
    /// The whole pipeline beside a script with pandas, scikit-learn and joblib
    ///
    /// Ours is what `cargo xtask pipeline` does once it is built, without the report: three jobs and two servers, each a
    /// process of its own. Theirs is one process that does the same steps and imports its libraries once. One more round comes first and is
    /// not counted.
    Pipeline(ProgramBenchArgs),
    /// The evaluation beside a script with pandas and scikit-learn
    ///
    /// Fifty folds of the pipeline with a forest of 100 trees and with its baselines, intervals, importances: what
    /// `cargo xtask evaluate` does once it is built. One more round comes first and is not counted.
    Evaluate(ProgramBenchArgs),
    /// The column transformer: fit and transform, ten columns into sixteen features
    ///
    /// Beside a loop by hand, copying the output, scikit-learn, featrs, smartcore, datarust and linfa, on one thread
    /// and at sizes that double, so that the power of the size is printed with which the time grows.
    Transform(TransformBenchArgs),
    /// The random forest: growing, predicting a batch and one row, bytes on disk
    ///
    /// Beside smartcore, biosphere, rafor, datarust, scikit-learn, scikit-learn-intelex and LightGBM: full depth and
    /// depth 10, all features and a third of them for each split. With several numbers of rows, the power of them with
    /// which the time grows is printed.
    Forest(ForestBenchArgs),
    /// Models on disk: writing, loading, bytes
    ///
    /// Our model.tar.gz beside joblib, plain and compressed, of the same model of scikit-learn, and rafor's bincode.
    Artifact(ArtifactBenchArgs),
    /// An endpoint under load beside the same model behind FastAPI, uvicorn and scikit-learn
    ///
    /// Raw rows in, predictions out, one row a request, from this process; every answer is compared with the one the
    /// server gives when it is asked alone. Both servers may use all processors, and write no line per request. One more
    /// round comes first and is not counted. Memory is told before, at the peak and after.
    Serve(ServeBenchArgs),
    /// All of the above, each as it is by default
    All(ProgramBenchArgs),
    /// Nothing new: charts and BENCHMARKS.md from the measurements there are
    Report(ReportArgs),
}

/// How often, by whom, and where the measurements go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Turns")]
pub(crate) struct TurnsArgs {
    /// How often each engine has a turn
    #[arg(long, value_name = "COUNT", default_value_t = ROUNDS)]
    rounds: NonZeroUsize,
    /// Two rounds of small work, about a minute once all is built; for a look, not for claims
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only this engine beside ours, or `drivetrain` for ours alone; can be given several times [default: all]
    #[arg(long = "engine", value_name = "NAME")]
    pub(crate) engines: Vec<String>,
    /// An engine that takes longer for a turn gets no more of its kind with as many rows or more
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
    pub(crate) patience: u64,
    /// Where measurements, charts and page go [default: benches/results and BENCHMARKS.md; with --quick, --engine or
    /// some of the --cells target/bench/results]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) python: PythonArgs,
}

impl TurnsArgs {
    /// How often each engine has a turn.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { QUICK_ROUNDS.min(self.rounds.get()) } else { self.rounds.get() }
    }
}

// Of suites that measure what is built as it is used.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProgramBenchArgs {
    #[command(flatten)]
    pub(crate) turns: TurnsArgs,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServeBenchArgs {
    /// How long each turn is
    #[arg(long, value_name = "SECONDS", default_value_t = SERVE_SECONDS)]
    pub(crate) seconds: NonZeroU64,
    /// How many requests each turn is, however long they take
    #[arg(long, value_name = "COUNT", conflicts_with = "seconds")]
    pub(crate) requests: Option<NonZeroUsize>,
    /// How many clients ask at a time
    #[arg(long, value_name = "COUNT", default_value_t = SERVE_CONNECTIONS)]
    pub(crate) connections: NonZeroUsize,
    #[command(flatten)]
    pub(crate) turns: TurnsArgs,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TransformBenchArgs {
    /// Rows of the tables, separated by commas
    #[arg(long, value_name = "COUNTS", default_value = TRANSFORM_ROWS, value_delimiter = ',', value_parser = rows())]
    pub(crate) rows: Vec<usize>,
    /// Numbers of threads, separated by commas; engines without threads take part in 1 only
    #[arg(long, value_name = "COUNTS", default_value = "1", value_delimiter = ',', value_parser = threads())]
    pub(crate) threads: Vec<usize>,
    #[command(flatten)]
    pub(crate) turns: TurnsArgs,
}

/// What forest is grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForestCell {
    /// Full depth, all features
    Full,
    /// Depth 10, all features
    #[value(name = "depth10")]
    Depth10,
    /// Full depth, a third of the features for each split
    FullThird,
    /// Depth 10, a third of the features for each split
    #[value(name = "depth10-third")]
    Depth10Third,
}

#[derive(Debug, Args)]
pub(crate) struct ForestBenchArgs {
    /// Rows of the tables, separated by commas
    #[arg(long, value_name = "COUNTS", default_value = FOREST_ROWS, value_delimiter = ',', value_parser = rows())]
    pub(crate) rows: Vec<usize>,
    /// Trees of the forests
    #[arg(long, value_name = "COUNT", default_value_t = FOREST_TREES)]
    pub(crate) trees: NonZeroUsize,
    /// Which forests, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_enum)]
    pub(crate) cells: Vec<ForestCell>,
    /// Numbers of threads, separated by commas; engines without threads take part in 1 only
    #[arg(long, value_name = "COUNTS", default_value = "1", value_delimiter = ',', value_parser = threads())]
    pub(crate) threads: Vec<usize>,
    #[command(flatten)]
    pub(crate) turns: TurnsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ArtifactBenchArgs {
    /// Rows that the models are fitted on
    #[arg(long, value_name = "COUNT", default_value_t = ARTIFACT_ROWS)]
    pub(crate) rows: NonZeroUsize,
    /// Trees of the forest
    #[arg(long, value_name = "COUNT", default_value_t = ARTIFACT_TREES)]
    pub(crate) trees: NonZeroUsize,
    #[command(flatten)]
    pub(crate) turns: TurnsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Where measurements, charts and page are [default: benches/results and BENCHMARKS.md]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

impl ServeBenchArgs {
    /// The defaults, with these turns of these binaries.
    pub(crate) fn with_turns(turns: TurnsArgs, build: BuildArgs) -> Self {
        Self { seconds: SERVE_SECONDS, requests: None, connections: SERVE_CONNECTIONS, turns, build }
    }
}

impl TransformBenchArgs {
    /// The defaults, with these turns.
    pub(crate) fn with_turns(turns: TurnsArgs) -> Self {
        Self { rows: numbers(TRANSFORM_ROWS), threads: vec![1], turns }
    }
}

impl ForestBenchArgs {
    /// The defaults, with these turns.
    pub(crate) fn with_turns(turns: TurnsArgs) -> Self {
        Self { rows: numbers(FOREST_ROWS), trees: FOREST_TREES, cells: Vec::new(), threads: vec![1], turns }
    }

    /// Which forests are grown, each once, in the order of the tables.
    pub(crate) fn cells(&self) -> Vec<ForestCell> {
        let is_wanted = |cell: &&ForestCell| self.cells.is_empty() || self.cells.contains(cell);
        ForestCell::value_variants().iter().filter(is_wanted).copied().collect()
    }

    /// Whether this measures all that the suite has.
    pub(crate) fn has_all_cells(&self) -> bool {
        self.cells().len() == ForestCell::value_variants().len()
    }
}

impl ArtifactBenchArgs {
    /// The defaults, with these turns.
    pub(crate) fn with_turns(turns: TurnsArgs) -> Self {
        Self { rows: ARTIFACT_ROWS, trees: ARTIFACT_TREES, turns }
    }
}

fn numbers(text: &str) -> Vec<usize> {
    text.split(',').filter_map(|number| number.parse().ok()).collect()
}

/// Fewer rows cannot hold all categories; more do not fit into what a table can count.
fn rows() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(100..=100_000_000)
}

fn threads() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_sizes_double() {
        for sizes in [TRANSFORM_ROWS, FOREST_ROWS] {
            let rows = numbers(sizes);
            assert!(rows.windows(2).all(|pair| pair[1] == 2 * pair[0]), "{rows:?}");
            assert_eq!(rows.len(), sizes.split(',').count());
        }
    }

    fn turns() -> TurnsArgs {
        let python = PythonArgs { python: "python3".to_owned() };
        TurnsArgs { rounds: ROUNDS, quick: false, engines: Vec::new(), patience: PATIENCE, out: None, python }
    }

    #[test]
    fn each_cell_is_measured_once_and_a_part_is_told_from_all() {
        let mut args = ForestBenchArgs {
            rows: Vec::new(),
            trees: FOREST_TREES,
            cells: Vec::new(),
            threads: Vec::new(),
            turns: turns(),
        };
        assert_eq!(args.cells(), ForestCell::value_variants());
        assert!(args.has_all_cells());
        args.cells = vec![ForestCell::Depth10Third, ForestCell::Depth10, ForestCell::Depth10Third];
        assert_eq!(args.cells(), [ForestCell::Depth10, ForestCell::Depth10Third]);
        assert!(!args.has_all_cells());
    }
}
