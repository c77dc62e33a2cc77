//! Pktgen's calls on a pair.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lua_compat::answers::{self, PortView};
use lua_compat::backend::{Answer, Backend, BackendError, Mode, PortOp, Query, Setting};
use lua_compat::counts::Count;
use lua_compat::ports::PortSet;
use lua_compat::record::{Config, Recorder};
use lua_compat::{Place, Severity, profile_of};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use traffic::profile::{Profile, Stop};
use traffic::units::Rate;
use traffic::wire::Command;

use super::shared::{Order, RECEIVER, Reply, SENDER, Shared};
use crate::say;
use crate::trial::Interrupt;

/// Port 0 and port 1.
pub const PORTS: u16 = 2;
/// Notes of one script at most.
const MAX_NOTES: usize = 200;
/// Between samples: how old a script's figures are at most.
const SAMPLE_MS: u64 = 50;
/// The least that agents take.
const SAMPLE_MS_MIN: u64 = 10;
/// How far a changed rate may be from what the script says, in parts of it, before the run begins anew.
const RATE_ERROR_MAX: f64 = 0.001;

/// One script's way to its pair.
#[derive(Debug)]
pub struct PairBackend {
    pub shared: Arc<Shared>,
    pub orders: mpsc::UnboundedSender<Order>,
    /// Of the task that obeys.
    pub handle: Handle,
    pub interrupt: Interrupt,
    /// What is set.
    pub recorder: Recorder,
    /// What messages call the script.
    pub name: String,
    /// Where its files go.
    pub results: PathBuf,
    pub pcap: Option<PathBuf>,
    pub quirks: bool,
    /// Bytes of the largest frame with FCS.
    pub frame_max: u16,
    pub said: HashSet<String>,
    pub quit: bool,
    /// What port 0 was started with last.
    pub sent: Option<Profile>,
    /// Frames that it had sent before.
    pub begun: u64,
    /// The line that changed a setting while it sends: obeyed before the script waits or asks.
    pub changed: Option<u32>,
}

impl PairBackend {
    fn numbers(ports: PortSet) -> Result<Vec<u16>, BackendError> {
        match ports.iter().find(|port| *port >= PORTS && !ports.is_all()) {
            Some(port) => Err(BackendError(format!(
                "port {port} is not there: port {SENDER} is the pair's sender, port {RECEIVER} its receiver"
            ))),
            None => Ok((0..PORTS).filter(|port| ports.contains(*port)).collect()),
        }
    }

    fn config(&self, port: u16) -> Config {
        self.recorder.port(port).map(|record| record.config.clone()).unwrap_or_default()
    }

    /// An order is given, and obeyed when this returns.
    fn tell(&mut self, line: u32, order: impl FnOnce(Reply) -> Order) -> Result<(), BackendError> {
        let (reply, answer) = oneshot::channel();
        let gone = || BackendError("the agents' task is gone".to_owned());
        self.orders.send(order(reply)).map_err(|_| gone())?;
        let notes = answer.blocking_recv().map_err(|_| gone())?.map_err(BackendError)?;
        notes.into_iter().for_each(|note| self.note(line, Severity::Warning, note));
        Ok(())
    }

    fn check(&self) -> Result<(), BackendError> {
        self.shared.fault().map_or(Ok(()), |fault| Err(BackendError(fault)))
    }

    /// What port 0 would send as it is set.
    fn profile(&mut self, line: u32) -> Result<Profile, BackendError> {
        let config = self.config(SENDER);
        let [mac, peer_mac] = {
            let ports = self.shared.ports();
            [ports[0].mac, ports[1].mac]
        };
        let place = Place { port: SENDER, mac, peer_mac, pcap: self.pcap.clone(), quirks: self.quirks };
        let (mut profile, report) = profile_of(&config, &place).map_err(BackendError)?;
        for note in report.warnings() {
            let at = if note.line == 0 { line } else { note.line };
            self.note(at, note.severity, note.text.clone());
        }
        let largest = profile.streams.iter().map(|s| s.frame_size.bounds().1.bytes()).max().unwrap_or(0);
        if largest > self.frame_max {
            let text =
                format!("frames of {largest} B are larger than --max-frame: give --max-frame {largest}");
            return Err(BackendError(text));
        }
        // Pktgen's frames are its own, byte for byte; the mark goes in where latency is asked for, at either end.
        let asks = |port| self.config(port).has(Mode::Latency) || self.config(port).has(Mode::Sampler);
        profile.stamp = asks(SENDER) || asks(RECEIVER);
        Ok(profile)
    }

    fn sent_frames(&self) -> u64 {
        self.shared.ports()[0].books.all().get(Count::Opackets)
    }

    /// Latency samples want more of the agents' where they may be had.
    fn interval_ms(&self) -> u32 {
        let wanted =
            [SENDER, RECEIVER].map(|port| self.config(port)).into_iter().filter(|c| c.has(Mode::Sampler));
        let rate = wanted.filter_map(|config| config.sampler.map(|s| s.rate.max(1))).max();
        rate.map_or(SAMPLE_MS, |rate| (1000 / rate).clamp(SAMPLE_MS_MIN, SAMPLE_MS)) as u32
    }

