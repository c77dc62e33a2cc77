//! A workbook: the summary with a chart of its own, repeats, seconds, warnings, environment.

use rust_xlsxwriter::{Chart, ChartType, Format, Workbook, Worksheet, XlsxError};

use super::ReportError;
use super::model::Report;
use super::row::Row;

/// A column: its head, its width, and what it holds of a row.
type Column = (&'static str, f64, fn(&Row) -> Cell);

/// One cell.
enum Cell {
    Text(String),
    Number(f64),
    /// Not measured.
    Empty,
}

const COLUMNS: [Column; 29] = [
    ("profile", 34.0, |r| Cell::Text(r.profile.clone())),
    ("pair", 10.0, |r| Cell::Text(r.pair.clone())),
    ("trial", 10.0, |r| Cell::Text(r.expid.clone())),
    ("started (UTC)", 20.0, |r| Cell::Text(r.started.clone())),
    ("status", 11.0, |r| Cell::Text(format!("{:?}", r.status).to_lowercase())),
    ("duration, s", 11.0, |r| Cell::Number(r.duration_s)),
    ("frame size, bytes", 14.0, |r| Cell::Text(r.frame_sizes.clone())),
    ("mean frame, bytes", 14.0, |r| Cell::Number(r.frame_bytes)),
    ("flows asked", 12.0, |r| number(r.flows)),
    ("flows seen", 12.0, |r| number(r.flows_seen)),
    ("requested, pps", 16.0, |r| real(r.requested_pps)),
    ("TX mean, pps", 16.0, |r| Cell::Number(r.tx_pps.mean)),
    ("TX min, pps", 16.0, |r| Cell::Number(r.tx_pps.min)),
    ("TX max, pps", 16.0, |r| Cell::Number(r.tx_pps.max)),
    ("RX mean, pps", 16.0, |r| Cell::Number(r.rx_pps.mean)),
    ("RX min, pps", 16.0, |r| Cell::Number(r.rx_pps.min)),
    ("RX max, pps", 16.0, |r| Cell::Number(r.rx_pps.max)),
    ("RX, Gbit/s (L2)", 14.0, |r| Cell::Number(r.rx_gbps)),
    ("line rate, pps", 16.0, |r| real(r.line_rate_pps)),
    ("of line rate, %", 14.0, |r| real(r.line_share_percent)),
    ("offered", 16.0, |r| Cell::Number(r.offered as f64)),
    ("sent", 16.0, |r| Cell::Number(r.sent as f64)),
    ("received", 16.0, |r| Cell::Number(r.received as f64)),
    ("lost", 14.0, |r| number(r.lost)),
    ("loss, %", 12.0, |r| real(r.loss_percent)),
    ("p50, ns", 12.0, |r| number(r.latency.as_ref().map(|l| l.p50_ns))),
    ("p99, ns", 12.0, |r| number(r.latency.as_ref().map(|l| l.p99_ns))),
    ("p99.9, ns", 12.0, |r| number(r.latency.as_ref().map(|l| l.p99_9_ns))),
    ("max, ns", 12.0, |r| number(r.latency.as_ref().map(|l| l.max_ns))),
];
/// Of `RX mean, pps` and of `profile`, for the chart.
const CHARTED: (u16, u16) = (14, 0);
/// Sheets have no more rows.
const ROWS_MAX: usize = 1_000_000;

fn number(value: Option<u64>) -> Cell {
    real(value.map(|v| v as f64))
}

fn real(value: Option<f64>) -> Cell {
    value.filter(|v| v.is_finite()).map_or(Cell::Empty, Cell::Number)
}

/// The file's bytes.
pub fn xlsx(report: &Report) -> Result<Vec<u8>, ReportError> {
    let mut workbook = Workbook::new();
    let head = Format::new().set_bold().set_text_wrap();
    summary(workbook.add_worksheet(), report, &head)?;
    if !report.repeats.is_empty() {
        repeats(workbook.add_worksheet(), report, &head)?;
    }
    if !report.searches.is_empty() {
        searches(workbook.add_worksheet(), report, &head)?;
    }
    texts(workbook.add_worksheet(), "Warnings", &head, ["result", "warning"], warnings(report))?;
    texts(workbook.add_worksheet(), "Environment", &head, ["result", "fact", "TX", "RX"], facts(report))?;
    Ok(workbook.save_to_buffer()?)
}

fn summary(sheet: &mut Worksheet, report: &Report, head: &Format) -> Result<(), XlsxError> {
    sheet.set_name("Summary")?.set_freeze_panes(1, 3)?;
    for (column, (name, width, _)) in (0u16..).zip(COLUMNS) {
        sheet.write_with_format(0, column, name, head)?.set_column_width(column, width)?;
    }
    for (line, row) in (1u32..).zip(report.rows.iter().take(ROWS_MAX)) {
        for (column, (_, _, of)) in (0u16..).zip(COLUMNS) {
            match of(row) {
                Cell::Text(text) => sheet.write(line, column, text)?,
                Cell::Number(value) => sheet.write(line, column, value)?,
                Cell::Empty => sheet,
            };
        }
    }
    let last = report.rows.len().min(ROWS_MAX) as u32;
    sheet.autofilter(0, 0, last, COLUMNS.len() as u16 - 1)?;
    if last == 0 {
        // Of searches alone there is nothing to draw here.
        return Ok(());
    }
    let (values, names) = CHARTED;
    let mut chart = Chart::new(ChartType::Column);
    chart
        .add_series()
        .set_name("RX mean")
        .set_categories(("Summary", 1, names, last, names))
        .set_values(("Summary", 1, values, last, values));
    chart.title().set_name("Packets received");
    chart.y_axis().set_name("packets/s");
    sheet.insert_chart(last + 2, 0, &chart)?;
    Ok(())
}

fn repeats(sheet: &mut Worksheet, report: &Report, head: &Format) -> Result<(), XlsxError> {
    sheet.set_name("Repeats")?;
    let names = [
        "profile",
        "pair",
        "figure",
        "repeats",
        "median",
        "min",
        "max",
        "interval from",
        "interval to",
        "confidence",
    ];
    for (column, name) in (0u16..).zip(names) {
        sheet.write_with_format(0, column, name, head)?.set_column_width(column, 16)?;
    }
    let figures = report.repeats.iter().flat_map(|g| g.figures.iter().map(move |f| (g, f)));
    for (line, (group, figure)) in (1u32..).zip(figures.take(ROWS_MAX)) {
        sheet.write(line, 0, &group.profile)?.write(line, 1, &group.pair)?.write(line, 2, figure.name)?;
        let s = &figure.spread;
        let numbers = [s.n as f64, s.median, s.min, s.max, s.low, s.high, s.confidence];
        for (column, value) in (3u16..).zip(numbers) {
            sheet.write(line, column, value)?;
        }
    }
    Ok(())
}

fn searches(sheet: &mut Worksheet, report: &Report, head: &Format) -> Result<(), XlsxError> {
    sheet.set_name("Searches")?;
    let names = [
        "search",
        "profile",
        "pairs",
        "goal",
        "verdict",
        "trials",
        "holds, pps",
        "does not, pps",
        "conditional, pps",
    ];
    for (column, name) in (0u16..).zip(names) {
        sheet.write_with_format(0, column, name, head)?.set_column_width(column, 18)?;
    }
    for (line, row) in (1u32..).zip(report.searches.iter().take(ROWS_MAX)) {
        for (column, text) in (0u16..).zip([&row.search, &row.profile, &row.pairs, &row.goal, &row.verdict]) {
            sheet.write(line, column, text)?;
        }
        sheet.write(line, 5, row.trials as f64)?;
        for (column, value) in (6u16..).zip([row.lower_pps, row.upper_pps, row.conditional_pps]) {
            if let Some(value) = value {
                sheet.write(line, column, value)?;
            }
        }
    }
    Ok(())
}

fn warnings(report: &Report) -> impl Iterator<Item = [String; 2]> {
    let warnings = report.warnings.iter().map(|w| [w.of.join(", "), w.text.clone()]);
    warnings
        .chain(report.skipped.iter().map(|s| [s.folder.clone(), format!("not in this report: {}", s.reason)]))
}

fn facts(report: &Report) -> impl Iterator<Item = [String; 4]> {
    report.environments.iter().flat_map(|setting| {
        let of = setting.of.join(", ");
        setting
            .facts
            .iter()
            .map(move |(name, tx, rx)| [of.clone(), (*name).to_owned(), tx.clone(), rx.clone()])
    })
}

/// Excel takes no more in a cell.
const TEXT_MAX: usize = 32_000;

fn texts<const N: usize>(
    sheet: &mut Worksheet,
    name: &str,
    head: &Format,
    names: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    for (column, name) in (0u16..).zip(names) {
        sheet.write_with_format(0, column, name, head)?.set_column_width(column, 40)?;
    }
    for (line, row) in (1u32..).zip(rows.take(ROWS_MAX)) {
        for (column, text) in (0u16..).zip(row) {
            sheet.write(line, column, text.chars().take(TEXT_MAX).collect::<String>())?;
        }
    }
    Ok(())
}
