//! The kinds of objects that there are.

use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Node,
    Namespace,
    Pod,
    Claim,
    Event,
}

pub const ALL: [Kind; 5] = [Kind::Node, Kind::Namespace, Kind::Pod, Kind::Claim, Kind::Event];

impl Kind {
    pub fn of_plural(plural: &str) -> Option<Kind> {
        ALL.into_iter().find(|kind| kind.plural() == plural)
    }

    pub fn plural(self) -> &'static str {
        match self {
            Kind::Node => "nodes",
            Kind::Namespace => "namespaces",
            Kind::Pod => "pods",
            Kind::Claim => "persistentvolumeclaims",
            Kind::Event => "events",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Node => "Node",
            Kind::Namespace => "Namespace",
            Kind::Pod => "Pod",
            Kind::Claim => "PersistentVolumeClaim",
            Kind::Event => "Event",
        }
    }

    pub fn is_namespaced(self) -> bool {
        !matches!(self, Kind::Node | Kind::Namespace)
    }

    /// Fields that a selector may name; a real server refuses others.
    pub fn selectable(self) -> &'static [&'static str] {
        match self {
            Kind::Node => &["metadata.name", "spec.unschedulable"],
            Kind::Namespace => &["metadata.name", "status.phase"],
            Kind::Claim => &["metadata.name", "metadata.namespace"],
            Kind::Pod => &[
                "metadata.name",
                "metadata.namespace",
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "status.phase",
                "status.podIP",
            ],
            Kind::Event => &[
                "metadata.name",
                "metadata.namespace",
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "reason",
                "type",
            ],
        }
    }
}

/// `GET /api/v1`.
pub fn resources() -> Value {
    let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let mut list: Vec<Value> = ALL
        .iter()
        .map(|kind| {
            json!({"name": kind.plural(), "singularName": kind.name().to_lowercase(), "kind": kind.name(),
                   "namespaced": kind.is_namespaced(), "verbs": verbs})
        })
        .collect();
    for (name, kind, verbs) in [
        ("pods/log", "Pod", vec!["get"]),
        ("pods/portforward", "PodPortForwardOptions", vec!["create", "get"]),
        ("nodes/proxy", "NodeProxyOptions", vec!["create", "get"]),
    ] {
        list.push(
            json!({"name": name, "singularName": "", "namespaced": name.starts_with("pods"), "kind": kind,
                   "verbs": verbs}),
        );
    }
    json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": list})
}
