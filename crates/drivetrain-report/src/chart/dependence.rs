//! How the prediction moves with one column.

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, draw, line, number, plane, range};
use crate::{Dependence, Report, ReportError};

const HEIGHT: u32 = 300;

/// A thin line for each of some rows and a thick one for the mean of all (Friedman 2001, doi:10.1214/aos/1013203451;
/// Goldstein et al. 2015, doi:10.1080/10618600.2014.907095).
pub(crate) fn dependence(report: &Report, of: &Dependence) -> Result<String, ReportError> {
    let x = range(of.grid.iter().copied());
    let y = range(of.mean.iter().chain(of.rows.iter().flatten()).copied());
    let title = format!("Prediction by {}", of.column);
    let ends = [of.mean.first(), of.mean.last()].map(|end| end.map_or_else(String::new, |end| format!("{end:.1}")));
    let description = format!(
        "from {} at {} to {} at {}",
        ends[0],
        of.grid.first().map_or_else(String::new, |value| number(*value)),
        ends[1],
        of.grid.last().map_or_else(String::new, |value| number(*value)),
    );
    let axes =
        Axes { x: &of.column, y: &format!("predicted {}", report.data.target), x_numbers: true, y_numbers: true };
    draw(&title, &description, HEIGHT, |area| {
        let mut plane = plane(area, 56, x, y)?;
        axes.draw(&mut plane)?;
        let path = |values: &[f64], style: ShapeStyle| {
            PathElement::new(of.grid.iter().copied().zip(values.iter().copied()).collect::<Vec<_>>(), style)
        };
        plane.draw_series(of.rows.iter().map(|row| path(row, INK.mix(0.22).stroke_width(line(1)))))?;
        plane.draw_series([path(&of.mean, ACCENT.stroke_width(line(3)))])?;
        Ok(())
    })
}