    fn start(&mut self, line: u32, ports: PortSet) -> Result<(), BackendError> {
        if !ports.contains(SENDER) {
            return Err(BackendError(format!(
                "port {RECEIVER} is the pair's receiver and sends nothing: start port {SENDER}, or let one process send \
                 both ways (dataplane lua)"
            )));
        }
        if ports.contains(RECEIVER) && !ports.is_all() {
            self.note(
                line,
                Severity::Warning,
                format!("port {RECEIVER} receives and sends nothing: only port {SENDER} starts"),
            );
        }
        let profile = self.profile(line)?;
        self.begun = self.sent_frames();
        self.begin(line, profile.clone(), profile)
    }

    /// Sends `profile`, of `whole` so much as is left.
    fn begin(&mut self, line: u32, profile: Profile, whole: Profile) -> Result<(), BackendError> {
        self.changed = None;
        let interval_ms = self.interval_ms();
        self.sent = None;
        self.tell(line, |reply| Order::Start(Box::new(profile), interval_ms, reply))?;
        self.sent = Some(whole);
        Ok(())
    }

    fn stop(&mut self, line: u32) -> Result<(), BackendError> {
        (self.changed, self.sent) = (None, None);
        self.tell(line, Order::Stop)
    }

    /// What was set while port 0 sends comes into force: by another rate where that is all, else by another run.
    fn settle(&mut self) -> Result<(), BackendError> {
        self.check()?;
        let Some(line) = self.changed.take() else { return Ok(()) };
        let Some(sent) = self.sent.clone().filter(|_| self.shared.is_sending()) else { return Ok(()) };
        let whole = self.profile(line)?;
        if whole == sent {
            // It may have been changed since.
            return self.tell(line, |reply| Order::Rate(1000, reply)).or(Ok(()));
        }
        if let Some(per_mille) = only_slower(&sent, &whole)
            && self.tell(line, |reply| Order::Rate(per_mille, reply)).is_ok()
        {
            return Ok(());
        }
        let mut profile = whole.clone();
        if let Stop::Count(count) = whole.stop {
            self.tell(line, Order::Stop)?;
            let done = self.sent_frames() - self.begun;
            if done >= count {
                return Ok(());
            }
            profile.stop = Stop::Count(count - done);
        }
        self.begin(line, profile, whole)
    }

    /// `prime` sends a few frames, and waits for them.
    fn prime(&mut self, line: u32) -> Result<(), BackendError> {
        if self.shared.is_sending() {
            return Ok(());
        }
        let mut profile = self.profile(line)?;
        let count = self.config(SENDER).prime.map_or(1, |at| at.value).max(1);
        (profile.stop, profile.rate) = (Stop::Count(count), Rate::Pps(1e6));
        self.begin(line, profile.clone(), profile)?;
        self.wait_sent();
        self.stop(line)
    }

    /// Waits until port 0 has sent its count.
    pub fn wait_sent(&self) {
        let (mut sending, mut faults) = (self.shared.sending(), self.shared.faults());
        self.handle.block_on(async {
            tokio::select! {
                over = sending.wait_for(|on| !on) => drop(over),
                fault = faults.wait_for(Option::is_some) => drop(fault),
                () = self.interrupt.wait() => {}
            }
        });
    }

    /// What is set comes into force at once where port 0 sends.
    fn set(&mut self, line: u32, port: u16, op: PortOp) -> Result<(), BackendError> {
        // Latency is measured where frames arrive, of a mark that is put in where they leave.
        let marks = matches!(op, PortOp::Set(Setting::Mode(Mode::Latency | Mode::Sampler, _)));
        let changes = op.changes_frames() && (port == SENDER || marks);
        self.recorder.apply(line, port, op.clone());
        if let PortOp::Set(Setting::Mode(Mode::Sampler, on)) = op {
            self.sampler(line, port, on)?;
        }
        if changes && self.shared.is_sending() {
            self.changed.get_or_insert(line);
        }
        Ok(())
    }

