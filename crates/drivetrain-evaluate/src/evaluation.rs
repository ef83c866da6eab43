//! Everything about a model and its baselines, as data.

use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_plan::{ColumnTable, Table};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::conformal::position;
use crate::cross_validate::{check_target, cross_validate_with, select};
use crate::{
    Bootstrap, ColumnImportance, CvPlus, EvaluateError, Fold, FoldScore, Grid, Interval, KFold, MakeModel, Model,
    Parameters, PartialDependence, RepeatedKFold, SearchCv, SearchResults, Summary, cross_validate, partial_dependence,
    permutation_importance, search,
};

/// Shuffles of a column in each fold.
const PERMUTATIONS: usize = 5;
/// Folds of the rows learned from, for intervals and for searches within a fold.
const INNER_SPLITS: usize = 5;
/// Values of a column in a partial dependence.
const GRID: usize = 24;
/// Rows whose own predictions a partial dependence shows.
const INDIVIDUALS: usize = 50;

/// A model under a name.
#[derive(Debug, Clone, Copy)]
pub struct Contender<'a> {
    /// The name in the tables.
    pub name: &'a str,
    /// The model.
    pub model: &'a dyn Model,
}

/// A search for better parameters of the model, and its nested cross-validation.
pub struct SearchPlan<'a> {
    /// What makes a model of parameters.
    pub make: &'a MakeModel<'a>,
    /// The parameters to try.
    pub candidates: Vec<Parameters>,
}

impl std::fmt::Debug for SearchPlan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchPlan").field("candidates", &self.candidates).finish_non_exhaustive()
    }
}

/// What an evaluation does.
#[derive(Debug)]
pub struct EvaluationPlan<'a> {
    /// What the model is compared with.
    pub baselines: Vec<Contender<'a>>,
    /// The model that is looked into.
    pub model: Contender<'a>,
    /// The folds, in each of the repeats.
    pub n_splits: usize,
    /// The repeats.
    pub n_repeats: usize,
    /// The seed of everything random but for the models' own.
    pub random_state: u64,
    /// The intervals of metrics: how many resamples.
    pub n_resamples: usize,
    /// The intervals of metrics: their confidence level, between 0 and 1.
    pub confidence_level: f64,
    /// The coverages of the prediction intervals that are tried, each between 0 and 1; the first is kept for each row.
    pub coverages: Vec<f64>,
    /// A column in whose order time goes by, and the last value to learn from: see [`Fold::cut_at`].
    pub time_split: Option<(&'a str, f64)>,
    /// A search, where one is wanted.
    pub search: Option<SearchPlan<'a>>,
}

/// What is told while an evaluation runs: what is being done, how much of it is done, and how much there is.
pub type EvaluationProgress<'a> = &'a (dyn Fn(&str, usize, usize) + Sync);

/// What came out of an evaluation. Rows are those of the table evaluated, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The number of rows.
    pub n_rows: usize,
    /// The folds of each repeat.
    pub n_splits: usize,
    /// The repeats.
    pub n_repeats: usize,
    /// The seed.
    pub random_state: u64,
    /// The confidence level of the intervals around metrics.
    pub confidence_level: f64,
    /// The target of each row.
    pub targets: Vec<f64>,
    /// The baselines, then the model.
    pub models: Vec<ModelEvaluation>,
    /// What the model makes of the columns.
    pub importances: Importances,
    /// Predictions of the model, fitted on all rows, as each column is varied; `individual` has at most 50 rows.
    pub partial_dependence: Vec<PartialDependence>,
    /// How well intervals around the model's predictions hold.
    pub calibration: Calibration,
    /// The model's error on the rows that its own trees have not drawn, if it has such trees; the preprocessing is fitted
    /// on all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_bag: Option<RegressionMetrics>,
    /// Learning from the past and scoring on what came later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_split: Option<TimeSplit>,
    /// The search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchEvaluation>,
}

/// How well one of the models predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEvaluation {
    /// Its name.
    pub name: String,
    /// Its metrics over all folds.
    pub summary: Summary,
    /// Its metrics on each fold, repeat after repeat.
    pub folds: Vec<RegressionMetrics>,
    /// For each row the mean, over the repeats, of the predictions by the models that have not seen it.
    pub predictions: Vec<f64>,
}

