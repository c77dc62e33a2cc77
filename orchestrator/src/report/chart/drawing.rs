//! A chart as SVG, by plotters.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::palette::{Mark, look};
use super::{Axis, Chart, Drawn, Kind, Point, Series};
use crate::report::ReportError;

const SIZE: (u32, u32) = (760, 360);
const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";
const INK: RGBColor = RGBColor(34, 34, 34);
const GRID: RGBColor = RGBColor(222, 222, 222);
/// Of the strip above the plot that a row of names takes.
const ROW: u32 = 20;
/// Names of series in a row of that strip.
const IN_ROW: usize = 3;
/// Names that an axis has room for.
const NAMES_MAX: usize = 14;
/// Of a bar, of its place.
const BAR: f64 = 0.8;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;
type Plotted<T> = Result<T, Box<dyn std::error::Error>>;

/// Draws it.
pub fn draw(chart: &Chart) -> Result<Drawn, ReportError> {
    let mut svg = String::new();
    let drawn = (|| {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        on(&area, chart)?;
        area.present()?;
        Ok(())
    })();
    drawn.map_err(|error: Box<dyn std::error::Error>| ReportError::Draw {
        chart: chart.id.clone(),
        reason: error.to_string(),
    })?;
    // Readers of the page hear its title, and it fits a narrow screen.
    let head = format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(&chart.title));
    Ok(Drawn {
        id: chart.id.clone(),
        title: chart.title.clone(),
        caption: chart.caption.clone(),
        points: chart.series.iter().map(|s| s.points.len()).sum(),
        svg: svg.replacen("<svg ", &head, 1),
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// What an axis spans, in its own scale: of a log one, powers of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    low: f64,
    high: f64,
    is_log: bool,
}

impl Span {
    fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Span {
        let finite = values.filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        match axis {
            Axis::Names(names) => Span { low: -0.6, high: names.len() as f64 - 0.4, is_log: false },
            Axis::Log | Axis::LogTime => {
                let power = |v: f64| v.max(1e-12).log10();
                let (low, high) = (power(low).floor(), power(high).ceil());
                Span { low, high: if high > low { high } else { low + 1.0 }, is_log: true }
            }
            Axis::Linear => {
                let low = low.min(0.0);
                let room = if high > low { (high - low) * 0.06 } else { 1.0 };
                Span { low, high: high + room, is_log: false }
            }
        }
    }

    fn place(&self, value: f64) -> f64 {
        if self.is_log { value.max(10f64.powf(self.low)).log10() } else { value }
    }

    fn said(&self, axis: &Axis, place: f64) -> String {
        match axis {
            Axis::Names(names) => {
                let near = place.round();
                let every = names.len().div_ceil(NAMES_MAX).max(1);
                let is_name =
                    (place - near).abs() < 0.01 && near >= 0.0 && (near as usize).is_multiple_of(every);
                if is_name { names.get(near as usize).cloned().unwrap_or_default() } else { String::new() }
            }
            Axis::LogTime => crate::show::nanos(10f64.powf(place).round() as u64),
            Axis::Log => traffic::units::si(10f64.powf(place), "").trim().to_owned(),
            Axis::Linear => traffic::units::si(place, "").trim().to_owned(),
        }
    }

    fn labels(&self, axis: &Axis) -> usize {
        match axis {
            Axis::Names(names) => (names.len() * 2 + 1).min(120),
            Axis::Log | Axis::LogTime => (self.high - self.low) as usize + 1,
            Axis::Linear => 8,
        }
    }
}

fn on(area: &Area<'_>, chart: &Chart) -> Plotted<()> {
    // A single series is what the title says.
    let rows = if chart.series.len() > 1 { chart.series.len().div_ceil(IN_ROW) as u32 } else { 0 };
    let (strip, area) = area.split_vertically(rows * ROW + 4);
    names(&strip, chart)?;
    let points = || chart.series.iter().flat_map(|s| &s.points);
    let ys = points().flat_map(|p| [p.y, p.range.map_or(p.y, |r| r.0), p.range.map_or(p.y, |r| r.1)]);
    let x = Span::of(&chart.x, points().map(|p| p.x));
    let y = Span::of(&chart.y, ys);
    let mut plane = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(76)
        .build_cartesian_2d(x.low..x.high, y.low..y.high)?;
    plane
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, 13).into_font().color(&INK))
        .axis_desc_style((FONT, 14).into_font().color(&INK))
        .x_desc(&chart.x_label)
        .y_desc(&chart.y_label)
        .x_labels(x.labels(&chart.x))
        .y_labels(y.labels(&chart.y))
        .x_label_formatter(&|v| x.said(&chart.x, *v))
        .y_label_formatter(&|v| y.said(&chart.y, *v))
        .draw()?;
    let bars = chart.series.iter().filter(|s| s.kind == Kind::Bars).count();
    let mut bar = 0;
    for (n, series) in chart.series.iter().enumerate() {
        match series.kind {
            Kind::Bars => {
                draw_bars(&mut plane, series, n, (x, y), (bar, bars))?;
                bar += 1;
            }
            Kind::Line => draw_line(&mut plane, series, n, (x, y))?,
            Kind::Reference => draw_reference(&mut plane, series, (x, y))?,
        }
    }
    Ok(())
}

