//! The tables of an evaluation.

use drivetrain_evaluate::{Estimate, Evaluation, SearchEvaluation, TimeSplit};
use drivetrain_runner::store::StoredObject;

use super::paint::for_stdout;
use super::table::{Side, Table};
use crate::session::Session;

/// Candidates of a search that are shown.
const BEST: usize = 5;

/// What an evaluation found.
pub(crate) fn evaluation(session: &Session<'_>, evaluation: &Evaluation, stored: &StoredObject) -> String {
    let mut text = format!("\nRun {}\n\n", session.run());
    text.push_str(&models(evaluation));
    if let Some(found) = &evaluation.out_of_bag {
        let text_of = format!("  out of bag  RMSE {:.2}, MAE {:.2}, R2 {:.3}\n\n", found.rmse, found.mae, found.r2);
        text.push_str(&text_of);
    }
    text.push_str(&importances(evaluation));
    text.push_str(&calibration(evaluation));
    if let Some(split) = &evaluation.time_split {
        text.push_str(&time_split(evaluation, split));
    }
    if let Some(found) = &evaluation.search {
        text.push_str(&search(found));
    }
    let mut table = Table::new("Where it lies", &[Side::Left, Side::Left]);
    table.row(["evaluation".to_owned(), session.store().describe(&stored.key)]);
    table.row(["sha256".to_owned(), stored.sha256.to_string()]);
    text.push_str(&table.render(for_stdout()));
    text
}

fn models(evaluation: &Evaluation) -> String {
    let Evaluation { n_rows, n_splits, n_repeats, .. } = evaluation;
    let level = evaluation.confidence_level * 100.0;
    let title = format!(
        "{n_rows} rows in {n_splits} folds, {n_repeats} times over: mean and standard deviation over the folds, {level} % interval",
    );
    let mut table =
        Table::new(&title, &[Side::Left, Side::Right, Side::Right, Side::Right]).header(&["", "RMSE", "MAE", "R2"]);
    for model in &evaluation.models {
        let summary = &model.summary;
        table.row([
            model.name.clone(),
            estimate(&summary.rmse, 2),
            estimate(&summary.mae, 2),
            estimate(&summary.r2, 3),
        ]);
    }
    table.render(for_stdout())
}

fn estimate(found: &Estimate, digits: usize) -> String {
    let Estimate { mean, std, low, high } = found;
    format!("{mean:.digits$} ± {std:.digits$} [{low:.digits$}, {high:.digits$}]")
}

fn importances(evaluation: &Evaluation) -> String {
    let title = "What the columns are worth: RMSE grows by, when shuffled; share of the impurity removed";
    let mut table = Table::new(title, &[Side::Left, Side::Right, Side::Right]).header(&["", "shuffled", "impurity"]);
    let mut rows: Vec<_> = evaluation.importances.permutation.iter().collect();
    rows.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    for row in rows {
        let of_column = evaluation.importances.impurity.iter().flatten().find(|other| other.column == row.column);
        let impurity = of_column.map_or_else(|| "-".to_owned(), |other| format!("{:.3}", other.mean));
        table.row([row.column.clone(), format!("{:+.2} ± {:.2}", row.mean, row.std), impurity]);
    }
    table.render(for_stdout())
}

fn calibration(evaluation: &Evaluation) -> String {
    let title = "Prediction intervals (CV+), on rows that nothing has seen";
    let mut table = Table::new(title, &[Side::Right; 3]).header(&["to cover", "covered", "mean width"]);
    let mut levels = evaluation.calibration.levels.clone();
    levels.sort_by(|a, b| a.coverage.total_cmp(&b.coverage));
    for level in levels {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        table.row([percent(level.coverage), percent(level.covered), format!("{:.2}", level.mean_width)]);
    }
    table.render(for_stdout())
}

fn time_split(evaluation: &Evaluation, split: &TimeSplit) -> String {
    let TimeSplit { column, cut, n_train, n_test, .. } = split;
    let title = format!("Learned from {n_train} rows of {column} up to {cut}, scored on {n_test} later ones");
    let mut table =
        Table::new(&title, &[Side::Left, Side::Right, Side::Right, Side::Right]).header(&["", "RMSE", "MAE", "R2"]);
    for (model, found) in evaluation.models.iter().zip(&split.metrics) {
        let cells = [format!("{:.2}", found.rmse), format!("{:.2}", found.mae), format!("{:.3}", found.r2)];
        table.row(std::iter::once(model.name.clone()).chain(cells));
    }
    table.render(for_stdout())
}

fn search(found: &SearchEvaluation) -> String {
    let candidates = found.results.candidates();
    let title = format!("The best of {} parameters tried, on the folds of the first repeat", candidates.len());
    let mut table = Table::new(&title, &[Side::Right, Side::Right, Side::Left]).header(&["rank", "RMSE", "parameters"]);
    let mut rows: Vec<_> = candidates.iter().collect();
    rows.sort_by_key(|candidate| candidate.rank);
    for candidate in rows.into_iter().take(BEST) {
        let parameters: Vec<_> = candidate.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let rmse = format!("{:.2} ± {:.2}", candidate.mean_rmse, candidate.std_rmse);
        table.row([candidate.rank.to_string(), rmse, parameters.join(" ")]);
    }
    let nested = estimate(&found.nested.rmse, 2);
    format!("{}\n  searched anew within each fold  RMSE {nested}\n\n", table.render(for_stdout()).trim_end())
}
