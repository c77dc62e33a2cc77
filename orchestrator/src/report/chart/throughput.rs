//! Throughput and loss by frame size, a line for each number of flows; throughput against what the link carries.

use std::collections::{BTreeMap, BTreeSet};

use super::{Axis, Chart, Kind, Point, Series};
use crate::analysis::{Group, Spread};
use crate::report::figures::Line;
use crate::report::row::row;

/// Bytes with FCS, in whole numbers so that they sort.
type Size = u64;

/// Of one result.
#[derive(Debug, Clone, Copy)]
struct Values {
    pps: f64,
    gbps: f64,
    loss_percent: f64,
}

/// Of all results together: packets a second, and bits a second.
pub fn charts(groups: &[Group<'_>], line: &Line) -> Vec<Chart> {
    let mut by_flows: BTreeMap<u64, BTreeMap<Size, Vec<Values>>> = BTreeMap::new();
    let mut links: BTreeSet<u64> = BTreeSet::new();
    for stored in groups.iter().flat_map(|g| &g.results) {
        let Ok(row) = row(stored, line) else { continue };
        let size = row.frame_bytes.round() as Size;
        let values =
            Values { pps: row.rx_pps.mean, gbps: row.rx_gbps, loss_percent: row.loss_percent.unwrap_or(0.0) };
        by_flows.entry(row.flows.unwrap_or(0)).or_default().entry(size).or_default().push(values);
        links.extend(row.link_gbps.map(|gbps| (gbps * 1000.0) as u64));
    }
    let sizes: BTreeSet<Size> = by_flows.values().flat_map(|sizes| sizes.keys().copied()).collect();
    let sizes: Vec<Size> = sizes.into_iter().collect();
    if sizes.is_empty() {
        return Vec::new();
    }
    let pick = |of: fn(&Values) -> f64| {
        let mut series: Vec<Series> =
            by_flows.iter().map(|(flows, values)| one(*flows, values, &sizes, of)).collect();
        series.truncate(SERIES_MAX);
        series
    };
    // Of links of several speeds nothing is drawn to compare with.
    let link = links.iter().copied().next().filter(|_| links.len() == 1).map(|mbps| mbps as f64 / 1000.0);
    let reference = |of: &dyn Fn(f64, f64) -> f64| {
        let link = link?;
        let points =
            sizes.iter().enumerate().map(|(place, size)| Point::new(place as f64, of(link, *size as f64)));
        Some(Series {
            name: format!("line rate, {link} Gbit/s"),
            kind: Kind::Reference,
            points: points.collect(),
        })
    };
    let mut packets = pick(|v| v.pps);
    packets.extend(reference(&|link, size| line.pps(link, size)));
    let mut bits = pick(|v| v.gbps);
    bits.extend(reference(&|link, size| line.pps(link, size) * size * 8.0 / 1e9));
    let names: Vec<String> = sizes.iter().map(|size| size.to_string()).collect();
    let chart = |id: &str, title: &str, y_label: &str, series| {
        Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        caption: "Median over all whole results of that size and number of flows, pairs and repeats alike; strokes go from the smallest to the largest.".to_owned(),
        x_label: "mean frame size with FCS, bytes".to_owned(),
        y_label: y_label.to_owned(),
        x: Axis::Names(names.clone()),
        y: Axis::Linear,
        series,
    }
    };
    let mut charts = vec![
        chart("throughput-pps", "Packets received by frame size", "received, packets/s", packets),
        chart("throughput-bits", "Bits received by frame size", "received at layer 2, Gbit/s", bits),
    ];
    let loss = pick(|v| v.loss_percent);
    // Where nothing was lost there is nothing to draw; the table says 0.
    if loss.iter().flat_map(|s| &s.points).any(|p| p.range.map_or(p.y, |r| r.1) > 0.0) {
        charts.push(chart("loss", "Loss by frame size", "lost of all frames sent, %", loss));
    }
    charts
}

/// More lines than these nobody can tell apart.
const SERIES_MAX: usize = 8;

fn one(flows: u64, values: &BTreeMap<Size, Vec<Values>>, sizes: &[Size], of: fn(&Values) -> f64) -> Series {
    let point = |(place, size): (usize, &Size)| {
        let spread = Spread::of(values.get(size)?.iter().map(of))?;
        let range = (spread.n > 1).then_some((spread.min, spread.max));
        Some(Point { x: place as f64, y: spread.median, range })
    };
    let name = match flows {
        0 => "flows unknown".to_owned(),
        1 => "1 flow".to_owned(),
        n => format!("{} flows", crate::show::count(n)),
    };
    Series { name, kind: Kind::Line, points: sizes.iter().enumerate().filter_map(point).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups;
    use crate::analysis::groups::tests::stored;

    #[test]
    fn loss_is_drawn_where_there_is_some() {
        let line = Line { speed_gbps: Some(10.0), overhead_bytes: 20 };
        let of = |results: &[crate::results::stored::Stored]| {
            let charts = charts(&groups(results), &line);
            charts.iter().map(|c| c.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(&[stored(|_| {})]), ["throughput-pps", "throughput-bits"]);
        let lossy = stored(|o| o.rx.summary.as_mut().unwrap().rx_shards[0].received = 400);
        assert_eq!(of(&[lossy]), ["throughput-pps", "throughput-bits", "loss"]);
        assert!(of(&[]).is_empty());
    }
}