    /// Latency samples begin; or end, and go to their file: one a line, in nanoseconds.
    fn sampler(&mut self, line: u32, port: u16, on: bool) -> Result<(), BackendError> {
        let Some(wanted) = self.config(port).sampler else {
            let text =
                "latsampler: call pktgen.latsampler_params first: how many samples, how often, which file";
            return if on { Err(BackendError(text.into())) } else { Ok(()) };
        };
        let at = usize::from(port);
        if on {
            if wanted.rate > 1000 / SAMPLE_MS_MIN {
                let text = format!(
                    "latsampler: a pair's agents are asked {} times a second at most: each sample is the mean of the frames \
                     between two",
                    1000 / SAMPLE_MS_MIN
                );
                self.note(line, Severity::Warning, text);
            }
            self.shared.ports()[at].books.want(wanted.samples as usize);
            return Ok(());
        }
        self.tell(line, Order::Look)?;
        let means = std::mem::take(&mut self.shared.ports()[at].books.means);
        self.shared.ports()[at].books.want(0);
        let lines = means.iter().map(|ns| format!("{ns}\n"));
        let text: String = std::iter::once("latency_ns\n".to_owned()).chain(lines).collect();
        // The same rules as for the script's own files.
        let wrong = |error: String| BackendError(format!("latsampler: {error}"));
        let files =
            lua_compat::files::Files::new(&self.results, &self.results).map_err(|e| wrong(e.to_string()))?;
        let mut file = files.create(&wanted.file, false).map_err(|e| wrong(e.to_string()))?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| wrong(e.to_string()))
    }

    fn view(&self, port: u16) -> PortView {
        let known = &self.shared.ports()[usize::from(port)];
        let config = self.config(port);
        PortView {
            port,
            device: known.device.clone(),
            mac: known.mac.unwrap_or_default(),
            link_up: known.link_up,
            link_mbps: known.link_mbps,
            is_sending: port == SENDER && self.shared.is_sending(),
            counts: known.books.counts(),
            rates: known.books.rates(),
            latency: known.books.latency(),
            jitter_us: config.jitter.map_or(0, |at| at.value),
            hz: known.hz,
            config,
        }
    }
}

/// The part of what is sent that `wanted` is, where they differ in nothing but the rate and the agents can keep it.
fn only_slower(sent: &Profile, wanted: &Profile) -> Option<u32> {
    let ratio = match (sent.rate, wanted.rate) {
        (Rate::Percent(from), Rate::Percent(to)) | (Rate::Pps(from), Rate::Pps(to)) => to / from,
        _ => return None,
    };
    let per_mille = (ratio * 1000.0).round();
    let is_near = (per_mille - ratio * 1000.0).abs() <= per_mille * RATE_ERROR_MAX;
    let is_possible = (1.0..=f64::from(Command::RATE_PER_MILLE_MAX)).contains(&per_mille);
    let is_same = Profile { rate: sent.rate, ..wanted.clone() } == *sent;
    (is_near && is_possible && is_same).then_some(per_mille as u32)
}

impl Backend for PairBackend {
    fn port(&mut self, line: u32, ports: PortSet, op: PortOp) -> Result<(), BackendError> {
        self.check()?;
        let numbers = PairBackend::numbers(ports)?;
        let has_sender = numbers.contains(&SENDER);
        match op {
            PortOp::Start => return self.start(line, ports),
            PortOp::Stop if has_sender => return self.stop(line),
            PortOp::Prime if has_sender => return self.prime(line),
            PortOp::Stop | PortOp::Prime => return Ok(()),
            PortOp::Clear => {
                self.tell(line, Order::Look)?;
                let mut known = self.shared.ports();
                numbers.iter().for_each(|port| known[usize::from(*port)].books.clear());
                return Ok(());
            }
            PortOp::Reset if has_sender => self.stop(line)?,
            _ => {}
        }
        numbers.into_iter().try_for_each(|port| self.set(line, port, op.clone()))
    }

    fn delay(&mut self, _: u32, ms: u64) -> Result<(), BackendError> {
        self.settle()?;
        let mut faults = self.shared.faults();
        self.handle.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(ms)) => {}
                fault = faults.wait_for(Option::is_some) => drop(fault),
                () = self.interrupt.wait() => {}
            }
        });
        self.check()
    }

    fn quit(&mut self, line: u32) -> Result<(), BackendError> {
        self.quit = true;
        self.stop(line)
    }

    fn query(&mut self, line: u32, query: Query) -> Result<Answer, BackendError> {
        match query {
            Query::PortCount => Ok(Answer::Integer(PORTS.into())),
            Query::Random(ports) => Ok(self.recorder.random(ports)),
            Query::Live(name, ports) => {
                let numbers = PairBackend::numbers(ports)?;
                self.settle()?;
                self.tell(line, Order::Look)?;
                self.check()?;
                let answer = |port: u16| (port, answers::of(name, &self.view(port)));
                Ok(Answer::Ports(numbers.into_iter().map(answer).collect()))
            }
        }
    }

    fn note(&mut self, line: u32, severity: Severity, text: String) {
        if severity < Severity::Warning || self.said.len() >= MAX_NOTES || !self.said.insert(text.clone()) {
            return;
        }
        say::err(format_args!("{}:{line}: warning: {text}", self.name));
    }

    fn ahead_ms(&self) -> u64 {
        0
    }

    fn is_live(&self) -> bool {
        true
    }

    fn saved(&mut self, ports: PortSet) -> Result<String, BackendError> {
        let mut text = String::from("-- Written by pktgen.save.\nrequire \"Pktgen\"\n");
        // What the receiver is set to changes no frame.
        if PairBackend::numbers(ports)?.contains(&SENDER) {
            let profile = Profile { stamp: true, ..self.profile(0)? };
            let one = lua_compat::export::settings(&profile, SENDER);
            text += &one.map_err(|e| BackendError(format!("port {SENDER}: {e}")))?;
        }
        Ok(text)
    }

    fn must_end(&self) -> bool {
        self.quit || self.interrupt.came()
    }
}
