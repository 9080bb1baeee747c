//! Curves as a picture: an SVG with axes, units, a legend, and a line that should not be crossed.
//!
//! Keeps true: both axes are logarithmic, so that one picture holds ten clients and thousands;
//! what is not above zero cannot be shown and is left out; nothing to show is no failure.

use anyhow::anyhow;
use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, ChartBuilder, Circle, Color, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea,
    IntoFont, IntoLogRange, LineSeries, PathElement, RGBColor, SVGBackend, ShapeStyle, Text, WHITE,
};

/// Width and height, pixels.
const SIZE: (u32, u32) = (1_100, 600);
/// Where the legend begins, pixels from the left: beside the curves it hides none.
const LEGEND_X: u32 = 860;
/// From one line of the legend to the next, pixels.
const LEGEND_STEP: i32 = 24;
/// Colours that can be told apart, most of them also by who cannot tell red from green (after
/// Okabe and Ito, 2008).
const COLOURS: [RGBColor; 9] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(128, 128, 128),
    RGBColor(120, 70, 30),
    RGBColor(90, 40, 130),
];
const FONT: &str = "sans-serif";
/// About so many labels on an axis.
const LABELS: usize = 6;

/// What to draw.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub(crate) title: String,
    /// What the axes show, with units.
    pub(crate) axes: (&'static str, &'static str),
    /// Names and points, each drawn in a colour of its own.
    pub(crate) curves: Vec<(String, Vec<(f64, f64)>)>,
    /// A horizontal line: what it means, and where it is.
    pub(crate) guide: Option<(&'static str, f64)>,
}

impl Plot {
    /// The picture as SVG.
    pub(crate) fn svg(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        self.draw(&mut text).map_err(|error| anyhow!("the plot cannot be drawn: {error}"))?;
        Ok(text)
    }

    fn draw(&self, text: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let curves: Vec<(&str, Vec<(f64, f64)>)> =
            self.curves.iter().map(|(name, points)| (&**name, shown(points))).collect();
        let points = || curves.iter().flat_map(|(_, points)| points.iter().copied());
        let (west, east) = range(points().map(|(x, _)| x));
        let levels = self.guide.iter().map(|(_, level)| *level);
        let (south, north) = range(points().map(|(_, y)| y).chain(levels));
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (chart_area, legend_area) = root.split_horizontally(LEGEND_X);
        let mut chart = ChartBuilder::on(&chart_area)
            .caption(&self.title, (FONT, 20))
            .margin(16)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d((west..east).log_scale(), (south..north).log_scale())?;
        let plain = |value: &f64| ((value * 1e6).round() / 1e6).to_string();
        chart
            .configure_mesh()
            .x_desc(self.axes.0)
            .y_desc(self.axes.1)
            .x_labels(LABELS)
            .y_labels(LABELS)
            .x_label_formatter(&plain)
            .y_label_formatter(&plain)
            .label_style((FONT, 14))
            .axis_desc_style((FONT, 16))
            .light_line_style(BLACK.mix(0.04))
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        let mut names = Vec::new();
        for ((name, points), colour) in curves.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2);
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            chart.draw_series(points.iter().map(|at| Circle::new(*at, 4, colour.filled())))?;
            names.push((*name, style));
        }
        if let Some((name, level)) = self.guide {
            let style = BLACK.mix(0.6).stroke_width(1);
            chart.draw_series(LineSeries::new([(west, level), (east, level)], style))?;
            names.push((name, style));
        }
        draw_legend(&legend_area, &names)?;
        root.present()?;
        Ok(())
    }
}

fn draw_legend<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    names: &[(&str, ShapeStyle)],
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let mut y = 64;
    for (name, style) in names {
        area.draw(&PathElement::new([(0, y), (24, y)], *style))?;
        area.draw(&Text::new(*name, (32, y - 7), (FONT, 14).into_font()))?;
        y += LEGEND_STEP;
    }
    Ok(())
}

/// The points that a logarithmic scale has.
fn shown(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let positive = |value: f64| value.is_finite() && value > 0.0;
    points.iter().copied().filter(|(x, y)| positive(*x) && positive(*y)).collect()
}

/// From a little below the least to a little above the greatest.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, greatest) = values.fold((f64::INFINITY, 0.0_f64), |(least, greatest), value| {
        (least.min(value), greatest.max(value))
    });
    if greatest > 0.0 { (least * 0.8, greatest * 1.25) } else { (1.0, 10.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, f64)>) -> String {
        let axes = ("clients", "p99, ms");
        let guide = Some(("100 ms", 100.0));
        let curves = vec![("spread".to_owned(), points), ("packed".to_owned(), vec![])];
        Plot { title: "Crowd".to_owned(), axes, curves, guide }.svg().expect("a picture")
    }

    #[test]
    fn a_picture_names_what_it_shows() {
        let svg = plot(vec![(100.0, 3.0), (1_000.0, 40.0), (2_000.0, 0.0), (4_000.0, f64::NAN)]);
        for text in ["Crowd", "clients", "p99, ms", "spread", "packed", "100 ms", "</svg>"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 2, "points above zero only");
    }

    #[test]
    fn nothing_to_show_is_no_failure() {
        assert!(plot(vec![]).contains("</svg>"));
    }
}
