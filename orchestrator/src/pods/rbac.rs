//! `pods rbac`: the least rights that this program's calls need, as manifests for somebody who may grant them.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::objects::document;
use crate::cluster::labels::{MANAGED_BY, NAME, OURS};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whom to grant what.
#[derive(Debug)]
pub struct Grant {
    /// Where the pods live.
    pub namespace: String,
    /// Who may.
    pub service_account: String,
    /// The kubelets' configuration too, for `preflight`.
    pub kubelet_config: bool,
}

/// The manifests as YAML.
pub fn manifests(grant: &Grant) -> Result<String, String> {
    let mut text = String::from(
        "# The least that `orchestrator` needs. Nodes belong to no namespace: reading them takes a ClusterRole. Without it,\n\
         # `pods create` works when both --tx-node and --rx-node are given.\n",
    );
    let cluster_wide = format!("{OURS}-{}", grant.namespace);
    let documents = [
        document(&ServiceAccount {
            metadata: namespaced(grant, &grant.service_account),
            ..ServiceAccount::default()
        }),
        document(&Role { metadata: namespaced(grant, OURS), rules: Some(in_namespace()) }),
        document(&RoleBinding {
            metadata: namespaced(grant, OURS),
            role_ref: role_ref("Role", OURS),
            subjects: Some(vec![subject(grant)]),
        }),
        document(&ClusterRole {
            metadata: metadata(&cluster_wide),
            rules: Some(in_cluster(grant.kubelet_config)),
            aggregation_rule: None,
        }),
        document(&ClusterRoleBinding {
            metadata: metadata(&cluster_wide),
            role_ref: role_ref("ClusterRole", &cluster_wide),
            subjects: Some(vec![subject(grant)]),
        }),
    ];
    for document in documents {
        text.push_str(&document?);
    }
    Ok(text)
}

/// Each verb is one call of ours; see SPECIFICATION.md for the test that keeps it so.
fn in_namespace() -> Vec<PolicyRule> {
    vec![
        // Server-side apply creates with `create` and `patch`.
        rule(&["pods"], &["get", "list", "watch", "create", "patch", "delete"]),
        rule(&["persistentvolumeclaims"], &["get", "list", "watch", "create", "patch", "delete"]),
        // The way to agents: GET over a websocket; `create` is asked for since Kubernetes 1.35.
        rule(&["pods/portforward"], &["get", "create"]),
        rule(&["pods/log"], &["get"]),
        rule(&["events"], &["list"]),
    ]
}

fn in_cluster(kubelet_config: bool) -> Vec<PolicyRule> {
    let mut rules = vec![rule(&["nodes"], &["get", "list"])];
    if kubelet_config {
        // `preflight` reads configz through it; it reaches all that a kubelet serves by GET.
        rules.push(rule(&["nodes/proxy"], &["get"]));
    }
    rules
}

fn rule(resources: &[&str], verbs: &[&str]) -> PolicyRule {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(owned(resources)),
        verbs: owned(verbs),
        ..PolicyRule::default()
    }
}

fn metadata(name: &str) -> ObjectMeta {
    let labels = [(MANAGED_BY, OURS), (NAME, OURS)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    ObjectMeta { name: Some(name.to_owned()), labels: Some(labels.into()), ..ObjectMeta::default() }
}

fn namespaced(grant: &Grant, name: &str) -> ObjectMeta {
    ObjectMeta { namespace: Some(grant.namespace.clone()), ..metadata(name) }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef { api_group: GROUP.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

fn subject(grant: &Grant) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: grant.service_account.clone(),
        namespace: Some(grant.namespace.clone()),
        api_group: None,
    }
}
