//! How good the model is, beside simpler ones and beside the run before.

use maud::{Markup, html};

use super::{figure, fixed};
use crate::{Report, ReportError, Score, chart};

/// What stands beside the scores of the table.
const INTERVALS: &str = "In brackets the confidence interval of 95 %, from a bootstrap over the rows.";

/// The scores of the model, large.
pub(super) fn tiles(report: &Report) -> Markup {
    let own = report.models.first().map_or(&[][..], |model| &model.scores);
    html! {
        @if !own.is_empty() {
            dl.tiles {
                @for score in own {
                    div.tile {
                        dt { (score.name.to_uppercase()) }
                        dd {
                            (fixed(score.value, 3))
                            small { (brackets(score)) }
                            @if let Some(change) = change(report, score) { small { (change) } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn section(report: &Report) -> Result<Option<Markup>, ReportError> {
    let Some(model) = report.models.first() else { return Ok(None) };
    let names: Vec<&str> = model.scores.iter().map(|score| score.name.as_str()).collect();
    let chart = match names.iter().find(|name| **name == "rmse").or(names.first()) {
        Some(name) => Some((name.to_uppercase(), chart::models(report, name)?)),
        None => None,
    };
    let previous = report.previous.iter().map(|previous| (format!("previous run, {}", previous.run), &previous.scores));
    let models = report.models.iter().map(|model| (model.name.clone(), &model.scores));
    let mut rows: Vec<_> = models.collect();
    rows.splice(1..1, previous);
    Ok(Some(html! {
        p {
            "On rows that the model has not seen, beside models that were fitted on the same rows: the simplest says the \
             mean to everything. " (INTERVALS)
        }
        div.scroll tabindex="0" {
            table {
                thead { tr { th scope="col" { "model" } @for name in &names { th.number scope="col" { (name.to_uppercase()) } } } }
                tbody {
                    @for (index, (name, scores)) in rows.iter().enumerate() {
                        tr class=[(index == 0).then_some("own")] {
                            th scope="row" { (name) }
                            @for name in &names { td.number { (cell(scores, name)) } }
                        }
                    }
                }
            }
        }
        @if let Some((name, svg)) = chart {
            div.charts { (figure(&format!("{name} of the models"), svg, "A dot is the score, the bar behind it its interval.", None)) }
        }
    }))
}

fn cell(scores: &[Score], name: &str) -> String {
    let text = |score: &Score| format!("{} {}", fixed(score.value, 3), brackets(score)).trim_end().to_owned();
    scores.iter().find(|score| score.name == name).map_or_else(|| "-".to_owned(), text)
}

fn brackets(score: &Score) -> String {
    score.interval.map_or_else(String::new, |(low, high)| format!("[{low:.2}, {high:.2}]"))
}

/// The change since the previous run, where there is one that has the score.
fn change(report: &Report, score: &Score) -> Option<Markup> {
    let previous = report.previous.as_ref()?;
    let before = previous.scores.iter().find(|known| known.name == score.name)?.value;
    let change = score.value - before;
    if change == 0.0 {
        return Some(html! { "as in " (previous.run) });
    }
    // Of the usual scores all but r2 are errors.
    let better = (change > 0.0) == (score.name == "r2");
    let class = if better { "better" } else { "worse" };
    Some(html! { span class=(class) { (format!("{change:+.3}")) } " since " (previous.run) })
}
