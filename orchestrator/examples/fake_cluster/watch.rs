//! `watch`: one JSON line for every change.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::read;
use crate::refusal::Refusal;
use crate::request::Ask;
use crate::select::Selector;
use crate::state::Fake;
use crate::store::{Change, What};

/// As a real server, whoever asks for nothing is ended in half an hour to an hour.
const LIMIT_S: u64 = 1800;

struct Watch {
    fake: Fake,
    ask: Ask,
    selector: Selector,
    /// What has been told.
    version: u64,
    newest: Receiver<u64>,
    pending: VecDeque<Value>,
    /// Events until it is dropped.
    left: u64,
    ends: Instant,
    bookmark: Option<Instant>,
    is_over: bool,
}

pub fn open(fake: &Fake, ask: &Ask) -> Result<Response, Refusal> {
    if ask.flag("sendInitialEvents") {
        let why = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList \
                   feature gate is enabled";
        return Err(Refusal::new(422, "Invalid", format!("ListOptions.meta.k8s.io \"\" is invalid: {why}")));
    }
    let limit = ask.param("timeoutSeconds").parse().unwrap_or(LIMIT_S);
    let now = Instant::now();
    let mut watch = Watch {
        selector: read::selector(ask)?,
        newest: fake.store().newest(),
        version: 0,
        pending: VecDeque::new(),
        left: fake.faults.watch_drop().unwrap_or(u64::MAX),
        ends: now + Duration::from_secs(limit),
        bookmark: ask.flag("allowWatchBookmarks").then(|| now + Duration::from_millis(fake.args.bookmark_ms)),
        is_over: false,
        fake: fake.clone(),
        ask: ask.clone(),
    };
    match ask.param("resourceVersion") {
        "" | "0" => watch.begin_with_all(),
        version => {
            let wrong = || Refusal::bad_request(format!("invalid resource version \"{version}\""));
            watch.version = version.parse().map_err(|_| wrong())?;
            let (oldest, newest) = {
                let store = fake.store();
                (store.oldest(), store.version())
            };
            if watch.version < oldest {
                watch.refuse(&Refusal::expired(watch.version, oldest));
            } else if fake.faults.watch_gone() {
                watch.refuse(&Refusal::expired(watch.version, newest));
            }
        }
    }
    let lines = futures_util::stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))), watch))
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from_stream(lines)).into_response())
}

impl Watch {
    /// Without a version to start from, what is there is told first.
    fn begin_with_all(&mut self) {
        let store = self.fake.store();
        self.version = store.version();
        let all = store.list(self.ask.kind, self.ask.namespace.as_deref());
        let matching = all.iter().filter(|object| self.selector.matches(object));
        self.pending = matching.map(|object| json!({"type": "ADDED", "object": **object})).collect();
    }

    /// Told inside of the stream, as a real server does; the stream ends behind it.
    fn refuse(&mut self, why: &Refusal) {
        self.pending = VecDeque::from([json!({"type": "ERROR", "object": why.body()})]);
        self.is_over = true;
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            if self.left == 0 {
                return None;
            }
            if let Some(event) = self.pending.pop_front() {
                self.left -= 1;
                return Some(event);
            }
            if self.is_over || Instant::now() >= self.ends {
                return None;
            }
            self.newest.mark_unchanged();
            self.read_on();
            if !self.pending.is_empty() {
                continue;
            }
            let wake = self.bookmark.map_or(self.ends, |at| at.min(self.ends));
            tokio::select! {
                _ = self.newest.changed() => {}
                () = sleep_until(wake) => {}
            }
            if self.bookmark.is_some_and(|at| Instant::now() >= at) {
                self.bookmark = Some(Instant::now() + Duration::from_millis(self.fake.args.bookmark_ms));
                self.read_on();
                self.pending.push_back(self.bookmark());
            }
        }
    }

    fn read_on(&mut self) {
        let store = self.fake.store();
        let mut fresh = Vec::new();
        let Some(changes) = store.since(self.version) else {
            let why = Refusal::expired(self.version, store.oldest());
            drop(store);
            return self.refuse(&why);
        };
        for change in changes {
            fresh.extend(self.told(change));
        }
        self.version = self.version.max(store.version());
        drop(store);
        self.pending.extend(fresh);
    }

    /// What the change is to somebody who sees only what matches.
    fn told(&self, change: &Change) -> Option<Value> {
        let namespace = &change.object["metadata"]["namespace"];
        let is_here = self.ask.namespace.as_ref().is_none_or(|n| namespace == n);
        if change.kind != self.ask.kind || !is_here {
            return None;
        }
        let did = change.before.as_ref().is_some_and(|before| self.selector.matches(before));
        let does = change.what != What::Deleted && self.selector.matches(&change.object);
        let what = match (did, does) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(json!({"type": what, "object": *change.object}))
    }

    fn bookmark(&self) -> Value {
        let object = json!({"kind": self.ask.kind.name(), "apiVersion": "v1",
            "metadata": {"resourceVersion": self.version.to_string(), "creationTimestamp": null}});
        json!({"type": "BOOKMARK", "object": object})
    }
}
