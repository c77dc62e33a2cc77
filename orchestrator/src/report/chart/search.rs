//! A throughput search: what arrived of what was offered, with the bounds that were found, and latency against load.

use super::{Axis, Chart, Kind, Point, Series};
use crate::report::searches::{Searches, pairs};
use crate::search::bench::file::{Entry, Group};

/// Of every group of pairs of every search.
pub fn charts(searches: &Searches) -> Vec<Chart> {
    let mut charts = Vec::new();
    for (place, (folder, file)) in searches.found.iter().enumerate() {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        for (number, group) in file.groups.iter().enumerate() {
            let of = format!("{} on {}, {name}", file.profile_name, pairs(group));
            let id = |kind: &str| format!("search-{place:03}-{number:03}-{kind}");
            charts.extend(throughput(group, &of, id("throughput")));
            charts.extend(latency(group, &of, id("latency")));
        }
    }
    charts
}

fn throughput(group: &Group, of: &str, id: String) -> Option<Chart> {
    let trials: Vec<&Entry> = group.trials.iter().filter(|entry| !entry.is_warmup).collect();
    let highest = trials.iter().map(|entry| entry.trial.load_pps).fold(0.0, f64::max);
    if highest == 0.0 {
        return None;
    }
    let per_second = |frames: u64, seconds: f64| if seconds > 0.0 { frames as f64 / seconds } else { 0.0 };
    let mut points: Vec<Point> = trials
        .iter()
        .map(|e| Point::new(e.trial.load_pps, per_second(e.trial.received, e.trial.effective_s)))
        .collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut series = vec![
        Series { name: "received".to_owned(), kind: Kind::Line, points },
        Series {
            name: "all that was offered".to_owned(),
            kind: Kind::Reference,
            points: vec![Point::new(0.0, 0.0), Point::new(highest, highest)],
        },
    ];
    for found in &group.found {
        let bounds = [("holds", found.lower_pps), ("does not", found.upper_pps)];
        for (word, load) in bounds.into_iter().filter_map(|(word, load)| Some((word, load?))) {
            // A mark on the line of what was offered: where the goal still holds, and where it does not any more.
            let name = format!("{} {word}: {}", found.goal, crate::show::pps(load));
            series.push(Series { name, kind: Kind::Line, points: vec![Point::new(load, load)] });
        }
    }
    Some(Chart {
        id,
        title: "Search: received against offered".to_owned(),
        caption: format!(
            "{of}. Each trial of the pair that lost most; frames that were due and not sent count as lost."
        ),
        x_label: "offered, packets/s".to_owned(),
        y_label: "received, packets/s".to_owned(),
        x: Axis::Linear,
        y: Axis::Linear,
        series,
    })
}

fn latency(group: &Group, of: &str, id: String) -> Option<Chart> {
    let mut loads: Vec<&Entry> = group.latency.iter().map(|point| &point.entry).collect();
    loads.sort_by(|a, b| a.trial.load_pps.total_cmp(&b.trial.load_pps));
    let of_figure = |name: &str, pick: fn(&traffic::wire::Latency) -> u64| {
        // Of several pairs, the slowest.
        let worst = |entry: &&Entry| entry.pairs.iter().filter_map(|p| p.latency.as_ref()).map(pick).max();
        let points =
            loads.iter().filter_map(|entry| Some(Point::new(entry.trial.load_pps, worst(entry)? as f64)));
        Series { name: name.to_owned(), kind: Kind::Line, points: points.collect() }
    };
    let series = vec![
        of_figure("p50", |l| l.p50_ns),
        of_figure("p99", |l| l.p99_ns),
        of_figure("p99.9", |l| l.p99_9_ns),
        of_figure("max", |l| l.max_ns),
    ];
    series.iter().any(|s| !s.points.is_empty()).then(|| Chart {
        id,
        title: "Search: latency against load".to_owned(),
        caption: format!("{of}. Of several pairs, the slowest."),
        x_label: "offered, packets/s".to_owned(),
        y_label: "latency".to_owned(),
        x: Axis::Linear,
        y: Axis::LogTime,
        series,
    })
}
