//! Pktgen's calls on running ports.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lua_compat::backend::{Answer, Backend, BackendError, Mode, PortOp, Query, Setting};
use lua_compat::ports::PortSet;
use lua_compat::record::{Config, Recorder};
use lua_compat::{Place, Severity, profile_of};
use traffic::profile::{Profile, Stop};
use traffic::units::Rate;

use super::answers;
use super::job::Job;
use super::state::{Count, Order, PortState, Stopper, lock};

/// How long `prime` may take.
const PRIME_LIMIT: Duration = Duration::from_secs(2);
/// Frames of `prime` where the script does not say.
const PRIME_COUNT: u64 = 1;
/// Notes of one script at most.
const MAX_NOTES: usize = 200;

/// What all scripts of one process share.
#[derive(Debug)]
pub struct Live {
    /// The ports, by number.
    pub ports: Vec<Arc<PortState>>,
    /// What is set on them.
    pub configs: Mutex<Recorder>,
    /// The end.
    pub stopper: Arc<Stopper>,
    /// Frames that a port had sent when it was last started.
    pub begun: Vec<Mutex<u64>>,
    /// Ticks a second of the clock.
    pub hz: u64,
    /// The tag of the marks.
    pub tag: u32,
    /// Bytes of the largest frame, without FCS.
    pub room: u16,
    /// The capture.
    pub pcap: Option<PathBuf>,
    /// As Pktgen would.
    pub quirks: bool,
}

impl Live {
    /// Whether any port sends.
    pub fn is_sending(&self) -> bool {
        self.ports.iter().any(|port| port.is_sending())
    }

    /// What is set on a port.
    pub fn config(&self, port: u16) -> Config {
        lock(&self.configs).port(port).map(|record| record.config.clone()).unwrap_or_default()
    }
}

/// One script's way to the ports.
#[derive(Debug)]
pub struct LiveBackend {
    live: Arc<Live>,
    name: String,
    results: PathBuf,
    said: HashSet<String>,
    quit: bool,
}

impl LiveBackend {
    /// For the script that messages call `name`; its files go to `results`.
    pub fn new(live: Arc<Live>, name: &str, results: PathBuf) -> LiveBackend {
        LiveBackend { live, name: name.to_owned(), results, said: HashSet::new(), quit: false }
    }

    /// Those of `ports` that run. It is an error to name one that does not.
    fn numbers(&self, ports: PortSet) -> Result<Vec<u16>, BackendError> {
        let count = self.live.ports.len() as u16;
        match ports.iter().find(|port| *port >= count && !ports.is_all()) {
            Some(port) => Err(BackendError(format!(
                "port {port} is not there: {count} run(s), from 0; give one --device for each port"
            ))),
            None => Ok((0..count).filter(|port| ports.contains(*port)).collect()),
        }
    }

    fn port_state(&self, port: u16) -> Result<Arc<PortState>, BackendError> {
        let state = self.live.ports.get(usize::from(port)).cloned();
        state.ok_or_else(|| BackendError(format!("port {port} is not there")))
    }

    /// What a port would send as it is set.
    fn profile(&mut self, line: u32, port: u16) -> Result<Profile, BackendError> {
        let config = self.live.config(port);
        let mac = |port: u16| self.live.ports.get(usize::from(port)).map(|p| p.facts.mac);
        let place = Place {
            port,
            mac: mac(port),
            peer_mac: mac(port ^ 1).or_else(|| mac(port)),
            pcap: self.live.pcap.clone(),
            quirks: self.live.quirks,
        };
        let (mut profile, report) = profile_of(&config, &place).map_err(BackendError)?;
        for note in report.warnings() {
            let at = if note.line == 0 { line } else { note.line };
            self.note(at, note.severity, note.text.clone());
        }
        // Pktgen's frames are its own, byte for byte; the mark goes in where latency is asked for.
        profile.stamp = config.has(Mode::Latency) || config.has(Mode::Sampler);
        Ok(profile)
    }

    fn send(&mut self, line: u32, port: u16, profile: &Profile) -> Result<(), BackendError> {
        let state = self.port_state(port)?;
        let Live { hz, tag, room, .. } = *self.live;
        let job = Job::new(profile, state.facts.link_mbps, hz, tag, room);
        let job = job.map_err(|error| BackendError(format!("port {port}: {error}")))?;
        for warning in &job.warnings {
            self.note(line, Severity::Warning, format!("port {port}: {warning}"));
        }
        self.tell(&state, Order::Send(Box::new(job)))
    }

    fn tell(&self, state: &PortState, order: Order) -> Result<(), BackendError> {
        if state.order(order) {
            return Ok(());
        }
        Err(BackendError(format!(
            "{}: its worker does not answer: is its CPU taken by others?",
            state.facts.device
        )))
    }

    fn start(&mut self, line: u32, port: u16) -> Result<(), BackendError> {
        let profile = self.profile(line, port)?;
        let sent = self.port_state(port)?.all().get(Count::Opackets);
        if let Some(begun) = self.live.begun.get(usize::from(port)) {
            *lock(begun) = sent;
        }
        self.send(line, port, &profile)
    }

    /// A setting that was changed while the port sends: the new frames from here on, as many as are left of a count.
    fn restart(&mut self, line: u32, port: u16) -> Result<(), BackendError> {
        let mut profile = self.profile(line, port)?;
        if let Stop::Count(count) = profile.stop {
            let begun = self.live.begun.get(usize::from(port)).map_or(0, |begun| *lock(begun));
            let sent = self.port_state(port)?.all().get(Count::Opackets) - begun;
            if sent >= count {
                return Ok(());
            }
            profile.stop = Stop::Count(count - sent);
        }
        self.send(line, port, &profile)
    }

