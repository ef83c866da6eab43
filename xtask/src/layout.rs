//! Which key holds what.

use std::path::{Path, PathBuf};

use drivetrain_runner::store::Key;
use drivetrain_runner::{JobName, RunnerError};

type KeyResult = Result<Key, RunnerError>;

/// The folder of everything this command line writes.
pub(crate) fn project() -> KeyResult {
    Key::new("auto_mpg")
}

/// A raw file somebody gave with `--data`, under a name that is safe as a key.
pub(crate) fn raw(path: &Path) -> KeyResult {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=".contains(c) { c } else { '_' }).collect();
    Key::new(format!("auto_mpg/data/raw/{name}"))
}

/// The split rows: `train`, `val` or `test`.
pub(crate) fn bronze(part: &str) -> KeyResult {
    Key::new(format!("auto_mpg/data/bronze/{part}"))
}

/// The list of the split rows, which belong together.
pub(crate) fn bronze_publication() -> KeyResult {
    bronze("published.json")
}

/// The list of the feature matrices and the preprocessor, which belong together.
pub(crate) fn gold_publication() -> KeyResult {
    gold("published.json")
}

/// The feature matrices: `train` or `val`.
pub(crate) fn gold(part: &str) -> KeyResult {
    Key::new(format!("auto_mpg/data/gold/{part}"))
}

/// The folder of the fitted preprocessor.
pub(crate) fn preprocessor_folder() -> KeyResult {
    Key::new("auto_mpg/models/preprocessor")
}

/// The fitted preprocessor.
pub(crate) fn preprocessor() -> KeyResult {
    preprocessor_folder()?.join("model.tar.gz")
}

/// The folder of all trained regressors.
pub(crate) fn regressors() -> KeyResult {
    Key::new("auto_mpg/models/ml")
}

/// The regressor of a training job.
pub(crate) fn regressor(job: &JobName) -> KeyResult {
    regressors()?.join(&format!("{job}/output/model.tar.gz"))
}

/// The list of what a training job wrote.
pub(crate) fn regressor_publication(job: &JobName) -> KeyResult {
    regressors()?.join(&format!("{job}/output/published.json"))
}

/// The training job that a key is the regressor of.
pub(crate) fn job_of_regressor(key: &Key) -> Option<JobName> {
    let job = key.below(&regressors().ok()?)?.strip_suffix("/output/model.tar.gz")?;
    JobName::new(job).ok()
}

/// The predictions of a run.
pub(crate) fn predictions(run: &JobName) -> KeyResult {
    Key::new(format!("auto_mpg/predictions/{run}/test.csv"))
}

/// The folder of all reports.
pub(crate) fn reports() -> KeyResult {
    Key::new("auto_mpg/reports")
}

/// The page of a run.
pub(crate) fn report(run: &JobName) -> KeyResult {
    reports()?.join(&format!("{run}/report.html"))
}

/// What the page of a run shows, as data.
pub(crate) fn report_data(run: &JobName) -> KeyResult {
    reports()?.join(&format!("{run}/report.json"))
}

/// The folder of a run's evaluation.
pub(crate) fn evaluation(run: &JobName) -> KeyResult {
    Key::new(format!("auto_mpg/evaluations/{run}"))
}

/// The root of the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_file_name_becomes_a_key() {
        assert_eq!(raw(Path::new("/x/auto-mpg.data")).unwrap().file_name(), "auto-mpg.data");
        assert_eq!(raw(Path::new("my cars (ü).data")).unwrap().file_name(), "my_cars____.data");
    }

    #[test]
    fn a_regressors_key_names_its_job() {
        let job = JobName::new("run-1").unwrap();
        assert_eq!(job_of_regressor(&regressor(&job).unwrap()), Some(job));
        assert_eq!(job_of_regressor(&Key::new("auto_mpg/models/ml/run-1/output/output.tar.gz").unwrap()), None);
        assert_eq!(job_of_regressor(&preprocessor().unwrap()), None);
    }
}
