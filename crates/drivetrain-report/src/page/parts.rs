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

/// A table whose columns after the first `texts` hold numbers, and whose first cells, if they are texts, are what each row
/// is about; it scrolls by itself where it is too wide, also by the keyboard.
pub(crate) fn table(header: &[&str], texts: usize, rows: impl IntoIterator<Item = Vec<String>>) -> Markup {
    let class = |column: usize| (column >= texts).then_some("number");
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr { @for (column, name) in header.iter().enumerate() { th scope="col" class=[class(column)] { (name) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 && texts > 0 { th scope="row" { (cell) } }
                                @else { td class=[class(column)] { (cell) } }
                            }
                        }
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
