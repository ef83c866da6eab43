//! What the model goes by, and how sure it is.

use maud::{Markup, html};

use super::{figure, fixed, table};
use crate::{Report, ReportError, chart};

pub(super) fn section(report: &Report) -> Result<Option<Markup>, ReportError> {
    let mut figures = Vec::new();
    if !report.importances.is_empty() {
        let rows = report.importances.iter().map(|importance| {
            let numbers = [importance.permutation, importance.deviation, importance.impurity];
            [importance.column.clone()].into_iter().chain(numbers.map(|number| fixed(number, 3))).collect()
        });
        figures.push(figure(
            "Importance of the columns",
            chart::importances(report)?,
            "By how much the error grows when the values of a column are shuffled among the rows; the thin line is one \
             standard deviation over the repetitions.",
            Some(table(&["column", "permutation", "deviation", "impurity"], 1, rows)),
        ));
    }
    for dependence in &report.dependence {
        let rows = dependence.grid.iter().zip(&dependence.mean).map(|(at, mean)| vec![fixed(*at, 1), fixed(*mean, 2)]);
        figures.push(figure(
            &format!("Prediction by {}", dependence.column),
            chart::dependence(report, dependence)?,
            "What the model would say if only this column changed: thin lines for single rows, the thick one for all on \
             average.",
            Some(table(&[&dependence.column, "mean prediction"], 0, rows)),
        ));
    }
    if let Some(calibration) = &report.calibration {
        let percent = |share: f64| fixed(share * 100.0, 1);
        let rows = calibration
            .levels
            .iter()
            .map(|level| vec![percent(level.nominal), percent(level.coverage), fixed(level.width, 2)]);
        figures.push(figure(
            "Calibration of the intervals",
            chart::calibration(calibration)?,
            &format!(
                "{}. On the line intervals hold as many true values as they promise; those of the tables promise {:.0} %.",
                calibration.method,
                calibration.shown * 100.0
            ),
            Some(table(&["promised, %", "kept, %", "mean width"], 0, rows)),
        ));
    }
    Ok((!figures.is_empty()).then(|| html! { div.charts { @for figure in &figures { (figure) } } }))
}
