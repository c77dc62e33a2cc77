//! How punctually frames left.

use super::{Axis, Chart, Kind, Point, Series, of_result};
use crate::results::stored::Stored;

/// Of one result; none of a sender that was asked for no rate.
pub fn chart(stored: &Stored, id: String) -> Option<Chart> {
    let departures = stored.judged.verdict.departures.as_ref()?;
    let frames: u64 = departures.log2_ns.iter().sum();
    if frames == 0 {
        return None;
    }
    let last = departures.log2_ns.iter().rposition(|n| *n > 0)? + 1;
    let steps = &departures.log2_ns[..last];
    let name = |place: usize| {
        if place == 0 { "0".to_owned() } else { format!("<{}", crate::show::nanos(1 << place.min(62))) }
    };
    let share = |n: u64| n as f64 / frames as f64 * 100.0;
    Some(Chart {
        id,
        title: "Pacing: how late frames left".to_owned(),
        caption: format!(
            "{}. {:.2} % of departures within 256 ns of their due time; p99 {}, latest {}.",
            of_result(stored),
            departures.within_256_ns * 100.0,
            crate::show::nanos(departures.p99_ns),
            crate::show::nanos(departures.max_ns)
        ),
        x_label: "time after the due time".to_owned(),
        y_label: "share of frames, %".to_owned(),
        x: Axis::Names((0..steps.len()).map(name).collect()),
        y: Axis::Linear,
        series: vec![Series {
            name: "frames".to_owned(),
            kind: Kind::Bars,
            points: steps.iter().enumerate().map(|(place, n)| Point::new(place as f64, share(*n))).collect(),
        }],
    })
}
