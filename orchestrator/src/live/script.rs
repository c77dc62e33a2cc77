//! A script from its file to its end: the pair is made ready, the script runs, nothing of it stays.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lua_compat::backend::Backend;
use lua_compat::counts::Counts;
use lua_compat::files::Files;
use lua_compat::record::{Config, Recorder};
use lua_compat::{Limits, MAX_SCRIPT_BYTES, Place as PortPlace, Session, profile_of};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use traffic::profile::{Profile, Stop};

use super::LiveError;
use super::backend::{PORTS, PairBackend};
use super::drive::Drive;
use super::shared::{Order, Port, SENDER, Shared};
use crate::expid::ExpId;
use crate::lab::kube::KubeLab;
use crate::lab::local::{LocalLab, LocalPlan};
use crate::lab::{Lab, LabError, LabPair, Place};
use crate::path::resolve::resolve;
use crate::path::{PairPath, PathWish};
use crate::preflight;
use crate::profile_source::LoadedProfile;
use crate::say;
use crate::settings::Settings;
use crate::trial::specs::warmup_specs;
use crate::trial::{Interrupt, TrialError, prepare, warmup};

/// What to run.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its file.
    pub path: PathBuf,
    /// Where it may write.
    pub results: PathBuf,
    /// The capture of `pcap(ports, "on")`, as the sender sees it.
    pub pcap: Option<PathBuf>,
    /// As Pktgen would.
    pub quirks: bool,
    /// How long it may run in all.
    pub limit: Duration,
    /// Bytes of the largest frame with FCS.
    pub frame_max: u16,
    /// The pair.
    pub pair: usize,
}

/// What is left when all is over: each port's device, and its counters since the last `clear`.
pub type Outcome = Vec<(String, Counts)>;

/// Runs it. Whatever becomes of it, nothing is sent and nothing runs at the agents when this returns.
pub async fn run(
    script: &Script,
    settings: Settings,
    place: &Place,
    interrupt: &Interrupt,
) -> Result<Outcome, LiveError> {
    let io = |cause| LiveError::Io { path: script.path.clone(), cause };
    let mut text = Vec::new();
    File::open(&script.path)
        .and_then(|file| file.take(MAX_SCRIPT_BYTES + 1).read_to_end(&mut text))
        .map_err(io)?;
    match place {
        Place::Local { dataplane, devices } => {
            let temporary = tempfile::Builder::new().prefix("bench-lua-").tempdir();
            let state = temporary.map_err(|cause| LiveError::Io { path: std::env::temp_dir(), cause })?;
            let plan = LocalPlan {
                dataplane: dataplane.clone(),
                frame_bytes: script.frame_max.into(),
                devices: devices.clone(),
                state_folders: vec![(script.pair, state.path().to_owned())],
            };
            let lab = LocalLab::start(&plan).await?;
            interrupt.end_with(lab.pids());
            let outcome = in_lab(script, text, settings, lab, interrupt).await;
            interrupt.end_with(Vec::new());
            outcome
        }
        Place::Kube(place) => {
            let lab = KubeLab::connect(place, &[script.pair]).await?;
            in_lab(script, text, settings, lab, interrupt).await
        }
    }
}

async fn in_lab<L: Lab>(
    script: &Script,
    text: Vec<u8>,
    settings: Settings,
    lab: L,
    interrupt: &Interrupt,
) -> Result<Outcome, LiveError> {
    let outcome = on_pair(script, text, settings, &lab, interrupt).await;
    for trouble in lab.teardown().await {
        say::err(trouble);
    }
    if interrupt.came() { Err(LiveError::Interrupted) } else { outcome }
}