/// How much each raw column matters to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importances {
    /// By how much the root mean squared error grows, in units of the target, when a column of the rows scored on is
    /// shuffled: mean and standard deviation over the folds of the first repeat.
    pub permutation: Vec<ColumnImportance>,
    /// The shares of the reduction of impurity, of the model fitted on all rows; those of features added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impurity: Option<Vec<ColumnImportance>>,
}

/// Prediction intervals (CV+), found from the rows learned from in each fold of the first repeat, and tried on the rows
/// scored on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What the intervals were to cover, and what they did.
    pub levels: Vec<CalibrationLevel>,
    /// For each row its interval of the first of the coverages.
    pub intervals: Vec<Interval>,
}

/// Intervals of one coverage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationLevel {
    /// The share of the rows that they were to cover.
    pub coverage: f64,
    /// The share of the rows that they did cover.
    pub covered: f64,
    /// Their mean width, in units of the target.
    pub mean_width: f64,
}

impl CalibrationLevel {
    /// What intervals of a coverage did with rows, each an interval and the true target; not a number without any.
    ///
    /// ```
    /// use drivetrain_evaluate::{CalibrationLevel, Interval};
    ///
    /// let rows = [(Interval { low: 0.0, high: 1.0 }, 0.5), (Interval { low: 2.0, high: 5.0 }, 1.5)];
    /// let level = CalibrationLevel::of(0.9, rows);
    /// assert_eq!((level.covered, level.mean_width), (0.5, 2.0));
    /// ```
    #[must_use]
    pub fn of(coverage: f64, rows: impl IntoIterator<Item = (Interval, f64)>) -> Self {
        let (mut n, mut covered, mut width) = (0.0, 0.0, 0.0);
        for (interval, truth) in rows {
            n += 1.0;
            covered += f64::from(u8::from(interval.contains(truth)));
            width += interval.high - interval.low;
        }
        Self { coverage, covered: covered / n, mean_width: width / n }
    }
}

/// Learning from the past, scoring on what came later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSplit {
    /// The column of times.
    pub column: String,
    /// The last time learned from.
    pub cut: f64,
    /// Rows learned from.
    pub n_train: usize,
    /// Rows scored on.
    pub n_test: usize,
    /// The metrics of each model, in the order of the models.
    pub metrics: Vec<RegressionMetrics>,
}

/// A search for better parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchEvaluation {
    /// What was tried, on the folds of the first repeat.
    pub results: SearchResults,
    /// The metrics of searching anew within each of those folds, by five folds of its own: what a search's best can be
    /// expected to do, where its own row in `results` is the best of many.
    pub nested: Summary,
}

