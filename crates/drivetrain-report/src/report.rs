//! What a report shows, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ReportError;

/// Everything that the page of one run shows.
///
/// It is JSON as it stands: whoever computed it keeps it beside the page, and the page is drawn again from it, or beside
/// that of another run. Whatever a run does not know is left empty, and the page leaves that part out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// What was modelled, the page's heading.
    pub title: String,
    /// The run's name.
    pub run: String,
    /// When it began, as text.
    pub started: String,
    /// The rows that the model has seen and not seen.
    pub data: Data,
    /// What each step of the preprocessing learned.
    pub pipeline: Option<Step>,
    /// What the model was asked to be, by parameter.
    pub parameters: BTreeMap<String, String>,
    /// How good the model is, and how good simpler ones are: the model first.
    pub models: Vec<Model>,
    /// The run before this one, where there is one.
    pub previous: Option<Previous>,
    /// A row that the model has not seen: what is true, and what it says.
    pub predictions: Vec<Prediction>,
    /// The columns by which errors are grouped, in the order of the charts.
    pub groups: Vec<String>,
    /// How much each column of the raw data matters.
    pub importances: Vec<Importance>,
    /// How the prediction moves with one column.
    pub dependence: Vec<Dependence>,
    /// How often the truth lies within the intervals.
    pub calibration: Option<Calibration>,
    /// What the run wrote.
    pub artifacts: Vec<Artifact>,
    /// The commands that do the run again.
    pub reproduce: Vec<String>,
}

/// The data of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The column to be predicted.
    pub target: String,
    /// Its unit, where it has one.
    pub unit: String,
    /// Sentences on where the data comes from.
    pub source: String,
    /// The names of the parts and their numbers of rows, in order.
    pub parts: Vec<(String, usize)>,
    /// What is in the columns.
    pub columns: Vec<ColumnProfile>,
}

/// What is in a column of the training rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnProfile {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub dtype: String,
    /// The number of missing cells.
    pub missing: usize,
    /// Mean and standard deviation, or the categories with their numbers of rows: in words.
    pub content: String,
}

/// A step of the preprocessing and its parts: a title, and a table of what was learned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The name of the estimator.
    pub title: String,
    /// The names of the table's columns.
    pub header: Vec<String>,
    /// The lines of the table.
    pub rows: Vec<Vec<String>>,
    /// The parts with their names, in order.
    pub parts: Vec<(String, Step)>,
}

/// A model and its scores on the rows that it has not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is.
    pub name: String,
    /// Its scores, in the order of the table.
    pub scores: Vec<Score>,
}

/// A score, such as `rmse`, in the unit of the target or without unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its confidence interval of 95 %, where there is one.
    pub interval: Option<(f64, f64)>,
}

/// Another run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its name.
    pub run: String,
    /// The scores of its model.
    pub scores: Vec<Score>,
}

/// What was predicted for a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The part that the row belongs to.
    pub part: String,
    /// What people call the row.
    pub label: String,
    /// The true value.
    pub truth: f64,
    /// The predicted value.
    pub predicted: f64,
    /// The interval in which the true value is expected, where there is one.
    pub interval: Option<(f64, f64)>,
    /// The row's group by column.
    pub groups: BTreeMap<String, String>,
}

impl Prediction {
    /// The true value less the predicted one.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.truth - self.predicted
    }
}

/// How much a column matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// The column of the raw data.
    pub column: String,
    /// By how much the error grows when the column's values are shuffled, in the unit of the target.
    pub permutation: f64,
    /// The standard deviation of that over the repetitions.
    pub deviation: f64,
    /// The share of the decrease of impurity; all of them add up to 1.
    pub impurity: f64,
}

/// How the prediction moves with a column, everything else as it is (partial dependence), for all rows on average and
/// for some one by one (individual conditional expectation).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependence {
    /// The column.
    pub column: String,
    /// The values that it takes, ascending.
    pub grid: Vec<f64>,
    /// The mean prediction at each of them.
    pub mean: Vec<f64>,
    /// The predictions for single rows, each as long as the grid.
    pub rows: Vec<Vec<f64>>,
}

/// How well prediction intervals keep what they promise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// How the intervals are made.
    pub method: String,
    /// The level at which the rows' intervals are drawn.
    pub shown: f64,
    /// What was promised and what came true.
    pub levels: Vec<Level>,
}

/// An interval's promise and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The share of true values that should lie within, between 0 and 1.
    pub nominal: f64,
    /// The share that does.
    pub coverage: f64,
    /// The mean width of the intervals, in the unit of the target.
    pub width: f64,
}

/// A file of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// What it is, or where it lies.
    pub name: String,
    /// What identifies it: a digest, or a model's id.
    pub id: String,
}

impl Report {
    /// Checks what a chart relies on.
    ///
    /// # Errors
    /// [`ReportError::NotFinite`] and [`ReportError::Length`], with the place.
    pub fn check(&self) -> Result<(), ReportError> {
        for model in &self.models {
            check_scores(&model.name, &model.scores)?;
        }
        if let Some(previous) = &self.previous {
            check_scores(&previous.run, &previous.scores)?;
        }
        for (row, prediction) in self.predictions.iter().enumerate() {
            let (low, high) = prediction.interval.unwrap_or_default();
            finite(|| format!("prediction {row}"), [prediction.truth, prediction.predicted, low, high])?;
        }
        for importance in &self.importances {
            let values = [importance.permutation, importance.deviation, importance.impurity];
            finite(|| format!("the importance of `{}`", importance.column), values)?;
        }
        for dependence in &self.dependence {
            let what = || format!("the dependence on `{}`", dependence.column);
            finite(what, dependence.grid.iter().chain(&dependence.mean).copied())?;
            for line in std::iter::once(&dependence.mean).chain(&dependence.rows) {
                finite(what, line.iter().copied())?;
                let (found, expected) = (line.len(), dependence.grid.len());
                if found != expected {
                    return Err(ReportError::Length { what: what(), found, expected });
                }
            }
        }
        for level in self.calibration.iter().flat_map(|calibration| &calibration.levels) {
            finite(|| "the calibration".to_owned(), [level.nominal, level.coverage, level.width])?;
        }
        Ok(())
    }

    /// The target with its unit, as the axes name it.
    pub(crate) fn target(&self) -> String {
        let Data { target, unit, .. } = &self.data;
        if unit.is_empty() || unit == target { target.clone() } else { format!("{target} ({unit})") }
    }
}

fn check_scores(model: &str, scores: &[Score]) -> Result<(), ReportError> {
    for score in scores {
        let (low, high) = score.interval.unwrap_or_default();
        finite(|| format!("`{}` of {model}", score.name), [score.value, low, high])?;
    }
    Ok(())
}

fn finite(what: impl Fn() -> String, values: impl IntoIterator<Item = f64>) -> Result<(), ReportError> {
    match values.into_iter().find(|value| !value.is_finite()) {
        Some(value) => Err(ReportError::NotFinite { what: what(), value }),
        None => Ok(()),
    }
}
