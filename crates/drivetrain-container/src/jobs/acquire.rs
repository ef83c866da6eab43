//! The acquisition job: a raw data set in, three CSV files out, and a fourth that says which car each of their rows is.
//!
//! Nothing is imputed here: what fills a missing cell is learned from the training rows alone, by the processing job.

use std::{io::Write, num::NonZeroUsize};

use clap::Args;
use drivetrain_autompg::{BUNDLED, MISSING, SHA256, raw_schema};
use drivetrain_dataset::{
    DatasetError, Description, Source, Split, SplitOptions, TrailingText, TrainFraction, acquire, write_csv,
};
use drivetrain_frame::polars::prelude::{DataFrame, df};

use super::outputs::Outputs;
use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// Flags of the acquisition job.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct AcquireArgs {
    /// Where the data comes from: `bundled` (this program carries the Auto MPG data), a file of the same format, or an
    /// http:// or https:// URL of the known file
    #[arg(long, value_name = "SOURCE", default_value = "bundled")]
    pub data: Source,

    /// Decides the order of the rows: the same seed gives the same split
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    pub seed: u64,

    /// The share of the rows that goes to training
    #[arg(long, value_name = "FRACTION", default_value = "0.8", allow_negative_numbers = true)]
    pub train_fraction: TrainFraction,

    /// The number of rows, of those not used for training, that are kept for prediction; the rest is for validation
    #[arg(long, value_name = "ROWS", default_value = "10")]
    pub test_rows: NonZeroUsize,
}

/// Fetches, verifies, parses and splits the data, and writes `train.csv`, `val.csv`, `test.csv` and `cars.csv` into
/// directories of their own below `processing/output`: all of them, or none.
///
/// # Errors
/// [`Error::Dataset`] when the data cannot be had, is not the known one, is malformed, is too short to be split, or
/// cannot be written; [`Error::Create`] for an output directory; [`Error::Stopped`] when told to stop.
pub fn run(args: &AcquireArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    let acquired = acquire(&auto_mpg()?, &args.data)?;
    let known = if acquired.is_known { "the known data set" } else { "not the known data set" };
    tracing::info!(rows = acquired.frame.height(), sha256 = %acquired.checksum, "acquired {} ({known})", args.data);

    let options = SplitOptions { seed: args.seed, train_fraction: args.train_fraction, test_rows: args.test_rows };
    let parts = options.split(&acquired.frame)?;
    let mut outputs = Outputs::new(stop);
    for (name, frame) in [("train", &parts.train), ("val", &parts.validation), ("test", &parts.test)] {
        let directory = env.paths().processing("output").join(name);
        outputs.directory(&directory)?;
        outputs.file(directory.join(format!("{name}.csv")), |path| write_csv(path, frame))?;
        writeln!(stdout, "{name}_rows={};", frame.height()).map_err(Error::Stdout)?;
        tracing::info!(rows = frame.height(), directory = %directory.display(), "{name}.csv written");
    }
    if let Some(labels) = &acquired.labels {
        let directory = env.paths().processing("output").join("cars");
        outputs.directory(&directory)?;
        let cars = cars(&options.indices(acquired.frame.height())?, labels)?;
        outputs.file(directory.join("cars.csv"), |path| write_csv(path, &cars))?;
    }
    outputs.commit()?;
    Ok(())
}

/// Which car each row of each file is: no model sees it, but a person wants to know.
fn cars(parts: &Split<Vec<usize>>, labels: &[String]) -> Result<DataFrame, Error> {
    let named = [("train", &parts.train), ("val", &parts.validation), ("test", &parts.test)];
    let lines = || named.iter().flat_map(|(name, rows)| (0_i64..).zip(*rows).map(|(row, &line)| (*name, row, line)));
    let frame = df!(
        "part" => lines().map(|(part, ..)| part).collect::<Vec<_>>(),
        "row" => lines().map(|(_, row, _)| row).collect::<Vec<_>>(),
        "car name" => lines().map(|(.., line)| labels.get(line).map_or("", String::as_str)).collect::<Vec<_>>(),
    );
    Ok(frame.map_err(DatasetError::from)?)
}

