//! Trees as drawings.

use std::fmt::Write;

use super::export::{TreeFormat, written};
use super::layout::positions;
use super::tree::{NodeView, Tree};
use crate::ForestError;

/// In pixels: of text, of a box around it, between boxes, around the drawing.
const LINE: f64 = 16.0;
const CHARACTER: f64 = 7.4;
const PADDING: f64 = 8.0;
const GAP: f64 = 14.0;
const LEVEL: f64 = 40.0;
const MARGIN: f64 = 16.0;

/// A line with more characters is cut short; the whole of it shows under the pointer.
const MAX_CHARACTERS: usize = 30;

/// Of the smallest value, one in the middle, and the largest.
const COLOURS: [[f64; 3]; 3] = [[242.0, 247.0, 253.0], [106.0, 174.0, 214.0], [11.0, 74.0, 144.0]];

/// A node as it is drawn.
struct Drawn {
    lines: Vec<String>,
    /// What its colour stands for, if it has one.
    value: Option<f64>,
    level: usize,
}

impl Tree<'_> {
    /// The tree as a drawing: an SVG file that needs nothing else.
    ///
    /// Leaves have the colour of their value. With [`TreeFormat::statistics`] splits have that of their mean, and every
    /// node shows its share of the rows.
    ///
    /// Source: `sklearn.tree.plot_tree`; the layout is Reingold's and Tilford's, doi:10.1109/TSE.1981.234519.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::ndarray::array;
    /// use drivetrain_forest::{RandomForestRegressor, TreeFormat};
    ///
    /// let regressor = RandomForestRegressor::builder().n_estimators(1).bootstrap(false).build()?;
    /// let (x, y) = (array![[1.0], [2.0], [4.0]], [5.0, 5.0, 9.0]);
    /// let forest = regressor.fit(x.view(), &y)?;
    /// let names = ["weight".to_owned()];
    /// let statistics = forest.node_statistics(0, x.view(), &y, None)?;
    /// let format = TreeFormat::new().feature_names(&names).statistics(&statistics);
    /// let svg = forest.tree(0).unwrap().export_svg(format)?;
    /// assert!(svg.starts_with("<svg ") && svg.contains("weight ≤ 3.00") && svg.contains("66.7 % of 3 rows"));
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    ///
    /// # Errors
    /// If there is not one name for each feature, or not one entry of the statistics for each node.
    pub fn export_svg(&self, format: TreeFormat<'_>) -> Result<String, ForestError> {
        format.check(self)?;
        let (nodes, children) = self.drawn(&format);
        let longest =
            nodes.iter().flat_map(|node| &node.lines).map(|line| line.chars().count().min(MAX_CHARACTERS)).max();
        let width = longest.unwrap_or(0) as f64 * CHARACTER + 2.0 * PADDING;
        let n_lines = nodes.iter().map(|node| node.lines.len()).max().unwrap_or(0);
        let height = n_lines as f64 * LINE + 2.0 * PADDING - 4.0;
        let centres: Vec<f64> =
            positions(&children).iter().map(|position| MARGIN + width / 2.0 + position * (width + GAP)).collect();
        let top = |level: usize| MARGIN + level as f64 * (height + LEVEL);
        let depth = nodes.iter().map(|node| node.level).max().unwrap_or(0);
        let whole = [centres.iter().copied().fold(0.0, f64::max) + width / 2.0 + MARGIN, top(depth) + height + MARGIN];

        let mut svg = String::new();
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" \
             font-family=\"system-ui, 'Helvetica Neue', Arial, sans-serif\" font-size=\"12\" text-anchor=\"middle\" role=\"img\">\n\
             <title>A decision tree of {2} nodes</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
            whole[0],
            whole[1],
            self.n_nodes()
        );
        svg += "<g fill=\"none\" stroke=\"#8a94a0\" stroke-width=\"1.2\">\n";
        for (node, children) in children.iter().enumerate() {
            for &child in children.iter().flatten() {
                let (from, to) = (top(nodes[node].level) + height, top(nodes[child].level));
                let half = f64::midpoint(from, to);
                let (x, at) = (centres[node], centres[child]);
                let _ =
                    writeln!(svg, "<path d=\"M{x:.1} {from:.1}C{x:.1} {half:.1} {at:.1} {half:.1} {at:.1} {to:.1}\"/>");
            }
        }
        svg += "</g>\n";
        if let Some(&Some(children)) = children.first() {
            for (child, answer) in children.into_iter().zip(["yes", "no"]) {
                let (x, y) = (f64::midpoint(centres[0], centres[child]), top(1) - LEVEL / 2.0 - 7.0);
                let aside = if answer == "yes" { -14.0 } else { 14.0 };
                let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{y:.1}\" fill=\"#5a646e\">{answer}</text>", x + aside);
            }
        }
        let scale = Scale::of(nodes.iter().filter_map(|node| node.value));
        for (node, &centre) in nodes.iter().zip(&centres) {
            node.write(&mut svg, [centre, top(node.level)], [width, height], &scale);
        }
        svg += "</svg>\n";
        Ok(svg)
    }

    /// The nodes down to the deepest that is drawn, and the children of each, by their places in the list.
    fn drawn(&self, format: &TreeFormat<'_>) -> (Vec<Drawn>, Vec<Option<[usize; 2]>>) {
        let levels = self.levels();
        let decimals = format.decimals;
        let (mut nodes, mut children) = (Vec::new(), Vec::new());
        let mut pending = std::collections::VecDeque::from([(0, 0)]);
        while let Some((index, level)) = pending.pop_front() {
            let is_cut = format.max_depth.is_some_and(|max_depth| level > max_depth);
            let statistics = format.statistics.and_then(|all| Some((all.get(index)?, all.first()?.n_node_samples)));
            let mut value = statistics.map(|(of, _)| of.value);
            let (condition, below) = match self.node(index) {
                Some(NodeView::Leaf { value: prediction }) => {
                    value = Some(prediction);
                    (number(prediction, decimals), None)
                }
                Some(NodeView::Split { .. } | NodeView::CategorySplit { .. }) if is_cut => {
                    (format!("… {} levels more", levels[index]), None)
                }
                Some(NodeView::Split { feature, threshold, left, right }) => {
                    // All that is not missing goes left.
                    let limit = if threshold == f64::MAX { "∞".to_owned() } else { number(threshold, decimals) };
                    (format!("{} ≤ {limit}", format.name(feature)), Some([left, right]))
                }
                Some(NodeView::CategorySplit { feature, categories, left, right }) => {
                    (format!("{} in {}", format.name(feature), written(categories)), Some([left, right]))
                }
                None => continue,
            };
            let mut lines = vec![condition];
            if let Some((of, n_rows)) = statistics {
                if below.is_some() || is_cut {
                    lines.push(format!("mean {}", number(of.value, decimals)));
                }
                let share = 100.0 * of.n_node_samples as f64 / n_rows.max(1) as f64;
                lines.push(if level == 0 {
                    format!("{n_rows} rows")
                } else {
                    format!("{share:.1} % of {n_rows} rows")
                });
            }
            nodes.push(Drawn { lines, value, level });
            // Those that wait come before those put behind them.
            let next = nodes.len() + pending.len();
            children.push(below.map(|_| [next, next + 1]));
            pending.extend(below.into_iter().flatten().map(|child| (child, level + 1)));
        }
        (nodes, children)
    }
}

