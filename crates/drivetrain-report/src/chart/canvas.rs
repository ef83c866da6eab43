//! What all charts share: the canvas, its colours, axes and letters.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::ReportError;

/// Points of the canvas per pixel of the page: the library places everything on whole points.
const SCALE: i32 = 4;
/// The width of every chart, in pixels; the page may show it wider or narrower.
const WIDTH: u32 = 440;
/// The size of letters, in pixels.
const LETTERS: i32 = 14;

/// What the library calls an error.
pub(super) type DrawError = DrawingAreaErrorKind<std::io::Error>;
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Stand-ins for the colours of the page, which knows whether it is shown light or dark.
pub(super) const INK: RGBColor = RGBColor(1, 1, 1);
pub(super) const GRID: RGBColor = RGBColor(1, 1, 2);
pub(super) const ACCENT: RGBColor = RGBColor(1, 1, 3);
pub(super) const SECOND: RGBColor = RGBColor(1, 1, 4);
const COLOURS: [(&str, &str); 4] =
    [("#010101", "var(--ink)"), ("#010102", "var(--grid)"), ("#010103", "var(--accent)"), ("#010104", "var(--second)")];

/// Pixels of the page in points of the canvas.
pub(super) const fn px(pixels: i32) -> i32 {
    pixels * SCALE
}

/// The width of a line.
pub(super) const fn line(pixels: u32) -> u32 {
    pixels * SCALE.unsigned_abs()
}

/// Draws on a canvas of the usual width, and returns the SVG element, which says `description` to who cannot see it.
pub(super) fn draw(
    title: &str,
    description: &str,
    height: u32,
    content: impl FnOnce(&Area<'_>) -> Result<(), DrawError>,
) -> Result<String, ReportError> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (line(WIDTH), line(height))).into_drawing_area();
    let outcome = content(&area).and_then(|()| area.present());
    drop(area);
    outcome.map_err(|error| ReportError::Chart { chart: title.to_owned(), reason: error.to_string() })?;
    for (stand_in, colour) in COLOURS {
        svg = svg.replace(stand_in, colour);
    }
    let label = maud::html! { svg role="img" aria-label=(format!("{title}. {description}")) {} }.into_string();
    let label = label.trim_end_matches("></svg>");
    Ok(svg.replacen("<svg", label, 1))
}

/// Letters of the usual size; the library makes them smaller by a factor of its own.
pub(super) fn letters(horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    let size = f64::from(px(LETTERS)) * 1.24;
    ("sans-serif", size).into_text_style(&(0, 0)).color(&INK).pos(Pos::new(horizontal, vertical))
}

/// A plane with room for numbers at the left and below.
pub(super) fn plane<'a, 'b>(
    area: &'a Area<'b>,
    left: i32,
    x: Range<f64>,
    y: Range<f64>,
) -> Result<Plane<'a, 'b>, DrawError> {
    ChartBuilder::on(area)
        .margin(px(8))
        .margin_top(px(14))
        .margin_right(px(16))
        .x_label_area_size(px(46))
        .y_label_area_size(px(left))
        .build_cartesian_2d(x, y)
}

/// Which lines and numbers the axes of a plane have.
pub(super) struct Axes<'a> {
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    /// Whether the axis carries numbers; where it does not, the chart writes names beside it.
    pub(super) x_numbers: bool,
    pub(super) y_numbers: bool,
}

impl Axes<'_> {
    pub(super) fn draw(&self, plane: &mut Plane<'_, '_>) -> Result<(), DrawError> {
        let (x, y) = (plane.x_range(), plane.y_range());
        let (x, y) = (move |value: &f64| number(snapped(*value, &x)), move |value: &f64| number(snapped(*value, &y)));
        let mut mesh = plane.configure_mesh();
        mesh.axis_style(INK.stroke_width(line(1)))
            .bold_line_style(GRID.stroke_width(line(1)))
            .light_line_style(TRANSPARENT)
            .label_style(letters(HPos::Center, VPos::Center))
            .axis_desc_style(letters(HPos::Center, VPos::Center))
            .set_all_tick_mark_size(px(4))
            .x_label_formatter(&x)
            .y_label_formatter(&y)
            .x_labels(if self.x_numbers { 6 } else { 0 })
            .y_labels(if self.y_numbers { 6 } else { 0 })
            .x_desc(self.x);
        if !self.y.is_empty() {
            mesh.y_desc(self.y);
        }
        if !self.x_numbers {
            mesh.disable_x_mesh();
        }
        if !self.y_numbers {
            mesh.disable_y_mesh();
        }
        mesh.draw()
    }
}

