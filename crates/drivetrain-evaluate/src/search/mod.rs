//! Searching for the parameters of a model that predict best.

mod parameters;

use drivetrain_plan::{ColumnTable, Table};
use serde::{Deserialize, Serialize};

pub use parameters::{ParameterGrid, Parameters};

use crate::cross_validate::{Progress, cross_validate};
use crate::score::mean_and_std;
use crate::{EvaluateError, FittedModel, Fold, KFold, Model};

/// What makes a model of parameters.
pub type MakeModel<'a> = dyn Fn(&Parameters) -> Result<Box<dyn Model>, EvaluateError> + Send + Sync + 'a;

/// Parameters and how well they did: a row of a search's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The parameters, by name.
    pub parameters: Parameters,
    /// The root mean squared error of each fold, in units of the target.
    pub rmse: Vec<f64>,
    /// Their mean, by which candidates are ranked.
    pub mean_rmse: f64,
    /// Their standard deviation (ddof 0).
    pub std_rmse: f64,
    /// The place among all candidates, from 1; candidates of the same mean share one.
    pub rank: usize,
}

/// The table of a search: one row per candidate, in the order they were tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchResults {
    /// The rows; there is at least one.
    candidates: Vec<Candidate>,
}

impl SearchResults {
    /// The rows.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The first candidate of rank 1.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.rank == 1)
    }
}

/// Cross-validates every candidate on the same folds.
///
/// Source: `sklearn.model_selection.GridSearchCV` and `RandomizedSearchCV`, with
/// `scoring="neg_root_mean_squared_error"`.
///
/// ```
/// use drivetrain_evaluate::regressor::Ridge;
/// use drivetrain_evaluate::{KFold, ParameterGrid, PipelineModel, search};
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::StandardScaler;
///
/// let x = ColumnTable::new(vec![("x".into(), Column::from((0..30).map(f64::from).collect::<Vec<_>>()))])?;
/// let y: Vec<f64> = (0..30).map(f64::from).collect();
/// let grid = ParameterGrid::new([("alpha", vec![100.0.into(), 0.001.into()])])?;
/// let make = |parameters: &drivetrain_evaluate::Parameters| {
///     let alpha = parameters["alpha"].as_f64().unwrap_or(1.0);
///     Ok(Box::new(PipelineModel::new(StandardScaler::new(), Ridge::new(alpha)?)) as _)
/// };
/// let found = search(&make, &grid.all(), &x, &y, &KFold::new(5)?.shuffle(1).split(30)?, None)?;
/// assert_eq!(found.best().map(|best| best.parameters["alpha"].clone()), Some(0.001.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EvaluateError::InvalidParameter`] without candidates; otherwise as `make` and [`cross_validate`].
pub fn search(
    make: &MakeModel<'_>,
    candidates: &[Parameters],
    x: &ColumnTable,
    y: &[f64],
    folds: &[Fold],
    progress: Option<Progress<'_>>,
) -> Result<SearchResults, EvaluateError> {
    EvaluateError::at_least("the number of candidates", candidates.len(), 1, "a number of at least 1")?;
    // All of them first: a candidate that makes no model is found before hours have passed.
    let models = candidates.iter().map(make).collect::<Result<Vec<_>, _>>()?;
    let total = models.len() * folds.len();
    let mut rows = Vec::with_capacity(models.len());
    for (index, (model, parameters)) in models.iter().zip(candidates).enumerate() {
        let told = |done, _| {
            if let Some(progress) = progress {
                progress(index * folds.len() + done, total);
            }
        };
        let scores = cross_validate(&**model, x, y, folds, Some(&told))?;
        let rmse: Vec<f64> = scores.iter().map(|score| score.metrics.rmse).collect();
        let (mean_rmse, std_rmse) = mean_and_std(&rmse);
        let parameters = parameters.clone();
        rows.push(Candidate { parameters, rmse, mean_rmse, std_rmse, rank: 0 });
    }
    let means: Vec<f64> = rows.iter().map(|row| row.mean_rmse).collect();
    for row in &mut rows {
        row.rank = 1 + means.iter().filter(|mean| **mean < row.mean_rmse).count();
    }
    Ok(SearchResults { candidates: rows })
}

/// A model that searches for its parameters among the rows it learns from, and learns with the best from all of them.
///
/// Cross-validating it is nested cross-validation: what the search chose by is never what it is scored on.
///
/// Source: `sklearn.model_selection.GridSearchCV` with `refit=True`; Cawley, G., Talbot, N. (2010), On over-fitting in
/// model selection, <https://jmlr.org/papers/v11/cawley10a.html>.
pub struct SearchCv<'a> {
    make: Box<MakeModel<'a>>,
    candidates: Vec<Parameters>,
    folds: KFold,
}

