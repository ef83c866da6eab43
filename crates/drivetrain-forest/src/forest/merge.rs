//! Forests grown apart, joined.

use super::{ClassificationForest, Forest, Kept, Routes};
use crate::ForestError;

impl Forest {
    /// The trees of all `forests`, one forest after the other, as one.
    ///
    /// Forests whose trees were grown apart, by [`FitOptions::first_tree`](crate::FitOptions::first_tree), give the
    /// forest grown at once: byte for byte, importances included. Of forests that were stored before the sums of
    /// importances were kept, every tree counts as one that split.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::ndarray::array;
    /// use drivetrain_forest::{FitOptions, Forest, RandomForestRegressor};
    ///
    /// let (x, y) = (array![[1.0], [2.0], [4.0], [5.0]], [5.0, 6.0, 9.0, 9.5]);
    /// let grow = |n_estimators, first_tree| {
    ///     let regressor = RandomForestRegressor::builder().n_estimators(n_estimators).build()?;
    ///     regressor.fit_with(x.view(), &y, FitOptions::new().first_tree(first_tree))
    /// };
    /// assert_eq!(Forest::merge([grow(2, 0)?, grow(3, 2)?])?, grow(5, 0)?);
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    ///
    /// # Errors
    /// [`ForestError::NothingToMerge`] without a forest; [`ForestError::Unlike`] if forests differ in the number of
    /// features, in which of them hold categories, or in whether they know missing values;
    /// [`ForestError::TooManyNodes`].
    pub fn merge(forests: impl IntoIterator<Item = Self>) -> Result<Self, ForestError> {
        let mut forests = forests.into_iter();
        let mut merged = forests.next().ok_or(ForestError::NothingToMerge)?;
        for (index, forest) in forests.enumerate() {
            merged.append(&forest, index + 1)?;
        }
        Ok(merged)
    }

    /// Adds the trees of `other`, which is forest number `index` of those merged.
    #[expect(clippy::cast_possible_truncation, reason = "no more nodes than 32 bits count, and no fewer than trees")]
    fn append(&mut self, other: &Self, index: usize) -> Result<(), ForestError> {
        self.check_alike(other, index)?;
        let n_nodes = self.n_nodes().saturating_add(other.n_nodes());
        if u32::try_from(n_nodes).is_err() {
            return Err(ForestError::TooManyNodes { n_nodes, limit: u32::MAX as usize });
        }
        let (start, n_sets) = (self.n_nodes() as u32, self.routes.sets.len() as f64);
        let (n_own, n_other) = (self.n_trees(), other.n_trees());
        self.kept = Kept::default();
        self.roots.extend(other.roots.iter().map(|root| root + start));
        self.nodes.extend(other.nodes.iter().map(|node| {
            let mut node = *node;
            if !node.is_leaf() {
                node.left += start;
                if other.routes.is_categorical(node.feature as usize) {
                    node.value += n_sets;
                }
            }
            node
        }));
        self.routes.append(&other.routes, start as usize, other.n_nodes());
        self.importances = self.importances.merge(n_own, &other.importances, n_other);
        Ok(())
    }

    fn check_alike(&self, other: &Self, index: usize) -> Result<(), ForestError> {
        let refuse = |what, first: &dyn ToString, found: &dyn ToString| {
            Err(ForestError::Unlike { index, what, first: first.to_string(), found: found.to_string() })
        };
        if self.n_features != other.n_features {
            return refuse("number of features", &self.n_features, &other.n_features);
        }
        let is_categorical = |forest: &Self, feature| forest.routes.is_categorical(feature);
        if let Some(feature) = (0..self.n_features).find(|&f| is_categorical(self, f) != is_categorical(other, f)) {
            let kind = |forest| {
                format!(
                    "feature {feature} of {}",
                    if is_categorical(forest, feature) { "categories" } else { "numbers" }
                )
            };
            return refuse("kind of features", &kind(self), &kind(other));
        }
        let knows = |forest: &Self| if forest.routes.missing_left.is_empty() { "unknown" } else { "known" };
        if knows(self) != knows(other) {
            return refuse("ways of missing values", &knows(self), &knows(other));
        }
        Ok(())
    }
}

impl Routes {
    /// Adds those of `n_nodes` nodes that come after `start` others.
    fn append(&mut self, other: &Self, start: usize, n_nodes: usize) {
        self.sets.extend(&other.sets);
        if other.missing_left.is_empty() {
            return;
        }
        self.missing_left.resize((start + n_nodes).div_ceil(64), 0);
        for node in (0..n_nodes).filter(|&node| other.missing_goes_left(node)) {
            self.missing_left[(start + node) / 64] |= 1 << ((start + node) % 64);
        }
    }
}

impl<L: PartialEq> ClassificationForest<L> {
    /// The trees of all `forests`, one forest after the other, as one: see [`Forest::merge`].
    ///
    /// # Errors
    /// As [`Forest::merge`], and [`ForestError::Unlike`] if forests differ in their classes.
    pub fn merge(forests: impl IntoIterator<Item = Self>) -> Result<Self, ForestError> {
        let mut forests = forests.into_iter();
        let mut merged = forests.next().ok_or(ForestError::NothingToMerge)?;
        for (index, forest) in forests.enumerate() {
            merged.append(forest, index + 1)?;
        }
        Ok(merged)
    }

    fn append(&mut self, mut other: Self, index: usize) -> Result<(), ForestError> {
        if self.classes != other.classes {
            // Labels need not be printable.
            let n_shared = self.classes.iter().filter(|class| other.classes.contains(class)).count();
            let of = |n: usize| format!("{n}, {n_shared} of them in both");
            let (first, found) = (of(self.classes.len()), of(other.classes.len()));
            return Err(ForestError::Unlike { index, what: "classes", first, found });
        }
        let n_leaves = (self.shares.len() / self.classes.len()) as f64;
        for leaf in other.leaves.nodes.iter_mut().filter(|node| node.is_leaf()) {
            leaf.value += n_leaves;
        }
        self.leaves.append(&other.leaves, index)?;
        self.shares.append(&mut other.shares);
        Ok(())
    }
}