/// Evaluates a model beside its baselines on one table.
///
/// The same plan and rows give the same evaluation, for any number of threads.
///
/// # Errors
/// What the splits, the models and the parameters of the plan refuse, before or while something is computed.
pub fn evaluate(
    plan: &EvaluationPlan<'_>,
    x: &ColumnTable,
    y: &[f64],
    progress: Option<EvaluationProgress<'_>>,
) -> Result<Evaluation, EvaluateError> {
    check_target(x.n_rows(), y)?;
    let folds = RepeatedKFold::new(plan.n_splits, plan.n_repeats, plan.random_state)?.split(x.n_rows())?;
    if x.n_rows() < 2 * plan.n_splits {
        let (name, value) = ("n_splits", plan.n_splits.to_string());
        return Err(EvaluateError::InvalidParameter {
            name,
            value,
            expected: "folds of two rows and more, as R2 needs two",
        });
    }
    // Every fold's rows to learn from, at the least.
    let n_train = x.n_rows() - x.n_rows().div_ceil(plan.n_splits);
    if n_train < INNER_SPLITS {
        let (n_rows, n_splits) = (x.n_rows(), plan.n_splits);
        return Err(EvaluateError::TooFewRowsToSplitAgain { n_rows, n_splits, n_train, needed: INNER_SPLITS });
    }
    plan.coverages.iter().try_for_each(|&coverage| position(n_train, coverage).map(drop))?;
    let time_fold = plan.time_split.map(|(column, cut)| time_fold(x, column, cut)).transpose()?;
    let bootstrap = Bootstrap::new(plan.n_resamples, plan.confidence_level, plan.random_state)?;
    let first = &folds[..plan.n_splits];
    let tell = |what: &str, done, total| {
        if let Some(progress) = progress {
            progress(what, done, total);
        }
    };

    let mut models = Vec::new();
    for contender in &plan.baselines {
        let told = |done, total| tell(contender.name, done, total);
        let scores = cross_validate(contender.model, x, y, &folds, Some(&told))?;
        models.push(summarise(contender.name, &bootstrap, &scores, y)?);
    }
    let model = plan.model.model;
    let told = |done, total| tell(plan.model.name, done, total);
    let (scores, permutations) = cross_validate_with(model, x, y, &folds, Some(&told), |fold, fitted, x, y| {
        let seed = plan.random_state.wrapping_add(fold as u64);
        let wanted = fold < first.len();
        wanted.then(|| permutation_importance(fitted, x, y, PERMUTATIONS, seed)).transpose()
    })?;
    models.push(summarise(plan.model.name, &bootstrap, &scores, y)?);

    tell("intervals", 0, first.len());
    let calibration = calibrate(model, x, y, first, &plan.coverages, plan.random_state)?;
    let columns: Vec<&str> = x.schema().names().collect();
    tell("columns", 0, columns.len());
    let fitted = model.fit(x, y)?;
    let grid = Grid::new(GRID, (0.05, 0.95))?;
    // A column without any value cannot be varied.
    let varied = columns
        .par_iter()
        .filter(|name| x.column(name).is_some_and(|column| (0..column.len()).any(|row| !column.is_missing(row))));
    let dependence: Vec<Result<_, EvaluateError>> =
        varied.map(|name| Ok(thin(partial_dependence(&*fitted, x, name, &grid)?))).collect();

    let contenders = || plan.baselines.iter().chain([&plan.model]);
    let time_split = time_fold.map(|(column, cut, fold)| {
        let metrics =
            contenders().map(|of| Ok(cross_validate(of.model, x, y, std::slice::from_ref(&fold), None)?[0].metrics));
        let metrics = metrics.collect::<Result<_, EvaluateError>>()?;
        Ok::<_, EvaluateError>(TimeSplit { column, cut, n_train: fold.train.len(), n_test: fold.test.len(), metrics })
    });
    let out_of_bag = model.out_of_bag(x, y)?;
    let search = plan.search.as_ref().map(|plan_of_search| {
        let told = |done, total| tell("search", done, total);
        let results = search(plan_of_search.make, &plan_of_search.candidates, x, y, first, Some(&told))?;
        let told = |done, total| tell("nested search", done, total);
        let inner = KFold::new(INNER_SPLITS)?.shuffle(plan.random_state);
        let nested = SearchCv::new(plan_of_search.make, plan_of_search.candidates.clone(), inner);
        let scores = cross_validate(&nested, x, y, first, Some(&told))?;
        Ok::<_, EvaluateError>(SearchEvaluation { results, nested: bootstrap.summarise(&scores, y)? })
    });
    Ok(Evaluation {
        n_rows: x.n_rows(),
        n_splits: plan.n_splits,
        n_repeats: plan.n_repeats,
        random_state: plan.random_state,
        confidence_level: plan.confidence_level,
        targets: y.to_vec(),
        models,
        importances: Importances {
            permutation: over_folds(&columns, &permutations),
            impurity: fitted.column_importances(),
        },
        partial_dependence: dependence.into_iter().collect::<Result<_, _>>()?,
        calibration,
        out_of_bag,
        time_split: time_split.transpose()?,
        search: search.transpose()?,
    })
}

fn time_fold(x: &ColumnTable, name: &str, cut: f64) -> Result<(String, f64, Fold), EvaluateError> {
    let column = x.column(name).ok_or_else(|| EvaluateError::UnknownColumn { column: name.to_owned() })?;
    let times = column.to_f64().ok_or_else(|| EvaluateError::NotNumeric { column: name.to_owned() })?;
    Ok((name.to_owned(), cut, Fold::cut_at(&times, cut)?))
}

fn summarise(
    name: &str,
    bootstrap: &Bootstrap,
    scores: &[FoldScore],
    y: &[f64],
) -> Result<ModelEvaluation, EvaluateError> {
    let mut sums = vec![(0.0, 0.0); y.len()];
    for score in scores {
        for (&row, prediction) in score.test.iter().zip(&score.predictions) {
            sums[row] = (sums[row].0 + prediction, sums[row].1 + 1.0);
        }
    }
    Ok(ModelEvaluation {
        name: name.to_owned(),
        summary: bootstrap.summarise(scores, y)?,
        folds: scores.iter().map(|score| score.metrics).collect(),
        predictions: sums.into_iter().map(|(sum, n)| sum / n).collect(),
    })
}