impl Drawn {
    fn write(&self, svg: &mut String, [centre, top]: [f64; 2], [width, height]: [f64; 2], scale: &Scale) {
        let (fill, ink) = self.value.map_or_else(|| ("#fff".to_owned(), "#1b2733"), |value| scale.colours(value));
        let title: Vec<String> = self.lines.iter().map(|line| escaped(line)).collect();
        let left = centre - width / 2.0;
        let _ = writeln!(
            svg,
            "<g><title>{}</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"5\" \
             fill=\"{fill}\" stroke=\"#6b7683\"/>",
            title.join("\n")
        );
        // In the middle of a box that has room for more lines.
        let first = top + (height - LINE * self.lines.len() as f64) / 2.0 + 12.0;
        for (number, line) in self.lines.iter().enumerate() {
            let y = first + LINE * number as f64;
            let weight = if number == 0 { " font-weight=\"600\"" } else { "" };
            let line = escaped(&shortened(line));
            let _ = writeln!(svg, "<text x=\"{centre:.1}\" y=\"{y:.1}\" fill=\"{ink}\"{weight}>{line}</text>");
        }
        *svg += "</g>\n";
    }
}

/// From values to colours.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        values.fold(Self { low: f64::INFINITY, high: f64::NEG_INFINITY }, |scale, value| Self {
            low: scale.low.min(value),
            high: scale.high.max(value),
        })
    }

    /// The colour of a value, and one that can be read on it.
    fn colours(&self, value: f64) -> (String, &'static str) {
        // Halves: the range of numbers near the largest is above it.
        let range = self.high / 2.0 - self.low / 2.0;
        let place = if range > 0.0 { ((value / 2.0 - self.low / 2.0) / range).clamp(0.0, 1.0) } else { 0.0 };
        let (from, to, part) = if place < 0.5 {
            (COLOURS[0], COLOURS[1], 2.0 * place)
        } else {
            (COLOURS[1], COLOURS[2], 2.0 * place - 1.0)
        };
        let [red, green, blue] = [0, 1, 2].map(|channel: usize| from[channel] + (to[channel] - from[channel]) * part);
        (format!("rgb({red:.0},{green:.0},{blue:.0})"), if place > 0.6 { "#fff" } else { "#1b2733" })
    }
}

