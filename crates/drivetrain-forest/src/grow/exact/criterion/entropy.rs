//! The entropy of the classes.

use super::classes::{Impurity, OfClasses};

/// The entropy of a node's classes, in bits.
///
/// Source: `Entropy` of scikit-learn.
pub(in crate::grow) type Entropy = OfClasses<Logarithms>;

/// The logarithm is of the crate `libm`, whose bits are the same on every machine.
#[derive(Debug, Clone)]
pub(in crate::grow) struct Logarithms;

impl Impurity for Logarithms {
    fn term(weight: f64) -> f64 {
        if weight > 0.0 { weight * libm::log2(weight) } else { 0.0 }
    }

    fn purity(terms: f64, weight: f64) -> f64 {
        terms - Self::term(weight)
    }
}
