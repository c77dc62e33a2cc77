//! Waits until pods are ready, says meanwhile what keeps them, and gives up as soon as waiting can't help.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ListParams, LogParams};
use tokio::time::Instant;

use super::manifest;
use super::progress::Progress;
use super::reasons::{Health, Look, Trouble, event_trouble, health};
use super::watch::Watched;
use crate::cluster::labels::{pair_of, role_of, selector};
use crate::cluster::retry::retry;
use crate::cluster::{Cluster, ClusterError};

/// A trouble that lasts so long is said, while the wait goes on.
const GRACE: Duration = Duration::from_secs(5);
/// How often the clock is looked at when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// How often events are read again for a pod that does not come up.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Lines of a container's log in a message.
const LOG_LINES: i64 = 8;
/// Pods whose log or events are read for one message: the rest fail for the same reason, mostly.
const LOOKS_MAX: usize = 8;

/// Pods that did not come up.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The server's part.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The pods' own part.
    #[error(
        "{what}:{}\nthe pods stay as they are: `orchestrator pods list` shows them, `orchestrator pods delete` removes \
         them",
        grouped(troubles)
    )]
    NotReady {
        /// How many of how many, and for how long.
        what: String,
        /// By pod.
        troubles: BTreeMap<String, Trouble>,
    },
}

/// What is known of one pod that is not ready.
struct Seen {
    since: Instant,
    /// What its own status says now.
    own: Option<Trouble>,
    /// What events said, or its own status before it went over to a word that says less.
    learnt: Option<Trouble>,
    said: bool,
    looked: Option<Instant>,
}

impl Seen {
    fn trouble(&self) -> Option<&Trouble> {
        self.learnt.as_ref().or(self.own.as_ref())
    }

    /// The same pod, a moment later.
    fn then(mut self, own: Option<Trouble>) -> Seen {
        let word = |trouble: &Option<Trouble>| trouble.as_ref().map(|trouble| trouble.reason.clone());
        if word(&self.own) != word(&own) {
            let still_pulling = self.own.as_ref().is_some_and(pulls) && own.as_ref().is_some_and(pulls);
            let known = self.learnt.take().or_else(|| self.own.take());
            let learnt = known.filter(|known| still_pulling && known.look == Look::Nowhere);
            let said = self.said && still_pulling;
            let since = if still_pulling { self.since } else { Instant::now() };
            return Seen { since, own, learnt, said, looked: None };
        }
        Seen { own, ..self }
    }
}

/// Waits for all of `names`; gives them back as they are then.
pub async fn wait_ready(
    cluster: &Cluster,
    names: &[String],
    limit: Duration,
    progress: &Progress,
) -> Result<BTreeMap<String, Pod>, WaitError> {
    let begun = Instant::now();
    let deadline = begun + limit;
    let mut watched: Watched<Pod> = Watched::new(cluster, cluster.api(), &selector(), "watch pods");
    let mut waiting: BTreeMap<String, Seen> = BTreeMap::new();
    loop {
        watched.next((Instant::now() + TICK).min(deadline)).await?;
        let mut hopeless = false;
        if let Some(pods) = watched.objects() {
            waiting = judge(pods, names, waiting);
            if waiting.is_empty() && names.iter().all(|name| pods.contains_key(name)) {
                let mut pods = pods.clone();
                pods.retain(|name, _| names.contains(name));
                return Ok(pods);
            }
            look_closer(cluster, pods, &mut waiting).await;
            hopeless = say(&mut waiting, progress);
            progress.status(names.len() - waiting.len(), names.len(), first_word(&waiting));
        }
        let late = Instant::now() >= deadline;
        if hopeless || late {
            let empty = BTreeMap::new();
            let pods = watched.objects().unwrap_or(&empty);
            let fault = watched.fault().map(ToString::to_string);
            // Those of which nothing is known may only have been slower.
            if hopeless {
                waiting.retain(|_, seen| seen.trouble().is_some());
            }
            let what = headline(&waiting, names.len(), if late { limit } else { begun.elapsed() }, fault);
            return Err(WaitError::NotReady { what, troubles: troubles(cluster, pods, waiting).await });
        }
    }
}

/// The pods that are not ready, with what was known of them before.
fn judge(
    pods: &BTreeMap<String, Pod>,
    names: &[String],
    mut before: BTreeMap<String, Seen>,
) -> BTreeMap<String, Seen> {
    let mut waiting = BTreeMap::new();
    for name in names {
        let trouble = match pods.get(name).map(health) {
            Some(Health::Ready) => continue,
            Some(Health::Waiting(trouble)) => trouble,
            None => Some(gone()),
        };
        let seen = match before.remove(name) {
            Some(seen) => seen.then(trouble),
            None => {
                let since = Instant::now();
                Seen { since, own: trouble, learnt: None, said: false, looked: None }
            }
        };
        waiting.insert(name.clone(), seen);
    }
    waiting
}

/// The two words between which a pull goes back and forth; only the first says why.
fn pulls(trouble: &Trouble) -> bool {
    matches!(trouble.reason.as_str(), "ErrImagePull" | "ImagePullBackOff")
}

fn gone() -> Trouble {
    Trouble {
        reason: "Gone".to_owned(),
        text: "the pod is not there".to_owned(),
        remedy: "somebody may have deleted it: create it again".to_owned(),
        may_pass: true,
        look: Look::Nowhere,
    }
}