/// With so many digits behind the point; numbers that would be long, or nothing but zeros, with an exponent.
fn number(value: f64, decimals: usize) -> String {
    let smallest = 10_f64.powi(-i32::try_from(decimals).unwrap_or(i32::MAX));
    if value != 0.0 && !(smallest..1e9).contains(&value.abs()) {
        format!("{value:.decimals$e}")
    } else {
        format!("{value:.decimals$}")
    }
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= MAX_CHARACTERS {
        return line.to_owned();
    }
    line.chars().take(MAX_CHARACTERS - 1).chain(['…']).collect()
}

/// As XML writes it, which has no way to write control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Forest, NodeStatistics};

    /// Splits on the left only: three of them.
    fn forest(value: [f64; 7]) -> Forest {
        let stored = serde_json::json!({
            "n_features": 2, "n_nodes": [7], "feature": [0, 1, null, 0, null, null, null],
            "value": value, "feature_importances": [0.5, 0.5],
        });
        serde_json::from_value(stored).unwrap()
    }

    fn plain() -> Forest {
        forest([0.5, 1.25, 4.0, -0.5, 3.0, 1.0, 2.0])
    }

    #[test]
    fn every_node_and_edge_is_drawn() {
        let forest = plain();
        let names = ["a <b> & \"c\"\u{1}".to_owned(), "d".to_owned()];
        let svg = forest.tree(0).unwrap().export_svg(TreeFormat::new().feature_names(&names)).unwrap();
        assert_eq!((svg.matches("<rect x=").count(), svg.matches("<path ").count()), (7, 6));
        assert!(svg.contains(">a &lt;b&gt; &amp; &quot;c&quot;\u{fffd} ≤ 0.50</text>"), "{svg}");
        assert!(svg.contains(">yes</text>") && svg.contains(">no</text>"));
        // The smallest and the largest value have the ends of the scale.
        assert!(svg.contains("rgb(242,247,253)") && svg.contains("rgb(11,74,144)"), "{svg}");
        assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
    }

    #[test]
    fn what_lies_too_deep_is_cut_short() {
        let forest = plain();
        let svg = forest.tree(0).unwrap().export_svg(TreeFormat::new().max_depth(0)).unwrap();
        assert_eq!((svg.matches("<rect x=").count(), svg.matches("<path ").count()), (3, 2));
        assert!(svg.contains(">… 3 levels more</text>"), "{svg}");
    }

    #[test]
    fn shares_of_the_rows_are_written_if_they_are_known() {
        let forest = plain();
        let counts = [8, 6, 2, 3, 3, 1, 2];
        let statistics =
            counts.map(|n_node_samples| NodeStatistics { n_node_samples, value: 2.5, ..Default::default() });
        let tree = forest.tree(0).unwrap();
        let svg = tree.export_svg(TreeFormat::new().statistics(&statistics)).unwrap();
        for text in ["8 rows", "75.0 % of 8 rows", "12.5 % of 8 rows", "mean 2.50"] {
            assert!(svg.contains(&format!(">{text}</text>")), "{svg}");
        }
        let error = tree.export_svg(TreeFormat::new().statistics(&statistics[1..])).unwrap_err();
        assert_eq!(error.to_string(), "statistics is 6 entries: expected one for each node of the tree");
    }

    #[test]
    fn numbers_of_any_size_are_short() {
        let forest = forest([1e300, -1e-300, 1e300, 0.0, -1e300, 123_456_789.0, 0.001]);
        let svg = forest.tree(0).unwrap().export_svg(TreeFormat::new()).unwrap();
        for text in ["≤ 1.00e300", "≤ -1.00e-300", "≤ 0.00", ">-1.00e300", ">123456789.00", ">1.00e-3"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn a_single_leaf_is_a_drawing_too() {
        let stored = serde_json::json!({
            "n_features": 1, "n_nodes": [1], "feature": [null], "value": [2.0], "feature_importances": [0.0],
        });
        let forest: Forest = serde_json::from_value(stored).unwrap();
        let svg = forest.tree(0).unwrap().export_svg(TreeFormat::new()).unwrap();
        assert_eq!((svg.matches("<rect x=").count(), svg.matches("<path ").count()), (1, 0));
    }
}
