//! What goes wrong, and how often.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::request::Ask;

/// One thing that goes wrong; `times` bounds it, without bound when not given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The next watches end (without a word) behind so many events.
    WatchDrop { after_events: u64, times: Option<u64> },
    /// The next watches that are resumed are told 410 Expired.
    WatchGone { times: Option<u64> },
    /// 429 with Retry-After.
    TooMany {
        #[serde(default)]
        retry_after_s: u64,
        #[serde(flatten)]
        of: Which,
    },
    /// 500.
    ServerError {
        #[serde(flatten)]
        of: Which,
    },
    /// Every answer takes so long.
    Slow {
        ms: u64,
        #[serde(flatten)]
        of: Which,
    },
    /// 403; `resource` with its subresource, `*` for all.
    Forbid { verb: String, resource: String },
    /// Server-side apply without force meets another manager's fields.
    ApplyConflict { times: Option<u64> },
    /// Pods are refused, as in a namespace that is too new to have its service account.
    NoAccount { times: Option<u64> },
    /// The next port-forwards are cut behind so many bytes from the pod, or so long.
    ForwardCut { pod: Option<String>, after_bytes: Option<u64>, after_ms: Option<u64>, times: Option<u64> },
    /// The next port-forwards stay open and bring nothing more behind so many bytes from the pod: a lost node.
    ForwardStall { pod: Option<String>, after_bytes: u64, times: Option<u64> },
    /// All connections are cut and none is accepted for so long.
    Stop { ms: u64 },
    /// The API server forgets the past: watches that are resumed are too old.
    Compact,
    /// At the moment that `when` tells.
    Evict {
        pod: String,
        #[serde(flatten)]
        when: When,
    },
    /// Somebody else deletes it.
    Delete {
        pod: String,
        #[serde(flatten)]
        when: When,
    },
    /// Its container ends and starts again, with the agent's files.
    Restart {
        pod: String,
        #[serde(flatten)]
        when: When,
    },
    /// It runs, and is never Ready.
    NeverReady { pod: String },
    /// How an agent misbehaves from now on, as fake_dataplane's FAKE_MODE.
    AgentMode { pod: String, mode: String },
    /// The node is cut off: its Ready condition becomes Unknown, it is tainted, streams to its pods bring nothing more
    /// and new ones fail.
    NodeLost { node: String },
    /// It is there again, and the streams that were open are not.
    NodeBack { node: String },
}

/// Which requests; all when nothing is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Which {
    /// As RBAC calls it.
    pub verb: Option<String>,
    /// With its subresource.
    pub resource: Option<String>,
    pub name: Option<String>,
    pub times: Option<u64>,
}

/// At once when nothing is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// From now.
    pub after_ms: Option<u64>,
    /// When the pod's agent has so many samples of a run (warm-ups aside).
    pub after_samples: Option<u64>,
}

impl Fault {
    /// `watch-drop@after_events=3,times=1`
    pub fn parse(text: &str) -> Result<Fault, String> {
        let (name, rest) = text.split_once('@').unwrap_or((text, ""));
        let mut fields = Map::new();
        fields.insert("fault".to_owned(), name.into());
        for part in rest.split(',').filter(|p| !p.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is no key=value"))?;
            let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
            fields.insert(key.to_owned(), value);
        }
        serde_json::from_value(Value::Object(fields)).map_err(|e| format!("{text}: {e}"))
    }
}

impl Which {
    fn is(&self, ask: &Ask) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
        same(&self.verb, ask.verb) && same(&self.resource, &ask.resource()) && same(&self.name, ask.name())
    }
}

/// What a stream to a pod suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffers {
    Cut { after_bytes: u64, after_ms: u64 },
    Stall { after_bytes: u64 },
}

/// Those that stand.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub fn add(&self, fault: Fault) {
        self.0.lock().unwrap().push(fault);
    }

    pub fn all(&self) -> Vec<Fault> {
        self.0.lock().unwrap().clone()
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The first that `pick` makes something of, counted.
    fn take<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut all = self.0.lock().unwrap();
        let (at, found) = all.iter().enumerate().find_map(|(at, fault)| Some((at, pick(fault)?)))?;
        if let Some(left) = times_of(&mut all[at]) {
            *left -= 1;
            if *left == 0 {
                all.remove(at);
            }
        }
        Some(found)
    }

    pub fn slow_ms(&self, ask: &Ask) -> Option<u64> {
        self.take(|fault| match fault {
            Fault::Slow { ms, of } if of.is(ask) => Some(*ms),
            _ => None,
        })
    }

    /// Seconds of Retry-After.
    pub fn too_many(&self, ask: &Ask) -> Option<u64> {
        self.take(|fault| match fault {
            Fault::TooMany { retry_after_s, of } if of.is(ask) => Some(*retry_after_s),
            _ => None,
        })
    }

    pub fn server_error(&self, ask: &Ask) -> bool {
        let hit = |fault: &Fault| matches!(fault, Fault::ServerError { of } if of.is(ask)).then_some(());
        self.take(hit).is_some()
    }

    pub fn is_forbidden(&self, verb: &str, resource: &str) -> bool {
        let is = |wanted: &str, is: &str| wanted == "*" || wanted == is;
        let hit = |fault: &Fault| {
            matches!(fault, Fault::Forbid { verb: v, resource: r } if is(v, verb) && is(r, resource))
                .then_some(())
        };
        self.take(hit).is_some()
    }

    pub fn apply_conflict(&self) -> bool {
        self.take(|fault| matches!(fault, Fault::ApplyConflict { .. }).then_some(())).is_some()
    }

    pub fn no_account(&self) -> bool {
        self.take(|fault| matches!(fault, Fault::NoAccount { .. }).then_some(())).is_some()
    }

    /// Events before this watch ends.
    pub fn watch_drop(&self) -> Option<u64> {
        self.take(|fault| match fault {
            Fault::WatchDrop { after_events, .. } => Some(*after_events),
            _ => None,
        })
    }

    pub fn watch_gone(&self) -> bool {
        self.take(|fault| matches!(fault, Fault::WatchGone { .. }).then_some(())).is_some()
    }

    pub fn of_stream(&self, to: &str) -> Option<Suffers> {
        let here = |pod: &Option<String>| pod.as_ref().is_none_or(|p| p == to);
        self.take(|fault| match fault {
            Fault::ForwardCut { pod, after_bytes, after_ms, .. } if here(pod) => Some(Suffers::Cut {
                after_bytes: after_bytes.unwrap_or(u64::MAX),
                after_ms: after_ms.unwrap_or(u64::MAX),
            }),
            Fault::ForwardStall { pod, after_bytes, .. } if here(pod) => {
                Some(Suffers::Stall { after_bytes: *after_bytes })
            }
            _ => None,
        })
    }

    pub fn is_never_ready(&self, name: &str) -> bool {
        let hit = |fault: &Fault| matches!(fault, Fault::NeverReady { pod } if pod == name).then_some(());
        self.take(hit).is_some()
    }
}

fn times_of(fault: &mut Fault) -> Option<&mut u64> {
    match fault {
        Fault::WatchDrop { times, .. }
        | Fault::WatchGone { times }
        | Fault::ApplyConflict { times }
        | Fault::NoAccount { times }
        | Fault::ForwardCut { times, .. }
        | Fault::ForwardStall { times, .. } => times.as_mut(),
        Fault::TooMany { of, .. } | Fault::ServerError { of } | Fault::Slow { of, .. } => of.times.as_mut(),
        _ => None,
    }
}
