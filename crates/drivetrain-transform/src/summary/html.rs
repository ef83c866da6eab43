//! Summaries as a piece of a web page.

use super::Summary;

/// Colours follow the reader's preference; nothing is loaded from anywhere.
const STYLE: &str = "\
.drivetrain-summary{--line:#c8ccd0;--head:#f1f3f5;--text:#1b1f23;--back:#fff;color-scheme:light dark;\
color:var(--text);background:var(--back);font:14px/1.45 system-ui,sans-serif;padding:.5em}\
@media(prefers-color-scheme:dark){.drivetrain-summary{--line:#444c56;--head:#22272e;--text:#d6dce2;--back:#15191e}}\
.drivetrain-summary details,.drivetrain-summary p{border:1px solid var(--line);border-radius:4px;margin:.35em 0;\
padding:.25em .6em;overflow-x:auto}\
.drivetrain-summary summary{cursor:pointer}\
.drivetrain-summary table{border-collapse:collapse;margin:.4em 0}\
.drivetrain-summary th,.drivetrain-summary td{border:1px solid var(--line);padding:.15em .6em;text-align:left;\
vertical-align:top;white-space:pre-wrap;font-variant-numeric:tabular-nums}\
.drivetrain-summary th{background:var(--head)}\
@media(max-width:500px){.drivetrain-summary{padding:.2em}\
.drivetrain-summary details,.drivetrain-summary p{padding:.2em .3em}\
.drivetrain-summary th,.drivetrain-summary td{padding:.1em .35em}}";

impl Summary {
    /// A piece of HTML that stands for itself: the tree as `details` to open and close, in light and dark colours, with
    /// every name escaped.
    ///
    /// ```
    /// use drivetrain_transform::Summary;
    ///
    /// let html = Summary::new("A < B").to_html();
    /// assert!(html.starts_with("<div class=\"drivetrain-summary\">") && html.contains("A &lt; B"));
    /// ```
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut html = format!("<div class=\"drivetrain-summary\"><style>{STYLE}</style>");
        self.details(&mut html, None);
        html += "</div>\n";
        html
    }

    fn details(&self, html: &mut String, name: Option<&str>) {
        // Of a title alone there is nothing to open.
        let leaf = self.header.is_empty() && self.parts.is_empty();
        *html += if leaf { "<p>" } else { "<details open><summary>" };
        if let Some(name) = name {
            *html += "<b>";
            escape(html, name);
            *html += "</b>: ";
        }
        escape(html, &self.title);
        if leaf {
            *html += "</p>";
            return;
        }
        *html += "</summary>";
        if !self.header.is_empty() {
            *html += "<table>";
            row(html, "th", &self.header);
            for cells in &self.rows {
                row(html, "td", cells);
            }
            *html += "</table>";
        }
        for (name, part) in &self.parts {
            part.details(html, Some(name));
        }
        *html += "</details>";
    }
}

fn row(html: &mut String, tag: &str, cells: &[String]) {
    *html += "<tr>";
    for cell in cells {
        *html += &format!("<{tag}>");
        escape(html, cell);
        *html += &format!("</{tag}>");
    }
    *html += "</tr>";
}

/// Appends `text` so that it means nothing but itself, within elements and within attributes.
fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => *html += "&amp;",
            '<' => *html += "&lt;",
            '>' => *html += "&gt;",
            '"' => *html += "&quot;",
            '\'' => *html += "&#39;",
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summary(text: &str) -> Summary {
        let part = Summary::new(text).table([text, "plain"], [[text.to_owned(), "1".to_owned()]]);
        Summary::new(text).part(text, part).part(text, Summary::new(text))
    }

    #[test]
    fn names_are_escaped_wherever_they_stand() {
        let html = summary("<script>alert('&\"')</script>").to_html();
        assert!(!html.contains("<script") && !html.contains("'&"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;").count(), 7);
    }

    proptest! {
        #[test]
        fn the_elements_are_the_same_whatever_the_names_are(text in "\\PC{0,20}") {
            let tags = |html: &str| html.matches('<').count();
            prop_assert_eq!(tags(&summary(&text).to_html()), tags(&summary("x").to_html()));
            let html = summary("x").to_html();
            for tag in ["div", "details", "summary", "p", "table", "tr", "th", "td", "b", "style"] {
                let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
                prop_assert_eq!(opened, html.matches(&format!("</{tag}>")).count());
            }
        }
    }
}
