//! Trees as text and as Graphviz graphs.

use std::fmt::Write;

use super::tree::{NodeView, Tree};
use super::{CategorySet, NodeStatistics};
use crate::ForestError;

/// How a tree is written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "a format does nothing until a tree is written in it"]
pub struct TreeFormat<'a> {
    feature_names: Option<&'a [String]>,
    pub(super) decimals: usize,
    pub(super) max_depth: Option<usize>,
    pub(super) statistics: Option<&'a [NodeStatistics]>,
}

impl Default for TreeFormat<'_> {
    fn default() -> Self {
        Self { feature_names: None, decimals: 2, max_depth: Some(10), statistics: None }
    }
}

impl<'a> TreeFormat<'a> {
    /// Features called `feature_0` and so on, two decimals, ten levels of splits: as in scikit-learn.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of each feature.
    pub fn feature_names(mut self, feature_names: &'a [String]) -> Self {
        self.feature_names = Some(feature_names);
        self
    }

    /// Digits behind the point.
    pub fn decimals(mut self, decimals: usize) -> Self {
        self.decimals = decimals;
        self
    }

    /// The number of splits between the root and what is cut short; `None` writes all there is.
    pub fn max_depth(mut self, max_depth: impl Into<Option<usize>>) -> Self {
        self.max_depth = max_depth.into();
        self
    }

    /// What rows say about each node of the tree, from [`Forest::node_statistics`](crate::Forest::node_statistics): for
    /// drawings.
    pub fn statistics(mut self, statistics: &'a [NodeStatistics]) -> Self {
        self.statistics = Some(statistics);
        self
    }

    pub(super) fn name(&self, feature: usize) -> String {
        let name = self.feature_names.and_then(|names| names.get(feature));
        name.map_or_else(|| format!("feature_{feature}"), Clone::clone)
    }

    pub(super) fn check(&self, tree: &Tree<'_>) -> Result<(), ForestError> {
        if let Some(statistics) = self.statistics.filter(|statistics| statistics.len() != tree.n_nodes()) {
            return Err(ForestError::InvalidParameter {
                name: "statistics",
                value: format!("{} entries", statistics.len()),
                expected: "one for each node of the tree",
            });
        }
        match self.feature_names {
            Some(names) if names.len() != tree.n_features() => {
                Err(ForestError::FeatureNames { expected: tree.n_features(), found: names.len() })
            }
            _ => Ok(()),
        }
    }
}

/// A set of categories, as `{0, 2}`.
pub(super) fn written(categories: CategorySet) -> String {
    let numbers: Vec<String> = categories.iter().map(|category| category.to_string()).collect();
    format!("{{{}}}", numbers.join(", "))
}

/// A threshold; `inf`, as scikit-learn writes it, where all that is not missing goes left.
fn limit(threshold: f64, decimals: usize) -> String {
    if threshold == f64::MAX { "inf".to_owned() } else { format!("{threshold:.decimals$}") }
}

/// What is yet to be written of a tree.
enum Pending {
    /// A node this deep.
    Node(usize, usize),
    /// The line above a split's right child.
    Line(String),
}