impl<'a> SearchCv<'a> {
    /// A search among `candidates`, by `folds` of the rows learned from.
    pub fn new(
        make: impl Fn(&Parameters) -> Result<Box<dyn Model>, EvaluateError> + Send + Sync + 'a,
        candidates: Vec<Parameters>,
        folds: KFold,
    ) -> Self {
        Self { make: Box::new(make), candidates, folds }
    }
}

impl std::fmt::Debug for SearchCv<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchCv")
            .field("candidates", &self.candidates)
            .field("folds", &self.folds)
            .finish_non_exhaustive()
    }
}

impl Model for SearchCv<'_> {
    fn fit(&self, x: &ColumnTable, y: &[f64]) -> Result<Box<dyn FittedModel>, EvaluateError> {
        let found = search(&*self.make, &self.candidates, x, y, &self.folds.split(x.n_rows())?, None)?;
        let best = found.best().map(|best| &best.parameters).ok_or(EvaluateError::NoFolds)?;
        (self.make)(best)?.fit(x, y)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use drivetrain_plan::Column;
    use drivetrain_transform::StandardScaler;

    use super::*;
    use crate::PipelineModel;
    use crate::regressor::Ridge;

    fn ridge(parameters: &Parameters) -> Result<Box<dyn Model>, EvaluateError> {
        let alpha = parameters["alpha"].as_f64().unwrap_or(f64::NAN);
        Ok(Box::new(PipelineModel::new(StandardScaler::new(), Ridge::new(alpha)?)))
    }

    fn table(n: usize) -> (ColumnTable, Vec<f64>) {
        let x: Vec<f64> = (0..n).map(|row| (row * 7 % 31) as f64).collect();
        let y = x.iter().enumerate().map(|(row, x)| 3.0 * x + (row * 13 % 5) as f64).collect();
        (ColumnTable::new(vec![("x".into(), Column::from(x))]).unwrap(), y)
    }

    #[test]
    fn candidates_are_ranked_in_a_table_and_progress_is_told() {
        let (x, y) = table(40);
        let grid = ParameterGrid::new([("alpha", vec![1000.0.into(), 0.1.into(), 0.1.into(), 10.0.into()])]).unwrap();
        let told = Mutex::new(Vec::new());
        let tell = |done, total| told.lock().unwrap().push((done, total));
        let folds = KFold::new(4).unwrap().split(40).unwrap();
        let found = search(&ridge, &grid.all(), &x, &y, &folds, Some(&tell)).unwrap();
        let ranks: Vec<usize> = found.candidates().iter().map(|candidate| candidate.rank).collect();
        assert_eq!(ranks, [4, 1, 1, 3]);
        assert_eq!(found.best(), Some(&found.candidates()[1]));
        let mut told = told.into_inner().unwrap();
        told.sort_unstable();
        assert_eq!(told, (1..=16).map(|done| (done, 16)).collect::<Vec<_>>());
    }

    #[test]
    fn a_search_is_a_model_that_nested_cross_validation_scores() {
        let (x, y) = table(40);
        let grid = ParameterGrid::new([("alpha", vec![1000.0.into(), 0.1.into()])]).unwrap();
        let folds = KFold::new(4).unwrap().split(40).unwrap();
        let nested = SearchCv::new(ridge, grid.all(), KFold::new(3).unwrap());
        let found = cross_validate(&nested, &x, &y, &folds, None).unwrap();
        // Every fold finds the weak penalty.
        let best = cross_validate(&*ridge(&grid.all()[1]).unwrap(), &x, &y, &folds, None).unwrap();
        assert_eq!(found, best);
        let few = SearchCv::new(ridge, grid.all(), KFold::new(30).unwrap());
        let error = cross_validate(&few, &x, &y, &KFold::new(2).unwrap().split(40).unwrap(), None).unwrap_err();
        assert_eq!(error.to_string(), "20 rows cannot be split into 30 folds");
    }

    #[test]
    fn candidates_that_make_no_model_are_refused_first() {
        let (x, y) = table(40);
        let folds = KFold::new(4).unwrap().split(40).unwrap();
        let grid = ParameterGrid::new([("alpha", vec![1.0.into(), (-1.0).into()])]).unwrap();
        let never = |_, _| panic!("a candidate was tried");
        assert!(search(&ridge, &grid.all(), &x, &y, &folds, Some(&never)).is_err());
        assert!(search(&ridge, &[], &x, &y, &folds, None).is_err());
    }
}
