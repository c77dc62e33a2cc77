//! What each core and each queue carried.

use super::{Axis, Chart, Kind, Point, Series, of_result};
use crate::report::details::{Core, cores};
use crate::results::stored::Stored;

/// Of one result: packets of cores, how busy they were, and packets of queues where there are several.
pub fn charts(stored: &Stored, id: &dyn Fn(&str) -> String) -> Vec<Chart> {
    let cores = cores(stored);
    if cores.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = cores.iter().map(|c| format!("{} CPU {}", c.end, c.cpu)).collect();
    let bars = |name: &str, value: &dyn Fn(&Core) -> Option<f64>| Series {
        name: name.to_owned(),
        kind: Kind::Bars,
        points: cores
            .iter()
            .enumerate()
            .filter_map(|(place, core)| Some(Point::new(place as f64, value(core)?)))
            .collect(),
    };
    let chart = |id, title: &str, caption: String, y_label: &str, names, series| Chart {
        id,
        title: title.to_owned(),
        caption,
        x_label: "worker".to_owned(),
        y_label: y_label.to_owned(),
        x: Axis::Names(names),
        y: Axis::Linear,
        series: vec![series],
    };
    let mut charts = vec![chart(
        id("cores"),
        "Load of each core",
        format!("{}. Frames that each worker sent or received, over the sending time.", of_result(stored)),
        "packets/s",
        names.clone(),
        bars("packets", &|core| Some(core.pps)),
    )];
    let busy = bars("calls that moved frames", &|core| core.busy_percent);
    if !busy.points.is_empty() {
        charts.push(chart(
            id("busy"),
            "How busy each core was",
            format!("{}. Calls of the driver that moved frames, of all calls: at 100 % a worker has no time to spare.", of_result(stored)),
            "share of calls, %",
            names,
            busy,
        ));
    }
    let queues = &stored.judged.verdict.queue_packets;
    if queues.len() > 1 {
        let points =
            queues.iter().enumerate().map(|(place, n)| Point::new(place as f64, *n as f64)).collect();
        let series = Series { name: "packets".to_owned(), kind: Kind::Bars, points };
        let names = (0..queues.len()).map(|n| format!("RX queue {n}")).collect();
        let caption = format!("{}. Frames that each of the receiver's queues brought.", of_result(stored));
        charts.push(chart(id("queues"), "Share of each queue", caption, "packets", names, series));
    }
    charts
}