/// Each series' name behind its look, above the plot where nothing is hidden by it.
fn names(strip: &Area<'_>, chart: &Chart) -> Plotted<()> {
    if chart.series.len() < 2 {
        return Ok(());
    }
    let font = (FONT, 13).into_font().color(&INK);
    let column = (SIZE.0 as i32 - 90) / IN_ROW as i32;
    for (n, series) in chart.series.iter().enumerate() {
        let (x, y) = (76 + column * (n % IN_ROW) as i32, 14 + ROW as i32 * (n / IN_ROW) as i32);
        let (colour, mark) = look(n);
        let stroke = vec![(x, y), (x + 22, y)];
        match series.kind {
            Kind::Reference => strip.draw(&DashedPathElement::new(stroke, 6, 4, INK.stroke_width(1)))?,
            Kind::Bars => strip.draw(&Rectangle::new([(x + 4, y - 5), (x + 16, y + 5)], colour.filled()))?,
            Kind::Line => {
                strip.draw(&PathElement::new(stroke, colour.stroke_width(2)))?;
                let at = (x + 11, y);
                match mark {
                    Mark::Disc => strip.draw(&Circle::new(at, 4, colour.filled()))?,
                    Mark::Ring => strip.draw(&Circle::new(at, 4, colour.stroke_width(2)))?,
                    Mark::Triangle => strip.draw(&TriangleMarker::new(at, 5, colour.filled()))?,
                    Mark::Cross => strip.draw(&Cross::new(at, 4, colour.stroke_width(2)))?,
                }
            }
        }
        strip.draw(&Text::new(series.name.clone(), (x + 28, y - 6), font.clone()))?;
    }
    Ok(())
}

fn draw_line(plane: &mut Plane<'_, '_>, series: &Series, n: usize, (x, y): (Span, Span)) -> Plotted<()> {
    let (colour, mark) = look(n);
    let place = |p: &Point| (x.place(p.x), y.place(p.y));
    let line: Vec<(f64, f64)> = series.points.iter().map(place).collect();
    plane.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
    for (at, point) in line.into_iter().zip(&series.points) {
        if let Some((low, high)) = point.range {
            let bar = vec![(at.0, y.place(low)), (at.0, y.place(high))];
            plane.draw_series([PathElement::new(bar, colour.stroke_width(1))])?;
        }
        match mark {
            Mark::Disc => plane.draw_series([Circle::new(at, 4, colour.filled())])?,
            Mark::Ring => plane.draw_series([Circle::new(at, 4, colour.stroke_width(2))])?,
            Mark::Triangle => plane.draw_series([TriangleMarker::new(at, 5, colour.filled())])?,
            Mark::Cross => plane.draw_series([Cross::new(at, 4, colour.stroke_width(2))])?,
        };
    }
    Ok(())
}

