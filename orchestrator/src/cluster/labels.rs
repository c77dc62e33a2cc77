//! What marks an object as ours. Nothing without [`MANAGED_BY`] = [`OURS`] is ever changed or deleted.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

/// The label by which everything of ours is selected.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Its value, and the field manager of server-side apply.
pub const OURS: &str = "dpdk-k8s-bench";
/// The application.
pub const NAME: &str = "app.kubernetes.io/name";
/// `tx` or `rx`.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The pair's number.
pub const PAIR: &str = "dpdk-k8s-bench/pair";
/// The label by which the old tools told senders from receivers.
pub const ROLE: &str = "role";
/// Annotation: the device that the pod's agent uses; `env` when it is absent.
pub const DEVICE: &str = "dpdk-k8s-bench/device";
/// Annotation of the old template: `tx` or `rx`.
pub const POD_TYPE: &str = "pod-type";

/// Which end of a pair a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PodRole {
    /// Sends.
    Tx,
    /// Receives.
    Rx,
}

impl PodRole {
    /// `tx` or `rx`.
    pub fn name(self) -> &'static str {
        match self {
            PodRole::Tx => "tx",
            PodRole::Rx => "rx",
        }
    }
}

impl fmt::Display for PodRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `tx0`, `rx12`.
pub fn pod_name(role: PodRole, pair: usize) -> String {
    format!("{role}{pair}")
}

/// All labels of an object that belongs to one end of a pair: ours, and those that users of the old tools select by.
pub fn labels(role: PodRole, pair: usize) -> BTreeMap<String, String> {
    [
        (MANAGED_BY, OURS.to_owned()),
        (NAME, OURS.to_owned()),
        (COMPONENT, role.to_string()),
        (PAIR, pair.to_string()),
        (ROLE, role.to_string()),
        ("environment", "dpdk.tester".to_owned()),
        ("app", "mus.toolkit".to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// Selects everything of ours.
pub fn selector() -> String {
    format!("{MANAGED_BY}={OURS}")
}

/// Selects what belongs to one pair.
pub fn pair_selector(pair: usize) -> String {
    format!("{MANAGED_BY}={OURS},{PAIR}={pair}")
}

/// Whether this object is ours to change.
pub fn is_ours(meta: &ObjectMeta) -> bool {
    label(meta, MANAGED_BY) == Some(OURS)
}

/// The number of the pair that this object belongs to.
pub fn pair_of(meta: &ObjectMeta) -> Option<usize> {
    label(meta, PAIR)?.parse().ok()
}

/// The end of the pair that this object belongs to.
pub fn role_of(meta: &ObjectMeta) -> Option<PodRole> {
    match label(meta, COMPONENT)? {
        "tx" => Some(PodRole::Tx),
        "rx" => Some(PodRole::Rx),
        _ => None,
    }
}

/// The device that the pod's agent is to use.
pub fn device_of(meta: &ObjectMeta) -> &str {
    meta.annotations.as_ref().and_then(|all| all.get(DEVICE)).map_or("env", String::as_str)
}

fn label<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_back() {
        let meta = ObjectMeta { labels: Some(labels(PodRole::Rx, 12)), ..ObjectMeta::default() };
        assert!(is_ours(&meta));
        assert_eq!((pair_of(&meta), role_of(&meta)), (Some(12), Some(PodRole::Rx)));
        assert_eq!(device_of(&meta), "env");
        assert!(!is_ours(&ObjectMeta::default()));
    }
}
