//! What several sections are made of.

use maud::{Markup, PreEscaped, html};

/// A chart with its heading, what to look for, and its numbers for those who want them.
pub(crate) fn figure(title: &str, svg: String, caption: &str, numbers: Option<Markup>) -> Markup {
    html! {
        figure {
            h3 { (title) }
            (PreEscaped(svg))
            figcaption { (caption) }
            @if let Some(numbers) = numbers {
                details { summary { "Numbers" } (numbers) }
            }
        }
    }
}

/// A table whose columns after the first `texts` hold numbers; it scrolls by itself where it is too wide.
pub(crate) fn table(header: &[&str], texts: usize, rows: impl IntoIterator<Item = Vec<String>>) -> Markup {
    let class = |column: usize| (column >= texts).then_some("number");
    html! {
        div.scroll {
            table {
                thead { tr { @for (column, name) in header.iter().enumerate() { th scope="col" class=[class(column)] { (name) } } } }
                tbody {
                    @for row in rows {
                        tr { @for (column, cell) in row.iter().enumerate() { td class=[class(column)] { (cell) } } }
                    }
                }
            }
        }
    }
}

/// A number with so many decimals.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}
