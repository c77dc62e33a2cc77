//! What the user sees while a trial runs: bars on a terminal, a plain line a second elsewhere, or JSON lines.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::watch;
use traffic::wire::{Role, Sample};

use super::steer::UserEvent;
use crate::interactive::{Model, Screen, has_terminal};
use crate::lab::pair_name;
use crate::say;
use crate::settings::OutputFormat;
use crate::show::{count, pps};

/// Live output. Tables and JSON go to standard output, everything for the eye to standard error.
#[derive(Debug)]
pub struct Progress {
    format: OutputFormat,
    /// On a terminal only.
    bars: Option<MultiProgress>,
    pairs: RefCell<BTreeMap<usize, PairView>>,
    is_silent: bool,
    /// In place of bars and lines.
    screen: Option<Screen>,
    events: RefCell<Vec<UserEvent>>,
    stop: watch::Sender<bool>,
}

#[derive(Debug)]
struct PairView {
    name: String,
    bar: Option<ProgressBar>,
    tx: Side,
    rx: Side,
    /// Seconds that were shown.
    shown: u64,
}

/// The latest two samples of one end, as far as they matter here.
#[derive(Debug, Default, Clone, Copy)]
struct Side {
    offered_pps: f64,
    passed_pps: f64,
    lost: Option<u64>,
    offered: u64,
    passed: u64,
    elapsed_ns: u64,
    /// Samples so far.
    samples: u64,
}

impl Side {
    fn take(&mut self, role: Role, sample: &Sample) {
        let (offered, passed) = match role {
            Role::Tx => {
                let sent: u64 = sample.cores.iter().map(|c| c.tx_packets).sum();
                (sent + sample.cores.iter().map(|c| c.unsent_packets).sum::<u64>(), sent)
            }
            Role::Rx | Role::Reflect => {
                let received = sample
                    .account
                    .map_or_else(|| sample.cores.iter().map(|c| c.rx_packets).sum(), |a| a.received);
                (received, received)
            }
        };
        let seconds = Duration::from_nanos(sample.elapsed_ns.saturating_sub(self.elapsed_ns)).as_secs_f64();
        if seconds > 0.0 {
            self.offered_pps = offered.saturating_sub(self.offered) as f64 / seconds;
            self.passed_pps = passed.saturating_sub(self.passed) as f64 / seconds;
        }
        self.lost = sample.account.map(|a| a.lost);
        (self.offered, self.passed, self.elapsed_ns) = (offered, passed, sample.elapsed_ns);
        self.samples = sample.n + 1;
    }
}

