//! Two runs beside each other.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::page::{figure, fixed, page, table};
use crate::{Prediction, Report, ReportError, Score, chart};

/// So many of the rows whose predictions differ most are listed.
const ROWS: usize = 10;

/// A page with two runs side by side: what they were asked to do, how good they are, where their predictions differ.
///
/// # Errors
/// As [`Report::to_html`].
///
/// ```
/// use drivetrain_report::{Report, compare};
///
/// let run = |name: &str| Report { run: name.into(), ..Report::default() };
/// assert!(compare(&run("first"), &run("second"))?.contains("first and second"));
/// # Ok::<(), drivetrain_report::ReportError>(())
/// ```
pub fn compare(first: &Report, second: &Report) -> Result<String, ReportError> {
    let both = [first, second];
    both.iter().try_for_each(|report| report.check())?;
    let mut figures = Vec::new();
    for report in both.iter().filter(|report| !report.predictions.is_empty()) {
        let svg = chart::predicted_against_actual(report)?;
        figures.push(figure(
            &format!("{}: predicted against actual", report.run),
            svg,
            "On the line the prediction is right.",
            None,
        ));
    }
    for report in both.iter().filter(|report| !report.importances.is_empty()) {
        let svg = chart::importances(report)?;
        figures.push(figure(
            &format!("{}: importance of the columns", report.run),
            svg,
            "By how much the error grows when a column is shuffled.",
            None,
        ));
    }
    let title = format!("{} and {}", first.run, second.run);
    let body = html! {
        header { h1 { (title) } p.soft { (first.title) } }
        section { h2 { "Scores" } (scores(first, second)) }
        section { h2 { "Parameters" } (parameters(first, second)) }
        @if !figures.is_empty() { section { h2 { "Pictures" } div.charts { @for figure in &figures { (figure) } } } }
        @if let Some(rows) = differences(first, second) {
            section {
                h2 { "Where they differ most" }
                p { "Rows that neither model has seen and both have predicted, those with the largest difference first." }
                (rows)
            }
        }
    };
    Ok(page(&title, &body))
}

fn scores(first: &Report, second: &Report) -> Markup {
    let of = |report: &'_ Report| report.models.first().map(|model| model.scores.clone()).unwrap_or_default();
    let (ours, theirs) = (of(first), of(second));
    let value = |scores: &[Score], name: &str| scores.iter().find(|score| score.name == name).map(|score| score.value);
    let rows = ours.iter().map(|score| {
        let other = value(&theirs, &score.name);
        let text = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| fixed(value, 3));
        let change = other.map_or_else(|| "-".to_owned(), |other| format!("{:+.3}", other - score.value));
        vec![score.name.to_uppercase(), fixed(score.value, 3), text(other), change]
    });
    table(&["score", &first.run, &second.run, "change"], 1, rows)
}

/// The parameters of both, those that differ first.
fn parameters(first: &Report, second: &Report) -> Markup {
    let mut names: Vec<&String> = first.parameters.keys().chain(second.parameters.keys()).collect();
    names.sort();
    names.dedup();
    let value = |report: &Report, name: &str| report.parameters.get(name).cloned().unwrap_or_else(|| "-".to_owned());
    names.sort_by_key(|name| value(first, name) == value(second, name));
    let rows = names.into_iter().map(|name| vec![name.clone(), value(first, name), value(second, name)]);
    table(&["parameter", &first.run, &second.run], 3, rows)
}

/// Rows are the same where part, label and true value agree.
fn differences(first: &Report, second: &Report) -> Option<Markup> {
    let key = |row: &Prediction| (row.part.clone(), row.label.clone(), row.truth.to_bits());
    let theirs: BTreeMap<_, f64> = second.predictions.iter().map(|row| (key(row), row.predicted)).collect();
    let mut rows: Vec<(&Prediction, f64)> =
        first.predictions.iter().filter_map(|row| Some((row, *theirs.get(&key(row))?))).collect();
    rows.sort_by(|a, b| (b.1 - b.0.predicted).abs().total_cmp(&(a.1 - a.0.predicted).abs()));
    let lines = rows.iter().take(ROWS).map(|(row, other)| {
        let numbers = [row.truth, row.predicted, *other].map(|value| fixed(value, 1));
        [row.label.clone()].into_iter().chain(numbers).chain([format!("{:+.1}", other - row.predicted)]).collect()
    });
    (!rows.is_empty()).then(|| table(&["row", "true", &first.run, &second.run, "difference"], 1, lines))
}