/// The Auto MPG data as its file has it.
pub(super) fn auto_mpg() -> Result<Description, Error> {
    let description = Description::new("auto-mpg", raw_schema().map_err(|error| Error::Task(error.into()))?)?
        .missing_marker(MISSING)?
        .trailing_text(TrailingText::AfterTab)
        .checksum(SHA256.parse()?)
        .bundled(BUNDLED);
    Ok(description)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    fn args() -> AcquireArgs {
        AcquireArgs {
            data: Source::Bundled,
            seed: 42,
            train_fraction: "0.8".parse().unwrap(),
            test_rows: NonZeroUsize::new(10).unwrap(),
        }
    }

    fn acquire_in(base: &Path, args: &AcquireArgs) -> Result<String, Error> {
        let variables = BTreeMap::from([("SAGEMAKER_BASE_DIR".to_owned(), base.display().to_string())]);
        let mut stdout = Vec::new();
        run(args, &SageMakerEnv::load(variables)?, &Stop::default(), &mut stdout)?;
        Ok(String::from_utf8(stdout).unwrap())
    }

    #[test]
    fn the_bundled_data_is_split_into_disjoint_files_that_hold_all_rows() {
        let base = tempfile::tempdir().unwrap();
        assert_eq!(acquire_in(base.path(), &args()).unwrap(), "train_rows=318;\nval_rows=70;\ntest_rows=10;\n");
        let read = |name: &str| {
            let path = base.path().join(format!("processing/output/{name}/{name}.csv"));
            fs::read_to_string(path).unwrap()
        };
        let (train, val, test) = (read("train"), read("val"), read("test"));
        assert!(train.starts_with("mpg,cylinders,displacement,horsepower,weight,acceleration,model year,origin\n"));
        let rows = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        let all = [rows(&train), rows(&val), rows(&test)].concat();
        assert_eq!(all.len(), 398);
        // The six cars without a horsepower keep an empty cell.
        assert_eq!(all.iter().filter(|row| row.split(',').nth(3) == Some("")).count(), 6);

        let cars = read("cars");
        assert!(cars.starts_with("part,row,car name\ntrain,0,"), "{cars}");
        assert_eq!(cars.lines().count(), 399);
        // 46.6 miles a gallon are a car of which there is one.
        let (part, row) = [("train", &train), ("val", &val), ("test", &test)]
            .into_iter()
            .find_map(|(part, text)| Some((part, rows(text).iter().position(|row| row.starts_with("46.6,"))?)))
            .unwrap();
        assert!(cars.contains(&format!("\n{part},{row},mazda glc\n")), "{part} {row}");
    }

    #[test]
    fn a_job_whose_stdout_is_gone_leaves_nothing() {
        let base = tempfile::tempdir().unwrap();
        let variables = BTreeMap::from([("SAGEMAKER_BASE_DIR".to_owned(), base.path().display().to_string())]);
        // Room for the first line alone.
        let mut stdout = [0; 16];
        let env = SageMakerEnv::load(variables).unwrap();
        let outcome = run(&args(), &env, &Stop::default(), &mut &mut stdout[..]);
        assert!(matches!(outcome, Err(Error::Stdout(_))), "{outcome:?}");
        assert!(stdout.starts_with(b"train_rows=318;"));
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_of_another_shape_leaves_nothing() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("short.data");
        fs::write(&path, "18.0 8 307.0\t\"car\"\n").unwrap();
        let error = acquire_in(base.path(), &AcquireArgs { data: Source::Path(path), ..args() }).unwrap_err();
        assert!(crate::failure::explain(&error).contains("line 1"), "{error}");
        assert!(!base.path().join("processing").exists());
    }
}
