//! One SVG drawing per suite: bars where there is one size, else lines over the sizes.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::{Group, Summary};

const PANEL: (u32, u32) = (520, 360);
const FONT: &str = "sans-serif";
/// Colours that stay apart for the colour-blind (Okabe and Ito), and two greys.
const COLOURS: [RGBColor; 9] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(150, 150, 150),
    RGBColor(200, 190, 60),
];

/// A chart cannot be drawn; the text says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the chart: {problem}")]
pub struct ChartError {
    problem: String,
}

type Drawn<E> = Result<(), DrawingAreaErrorKind<E>>;

/// The drawing as the text of an SVG file.
///
/// # Errors
/// [`ChartError`] when the drawing library refuses, such as for times of zero.
pub fn svg(summary: &Summary) -> Result<String, ChartError> {
    let groups: Vec<&Group> = summary.groups.iter().filter(|group| !engines_with_times(group).is_empty()).collect();
    let lines = groups.iter().any(|group| group.sizes.len() > 1);
    let mut text = String::new();
    let drawn = if lines { draw_lines(&mut text, &groups) } else { draw_bars(&mut text, &groups) };
    drawn.map_err(|error| ChartError { problem: error.to_string() })?;
    Ok(text)
}

/// An engine, and its times by size.
type Times<'a> = (&'a str, Vec<(Option<usize>, f64)>);

fn engines_with_times<'a>(group: &Group<'a>) -> Vec<Times<'a>> {
    let times = |engine: &&'a str| {
        let points = group.sizes.iter().filter_map(|size| Some((*size, group.median(engine, *size)?)));
        (*engine, points.filter(|(_, seconds)| *seconds > 0.0).collect::<Vec<_>>())
    };
    group.engines.iter().map(times).filter(|(_, points)| !points.is_empty()).collect()
}

/// The engines of all groups, each once: their places are their colours.
fn all_engines<'a>(groups: &[&Group<'a>]) -> Vec<&'a str> {
    let mut engines: Vec<&str> = Vec::new();
    for (engine, _) in groups.iter().flat_map(|group| engines_with_times(group)) {
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    engines
}

fn colour(engines: &[&str], engine: &str) -> RGBColor {
    let place = engines.iter().position(|one| *one == engine).unwrap_or(0);
    COLOURS[place % COLOURS.len()]
}

/// The smallest power of ten below all times and the largest above.
fn decades(times: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = times.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), time| (low.min(time), high.max(time)));
    (10_f64.powf(low.log10().floor()), 10_f64.powf(high.log10().ceil()))
}

/// One panel per cell and operation, three in a row, with the legend above all.
fn draw_lines(text: &mut String, groups: &[&Group]) -> Drawn<<SVGBackend<'static> as DrawingBackend>::ErrorType> {
    const LEGEND: u32 = 40;
    let columns = u32::try_from(groups.len()).unwrap_or(1).clamp(1, 3);
    let rows = u32::try_from(groups.len()).unwrap_or(1).div_ceil(columns);
    let root = SVGBackend::with_string(text, (columns * PANEL.0, rows * PANEL.1 + LEGEND)).into_drawing_area();
    root.fill(&WHITE)?;
    let (legend, panels) = root.split_vertically(LEGEND);
    let engines = all_engines(groups);
    let mut left = 20;
    for engine in &engines {
        legend.draw(&Rectangle::new([(left, 14), (left + 14, 26)], colour(&engines, engine).filled()))?;
        legend.draw(&Text::new((*engine).to_owned(), (left + 20, 14), (FONT, 14)))?;
        left += 40 + 8 * i32::try_from(engine.chars().count()).unwrap_or(10);
    }
    for (group, area) in groups.iter().zip(panels.split_evenly((rows as usize, columns as usize))) {
        let series = engines_with_times(group);
        let (low, high) = decades(series.iter().flat_map(|(_, points)| points.iter().map(|point| point.1)));
        let sizes = || group.sizes.iter().flatten().map(|rows| *rows as f64);
        let (from, to) = (sizes().fold(f64::MAX, f64::min), sizes().fold(1.0, f64::max));
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("{}: {}", group.title(), group.op), (FONT, 16))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(64)
            .build_cartesian_2d((from..to.max(from * 1.01)).log_scale(), (low..high).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("rows")
            .x_label_formatter(&|rows| format!("{rows:e}"))
            .y_label_formatter(&|seconds| group.shown(*seconds))
            .light_line_style(TRANSPARENT)
            .label_style((FONT, 12))
            .draw()?;
        for (engine, points) in series {
            let colour = colour(&engines, engine);
            let points: Vec<(f64, f64)> =
                points.iter().filter_map(|(rows, seconds)| Some(((*rows)? as f64, *seconds))).collect();
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
    }
    root.present()
}

