//! Which columns matter.

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, draw, line, names_beside, plane, room_beside};
use crate::{Report, ReportError};

/// Bars as long as the error grows when a column is shuffled, longest on top, with the spread of the repetitions.
pub(crate) fn importances(report: &Report) -> Result<String, ReportError> {
    let mut columns: Vec<_> = report.importances.iter().collect();
    columns.sort_by(|a, b| a.permutation.total_cmp(&b.permutation));
    let ends = columns.iter().flat_map(|c| [c.permutation - c.deviation, c.permutation + c.deviation]).chain([0.0]);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let x = low * 1.05..if high > low { high * 1.05 } else { 1.0 };
    let count = columns.len().max(1);
    let height = 70 + 26 * u32::try_from(count).unwrap_or(u32::MAX / 64);
    let title = "Importance of the columns";
    let texts: Vec<String> =
        columns.iter().rev().map(|column| format!("{} {:.2}", column.column, column.permutation)).collect();
    let unit = if report.data.unit.is_empty() { String::new() } else { format!(", {}", report.data.unit) };
    let axes = Axes { x: &format!("growth of RMSE when shuffled{unit}"), y: "", x_numbers: true, y_numbers: false };
    let room = room_beside(columns.iter().map(|column| column.column.as_str()));
    draw(title, &texts.join(", "), height, |area| {
        let mut plane = plane(area, room, x, 0.0..count as f64)?;
        axes.draw(&mut plane)?;
        for (index, column) in columns.iter().enumerate() {
            let y = index as f64;
            let bar = Rectangle::new([(0.0, y + 0.2), (column.permutation, y + 0.8)], ACCENT.filled());
            plane.draw_series([bar])?;
            let (low, high) = (column.permutation - column.deviation, column.permutation + column.deviation);
            plane.draw_series([PathElement::new([(low, y + 0.5), (high, y + 0.5)], INK.stroke_width(line(2)))])?;
        }
        let names: Vec<_> =
            columns.iter().enumerate().map(|(index, column)| (index as f64 + 0.5, column.column.as_str())).collect();
        names_beside(area, &plane, &names)
    })
}