/// Writes names below the axis of a plane, each at its place.
pub(super) fn names_below(area: &Area<'_>, plane: &Plane<'_, '_>, names: &[(f64, &str)]) -> Result<(), DrawError> {
    let bottom = plane.plotting_area().get_pixel_range().1.end;
    for (x, name) in names {
        let at = plane.plotting_area().map_coordinate(&(*x, 0.0)).0;
        area.draw(&Text::new((*name).to_owned(), (at, bottom + px(6)), letters(HPos::Center, VPos::Top)))?;
    }
    Ok(())
}

/// Writes names left of the axis of a plane, each at its place.
pub(super) fn names_beside(area: &Area<'_>, plane: &Plane<'_, '_>, names: &[(f64, &str)]) -> Result<(), DrawError> {
    let left = plane.plotting_area().get_pixel_range().0.start;
    for (y, name) in names {
        let at = plane.plotting_area().map_coordinate(&(0.0, *y)).1;
        area.draw(&Text::new(shortened(name), (left - px(8), at), letters(HPos::Right, VPos::Center)))?;
    }
    Ok(())
}

/// The room that names need beside a chart, in pixels.
pub(super) fn room_beside<'a>(names: impl IntoIterator<Item = &'a str>) -> i32 {
    let letters = names.into_iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(12, FITS);
    // Wide letters are as wide as high; the mean of a name is not.
    16 + 15 * i32::try_from(letters).unwrap_or(0) / 2
}

/// The letters of a name that fit beside a chart and leave most of its width.
const FITS: usize = 24;

/// Names longer than what fits beside a chart are cut.
fn shortened(name: &str) -> String {
    if name.chars().count() <= FITS { name.to_owned() } else { name.chars().take(FITS - 1).chain(['…']).collect() }
}

/// The range of the values with some room at both ends; never empty.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let (low, high) =
        values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let room = if low < high { (high - low) * 0.05 } else { low.abs().max(1.0) * 0.05 };
    low - room..high + room
}

/// Zero for what is zero but for the rounding of steps along an axis.
fn snapped(value: f64, axis: &Range<f64>) -> f64 {
    if value.abs() < (axis.end - axis.start).abs() * 1e-9 { 0.0 } else { value }
}

/// A number as short as an axis wants it.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    let text = if magnitude != 0.0 && !(1e-3..1e6).contains(&magnitude) {
        format!("{value:.1e}")
    } else {
        format!("{value:.3}")
    };
    match text.split_once('e') {
        Some(_) => text,
        None => match text.trim_end_matches('0').trim_end_matches('.') {
            "-0" => "0".to_owned(),
            short => short.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.0, "0"), (-0.0, "0"), (20.0, "20"), (0.25, "0.25"), (2500.0, "2500"), (1e9, "1.0e9")] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn what_steps_leave_of_zero_is_zero() {
        let axis = -0.05..0.05;
        assert_eq!(number(snapped(6.9e-18, &axis)), "0");
        assert_eq!(number(snapped(0.02, &axis)), "0.02");
        assert_eq!(number(snapped(6.9e-18, &(0.0..1e-17))), "6.9e-18");
    }

    #[test]
    fn a_range_is_never_empty() {
        for values in [vec![], vec![3.0], vec![0.0, 0.0], vec![-1.0, 1.0]] {
            let range = range(values.clone());
            assert!(range.start < range.end && values.iter().all(|value| range.contains(value)), "{values:?}");
        }
    }

    #[test]
    fn what_a_chart_says_is_escaped_and_its_colours_are_the_page_s() {
        let svg = draw("a<b", "\"c\"", 100, |area| {
            area.draw(&Text::new("<x>".to_owned(), (0, 0), letters(HPos::Left, VPos::Top)))
        });
        let svg = svg.unwrap();
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"a&lt;b. &quot;c&quot;\" width="), "{svg}");
        assert!(svg.contains("fill=\"var(--ink)\"") && svg.contains("&lt;x&gt;"), "{svg}");
    }
}