async fn on_pair<L: Lab>(
    script: &Script,
    text: Vec<u8>,
    mut settings: Settings,
    lab: &L,
    interrupt: &Interrupt,
) -> Result<Outcome, LiveError> {
    let pair = lab.pairs().first().ok_or(LabError::NoPair(script.pair))?;
    let expid = ExpId::random().map_err(TrialError::NoRandom)?;
    let inventories = [prepare::contact(pair).await?];
    let [inventory] = &inventories;
    let cores = lab.cores(&inventories, settings.cores)?;
    let own = cores.first().ok_or(LabError::NoPair(script.pair))?;
    let wish = match settings.path {
        // What joins local pairs takes any address.
        PathWish::Auto if lab.cluster().is_none() => PathWish::AsIs,
        wish => wish,
    };
    let path = resolve(wish, pair, inventory).await?;
    let ports = [(&pair.tx, path.tx.mac), (&pair.rx, path.rx.mac)];
    let ports = ports.map(|(end, mac)| Port {
        device: end.device.clone(),
        mac: mac.or(end.mac),
        link_up: true,
        ..Port::default()
    });
    settings.profiles = BTreeMap::from([(pair.index, default_profile(script, &ports)?)]);
    let warnings =
        preflight::trial::before(lab, &settings, &inventories, &cores).map_err(TrialError::Preflight)?;
    for warning in warnings.iter().flatten().chain(&own.warning) {
        say::err(format_args!("warning: {warning}"));
    }
    let words = path.words().map(|words| format!(", {words}")).unwrap_or_default();
    say::err(format_args!(
        "port 0 is {} ({}), port 1 is {} ({}), {}{words}",
        pair.tx.pod,
        pair.tx.device,
        pair.rx.pod,
        pair.rx.device,
        lab.place()
    ));
    if settings.warmup_s > 0.0 {
        let specs = warmup_specs(&settings, expid, pair, own, &path);
        tokio::select! {
            done = warm_up(pair, &specs, &path, &settings) => done?,
            () = interrupt.wait() => return Err(LiveError::Interrupted),
        }
    }
    let (shared, until) = (Arc::new(Shared::new(ports)), Instant::now() + script.limit);
    let (orders, taken) = mpsc::unbounded_channel();
    let thread =
        Thread { script: script.clone(), text, shared: Arc::clone(&shared), interrupt: interrupt.clone() };
    let handle = Handle::current();
    let ended = tokio::task::spawn_blocking(move || thread.run(orders, handle));
    let settings = &settings;
    let drive = Drive {
        pair,
        settings,
        expid,
        cores: own,
        inventory,
        path: &path,
        shared: &shared,
        interrupt,
        until,
    };
    drive.serve(taken).await;
    let ended =
        ended.await.unwrap_or_else(|error| Err(LiveError::Run(format!("the script's thread: {error}"))));
    let fault = shared.fault();
    match (ended, fault) {
        (Err(error), _) => Err(error),
        (Ok(()), Some(fault)) => Err(LiveError::Run(fault)),
        (Ok(()), None) => {
            Ok(shared.ports().iter().map(|port| (port.device.clone(), port.books.counts())).collect())
        }
    }
}

/// Switches learn both addresses, and what is in the way shows, before the script begins.
async fn warm_up(
    pair: &LabPair,
    specs: &crate::trial::specs::PairSpecs,
    path: &PairPath,
    settings: &Settings,
) -> Result<(), LiveError> {
    let done = warmup::run(pair, specs, path, settings.warmup_s).await;
    for (agent, id) in [(&pair.rx.agent, &specs.tx.id), (&pair.tx.agent, &specs.rx.id)] {
        // One that does not answer ends its run by its own limits.
        let _ = agent.run(id).delete().await;
    }
    let done = done?;
    for warning in &done.warnings {
        say::err(format_args!("warning: {warning}"));
    }
    match done.blocked {
        Some(blocked) if !settings.force => Err(LiveError::Blocked(blocked)),
        Some(blocked) => {
            say::err(format_args!("warning: {blocked}"));
            Ok(())
        }
        None => Ok(()),
    }
}

/// What port 0 sends where a script sets nothing: the warm-up's addresses, and what is looked at beforehand.
fn default_profile(script: &Script, [tx, rx]: &[Port; 2]) -> Result<LoadedProfile, LiveError> {
    let place = PortPlace { port: SENDER, mac: tx.mac, peer_mac: rx.mac, pcap: None, quirks: script.quirks };
    let (profile, _) = profile_of(&Config::default(), &place).map_err(LiveError::Profile)?;
    let name = script.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(LoadedProfile { name, source: script.path.clone(), profile, notes: Vec::new() })
}

/// What the script's thread is given.
struct Thread {
    script: Script,
    text: Vec<u8>,
    shared: Arc<Shared>,
    interrupt: Interrupt,
}

impl Thread {
    /// Runs the script to its end; the orders' channel closes with it.
    fn run(self, orders: mpsc::UnboundedSender<Order>, handle: Handle) -> Result<(), LiveError> {
        let Thread { script, text, shared, interrupt } = self;
        let folder = script.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let io = |cause| LiveError::Io { path: script.results.clone(), cause };
        let files = Files::new(folder, &script.results).map_err(io)?;
        let name = script.path.display().to_string();
        let backend = Rc::new(RefCell::new(PairBackend {
            shared,
            orders,
            handle,
            interrupt,
            recorder: Recorder::new(PORTS),
            name: name.clone(),
            results: script.results.clone(),
            pcap: script.pcap.clone(),
            quirks: script.quirks,
            frame_max: script.frame_max,
            said: HashSet::new(),
            quit: false,
            sent: None,
            begun: 0,
            changed: None,
        }));
        let calls: Rc<RefCell<dyn Backend>> = backend.clone();
        let session = Session::new(calls, Limits::live(script.limit), Some(files), Box::new(print))?;
        session.run(&name, &text)?;
        let mut backend = backend.borrow_mut();
        if !backend.must_end() && backend.shared.is_sending() {
            // What was set last holds for what is still to be sent.
            backend.delay(0, 0).map_err(|error| LiveError::Run(error.to_string()))?;
            match backend.sent.as_ref().map(|profile: &Profile| profile.stop) {
                Some(Stop::Count(_)) => backend.wait_sent(),
                _ => say::err(format_args!("{name}: the script is over while port 0 sends: it is stopped")),
            }
        }
        Ok(())
    }
}

/// To standard output, as it comes.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Who reads no more does not end a measurement.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