fn draw_reference(plane: &mut Plane<'_, '_>, series: &Series, (x, y): (Span, Span)) -> Plotted<()> {
    let line = series.points.iter().map(|p| (x.place(p.x), y.place(p.y)));
    plane.draw_series(DashedLineSeries::new(line, 6, 4, INK.stroke_width(1)))?;
    Ok(())
}

/// Bars of several series stand side by side.
fn draw_bars(
    plane: &mut Plane<'_, '_>,
    series: &Series,
    n: usize,
    (x, y): (Span, Span),
    (bar, bars): (usize, usize),
) -> Plotted<()> {
    let (colour, _) = look(n);
    let places: Vec<f64> = series.points.iter().map(|p| x.place(p.x)).collect();
    // As wide as the gaps between most of them.
    let mut gaps: Vec<f64> =
        places.windows(2).map(|w| (w[1] - w[0]).abs()).filter(|gap| *gap > 0.0).collect();
    gaps.sort_by(f64::total_cmp);
    let slot = gaps.get(gaps.len() / 4).copied().unwrap_or(((x.high - x.low) * 0.2).min(1.0)) * BAR;
    let width = slot / bars.max(1) as f64;
    let rectangles: Vec<[(f64, f64); 2]> = series
        .points
        .iter()
        .zip(places)
        .map(|(point, place)| {
            let left = place - slot / 2.0 + width * bar as f64;
            [(left, y.low), (left + width, y.place(point.y).max(y.low))]
        })
        .collect();
    let fill = if bar.is_multiple_of(2) { colour.filled() } else { colour.mix(0.35).filled() };
    plane.draw_series(rectangles.iter().map(|corners| Rectangle::new(*corners, fill)))?;
    plane.draw_series(rectangles.iter().map(|corners| Rectangle::new(*corners, colour.stroke_width(1))))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(x: Axis, y: Axis, kind: Kind, points: Vec<Point>) -> Chart {
        let one = Series { name: "<s> & t".into(), kind, points };
        let series = vec![one.clone(), one];
        let text = |t: &str| t.to_owned();
        Chart {
            id: text("a"),
            title: text("t \"1\" < 2"),
            caption: text("c"),
            x_label: text("x, s"),
            y_label: text("y, pps"),
            x,
            y,
            series,
        }
    }

    #[test]
    fn every_kind_draws_what_it_is_given() {
        let some = vec![Point::new(0.0, 1e6), Point { x: 1.0, y: 3e6, range: Some((1e6, 4e6)) }];
        for (kind, shape) in [(Kind::Line, "<circle"), (Kind::Reference, "<polyline"), (Kind::Bars, "<rect")]
        {
            let drawn = draw(&chart(Axis::Linear, Axis::Linear, kind, some.clone())).unwrap();
            assert!(drawn.svg.contains(shape) && drawn.points == 4, "{kind:?}");
            assert!(drawn.svg.contains("x, s") && drawn.svg.contains("y, pps"), "{kind:?}");
            assert!(drawn.svg.contains("&lt;s&gt; &amp; t"), "{}", drawn.svg);
            assert!(drawn.svg.contains("aria-label=\"t &quot;1&quot; &lt; 2\""));
        }
        let names = Axis::Names(vec!["64 B".into(), "1518 B".into()]);
        let drawn = draw(&chart(names, Axis::Log, Kind::Bars, some)).unwrap();
        assert!(drawn.svg.contains("64 B") && drawn.svg.contains("1518 B"));
    }

    #[test]
    fn nothing_and_one_value_and_zero_are_charts_too() {
        for points in [vec![], vec![Point::new(5.0, 0.0)], vec![Point::new(0.0, f64::NAN)]] {
            for axis in [Axis::Linear, Axis::Log] {
                draw(&chart(axis.clone(), axis, Kind::Line, points.clone())).unwrap();
            }
        }
    }
}
