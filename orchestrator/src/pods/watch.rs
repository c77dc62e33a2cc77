//! What is in the cluster, kept up to date by a watch. kube's watcher lists again after 410 Gone and reconnects with a
//! growing pause when the stream drops; here every wait for it has an end.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::cluster::{Cluster, ClusterError};

/// A watch is renewed so often: one that died without a word is noticed 5 s later.
const RENEWAL_S: u32 = 20;

type Events<K> = Pin<Box<dyn Stream<Item = Result<Event<K>, watcher::Error>> + Send>>;

/// Objects by name.
pub struct Watched<K> {
    cluster: Cluster,
    what: &'static str,
    events: Events<K>,
    objects: BTreeMap<String, K>,
    /// Of a list that is not complete yet.
    listing: BTreeMap<String, K>,
    complete: bool,
    fault: Option<ClusterError>,
}

/// Why [`Watched::next`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Something is new.
    Changed,
    /// It is time.
    TimeUp,
}

impl<K> Watched<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    /// Watches what `selector` selects; `what` reads on from "can't": "watch pods".
    pub fn new(cluster: &Cluster, api: Api<K>, selector: &str, what: &'static str) -> Watched<K> {
        let config = watcher::Config::default().labels(selector).timeout(RENEWAL_S);
        let events = watch(api, config).default_backoff().boxed();
        let (objects, listing) = (BTreeMap::new(), BTreeMap::new());
        Watched { cluster: cluster.clone(), what, events, objects, listing, complete: false, fault: None }
    }

    /// What there is; none before the first list is complete.
    pub fn objects(&self) -> Option<&BTreeMap<String, K>> {
        self.complete.then_some(&self.objects)
    }

    /// Why nothing new is heard, when that is so.
    pub fn fault(&self) -> Option<&ClusterError> {
        self.fault.as_ref()
    }

    /// Waits for something new, until then at most. What no patience helps against is an error.
    pub async fn next(&mut self, until: Instant) -> Result<Woken, ClusterError> {
        loop {
            let Ok(event) = timeout_at(until, self.events.next()).await else { return Ok(Woken::TimeUp) };
            match event {
                Some(Ok(event)) => {
                    self.fault = None;
                    if self.take(event) {
                        return Ok(Woken::Changed);
                    }
                }
                Some(Err(error)) => self.fault = Some(self.judge(error)?),
                // kube's watcher never ends; if it did, time alone would go on.
                None => {
                    tokio::time::sleep_until(until).await;
                    return Ok(Woken::TimeUp);
                }
            }
        }
    }

    /// Whether there is something new to see.
    fn take(&mut self, event: Event<K>) -> bool {
        match event {
            Event::Init => self.listing.clear(),
            Event::InitApply(object) => drop(self.listing.insert(object.name_any(), object)),
            Event::InitDone => {
                self.objects = std::mem::take(&mut self.listing);
                self.complete = true;
            }
            Event::Apply(object) => drop(self.objects.insert(object.name_any(), object)),
            Event::Delete(object) => drop(self.objects.remove(&object.name_any())),
        }
        self.complete && self.listing.is_empty()
    }

    /// A fault that may pass comes back to be remembered; one that will not is the error.
    fn judge(&self, error: watcher::Error) -> Result<ClusterError, ClusterError> {
        let error = match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => error,
            watcher::Error::WatchError(status) => kube::Error::Api(status),
            error @ watcher::Error::NoResourceVersion => {
                let reason = error.to_string();
                return Err(ClusterError::Other { what: self.what.to_owned(), reason });
            }
        };
        let error = ClusterError::of(&self.cluster, self.what, 1, error);
        let hopeless = matches!(
            error,
            ClusterError::Forbidden { .. }
                | ClusterError::Unauthorized { .. }
                | ClusterError::Certificate { .. }
        );
        if hopeless { Err(error) } else { Ok(error) }
    }
}
