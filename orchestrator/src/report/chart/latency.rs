//! Latency: percentiles, and how it is spread.

use super::{Axis, Chart, Kind, Point, Series, of_result};
use crate::results::stored::Stored;

/// Of one result; none where no latency was measured.
pub fn charts(stored: &Stored, id: &dyn Fn(&str) -> String) -> Vec<Chart> {
    let outcome = &stored.judged.outcome;
    let Some(latency) = &stored.judged.verdict.latency else { return Vec::new() };
    let way = if stored.judged.verdict.round_trip { "there and back" } else { "one way" };
    let error = latency.clock_error_ns.map_or(String::new(), |ns| format!(", wrong by {ns} ns at most"));
    let clock = format!("Clock: {}{error}; {} frames.", latency.clock, crate::show::count(latency.count));
    let figures = [
        ("p50", latency.p50_ns),
        ("p90", latency.p90_ns),
        ("p99", latency.p99_ns),
        ("p99.9", latency.p99_9_ns),
        ("p99.99", latency.p99_99_ns),
        ("max", latency.max_ns),
    ];
    let values = figures.iter().enumerate().map(|(place, (_, ns))| Point::new(place as f64, *ns as f64));
    let percentiles = Chart {
        id: id("percentiles"),
        title: format!("Latency percentiles, {way}"),
        caption: format!("{}. {clock}", of_result(stored)),
        x_label: "percentile of all frames".to_owned(),
        y_label: "latency".to_owned(),
        x: Axis::Names(figures.iter().map(|(name, _)| (*name).to_owned()).collect()),
        y: Axis::LogTime,
        series: vec![Series { name: "latency".to_owned(), kind: Kind::Bars, points: values.collect() }],
    };
    let mut charts = vec![percentiles];
    let steps = outcome.books().summary.as_ref().map_or(&[][..], |s| &s.latency_steps);
    let frames: u64 = steps.iter().map(|(_, frames)| frames).sum();
    if frames > 0 {
        let share = |n: u64| n as f64 / frames as f64 * 100.0;
        let points = steps.iter().map(|(ns, n)| Point::new((*ns).max(1) as f64, share(*n)));
        charts.push(Chart {
            id: id("histogram"),
            title: format!("Latency histogram, {way}"),
            caption: format!(
                "{}. Eight steps an octave; each bar stands at its step's upper edge.",
                of_result(stored)
            ),
            x_label: "latency".to_owned(),
            y_label: "share of frames, %".to_owned(),
            x: Axis::LogTime,
            y: Axis::Log,
            series: vec![Series { name: "frames".to_owned(), kind: Kind::Bars, points: points.collect() }],
        });
    }
    charts
}
