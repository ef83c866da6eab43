//! The page: one room per section, in the order in which a person asks.

mod data;
mod errors;
mod explanation;
mod parts;
mod pipeline;
mod reproduction;
mod scores;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use parts::{figure, fixed, table};

use crate::{Report, ReportError};

const STYLE: &str = include_str!("style.css");

impl Report {
    /// The report as one HTML file that needs nothing else.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`ReportError::Chart`] when a chart cannot be drawn.
    pub fn to_html(&self) -> Result<String, ReportError> {
        self.check()?;
        let sections = [
            ("scores", "How good it is", scores::section(self)?),
            ("errors", "Where it is right and wrong", errors::section(self)?),
            ("explanation", "What it goes by", explanation::section(self)?),
            ("pipeline", "What the preprocessing learned", pipeline::section(self)),
            ("data", "The data", data::section(self)),
            ("reproduction", "What was written, and how to do it again", reproduction::section(self)),
        ];
        let sections: Vec<_> = sections.into_iter().filter_map(|(id, title, body)| Some((id, title, body?))).collect();
        Ok(page(
            &format!("{}: {}", self.title, self.run),
            &html! {
                header {
                    h1 { (self.title) }
                    p.soft { "Run " b { (self.run) } @if !self.started.is_empty() { ", begun " (self.started) } }
                    (scores::tiles(self))
                    nav aria-label="Sections" {
                        ul { @for (id, title, _) in &sections { li { a href=(format!("#{id}")) { (title) } } } }
                    }
                }
                @for (id, title, body) in &sections {
                    section id=(id) { h2 { (title) } (body) }
                }
            },
        ))
    }
}

/// A whole page around its body.
pub(crate) fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    }
    .into_string()
}
