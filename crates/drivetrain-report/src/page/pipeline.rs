//! The preprocessing, drawn with what each step learned.

use maud::{Markup, html};

use super::table;
use crate::{Report, Step};

pub(super) fn section(report: &Report) -> Option<Markup> {
    let pipeline = report.pipeline.as_ref()?;
    Some(html! {
        p { "Learned from the training rows alone, then applied to all. Open a step to see what it holds." }
        (content(pipeline))
    })
}

/// A step in its box, under the name that the pipeline gives it.
fn step(name: &str, step: &Step) -> Markup {
    html! {
        div.step {
            b { (name) }
            span.soft { (step.title) }
            (content(step))
        }
    }
}

fn content(of: &Step) -> Markup {
    // The steps of a pipeline follow each other; the parts of anything else stand side by side.
    let class = if of.title.starts_with("Pipeline") { "steps line" } else { "steps" };
    html! {
        @if !of.header.is_empty() {
            @let header: Vec<&str> = of.header.iter().map(String::as_str).collect();
            details { summary { "What it learned" } (table(&header, header.len(), of.rows.iter().cloned())) }
        }
        @if !of.parts.is_empty() {
            ol class=(class) { @for (name, part) in &of.parts { li { (step(name, part)) } } }
        }
    }
}
