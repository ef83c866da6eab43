//! The Gini impurity.

use super::classes::{Impurity, OfClasses};

/// The chance that two samples drawn from a node are of different classes.
///
/// Source: `Gini` of scikit-learn.
pub(in crate::grow) type Gini = OfClasses<Squares>;

/// A share of `w` of a weight of `n` adds `(w / n)^2` to the chance that the two are of the same class.
#[derive(Debug, Clone)]
pub(in crate::grow) struct Squares;

impl Impurity for Squares {
    #[inline]
    fn term(weight: f64) -> f64 {
        weight * weight
    }

    #[inline]
    fn purity(terms: f64, weight: f64) -> f64 {
        terms / weight
    }
}
