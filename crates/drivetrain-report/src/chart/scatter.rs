//! Predictions beside the truth.

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, SECOND, draw, line, plane, px, range};
use crate::{Prediction, Report, ReportError};

const HEIGHT: u32 = 330;

/// True values to the right, predicted ones upwards, and the line on which both are equal.
pub(crate) fn predicted_against_actual(report: &Report) -> Result<String, ReportError> {
    let rows = &report.predictions;
    let both = range(rows.iter().flat_map(|row| [row.truth, row.predicted]));
    let target = report.target();
    let axes = Axes { x: &format!("true {target}"), y: "predicted", x_numbers: true, y_numbers: true };
    draw("Predicted against actual", &summary(rows), HEIGHT, |area| {
        let mut plane = plane(area, 56, both.clone(), both.clone())?;
        axes.draw(&mut plane)?;
        let (low, high) = (both.start, both.end);
        plane.draw_series([PathElement::new([(low, low), (high, high)], INK.mix(0.6).stroke_width(line(1)))])?;
        plane.draw_series(points(rows, |row| (row.truth, row.predicted)))?;
        Ok(())
    })
}

/// Predicted values to the right, residuals upwards: a fan or a curve says what the model gets wrong.
pub(crate) fn residuals_by_prediction(report: &Report) -> Result<String, ReportError> {
    let rows = &report.predictions;
    let x = range(rows.iter().map(|row| row.predicted));
    let y = range(rows.iter().map(Prediction::residual).chain([0.0]));
    let axes = Axes { x: "predicted", y: "true - predicted", x_numbers: true, y_numbers: true };
    draw("Residuals by predicted value", &summary(rows), HEIGHT, |area| {
        let mut plane = plane(area, 56, x.clone(), y)?;
        axes.draw(&mut plane)?;
        plane.draw_series([PathElement::new([(x.start, 0.0), (x.end, 0.0)], SECOND.stroke_width(line(2)))])?;
        plane.draw_series(points(rows, |row| (row.predicted, row.residual())))?;
        Ok(())
    })
}

fn points<'a>(
    rows: &'a [Prediction],
    at: impl Fn(&Prediction) -> (f64, f64) + 'a,
) -> impl Iterator<Item = Circle<(f64, f64), i32>> + 'a {
    rows.iter().map(move |row| Circle::new(at(row), px(4), ACCENT.mix(0.65).filled()))
}

fn summary(rows: &[Prediction]) -> String {
    let largest = rows.iter().map(|row| row.residual().abs()).fold(0.0, f64::max);
    format!("{} rows; the largest error is {largest:.2}", rows.len())
}
