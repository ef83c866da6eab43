//! How the errors are distributed.

use plotters::prelude::*;

use super::canvas::{ACCENT, Axes, INK, draw, line, number, plane};
use crate::{Prediction, Report, ReportError};

const HEIGHT: u32 = 300;
/// Few rows want few bins.
const BINS: (usize, usize) = (5, 24);

/// A histogram of the residuals, its bins as wide as the rule of Freedman and Diaconis (1981, doi:10.1007/BF01025868) says.
pub(crate) fn errors(report: &Report) -> Result<String, ReportError> {
    let mut residuals: Vec<f64> = report.predictions.iter().map(Prediction::residual).collect();
    residuals.sort_by(f64::total_cmp);
    let (edges, counts) = bins(&residuals);
    let highest = counts.iter().copied().max().unwrap_or(0) as f64;
    let (low, high) = (edges[0], edges[edges.len() - 1]);
    let unit = if report.data.unit.is_empty() { String::new() } else { format!(" ({})", report.data.unit) };
    let axes = Axes { x: &format!("true - predicted{unit}"), y: "rows", x_numbers: true, y_numbers: true };
    let within = residuals.iter().filter(|residual| residual.abs() <= 2.0).count();
    let description =
        format!("from {} to {}; {within} of {} rows are at most 2 off", number(low), number(high), residuals.len());
    draw("Distribution of errors", &description, HEIGHT, |area| {
        let mut plane = plane(area, 56, low..high, 0.0..(highest * 1.08).max(1.0))?;
        axes.draw(&mut plane)?;
        plane.draw_series(edges.windows(2).zip(&counts).map(|(edge, &count)| {
            let mut bar = Rectangle::new([(edge[0], 0.0), (edge[1], count as f64)], ACCENT.mix(0.75).filled());
            bar.set_margin(0, 0, 2, 2);
            bar
        }))?;
        plane.draw_series([PathElement::new([(0.0, 0.0), (0.0, highest)], INK.stroke_width(line(1)))])?;
        Ok(())
    })
}

/// The edges of bins of equal width, and how many of the sorted values lie in each.
fn bins(sorted: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return (vec![-1.0, 1.0], vec![0]) };
    if low == high {
        return (vec![low - 1.0, low + 1.0], vec![sorted.len()]);
    }
    let quartile = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
    let width = 2.0 * (quartile(3) - quartile(1)) / (sorted.len() as f64).cbrt();
    let wanted = if width > 0.0 { ((high - low) / width).ceil() } else { 1.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the largest number of bins"
    )]
    let count = wanted.clamp(BINS.0 as f64, BINS.1 as f64) as usize;
    let edge = |edge: usize| if edge == count { high } else { low + (high - low) * edge as f64 / count as f64 };
    let edges: Vec<f64> = (0..=count).map(edge).collect();
    let mut counts = vec![0; count];
    for value in sorted {
        let bin = edges[1..count].partition_point(|edge| edge <= value);
        counts[bin] += 1;
    }
    (edges, counts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_is_in_one_bin(values in prop::collection::vec(-100.0..100.0_f64, 0..60)) {
            let mut values = values;
            values.sort_by(f64::total_cmp);
            let (edges, counts) = bins(&values);
            prop_assert_eq!(counts.iter().sum::<usize>(), values.len());
            prop_assert_eq!(edges.len(), counts.len() + 1);
            prop_assert!(edges.is_sorted());
            prop_assert!(values.iter().all(|value| (edges[0]..=edges[counts.len()]).contains(value)));
        }
    }
}
