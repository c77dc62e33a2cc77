//! Packets a second over time, sent against received.

use super::{Axis, Chart, Kind, Point, Series, of_result};
use crate::report::series::{RateSeries, received, sent};
use crate::results::stored::Stored;

/// Of one result; none where it was too short for a sample.
pub fn chart(stored: &Stored, id: String) -> Option<Chart> {
    let series: Vec<Series> = [("sent (TX port)", sent(stored)), ("received (RX port)", received(stored))]
        .into_iter()
        .filter(|(_, rates)| !rates.seconds.is_empty())
        .map(|(name, rates)| Series { name: name.to_owned(), kind: Kind::Line, points: points(&rates) })
        .collect();
    (!series.is_empty()).then(|| Chart {
        id,
        title: "Rate over time".to_owned(),
        caption: format!(
            "{}. By the ports' counters; each value is of the second before it.",
            of_result(stored)
        ),
        x_label: "time since the sender's start, s".to_owned(),
        y_label: "packets/s".to_owned(),
        x: Axis::Linear,
        y: Axis::Linear,
        series,
    })
}

/// More points than these are no more to see.
const POINTS_MAX: usize = 400;

/// Of a long run, means of several seconds.
fn points(rates: &RateSeries) -> Vec<Point> {
    let every = rates.seconds.len().div_ceil(POINTS_MAX).max(1);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let chunks = rates.seconds.chunks(every).zip(rates.pps.chunks(every));
    chunks.filter_map(|(s, pps)| Some(Point::new(*s.last()?, mean(pps)))).collect()
}
