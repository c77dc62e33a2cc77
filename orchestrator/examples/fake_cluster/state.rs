//! What the parts of the program share.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::args::Args;
use crate::fake::together::Together;
use crate::fake::{Agent, Ether};
use crate::faults::Faults;
use crate::owners::Owners;
use crate::store::Store;

/// Requests that are remembered.
const LOG_MAX: usize = 200_000;

pub type Fake = Arc<Cluster>;

pub struct Cluster {
    me: Weak<Cluster>,
    pub args: Args,
    store: Mutex<Store>,
    owners: Mutex<Owners>,
    pub faults: Faults,
    /// By the pod's uid.
    agents: Mutex<HashMap<String, PodAgent>>,
    log: Mutex<VecDeque<Seen>>,
    pub ether: Ether,
    /// Of `--starts-together`.
    pub together: Option<Arc<Together>>,
    /// How long the next outage is.
    pub outage_ms: watch::Sender<u64>,
    /// Counts the times that all connections were cut.
    pub outages: watch::Sender<u64>,
    /// Nodes without a kubelet.
    pub lost: watch::Sender<BTreeSet<String>>,
    /// Room may have become free on a node.
    pub room: Notify,
}

/// The agent in a pod's container.
#[derive(Clone)]
pub struct PodAgent {
    pub agent: Agent,
    pub router: axum::Router,
    /// Counts the times that the streams to it were cut; closed with the container's end.
    pub cuts: watch::Sender<u64>,
}

/// A request that was answered.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    pub unix_ns: u64,
    pub method: String,
    /// With its query.
    pub path: String,
    pub user_agent: String,
    /// As RBAC calls it, e.g. `deletecollection`; empty where the path is none of the API's.
    pub verb: String,
    /// With its subresource.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub status: u16,
}

impl Cluster {
    pub fn new(args: Args) -> Fake {
        Arc::new_cyclic(|me| Cluster {
            me: me.clone(),
            store: Mutex::new(Store::new(args.history)),
            owners: Mutex::default(),
            faults: Faults::default(),
            agents: Mutex::default(),
            log: Mutex::default(),
            ether: Ether::in_memory(),
            together: args.starts_together.map(|n| Arc::new(Together::new(n))),
            outage_ms: watch::channel(0).0,
            outages: watch::channel(0).0,
            lost: watch::channel(BTreeSet::new()).0,
            room: Notify::new(),
            args,
        })
    }

    /// For what must not keep it.
    pub fn me(&self) -> Weak<Cluster> {
        self.me.clone()
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    pub fn owners(&self) -> MutexGuard<'_, Owners> {
        self.owners.lock().unwrap()
    }

    pub fn agent(&self, uid: &str) -> Option<PodAgent> {
        self.agents.lock().unwrap().get(uid).cloned()
    }

    pub fn add_agent(&self, uid: &str, agent: Agent) {
        let router = crate::fake::api::router(agent.clone());
        let agent = PodAgent { agent, router, cuts: watch::channel(0).0 };
        self.agents.lock().unwrap().insert(uid.to_owned(), agent);
    }

    /// The container has ended: so do the streams to it.
    pub fn remove_agent(&self, uid: &str) {
        if let Some(gone) = self.agents.lock().unwrap().remove(uid) {
            gone.cuts.send_modify(|n| *n += 1);
        }
    }

    pub fn note(&self, seen: Seen) {
        let mut log = self.log.lock().unwrap();
        log.push_back(seen);
        if log.len() > LOG_MAX {
            log.pop_front();
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().iter().cloned().collect()
    }

    pub fn forget_seen(&self) {
        self.log.lock().unwrap().clear();
    }
}
