//! What prediction intervals promise and keep.

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, draw, line, plane, px};
use crate::{Calibration, ReportError};

const HEIGHT: u32 = 330;

/// The promised share to the right, the one that came true upwards: on the line both are equal, below it the intervals
/// are too narrow.
pub(crate) fn calibration(of: &Calibration) -> Result<String, ReportError> {
    let mut levels = of.levels.clone();
    levels.sort_by(|a, b| a.nominal.total_cmp(&b.nominal));
    let percent = |share: f64| share * 100.0;
    let texts: Vec<String> = levels
        .iter()
        .map(|l| format!("promised {:.0} %, kept {:.0} %", percent(l.nominal), percent(l.coverage)))
        .collect();
    let axes = Axes { x: "promised, % of rows", y: "within the interval, %", x_numbers: true, y_numbers: true };
    draw("Calibration of the intervals", &texts.join("; "), HEIGHT, |area| {
        let mut plane = plane(area, 62, 0.0..104.0, 0.0..104.0)?;
        axes.draw(&mut plane)?;
        plane.draw_series([PathElement::new([(0.0, 0.0), (100.0, 100.0)], INK.mix(0.6).stroke_width(line(1)))])?;
        let points: Vec<_> = levels.iter().map(|level| (percent(level.nominal), percent(level.coverage))).collect();
        plane.draw_series([PathElement::new(points.clone(), ACCENT.stroke_width(line(2)))])?;
        plane.draw_series(points.into_iter().map(|at| Circle::new(at, px(4), ACCENT.filled())))?;
        Ok(())
    })
}