impl Progress {
    /// For these pairs; a bar each runs for `seconds`.
    pub fn new(format: OutputFormat, pairs: &[usize], seconds: f64) -> Progress {
        let on_terminal = format == OutputFormat::Table && std::io::stderr().is_terminal();
        let bars = on_terminal.then(MultiProgress::new);
        let bar = |name: &String| {
            let bar = ProgressBar::new(seconds.ceil() as u64).with_prefix(name.clone());
            if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:24} {pos}/{len} s  {msg}") {
                bar.set_style(style);
            }
            bar
        };
        let view = |index: &usize| {
            let name = pair_name(*index);
            let bar = bars.as_ref().map(|b| b.add(bar(&name)));
            (*index, PairView { bar, name, tx: Side::default(), rx: Side::default(), shown: 0 })
        };
        let pairs = pairs.iter().map(view).collect();
        let (events, stop) = (RefCell::default(), watch::Sender::new(false));
        Progress { format, bars, pairs: RefCell::new(pairs), is_silent: false, screen: None, events, stop }
    }

    /// Says nothing: for trials of which somebody else tells.
    pub fn silent(format: OutputFormat) -> Progress {
        Progress { is_silent: true, ..Progress::new(format, &[], 0.0) }
    }

    /// With a screen that the user steers by; plain lines where there is no terminal for it.
    pub fn interactive(format: OutputFormat, title: &str, pairs: &[usize], seconds: f64) -> Progress {
        let names = pairs.iter().map(|index| (*index, pair_name(*index)));
        let screen = match (format, has_terminal()) {
            (OutputFormat::Table, true) => Screen::open(Model::new(title.to_owned(), seconds, names)),
            (OutputFormat::Json, _) => Err("--output json is for programs".to_owned()),
            _ => Err("standard input and standard error are no terminal".to_owned()),
        };
        let plain = Progress::new(format, pairs, seconds);
        match screen {
            Ok(screen) => Progress { screen: Some(screen), bars: None, ..plain },
            Err(why) => {
                say::err(format_args!("note: --interactive: {why}: plain lines follow"));
                plain
            }
        }
    }

    /// The screen, where there is one.
    pub fn screen(&self) -> Option<&Screen> {
        self.screen.as_ref()
    }

    /// Keeps what the user did, for the results.
    pub fn keep(&self, event: UserEvent) {
        self.events.borrow_mut().push(event);
    }

    /// What the user did so far.
    pub fn events(&self) -> Vec<UserEvent> {
        self.events.borrow().clone()
    }

    /// The user wants this trial to end.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether the user has wanted that.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Returns once the user wants that.
    pub async fn stopped(&self) {
        let mut told = self.stop.subscribe();
        // Fails only when nobody can tell any more, and that is `self`.
        if told.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The bar of pair `index` runs for `seconds`.
    pub fn expect(&self, index: usize, seconds: f64) {
        if let Some(bar) = self.pairs.borrow().get(&index).and_then(|pair| pair.bar.as_ref()) {
            bar.set_length(seconds.ceil() as u64);
        }
    }

    /// One line for the eye.
    pub fn say(&self, line: &str) {
        if self.is_silent || self.screen.as_ref().is_some_and(|screen| screen.say(line)) {
            return;
        }
        match &self.bars {
            // Without a terminal to draw on, the line is not worth failing for.
            Some(bars) => drop(bars.println(line)),
            None => say::err(line),
        }
    }

    /// One sample of pair `index`. A second is shown when both ends have told theirs.
    pub fn sample(&self, index: usize, role: Role, sample: &Sample) {
        if let Some(screen) = &self.screen {
            return screen.update(|model| model.sample(index, role, sample));
        }
        let mut pairs = self.pairs.borrow_mut();
        let Some(pair) = pairs.get_mut(&index) else { return };
        match role {
            Role::Tx => pair.tx.take(role, sample),
            Role::Rx | Role::Reflect => pair.rx.take(role, sample),
        }
        if self.format == OutputFormat::Json {
            let line =
                serde_json::json!({"event": "sample", "pair": pair.name, "role": role, "sample": sample});
            // Whatever is behind standard output must not end the measurement.
            drop(say::out(line));
        } else if pair.tx.samples.min(pair.rx.samples) > pair.shown {
            pair.shown = pair.tx.samples.min(pair.rx.samples);
            pair.show();
        }
    }

    /// Takes the bars off the screen, or the screen off the terminal.
    pub fn finish(&self) {
        if let Some(screen) = &self.screen {
            screen.close();
        }
        for pair in self.pairs.borrow().values() {
            if let Some(bar) = &pair.bar {
                bar.finish_and_clear();
            }
        }
    }
}

impl PairView {
    fn show(&self) {
        let seconds = self.tx.elapsed_ns / 1_000_000_000;
        let lost = self.rx.lost.map_or_else(|| "not measured".into(), count);
        let rates = format!(
            "offered {}  sent {}  received {}  lost {lost}",
            pps(self.tx.offered_pps),
            pps(self.tx.passed_pps),
            pps(self.rx.passed_pps)
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(seconds);
                bar.set_message(rates);
            }
            None => say::err(format_args!("{} {seconds:>4} s  {rates}", self.name)),
        }
    }
}
