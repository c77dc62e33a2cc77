//! The model as a screen: pairs, cores of one of them, what was said, keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::keys::HELP;
use super::model::{CoreModel, Model, PairModel};
use crate::show::{count, nanos, pps};

/// Rows for what was said.
const SAID_ROWS: u16 = 5;
/// Columns of a bar.
const BAR: usize = 24;

const HEADS: [&str; 8] = ["pair", "offered", "sent", "received", "lost", "p50", "p99", "max"];

/// Draws all of it.
pub fn draw(frame: &mut Frame<'_>, model: &Model) {
    let pair_rows = u16::try_from(model.pairs.len()).unwrap_or(u16::MAX).saturating_add(1);
    let area = frame.area();
    // Pairs may take half of what there is; the cores get the rest.
    let rows = pair_rows.min((area.height / 2).max(2));
    let [head, pairs, cores, said, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(rows),
        Constraint::Min(1),
        Constraint::Length(SAID_ROWS),
        Constraint::Length(1),
    ])
    .areas(area);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame.render_widget(Line::styled(title(model), bold), head);
    draw_pairs(frame, pairs, model);
    draw_cores(frame, cores, model);
    let kept: Vec<Line<'_>> = model.said().rev().take(said.height.into()).map(Line::raw).collect();
    frame.render_widget(Paragraph::new(kept.into_iter().rev().collect::<Vec<_>>()), said);
    frame.render_widget(Line::styled(HELP, Style::new().add_modifier(Modifier::REVERSED)), foot);
}

fn title(model: &Model) -> String {
    let (elapsed, of) = (model.elapsed().as_secs(), model.duration_s);
    format!("{}   {elapsed} / {of:.0} s   rate {}", model.title, percent(model.per_mille))
}

/// `105 %`
pub fn percent(per_mille: u32) -> String {
    format!("{} %", f64::from(per_mille) / 10.0)
}

fn draw_pairs(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    // The selected one is always in sight.
    let first = model.selected.saturating_sub(room - 1);
    let rows = model.pairs.values().enumerate().skip(first).take(room).map(|(place, pair)| {
        let style = match place == model.selected && model.pairs.len() > 1 {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new(),
        };
        Row::new(cells(pair).map(Cell::new)).style(style)
    });
    let widths = [Constraint::Length(12)].into_iter().chain([Constraint::Length(11); 7]);
    let heads = Row::new(HEADS).style(Style::new().add_modifier(Modifier::UNDERLINED));
    frame.render_widget(Table::new(rows, widths).header(heads), area);
}

fn cells(pair: &PairModel) -> [String; 8] {
    let (tx, rx) = (&pair.tx, &pair.rx);
    // Round trips are booked by the sender.
    let lost = rx.lost.or(tx.lost).map_or_else(|| "-".to_owned(), count);
    let latency = rx.latency.as_ref().or(tx.latency.as_ref());
    let time = |ns: Option<u64>| ns.map_or_else(|| "-".to_owned(), nanos);
    [
        pair.name.clone(),
        pps(tx.offered_pps),
        pps(tx.passed_pps),
        pps(rx.passed_pps),
        lost,
        time(latency.map(|l| l.p50_ns)),
        time(latency.map(|l| l.p99_ns)),
        time(latency.map(|l| l.max_ns)),
    ]
}

fn draw_cores(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let Some(pair) = model.pairs.values().nth(model.selected) else { return };
    let ends = [("tx", &pair.tx.cores), ("rx", &pair.rx.cores)];
    let all = ends.iter().flat_map(|(_, cores)| cores.iter());
    let most = all.map(|core| core.pps).fold(0.0, f64::max);
    let lines: Vec<Line<'_>> = ends
        .iter()
        .flat_map(|(end, cores)| cores.iter().map(move |core| core_line(end, core, most)))
        .collect();
    // With more cores than rows the last row says how many are not shown.
    let room = usize::from(area.height);
    let hidden = lines.len().saturating_sub(room);
    let mut shown: Vec<Line<'_>> = lines.into_iter().take(room).collect();
    if let (true, Some(last)) = (hidden > 0, shown.last_mut()) {
        *last = Line::raw(format!("… and {} cores more", hidden + 1));
    }
    frame.render_widget(Paragraph::new(shown), area);
}

fn core_line(end: &str, core: &CoreModel, most: f64) -> Line<'static> {
    let share = if most > 0.0 { core.pps / most } else { 0.0 };
    let full = ((share * BAR as f64).round() as usize).min(BAR);
    let bar = "█".repeat(full) + &"░".repeat(BAR - full);
    let (cpu, busy) = (core.cpu, core.busy * 100.0);
    Line::raw(format!("{end} CPU {cpu:>3} {bar} {:>11}  {busy:>3.0} % of calls", pps(core.pps)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use traffic::wire::{Account, CoreCounters, Latency, Role, Sample};

    fn model(pairs: usize) -> Model {
        let names = (0..pairs).map(|i| (i, format!("tx{i}-rx{i}")));
        let mut model = Model::new("trial 0badcafe".into(), 60.0, names);
        let core =
            |cpu, n| CoreCounters { cpu, tx_packets: n, bursts: 1, idle_polls: 3, ..CoreCounters::default() };
        let tx = vec![core(1, 2_000_000), core(2, 1_000_000)];
        let latency =
            Latency { count: 1, p50_ns: 1500, p99_ns: 2500, max_ns: 9_000_000, ..Latency::default() };
        for pair in 0..pairs {
            let at = Sample { elapsed_ns: 2_000_000_000, ..Sample::default() };
            model.sample(pair, Role::Tx, &Sample { cores: tx.clone(), ..at.clone() });
            let account = Some(Account { received: 2_999_000, lost: 1000, ..Account::default() });
            model.sample(pair, Role::Rx, &Sample { account, latency: Some(latency.clone()), ..at });
        }
        model
    }

    fn screen(model: &Model, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, model)).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(|y| row(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn pairs_cores_and_lines_are_shown() {
        let mut model = model(1);
        model.per_mille = 1050;
        model.say("mark 1 at 2 s");
        let rows = screen(&model, 100, 16);
        assert_eq!(rows[0], "trial 0badcafe   2 / 60 s   rate 105 %");
        for words in ["tx0-rx0", "1.5 Mpps", "1.5 Mpps", "1,000", "1.5 µs", "2.5 µs", "9.00 ms"] {
            assert!(rows[2].contains(words), "{words} in {rows:#?}");
        }
        assert!(rows[3].contains(&"█".repeat(BAR)) && rows[3].contains("25 % of calls"), "{rows:#?}");
        assert!(rows[4].contains(&("█".repeat(BAR / 2) + &"░".repeat(BAR / 2))), "{rows:#?}");
        assert!(rows[10].contains("mark 1 at 2 s") && rows[15].contains("m mark"), "{rows:#?}");
    }

    #[test]
    fn the_selected_pair_is_in_sight_and_no_size_is_too_small() {
        let mut model = model(100);
        model.select(57);
        let rows = screen(&model, 100, 24);
        assert!(rows.iter().any(|row| row.starts_with("tx57-rx57")), "{rows:#?}");
        assert!(!rows.iter().any(|row| row.starts_with("tx0-rx0")));
        for (width, height) in [(1, 1), (5, 3), (20, 8), (300, 100)] {
            screen(&model, width, height);
        }
    }
}