impl Tree<'_> {
    /// The tree as indented text.
    ///
    /// Source: `sklearn.tree.export_text`, of which this is the text to the letter.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::ndarray::array;
    /// use drivetrain_forest::{RandomForestRegressor, TreeFormat};
    ///
    /// let regressor = RandomForestRegressor::builder().n_estimators(1).bootstrap(false).build()?;
    /// let forest = regressor.fit(array![[1.0], [2.0], [4.0]].view(), &[5.0, 5.0, 9.0])?;
    /// let names = ["weight".to_owned()];
    /// let text = forest.tree(0).unwrap().export_text(TreeFormat::new().feature_names(&names))?;
    /// assert_eq!(text, "\
    /// |--- weight <= 3.00
    /// |   |--- value: [5.00]
    /// |--- weight >  3.00
    /// |   |--- value: [9.00]
    /// ");
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    ///
    /// # Errors
    /// If there is not one name for each feature.
    pub fn export_text(&self, format: TreeFormat<'_>) -> Result<String, ForestError> {
        format.check(self)?;
        let decimals = format.decimals;
        let levels = self.levels();
        let mut text = String::new();
        let mut pending = vec![Pending::Node(0, 0)];
        while let Some(next) = pending.pop() {
            let (node, depth) = match next {
                Pending::Node(node, depth) => (node, depth),
                Pending::Line(line) => {
                    text += &line;
                    continue;
                }
            };
            let indent = "|   ".repeat(depth) + "|---";
            let is_cut = format.max_depth.is_some_and(|max_depth| depth > max_depth);
            match self.node(node) {
                Some(NodeView::Leaf { value }) => {
                    let _ = writeln!(text, "{indent} value: [{value:.decimals$}]");
                }
                Some(NodeView::Split { .. } | NodeView::CategorySplit { .. }) if is_cut => {
                    let _ = writeln!(text, "{indent} truncated branch of depth {}", levels[node]);
                }
                Some(NodeView::Split { feature, threshold, left, right }) => {
                    let (name, threshold) = (format.name(feature), limit(threshold, decimals));
                    let _ = writeln!(text, "{indent} {name} <= {threshold}");
                    pending.push(Pending::Node(right, depth + 1));
                    pending.push(Pending::Line(format!("{indent} {name} >  {threshold}\n")));
                    pending.push(Pending::Node(left, depth + 1));
                }
                Some(NodeView::CategorySplit { feature, categories, left, right }) => {
                    let (name, set) = (format.name(feature), written(categories));
                    let _ = writeln!(text, "{indent} {name} in {set}");
                    pending.push(Pending::Node(right, depth + 1));
                    pending.push(Pending::Line(format!("{indent} {name} not in {set}\n")));
                    pending.push(Pending::Node(left, depth + 1));
                }
                None => {}
            }
        }
        Ok(text)
    }

    /// The tree as a graph in Graphviz' DOT language.
    ///
    /// # Errors
    /// If there is not one name for each feature.
    pub fn export_graphviz(&self, format: TreeFormat<'_>) -> Result<String, ForestError> {
        format.check(self)?;
        let decimals = format.decimals;
        let mut text =
            "digraph Tree {\nnode [shape=box, fontname=\"helvetica\"];\nedge [fontname=\"helvetica\"];\n".to_owned();
        let mut pending = vec![(0, 0)];
        while let Some((node, depth)) = pending.pop() {
            let is_cut = format.max_depth.is_some_and(|max_depth| depth > max_depth);
            match self.node(node) {
                Some(NodeView::Leaf { value }) => {
                    let _ = writeln!(text, "{node} [label=\"{value:.decimals$}\"];");
                }
                Some(NodeView::Split { .. } | NodeView::CategorySplit { .. }) if is_cut => {
                    let _ = writeln!(text, "{node} [label=\"(...)\"];");
                }
                Some(NodeView::Split { feature, threshold, left, right }) => {
                    let name = format.name(feature).replace('\\', "\\\\").replace('"', "\\\"");
                    let threshold = limit(threshold, decimals);
                    let _ = writeln!(text, "{node} [label=\"{name} <= {threshold}\"];");
                    let _ = writeln!(text, "{node} -> {left} [label=\"yes\"];\n{node} -> {right} [label=\"no\"];");
                    pending.extend([(right, depth + 1), (left, depth + 1)]);
                }
                Some(NodeView::CategorySplit { feature, categories, left, right }) => {
                    let name = format.name(feature).replace('\\', "\\\\").replace('"', "\\\"");
                    let _ = writeln!(text, "{node} [label=\"{name} in {}\"];", written(categories));
                    let _ = writeln!(text, "{node} -> {left} [label=\"yes\"];\n{node} -> {right} [label=\"no\"];");
                    pending.extend([(right, depth + 1), (left, depth + 1)]);
                }
                None => {}
            }
        }
        text += "}\n";
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Forest;

    /// Splits on the left only: three of them.
    fn forest() -> Forest {
        let stored = serde_json::json!({
            "n_features": 2, "n_nodes": [7], "feature": [0, 1, null, 0, null, null, null],
            "value": [0.5, 1.25, 4.0, -0.5, 3.0, 1.0, 2.0], "feature_importances": [0.5, 0.5],
        });
        serde_json::from_value(stored).unwrap()
    }

    #[test]
    fn what_lies_too_deep_is_cut_short() {
        let forest = forest();
        let text = forest.tree(0).unwrap().export_text(TreeFormat::new().max_depth(0).decimals(1)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "|--- feature_0 <= 0.5",
                "|   |--- truncated branch of depth 3",
                "|--- feature_0 >  0.5",
                "|   |--- value: [4.0]"
            ]
        );
        let whole = forest.tree(0).unwrap().export_text(TreeFormat::new().max_depth(None)).unwrap();
        assert_eq!(whole.lines().count(), 10);
    }

    #[test]
    fn a_graph_has_a_line_for_every_node_and_edge() {
        let names = ["a \"quoted\" name".to_owned(), "b".to_owned()];
        let forest = forest();
        let text = forest.tree(0).unwrap().export_graphviz(TreeFormat::new().feature_names(&names)).unwrap();
        assert!(text.contains("0 [label=\"a \\\"quoted\\\" name <= 0.50\"];"), "{text}");
        assert!(text.contains("1 -> 3 [label=\"yes\"];\n1 -> 4 [label=\"no\"];"), "{text}");
        assert_eq!(text.matches("->").count(), 6);
        assert_eq!(text.lines().count(), 3 + 7 + 6 + 1);
    }

    #[test]
    fn categories_are_named_as_sets() {
        let stored = serde_json::json!({
            "n_features": 1, "n_nodes": [3], "feature": [0, null, null], "value": [0.0, 1.0, 2.0],
            "feature_importances": [1.0], "missing_left": [0], "categorical": [true], "category_sets": [5],
        });
        let forest: Forest = serde_json::from_value(stored).unwrap();
        let tree = forest.tree(0).unwrap();
        let text = tree.export_text(TreeFormat::new()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let expected = [
            "|--- feature_0 in {0, 2}",
            "|   |--- value: [1.00]",
            "|--- feature_0 not in {0, 2}",
            "|   |--- value: [2.00]",
        ];
        assert_eq!(lines, expected);
        assert!(tree.export_graphviz(TreeFormat::new()).unwrap().contains("0 [label=\"feature_0 in {0, 2}\"];"));
    }

    #[test]
    fn what_is_missing_is_told_from_all_that_is_not() {
        let stored = serde_json::json!({
            "n_features": 1, "n_nodes": [3], "feature": [0, null, null], "value": [f64::MAX, 1.0, 2.0],
            "feature_importances": [1.0], "missing_left": [0],
        });
        let forest: Forest = serde_json::from_value(stored).unwrap();
        let tree = forest.tree(0).unwrap();
        let text = tree.export_text(TreeFormat::new()).unwrap();
        let lines: Vec<&str> = text.lines().step_by(2).collect();
        assert_eq!(lines, ["|--- feature_0 <= inf", "|--- feature_0 >  inf"]);
        assert!(tree.export_graphviz(TreeFormat::new()).unwrap().contains("0 [label=\"feature_0 <= inf\"];"));
        assert!(tree.export_svg(TreeFormat::new()).unwrap().contains("feature_0 ≤ ∞"));
    }

    #[test]
    fn a_name_too_few_is_refused() {
        let names = ["a".to_owned()];
        let forest = forest();
        let error = forest.tree(0).unwrap().export_text(TreeFormat::new().feature_names(&names)).unwrap_err();
        assert_eq!(error.to_string(), "there are 2 features but 1 names");
    }
}
