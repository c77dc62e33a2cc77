//! All objects, and the changes that watches follow.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::kinds::Kind;
use crate::times;

/// Kind, namespace (empty for what has none), name.
pub type Key = (Kind, String, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Added,
    Modified,
    Deleted,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub version: u64,
    pub what: What,
    pub kind: Kind,
    pub object: Arc<Value>,
    /// As it was: a selector may have matched then.
    pub before: Option<Arc<Value>>,
}

pub struct Store {
    version: u64,
    uids: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Change>,
    history_max: usize,
    /// The newest version whose change has been dropped.
    dropped: u64,
    /// What a watch must not begin before.
    compacted: u64,
    newest: watch::Sender<u64>,
}

pub fn key_of(kind: Kind, object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (kind, if kind.is_namespaced() { text("namespace") } else { String::new() }, text("name"))
}

impl Store {
    pub fn new(history_max: usize) -> Store {
        Store {
            version: 1000,
            uids: 0,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            history_max,
            dropped: 0,
            compacted: 0,
            newest: watch::channel(1000).0,
        }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn oldest(&self) -> u64 {
        self.dropped.max(self.compacted)
    }

    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.objects.get(&(kind, namespace.to_owned(), name.to_owned())).cloned()
    }

    /// In the order of namespaces and names; all namespaces where none is given.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let from = (kind, namespace.unwrap_or_default().to_owned(), String::new());
        let here = |key: &&Key| key.0 == kind && namespace.is_none_or(|n| key.1 == n);
        let range = self.objects.range(from..).take_while(|(key, _)| here(key));
        range.map(|(_, object)| object.clone()).collect()
    }

    pub fn all(&self) -> Vec<Arc<Value>> {
        self.objects.values().cloned().collect()
    }

    /// What a new object is given by the server.
    pub fn dress(&mut self, kind: Kind, object: &mut Value) {
        self.uids += 1;
        object["apiVersion"] = "v1".into();
        object["kind"] = kind.name().into();
        object["metadata"]["uid"] =
            format!("{:08x}-0000-4000-8000-{:012x}", std::process::id(), self.uids).into();
        object["metadata"]["creationTimestamp"] = times::now().into();
    }

    /// Adds or replaces; what is the same stays as it is, without a new version.
    pub fn put(&mut self, kind: Kind, mut object: Value) -> Arc<Value> {
        let key = key_of(kind, &object);
        let before = self.objects.get(&key).cloned();
        if let Some(before) = &before {
            object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
            if **before == object {
                return before.clone();
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(object);
        self.objects.insert(key, object.clone());
        let what = if before.is_some() { What::Modified } else { What::Added };
        self.remember(kind, what, object.clone(), before);
        object
    }

    pub fn remove(&mut self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let before = self.objects.remove(&(kind, namespace.to_owned(), name.to_owned()))?;
        self.version += 1;
        let mut last = (*before).clone();
        last["metadata"]["resourceVersion"] = self.version.to_string().into();
        let last = Arc::new(last);
        self.remember(kind, What::Deleted, last.clone(), Some(before));
        Some(last)
    }

    fn remember(&mut self, kind: Kind, what: What, object: Arc<Value>, before: Option<Arc<Value>>) {
        self.history.push_back(Change { version: self.version, what, kind, object, before });
        while self.history.len() > self.history_max {
            self.dropped = self.history.pop_front().map_or(0, |old| old.version);
        }
        self.newest.send_replace(self.version);
    }

    /// Every watch that is resumed from before is too old; those that are open go on.
    pub fn compact(&mut self) {
        self.version += 1;
        self.compacted = self.version;
    }

    /// Changes behind a version, oldest first; none where some of them are dropped.
    pub fn since(&self, version: u64) -> Option<impl Iterator<Item = &Change>> {
        let first = self.history.partition_point(|change| change.version <= version);
        (version >= self.dropped).then(|| self.history.iter().skip(first))
    }

    /// Something that happened to an object.
    pub fn event(&mut self, about: &Value, component: &str, kind: &str, reason: &str, message: &str) {
        let text = |field: &str| about["metadata"][field].as_str().unwrap_or_default();
        let mut event = json!({
            "metadata": {"name": format!("{}.{:x}", text("name"), self.uids + 1), "namespace": text("namespace")},
            "involvedObject": {"kind": about["kind"], "namespace": text("namespace"), "name": text("name"),
                "uid": text("uid"), "apiVersion": "v1", "resourceVersion": text("resourceVersion")},
            "reason": reason, "message": message, "type": kind, "count": 1,
            "source": {"component": component}, "firstTimestamp": times::now(), "lastTimestamp": times::now(),
        });
        self.dress(Kind::Event, &mut event);
        self.put(Kind::Event, event);
    }
}
