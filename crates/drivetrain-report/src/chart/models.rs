//! The model beside simpler ones.

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, draw, line, names_beside, plane, px, room_beside};
use crate::{Report, ReportError, Score};

/// A dot at each model's score and a line over its interval, the model on top.
pub(crate) fn models(report: &Report, score: &str) -> Result<String, ReportError> {
    let mut rows: Vec<(String, &Score)> = Vec::new();
    let add =
        |name: &str, scores: &'_ [Score]| scores.iter().position(|s| s.name == score).map(|at| (name.to_owned(), at));
    for model in &report.models {
        if let Some((name, at)) = add(&model.name, &model.scores) {
            rows.push((name, &model.scores[at]));
        }
    }
    if let Some(previous) = &report.previous
        && let Some((name, at)) = add("previous run", &previous.scores)
    {
        rows.insert(1.min(rows.len()), (name, &previous.scores[at]));
    }
    rows.reverse();
    let highest =
        rows.iter().map(|(_, s)| s.interval.map_or(s.value, |(_, high)| high.max(s.value))).fold(0.0, f64::max);
    let lowest = rows.iter().map(|(_, s)| s.interval.map_or(s.value, |(low, _)| low.min(s.value))).fold(0.0, f64::min);
    let height = 70 + 30 * u32::try_from(rows.len().max(1)).unwrap_or(u32::MAX / 64);
    let texts: Vec<String> = rows.iter().rev().map(|(name, s)| format!("{name} {:.2}", s.value)).collect();
    let name = score.to_uppercase();
    let unit = if report.data.unit.is_empty() { String::new() } else { format!(" ({})", report.data.unit) };
    let axes = Axes { x: &format!("{name}{unit}"), y: "", x_numbers: true, y_numbers: false };
    let room = room_beside(rows.iter().map(|(name, _)| name.as_str()));
    draw(&format!("{name} beside simpler models"), &texts.join(", "), height, |area| {
        let x = lowest * 1.05..if highest > lowest { highest * 1.05 } else { 1.0 };
        let mut plane = plane(area, room, x, 0.0..rows.len().max(1) as f64)?;
        axes.draw(&mut plane)?;
        for (index, (_, score)) in rows.iter().enumerate() {
            let y = index as f64 + 0.5;
            if let Some((low, high)) = score.interval {
                plane.draw_series([PathElement::new([(low, y), (high, y)], ACCENT.mix(0.5).stroke_width(line(6)))])?;
            }
            let colour = if index + 1 == rows.len() { ACCENT } else { INK };
            plane.draw_series([Circle::new((score.value, y), px(5), colour.filled())])?;
        }
        let names: Vec<_> =
            rows.iter().enumerate().map(|(index, (name, _))| (index as f64 + 0.5, name.as_str())).collect();
        names_beside(area, &plane, &names)
    })
}
