//! Errors by what a row is.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, SECOND, draw, line, names_below, plane, px, range};
use crate::{Prediction, Report, ReportError};

const HEIGHT: u32 = 300;

/// A dot for every row above its group's name, and a bar at the group's mean: a bar off zero is a group that the model
/// gets wrong in one direction.
pub(crate) fn residuals_by(report: &Report, column: &str) -> Result<String, ReportError> {
    let groups = grouped(report, column);
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
        for (index, (_, values)) in groups.iter().enumerate() {
            let middle = index as f64 + 0.5;
            plane.draw_series(spread(values, middle).map(|at| Circle::new(at, px(3), ACCENT.mix(0.6).filled())))?;
            let mean = mean(values);
            let bar = [(middle - 0.32, mean), (middle + 0.32, mean)];
            plane.draw_series([PathElement::new(bar, SECOND.stroke_width(line(3)))])?;
        }
        let names: Vec<_> = groups.iter().enumerate().map(|(index, (name, _))| (index as f64 + 0.5, *name)).collect();
        names_below(area, &plane, &names)
    })
}

/// The errors by the value of a column: numbers ascending, then words in their order.
fn grouped<'a>(report: &'a Report, column: &str) -> Vec<(&'a str, Vec<f64>)> {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in &report.predictions {
        if let Some(group) = row.groups.get(column) {
            groups.entry(group).or_default().push(row.residual());
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    let number = |name: &str| name.parse().unwrap_or(f64::INFINITY);
    groups.sort_by(|(a, _), (b, _)| number(a).total_cmp(&number(b)));
    groups
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_comes_after_nine_and_words_after_numbers() {
        let row = |group: &str| Prediction {
            part: String::new(),
            label: String::new(),
            truth: 1.0,
            predicted: 0.5,
            interval: None,
            groups: [("g".to_owned(), group.to_owned())].into(),
        };
        let report = Report { predictions: ["b", "10", "9", "a", "9"].map(row).into(), ..Report::default() };
        let names: Vec<_> = grouped(&report, "g").into_iter().map(|(name, values)| (name, values.len())).collect();
        assert_eq!(names, [("9", 2), ("10", 1), ("a", 1), ("b", 1)]);
    }
}
