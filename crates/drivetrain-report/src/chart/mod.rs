//! The charts: each function draws one, from the data of a report to an SVG element.

mod calibration;
mod canvas;
mod dependence;
mod errors;
mod groups;
mod importances;
mod models;
mod scatter;

pub(crate) use calibration::calibration;
pub(crate) use dependence::dependence;
pub(crate) use errors::errors;
pub(crate) use groups::residuals_by;
pub(crate) use importances::importances;
pub(crate) use models::models;
pub(crate) use scatter::{predicted_against_actual, residuals_by_prediction};
