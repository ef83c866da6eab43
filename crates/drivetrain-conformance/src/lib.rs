//! The laws every estimator keeps, as property tests that anyone can run on their own transformer.