    fn prime(&mut self, line: u32, port: u16) -> Result<(), BackendError> {
        let state = self.port_state(port)?;
        if state.is_sending() {
            return Ok(());
        }
        let mut profile = self.profile(line, port)?;
        let count = self.live.config(port).prime.map_or(PRIME_COUNT, |at| at.value).max(1);
        (profile.stop, profile.rate) = (Stop::Count(count), Rate::Pps(1e6));
        self.send(line, port, &profile)?;
        let until = Instant::now() + PRIME_LIMIT;
        while state.is_sending() && Instant::now() < until && !self.live.stopper.is_stopped() {
            self.live.stopper.wait(Duration::from_millis(1));
        }
        self.tell(&state, Order::Stop)
    }

    fn one(&mut self, line: u32, port: u16, op: PortOp) -> Result<(), BackendError> {
        let state = self.port_state(port)?;
        match op {
            PortOp::Start => return self.start(line, port),
            PortOp::Stop => return self.tell(&state, Order::Stop),
            PortOp::Prime => return self.prime(line, port),
            PortOp::Clear => {
                state.clear();
                return Ok(());
            }
            PortOp::Reset => self.tell(&state, Order::Stop)?,
            _ => {}
        }
        let changes_frames = op.changes_frames();
        lock(&self.live.configs).apply(line, port, op.clone());
        match op {
            PortOp::Set(Setting::Jitter(us)) => {
                state.jitter_ticks.store(us * self.live.hz / 1_000_000, Ordering::Relaxed);
            }
            PortOp::Set(Setting::Mode(Mode::Sampler, on)) => self.sampler(&state, port, on)?,
            _ => {}
        }
        if changes_frames && state.is_sending() { self.restart(line, port) } else { Ok(()) }
    }

    /// Latency samples begin; or end, and go to their file: one a line, in nanoseconds.
    fn sampler(&mut self, state: &PortState, port: u16, on: bool) -> Result<(), BackendError> {
        let Some(wanted) = self.live.config(port).sampler else {
            let text =
                "latsampler: call pktgen.latsampler_params first: how many samples, how often, which file";
            return if on { Err(BackendError(text.into())) } else { Ok(()) };
        };
        if on {
            lock(&state.samples).clear();
            return self
                .tell(state, Order::Sample(self.live.hz / wanted.rate.max(1), wanted.samples as usize));
        }
        self.tell(state, Order::Sample(0, 0))?;
        let samples = std::mem::take(&mut *lock(&state.samples));
        let hz = u128::from(self.live.hz.max(1));
        let lines = samples.iter().map(|ticks| format!("{}\n", u128::from(*ticks) * 1_000_000_000 / hz));
        let text: String = std::iter::once("latency_ns\n".to_owned()).chain(lines).collect();
        // The same rules as for the script's own files.
        let files = lua_compat::files::Files::new(&self.results, &self.results);
        let wrong = |error: String| BackendError(format!("latsampler: {error}"));
        let mut file = files
            .map_err(|e| wrong(e.to_string()))?
            .create(&wanted.file, false)
            .map_err(|e| wrong(e.to_string()))?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| wrong(e.to_string()))
    }
}

impl Backend for LiveBackend {
    fn port(&mut self, line: u32, ports: PortSet, op: PortOp) -> Result<(), BackendError> {
        self.numbers(ports)?.into_iter().try_for_each(|port| self.one(line, port, op.clone()))
    }

    fn delay(&mut self, _: u32, ms: u64) -> Result<(), BackendError> {
        self.live.stopper.wait(Duration::from_millis(ms));
        Ok(())
    }

    fn quit(&mut self, _: u32) -> Result<(), BackendError> {
        self.quit = true;
        for state in &self.live.ports {
            self.tell(state, Order::Stop)?;
        }
        self.live.stopper.stop();
        Ok(())
    }

    fn query(&mut self, _: u32, query: Query) -> Result<Answer, BackendError> {
        match query {
            Query::PortCount => Ok(Answer::Integer(self.live.ports.len() as i64)),
            Query::Random(ports) => Ok(lock(&self.live.configs).random(ports)),
            Query::Live(name, ports) => {
                let numbers = self.numbers(ports)?;
                Ok(answers::of(&self.live, name, &numbers))
            }
        }
    }

    fn note(&mut self, line: u32, severity: Severity, text: String) {
        if severity < Severity::Warning || self.said.len() >= MAX_NOTES || !self.said.insert(text.clone()) {
            return;
        }
        crate::warnln!("{}:{line}: warning: {text}", self.name);
    }

    fn ahead_ms(&self) -> u64 {
        0
    }

    fn is_live(&self) -> bool {
        true
    }

    fn saved(&mut self, ports: PortSet) -> Result<String, BackendError> {
        let mut text = String::from("-- Written by pktgen.save.\nrequire \"Pktgen\"\n");
        for port in self.numbers(ports)? {
            let profile = Profile { stamp: true, ..self.profile(0, port)? };
            let one = lua_compat::export::settings(&profile, port);
            text += &one.map_err(|e| BackendError(format!("port {port}: {e}")))?;
        }
        Ok(text)
    }

    fn must_end(&self) -> bool {
        self.quit || self.live.stopper.is_stopped()
    }
}