/// Reads events for pods that have been waiting for a while.
async fn look_closer(cluster: &Cluster, pods: &BTreeMap<String, Pod>, waiting: &mut BTreeMap<String, Seen>) {
    let due = |seen: &Seen| {
        let look = seen.own.as_ref().is_none_or(|own| matches!(own.look, Look::Events | Look::ClaimEvents));
        look && seen.since.elapsed() >= GRACE && seen.looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN)
    };
    for (name, seen) in waiting.iter_mut().filter(|(_, seen)| due(seen)).take(LOOKS_MAX) {
        seen.looked = Some(Instant::now());
        let Some(pod) = pods.get(name) else { continue };
        let learnt = from_events(cluster, name, pod, seen.own.as_ref()).await;
        if learnt.is_some() && learnt != seen.learnt {
            seen.said = false;
            seen.learnt = learnt;
        }
    }
}

/// The last event that tells of trouble. That events can't be read is no trouble of the pod's.
async fn from_events(cluster: &Cluster, name: &str, pod: &Pod, known: Option<&Trouble>) -> Option<Trouble> {
    let claim = (known.map(|trouble| trouble.look) == Some(Look::ClaimEvents))
        .then(|| Some(manifest::claim_name(role_of(&pod.metadata)?, pair_of(&pod.metadata)?)))
        .flatten();
    let (kind, name) = match &claim {
        Some(claim) => ("PersistentVolumeClaim", claim.as_str()),
        None => ("Pod", name),
    };
    let params =
        ListParams::default().fields(&format!("involvedObject.kind={kind},involvedObject.name={name}"));
    let api = cluster.api::<Event>();
    let mut events = retry(cluster, "list events", || api.list(&params)).await.ok()?.items;
    events.sort_by_key(|event| event.last_timestamp.clone().map(|time| time.0));
    // A pod of the same name may have been here before.
    let uid = claim.is_none().then(|| pod.metadata.uid.clone()).flatten();
    let ours = |event: &&Event| {
        uid.is_none() || event.involved_object.uid.is_none() || event.involved_object.uid == uid
    };
    events.iter().rev().filter(ours).find_map(event_trouble)
}

/// Says what has lasted; whether there is something that no waiting helps against.
fn say(waiting: &mut BTreeMap<String, Seen>, progress: &Progress) -> bool {
    let mut hopeless = false;
    let mut lasting = BTreeMap::new();
    for (name, seen) in waiting.iter_mut() {
        let Some(trouble) = seen.trouble().cloned() else { continue };
        hopeless |= !trouble.may_pass;
        if !seen.said && seen.since.elapsed() >= GRACE {
            seen.said = true;
            lasting.insert(name.clone(), trouble);
        }
    }
    if !lasting.is_empty() && !hopeless {
        progress.say(&format!("still waiting:{}", grouped(&lasting)));
    }
    hopeless
}

fn first_word(waiting: &BTreeMap<String, Seen>) -> String {
    let troubled =
        waiting.iter().find_map(|(name, seen)| Some(format!("{name}: {}", seen.trouble()?.reason)));
    troubled.or_else(|| waiting.keys().next().map(|name| format!("{name} starts"))).unwrap_or_default()
}

fn headline(waiting: &BTreeMap<String, Seen>, all: usize, after: Duration, fault: Option<String>) -> String {
    let after = after.as_secs();
    let fault = fault.map_or_else(String::new, |fault| format!("; at last, {fault}"));
    if waiting.is_empty() {
        return format!("nothing was heard of the {all} pods for {after} s{fault}");
    }
    format!("{} of {all} pods are not ready after {after} s{fault}", waiting.len())
}

/// Everything that can be said of pods that did not come up.
async fn troubles(
    cluster: &Cluster,
    pods: &BTreeMap<String, Pod>,
    waiting: BTreeMap<String, Seen>,
) -> BTreeMap<String, Trouble> {
    let mut all = BTreeMap::new();
    let mut looks = 0;
    for (name, seen) in waiting {
        let mut trouble = seen.learnt.or(seen.own).unwrap_or_else(|| Trouble {
            reason: "NotReady".to_owned(),
            text: "it is still being started".to_owned(),
            remedy: "look at it with `kubectl describe pod`, or wait longer with --wait-timeout".to_owned(),
            may_pass: true,
            look: Look::Nowhere,
        });
        if trouble.look == Look::Log && looks < LOOKS_MAX && pods.contains_key(&name) {
            looks += 1;
            if let Some(log) = log_of(cluster, &name).await {
                trouble.text = format!("{}; its last words:\n{log}", trouble.text);
            }
        }
        all.insert(name, trouble);
    }
    all
}

/// The end of what the container wrote before it ended, or writes now.
async fn log_of(cluster: &Cluster, name: &str) -> Option<String> {
    let api = cluster.api::<Pod>();
    for previous in [true, false] {
        let params = LogParams { previous, tail_lines: Some(LOG_LINES), ..LogParams::default() };
        let log = retry(cluster, "read a log", || api.logs(name, &params)).await;
        // A kubelet that has thrown the log away says so in its place.
        let is_log = |log: &String| !log.trim().is_empty() && !log.starts_with("unable to retrieve");
        if let Some(log) = log.ok().filter(is_log) {
            let lines: Vec<String> = log.trim_end().lines().map(|line| format!("      | {line}")).collect();
            return Some(lines.join("\n"));
        }
    }
    None
}

/// Pods with one trouble on one line: hundreds may have the same.
fn grouped(troubles: &BTreeMap<String, Trouble>) -> String {
    let mut groups: Vec<(&Trouble, Vec<&str>)> = Vec::new();
    for (name, trouble) in troubles {
        match groups.iter_mut().find(|(known, _)| *known == trouble) {
            Some((_, names)) => names.push(name),
            None => groups.push((trouble, vec![name])),
        }
    }
    let line = |(trouble, names): (&Trouble, Vec<&str>)| {
        let Trouble { reason, text, remedy, .. } = trouble;
        format!("\n  {}: {reason}: {text}\n    → {remedy}", names.join(", "))
    };
    groups.into_iter().map(line).collect()
}