/// The importance of each column over the folds that have been asked.
fn over_folds(columns: &[&str], folds: &[Option<Vec<ColumnImportance>>]) -> Vec<ColumnImportance> {
    let of = |(index, column): (usize, &&str)| {
        let means: Vec<f64> = folds.iter().flatten().map(|fold| fold[index].mean).collect();
        ColumnImportance::of(column, &means)
    };
    columns.iter().enumerate().map(of).collect()
}

fn calibrate(
    model: &dyn Model,
    x: &ColumnTable,
    y: &[f64],
    folds: &[Fold],
    coverages: &[f64],
    random_state: u64,
) -> Result<Calibration, EvaluateError> {
    let inner = KFold::new(INNER_SPLITS)?.shuffle(random_state);
    let of_fold = |fold: &Fold| {
        let intervals = CvPlus::fit(model, &x.take(&fold.train), &select(y, &fold.train), &inner)?;
        intervals.predict_intervals(&x.take(&fold.test), coverages)
    };
    let found: Vec<Result<_, EvaluateError>> = folds.par_iter().map(of_fold).collect();
    let found: Vec<Vec<Vec<Interval>>> = found.into_iter().collect::<Result<_, _>>()?;
    let level = |(index, &coverage): (usize, &f64)| {
        let rows = folds.iter().zip(&found).flat_map(|(fold, of)| fold.test.iter().zip(&of[index]));
        CalibrationLevel::of(coverage, rows.map(|(row, interval)| (*interval, y[*row])))
    };
    let levels = coverages.iter().enumerate().map(level).collect();
    let mut of_rows: Vec<(usize, Interval)> = Vec::with_capacity(y.len());
    for (fold, of) in folds.iter().zip(&found) {
        of_rows.extend(fold.test.iter().copied().zip(of.first().into_iter().flatten().copied()));
    }
    of_rows.sort_by_key(|(row, _)| *row);
    Ok(Calibration { levels, intervals: of_rows.into_iter().map(|(_, interval)| interval).collect() })
}

/// With the individual predictions of some rows, evenly spaced among all.
fn thin(mut dependence: PartialDependence) -> PartialDependence {
    let step = dependence.individual.len().div_ceil(INDIVIDUALS).max(1);
    dependence.individual = dependence.individual.into_iter().step_by(step).collect();
    dependence
}

#[cfg(test)]
mod tests {
    use drivetrain_forest::RandomForestRegressor;
    use drivetrain_plan::Column;
    use drivetrain_transform::StandardScaler;

    use super::*;
    use crate::regressor::{DummyRegressor, Ridge};
    use crate::{ParameterGrid, PipelineModel};

    #[test]
    fn words_are_no_times() {
        let x = ColumnTable::new(vec![("word".into(), Column::from(vec![Some("a"), Some("b")]))]).unwrap();
        assert_eq!(time_fold(&x, "word", 1.0).unwrap_err().to_string(), "column `word` holds no numbers");
    }

    fn table(n: usize) -> (ColumnTable, Vec<f64>) {
        let time: Vec<i64> = (70..79).cycle().take(n).collect();
        let x: Vec<f64> = (0..n).map(|row| (row * 17 % 53) as f64).collect();
        let y = x.iter().zip(&time).map(|(x, time)| 2.0 * x + (time - 70) as f64).collect();
        (ColumnTable::new(vec![("time".into(), Column::from(time)), ("x".into(), Column::from(x))]).unwrap(), y)
    }

    fn ridge(parameters: &Parameters) -> Result<Box<dyn Model>, EvaluateError> {
        let alpha = parameters["alpha"].as_f64().unwrap_or(f64::NAN);
        Ok(Box::new(PipelineModel::new(StandardScaler::new(), Ridge::new(alpha)?)))
    }

    fn run(n: usize, n_splits: usize, cut: f64) -> Result<Evaluation, EvaluateError> {
        run_told(n, n_splits, ("time", cut), &[0.9, 0.5], None)
    }

