//! One agent's state.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use traffic::mac::Mac;
use traffic::wire::{Health, Inventory, NextHop, RunSpec, RunStatus, VERSION};

use super::ether::Ether;
use super::run::Run;
use super::together::Together;

/// Answers of samples that are cut in the middle, in mode `cut`.
const CUTS: u32 = 5;
/// What `version` says, which no agent ever will.
const VERSION_OF_TOMORROW: u32 = 99;

/// Answers where frames to an address have to go; none where there is no way.
pub type Route = Box<dyn Fn(IpAddr) -> Option<NextHop> + Send + Sync>;

/// What does not change while an agent lives.
pub struct Setup {
    pub ether: Ether,
    /// Between samples; as the run asks when not given.
    pub tick_ms: Option<u32>,
    /// What a preparation takes.
    pub prepare_ms: u64,
    /// Of every engine; u32::MAX is a number that no process has.
    pub engine_pid: u32,
    pub mac: Mac,
    pub inventory: Inventory,
    pub route: Route,
    /// What a sender's start waits for, warm-ups aside.
    pub together: Option<Arc<Together>>,
}

#[derive(Clone)]
pub struct Agent(Arc<Inner>);

struct Inner {
    setup: Setup,
    mode: Mutex<String>,
    cuts_left: Mutex<u32>,
    runs: Mutex<HashMap<String, Run>>,
    /// Something was started, stopped or removed.
    changed: Notify,
}

impl Agent {
    pub fn new(setup: Setup, mode: &str) -> Agent {
        let agent = Agent(Arc::new(Inner {
            setup,
            mode: Mutex::default(),
            cuts_left: Mutex::default(),
            runs: Mutex::default(),
            changed: Notify::new(),
        }));
        agent.set_mode(mode);
        agent
    }

    pub fn setup(&self) -> &Setup {
        &self.0.setup
    }

    pub fn changed(&self) -> &Notify {
        &self.0.changed
    }

    pub fn mode(&self) -> String {
        self.0.mode.lock().unwrap().clone()
    }

    /// How it misbehaves from now on.
    pub fn set_mode(&self, mode: &str) {
        mode.clone_into(&mut self.0.mode.lock().unwrap());
        *self.0.cuts_left.lock().unwrap() = if mode == "cut" { CUTS } else { 0 };
    }

    pub fn take_cut(&self) -> bool {
        let mut left = self.0.cuts_left.lock().unwrap();
        let cut = *left > 0;
        *left = left.saturating_sub(1);
        cut
    }

    pub fn health(&self) -> Health {
        let version = match self.mode().as_str() {
            "version" => VERSION_OF_TOMORROW,
            "old-version" => VERSION - 1,
            _ => VERSION,
        };
        Health { version, release: "9.9.9".into(), pid: std::process::id() }
    }

    /// A new run; none where its id is taken.
    pub fn prepare(&self, spec: RunSpec) -> Option<RunStatus> {
        let mode = self.mode();
        let mut runs = self.0.runs.lock().unwrap();
        if runs.contains_key(&spec.id) {
            return None;
        }
        let run = Run::new(&self.0.setup, &mode, spec);
        let status = run.status(&self.0.setup, &mode);
        runs.insert(run.spec.id.clone(), run);
        Some(status)
    }

    pub fn with<T>(&self, id: &str, act: impl FnOnce(&mut Run, &Setup) -> T) -> Option<T> {
        self.0.runs.lock().unwrap().get_mut(id).map(|run| act(run, &self.0.setup))
    }

    pub fn ids(&self) -> Vec<String> {
        self.0.runs.lock().unwrap().keys().cloned().collect()
    }

    pub fn remove(&self, id: &str) -> bool {
        let removed = self.0.runs.lock().unwrap().remove(id).is_some();
        self.0.changed.notify_waiters();
        removed
    }

    /// The most samples that any of its runs has, warm-ups aside.
    pub fn samples(&self) -> u64 {
        let runs = self.0.runs.lock().unwrap();
        let measured = runs.values().filter(|run| !run.spec.id.ends_with("-warmup"));
        measured.map(|run| run.samples(&self.0.setup)).max().unwrap_or(0)
    }

    /// The container was restarted under its runs: those that were live are over, as the real agent finds them.
    pub fn restart(&self) {
        let mut runs = self.0.runs.lock().unwrap();
        for run in runs.values_mut().filter(|run| !run.state(&self.0.setup).is_over()) {
            run.cut_off = Some(format!(
                "the agent was restarted while run `{}` was live; the {} samples written before are kept. \
                 Prepare the run again under another id.",
                run.spec.id,
                run.samples(&self.0.setup)
            ));
        }
        drop(runs);
        self.0.changed.notify_waiters();
    }
}
