//! What identifies a run, and how to do it again.

use maud::{Markup, html};

use super::table;
use crate::Report;

pub(super) fn section(report: &Report) -> Option<Markup> {
    if report.artifacts.is_empty() && report.reproduce.is_empty() && report.parameters.is_empty() {
        return None;
    }
    Some(html! {
        @if !report.parameters.is_empty() {
            h3 { "Parameters" }
            (table(&["parameter", "value"], 2, report.parameters.iter().map(|(name, value)| vec![name.clone(), value.clone()])))
        }
        @if !report.artifacts.is_empty() {
            h3 { "Artifacts" }
            div.scroll tabindex="0" {
                table {
                    thead { tr { th scope="col" { "artifact" } th scope="col" { "identified by" } } }
                    tbody { @for artifact in &report.artifacts { tr { th scope="row" { (artifact.name) } td { code { (artifact.id) } } } } }
                }
            }
        }
        @if !report.reproduce.is_empty() {
            h3 { "Again" }
            p { "The same commands give the same digests, on any machine." }
            pre { (report.reproduce.join("\n")) }
        }
    })
}
