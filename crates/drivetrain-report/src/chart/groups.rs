//! Errors by what a row is.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, SECOND, draw, line, names_below, plane, px, range};
use crate::{Prediction, Report, ReportError};

const HEIGHT: u32 = 300;

/// A dot for every row above its group's name, and a bar at the group's mean: a bar off zero is a group that the model
/// gets wrong in one direction.
pub(crate) fn residuals_by(report: &Report, column: &str) -> Result<String, ReportError> {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in &report.predictions {
        if let Some(group) = row.groups.get(column) {
            groups.entry(group).or_default().push(row.residual());
        }
    }
    let y = range(report.predictions.iter().map(Prediction::residual).chain([0.0]));
    let count = groups.len() as f64;
    let axes = Axes { x: column, y: "true - predicted", x_numbers: false, y_numbers: true };
    let means: Vec<String> = groups
        .iter()
        .map(|(name, values)| format!("{name}: {:+.2} over {} rows", mean(values), values.len()))
        .collect();
    draw(&format!("Residuals by {column}"), &means.join(", "), HEIGHT, |area| {
        let mut plane = plane(area, 56, 0.0..count.max(1.0), y)?;
        axes.draw(&mut plane)?;
        plane.draw_series([PathElement::new([(0.0, 0.0), (count, 0.0)], INK.mix(0.6).stroke_width(line(1)))])?;
        for (index, values) in groups.values().enumerate() {
            let middle = index as f64 + 0.5;
            plane.draw_series(spread(values, middle).map(|at| Circle::new(at, px(3), ACCENT.mix(0.6).filled())))?;
            let mean = mean(values);
            let bar = [(middle - 0.32, mean), (middle + 0.32, mean)];
            plane.draw_series([PathElement::new(bar, SECOND.stroke_width(line(3)))])?;
        }
        let names: Vec<_> = groups.keys().enumerate().map(|(index, name)| (index as f64 + 0.5, *name)).collect();
        names_below(area, &plane, &names)
    })
}

/// The values one beside the other around the middle, so that they do not cover each other.
fn spread(values: &[f64], middle: f64) -> impl Iterator<Item = (f64, f64)> {
    let width = values.len().max(2) as f64;
    values.iter().enumerate().map(move |(index, &value)| {
        // Steps by the golden ratio: neighbours in the order of the rows land far apart.
        let share = (index as f64 * 0.618_033_988_75).fract();
        (middle + (share - 0.5) * 0.5 * (width / (width + 4.0)), value)
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