/// One panel per operation: the cells below each other, a bar for each engine with its name and its time.
fn draw_bars(text: &mut String, groups: &[&Group]) -> Drawn<<SVGBackend<'static> as DrawingBackend>::ErrorType> {
    const BAR: u32 = 18;
    let mut ops: Vec<&str> = Vec::new();
    for group in groups {
        if !ops.contains(&group.op.as_str()) {
            ops.push(&group.op);
        }
    }
    let of = |op: &str| groups.iter().filter(|group| group.op == op).copied().collect::<Vec<_>>();
    // A line for each bar, one for each cell's name and one between cells.
    let lines = |op: &str| of(op).iter().map(|group| engines_with_times(group).len() + 2).sum::<usize>();
    let tallest = u32::try_from(ops.iter().map(|op| lines(op)).max().unwrap_or(1)).unwrap_or(1);
    let columns = u32::try_from(ops.len()).unwrap_or(1).max(1);
    let size = (columns * PANEL.0, tallest * BAR + 40);
    let root = SVGBackend::with_string(text, size).into_drawing_area();
    root.fill(&WHITE)?;
    let engines = all_engines(groups);
    for (op, area) in ops.iter().zip(root.split_evenly((1, columns as usize))) {
        draw_panel(&area, op, &of(op), &engines, BAR)?;
    }
    root.present()
}

fn draw_panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    op: &str,
    groups: &[&Group],
    engines: &[&str],
    bar: u32,
) -> Drawn<B::ErrorType> {
    const NAMES: i32 = 130;
    const TIMES: i32 = 80;
    let bar = i32::try_from(bar).unwrap_or(18);
    // Of what is counted by the second the longer bar is to be that of more.
    let rates = groups.iter().all(|group| group.is_rate());
    let size = |seconds: f64| if rates { seconds.recip() } else { seconds };
    let sizes = groups.iter().flat_map(|group| engines_with_times(group)).map(|(_, points)| size(points[0].1));
    let (low, high) = decades(sizes);
    let width = i32::try_from(area.dim_in_pixel().0).unwrap_or(i32::MAX) - NAMES - TIMES;
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    let length = |size: f64| (f64::from(width) * (size / low).ln() / (high / low).ln().max(1e-9)).max(1.0) as i32;
    let scale = if rates { "logarithmic, more is better" } else { "logarithmic" };
    area.draw(&Text::new(format!("{op} ({scale})"), (10, 8), (FONT, 16).into_font().style(FontStyle::Bold)))?;
    let mut top = 34;
    for group in groups {
        area.draw(&Text::new(group.title(), (10, top), (FONT, 13)))?;
        top += bar;
        for (engine, points) in engines_with_times(group) {
            let seconds = points[0].1;
            let end = NAMES + length(size(seconds));
            area.draw(&Text::new(engine.to_owned(), (20, top + 2), (FONT, 12)))?;
            area.draw(&Rectangle::new([(NAMES, top + 2), (end, top + bar - 3)], colour(engines, engine).filled()))?;
            area.draw(&Text::new(group.shown(seconds), (end + 5, top + 2), (FONT, 12)))?;
            top += bar;
        }
        top += bar;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{measurement, results};

    #[test]
    fn bars_carry_names_and_times() {
        let results = results(vec![measurement("ours", "sort", 10, 1, 0.001), measurement("slow", "sort", 10, 1, 2.0)]);
        let svg = svg(&Summary::new(&results)).unwrap();
        for text in ["sort (logarithmic)", "all, 1 thread", "ours", "slow", "1.00 ms", "2.00 s"] {
            assert!(svg.contains(text), "{text} is not in\n{svg}");
        }
    }

    #[test]
    fn more_a_second_is_a_longer_bar() {
        let rate = |engine: &str, per_second| {
            let mut rate = measurement(engine, "requests", 10, 1, 1.0);
            rate.reading = crate::Reading::rate("requests", per_second);
            rate
        };
        let results = results(vec![rate("ours", 20_000.0), rate("slow", 300.0)]);
        let svg = svg(&Summary::new(&results)).unwrap();
        for text in ["requests (logarithmic, more is better)", "20,000 /s", "300 /s"] {
            assert!(svg.contains(text), "{text} is not in\n{svg}");
        }
        let left = |svg: &str, of: &str| -> f64 {
            let before = svg.split(of).next().unwrap().rsplit("<text x=\"").next().unwrap();
            before.split('"').next().unwrap().parse().unwrap()
        };
        assert!(left(&svg, "20,000 /s") > left(&svg, "300 /s"), "{svg}");
    }

    #[test]
    fn lines_have_a_legend_and_axes() {
        let rows = [1_000, 10_000].into_iter();
        let results = results(rows.map(|rows| measurement("ours", "sort", rows, 1, rows as f64 * 1e-6)).collect());
        let svg = svg(&Summary::new(&results)).unwrap();
        for text in ["all, 1 thread: sort", "ours", "rows", "<polyline"] {
            assert!(svg.contains(text), "{text} is not in\n{svg}");
        }
    }
}
