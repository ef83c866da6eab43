//! Random forest regression: growing, flat trees, prediction, importances, metrics, cross-validation.
