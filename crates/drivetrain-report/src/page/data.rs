//! What the data is.

use maud::{Markup, html};

use super::table;
use crate::Report;

pub(super) fn section(report: &Report) -> Option<Markup> {
    let data = &report.data;
    if data.parts.is_empty() && data.columns.is_empty() {
        return None;
    }
    let total: usize = data.parts.iter().map(|(_, rows)| rows).sum();
    let parts: Vec<String> = data.parts.iter().map(|(name, rows)| format!("{rows} {name}")).collect();
    let rows = data.columns.iter().map(|column| {
        vec![column.name.clone(), column.dtype.clone(), column.content.clone(), column.missing.to_string()]
    });
    Some(html! {
        p { (data.source) }
        p { (total) " rows: " (parts.join(", ")) ". The target is " code { (data.target) } "." }
        @if !data.columns.is_empty() {
            h3 { "The training rows" }
            (table(&["column", "type", "content", "missing"], 3, rows))
        }
    })
}