    fn run_told(
        n: usize,
        n_splits: usize,
        cut: (&str, f64),
        coverages: &[f64],
        progress: Option<EvaluationProgress<'_>>,
    ) -> Result<Evaluation, EvaluateError> {
        let (x, y) = table(n);
        let forest = RandomForestRegressor::builder().n_estimators(9).build()?;
        let mean = PipelineModel::new(StandardScaler::new(), DummyRegressor);
        let forest = PipelineModel::new(StandardScaler::new(), forest);
        let plan = EvaluationPlan {
            baselines: vec![Contender { name: "mean", model: &mean }],
            model: Contender { name: "forest", model: &forest },
            n_splits,
            n_repeats: 2,
            random_state: 1,
            n_resamples: 100,
            confidence_level: 0.95,
            coverages: coverages.to_vec(),
            time_split: Some(cut),
            search: Some(SearchPlan {
                make: &ridge,
                candidates: ParameterGrid::new([("alpha", vec![0.01.into(), 1e3.into()])])?.all(),
            }),
        };
        evaluate(&plan, &x, &y, progress)
    }

    #[test]
    fn an_evaluation_is_complete_reproducible_and_survives_json() {
        let found = run(80, 4, 75.0).unwrap();
        assert_eq!(found.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["mean", "forest"]);
        let [mean, forest] = [0, 1].map(|model: usize| found.models[model].summary.rmse);
        assert!(forest.high < mean.low && forest.low < forest.mean && forest.mean < forest.high, "{forest:?} {mean:?}");
        assert_eq!((found.models[1].folds.len(), found.models[1].predictions.len()), (8, 80));
        let importances = &found.importances;
        assert!(importances.permutation[1].mean > 10.0 * importances.permutation[0].mean, "{importances:?}");
        assert!(importances.impurity.as_ref().is_some_and(|of| of[1].mean > 0.9));
        assert_eq!(found.partial_dependence[0].grid, (70..79).map(f64::from).collect::<Vec<_>>());
        assert_eq!(found.partial_dependence[1].grid.len(), 24);
        let [wide, narrow] = [0, 1].map(|level: usize| found.calibration.levels[level]);
        assert!(wide.covered > 0.8 && narrow.covered > 0.3 && narrow.mean_width < wide.mean_width);
        let covered = found.calibration.intervals.iter().zip(&found.targets).filter(|(i, y)| i.contains(**y)).count();
        assert_eq!(covered as f64 / 80.0, wide.covered);
        let time = found.time_split.as_ref().unwrap();
        assert_eq!((time.n_train + time.n_test, time.metrics.len()), (80, 2));
        assert!(found.out_of_bag.is_some_and(|metrics| metrics.r2 > 0.8));
        let search = found.search.as_ref().unwrap();
        assert_eq!(search.results.best().unwrap().parameters["alpha"], 0.01);
        assert!(search.nested.rmse.mean < 0.1);

        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| run(80, 4, 75.0)).unwrap(), found);
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Evaluation>(&json).unwrap(), found);
    }

    #[test]
    fn plans_that_cannot_be_carried_out_are_refused_first() {
        assert_eq!(run(8, 9, 75.0).unwrap_err().to_string(), "8 rows cannot be split into 9 folds");
        let error = run(8, 8, 75.0).unwrap_err().to_string();
        assert_eq!(error, "n_splits is 8: expected folds of two rows and more, as R2 needs two");
        let error = run(80, 4, 90.0).unwrap_err().to_string();
        assert!(error.starts_with("cut at 90, 80 rows are left to learn from and 0 to score on"), "{error}");
        let error = run(6, 2, 75.0).unwrap_err().to_string();
        assert!(error.starts_with("6 rows in 2 folds leave 3 to learn from: at least 5 are needed"), "{error}");
        let message = |cut: &str, coverage| {
            let told = |what: &str, _, _| panic!("{what} has begun");
            run_told(80, 4, (cut, 75.0), &[coverage], Some(&told)).unwrap_err().to_string()
        };
        assert_eq!(message("time", 1.5), "coverage is 1.5: expected a number between 0 and 1");
        assert!(message("time", 0.99).starts_with("60 residuals are too few for intervals of coverage 0.99"));
        assert_eq!(message("no such", 0.5), "there is no column `no such`");
    }
}
