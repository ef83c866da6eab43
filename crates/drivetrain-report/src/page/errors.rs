//! Where the model is right and wrong.

use maud::{Markup, html};

use super::{figure, fixed, table};
use crate::{Prediction, Report, ReportError, chart};

/// So many of the largest errors are listed.
const WORST: usize = 10;

pub(super) fn section(report: &Report) -> Result<Option<Markup>, ReportError> {
    if report.predictions.is_empty() {
        return Ok(None);
    }
    let mut figures = vec![
        figure(
            "Predicted against actual",
            chart::predicted_against_actual(report)?,
            "On the line the prediction is right.",
            Some(all_rows(report)),
        ),
        figure(
            "Residuals by predicted value",
            chart::residuals_by_prediction(report)?,
            "A fan or a curve would be something that the model has not understood.",
            None,
        ),
    ];
    for column in &report.groups {
        let caption = "A dot is a row, a bar the mean of its group: bars off zero are groups that the model gets wrong in one direction.";
        figures.push(figure(&format!("Residuals by {column}"), chart::residuals_by(report, column)?, caption, None));
    }
    figures.push(figure(
        "Distribution of errors",
        chart::errors(report)?,
        "Right of zero the prediction was too low, left of it too high.",
        None,
    ));
    Ok(Some(html! {
        div.charts { @for figure in &figures { (figure) } }
        h3 { "The " (WORST.min(report.predictions.len())) " largest errors" }
        (worst(report))
    }))
}

fn worst(report: &Report) -> Markup {
    let mut rows: Vec<&Prediction> = report.predictions.iter().collect();
    rows.sort_by(|a, b| b.residual().abs().total_cmp(&a.residual().abs()));
    predictions(report, rows.into_iter().take(WORST))
}

fn all_rows(report: &Report) -> Markup {
    predictions(report, report.predictions.iter())
}

fn predictions<'a>(report: &Report, rows: impl Iterator<Item = &'a Prediction>) -> Markup {
    let groups = report.groups.iter().map(String::as_str);
    let header: Vec<&str> =
        ["row"].into_iter().chain(groups).chain(["true", "predicted", "interval", "true - predicted"]).collect();
    let rows = rows.map(|row| {
        let interval = row.interval.map_or_else(|| "-".to_owned(), |(low, high)| format!("{low:.1} to {high:.1}"));
        let group = |column| row.groups.get(column).map_or("-", String::as_str).to_owned();
        let numbers = [fixed(row.truth, 1), fixed(row.predicted, 1), interval, format!("{:+.1}", row.residual())];
        [row.label.clone()].into_iter().chain(report.groups.iter().map(group)).chain(numbers).collect()
    });
    table(&header, 1 + report.groups.len(), rows)
}
