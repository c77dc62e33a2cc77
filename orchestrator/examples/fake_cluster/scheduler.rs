//! Where a pod goes, or the real scheduler's sentence why it goes nowhere.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::Kind;
use crate::quantity::{asked, milli, resources};
use crate::store::Store;

/// The node for a pod, or the message of its FailedScheduling.
pub fn place(store: &Store, pod: &Value) -> Result<String, String> {
    if let Some(reason) = claims_in_the_way(store, pod) {
        let nodes = store.list(Kind::Node, None).len();
        let tail = format!(
            "preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
        );
        return Err(format!("0/{nodes} nodes are available: {reason}. {tail}"));
    }
    let nodes = store.list(Kind::Node, None);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut fitting: Option<(usize, String)> = None;
    let mut helpless = 0;
    for node in &nodes {
        let name = node["metadata"]["name"].as_str().unwrap();
        let on_it = pods_on(store, name);
        let (why, evicting_helps) = obstacles(node, &on_it, pod);
        if why.is_empty() {
            let candidate = (on_it.len(), name.to_owned());
            fitting = Some(fitting.map_or(candidate.clone(), |best| best.min(candidate)));
        }
        helpless += usize::from(!why.is_empty() && !evicting_helps);
        for reason in why {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    fitting.map(|(_, name)| name).ok_or_else(|| sentence(nodes.len(), helpless, &reasons))
}

fn sentence(nodes: usize, helpless: usize, reasons: &BTreeMap<String, usize>) -> String {
    let mut parts: Vec<String> = reasons.iter().map(|(why, n)| format!("{n} {why}")).collect();
    parts.sort();
    let mut preemption = Vec::new();
    if helpless > 0 {
        preemption.push(format!("{helpless} Preemption is not helpful for scheduling"));
    }
    if helpless < nodes {
        preemption.push(format!("{} No preemption victims found for incoming pod", nodes - helpless));
    }
    preemption.sort();
    let preemption = preemption.join(", ");
    let reasons = parts.join(", ");
    format!(
        "0/{nodes} nodes are available: {reasons}. preemption: 0/{nodes} nodes are available: {preemption}."
    )
}

fn claims_in_the_way(store: &Store, pod: &Value) -> Option<String> {
    let namespace = pod["metadata"]["namespace"].as_str()?;
    let volumes = pod["spec"]["volumes"].as_array()?;
    let claims = volumes.iter().filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str());
    claims.into_iter().find_map(|name| match store.get(Kind::Claim, namespace, name) {
        None => Some(format!("persistentvolumeclaim \"{name}\" not found")),
        Some(claim) if claim["status"]["phase"] != "Bound" => {
            Some("pod has unbound immediate PersistentVolumeClaims".to_owned())
        }
        Some(_) => None,
    })
}

fn pods_on(store: &Store, node: &str) -> Vec<std::sync::Arc<Value>> {
    let is_live = |pod: &&std::sync::Arc<Value>| {
        pod["spec"]["nodeName"] == *node
            && !matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"))
    };
    store.list(Kind::Pod, None).iter().filter(is_live).cloned().collect()
}

/// Of the first of the scheduler's filters that the node does not pass; whether evicting pods could help.
fn obstacles(node: &Value, on_it: &[std::sync::Arc<Value>], pod: &Value) -> (Vec<String>, bool) {
    if node["spec"]["unschedulable"] == true {
        return (vec!["node(s) were unschedulable".to_owned()], false);
    }
    if let Some(taint) = untolerated(node, pod) {
        let text = |field: &str| taint[field].as_str().unwrap_or_default();
        return (
            vec![format!("node(s) had untolerated taint {{{}: {}}}", text("key"), text("value"))],
            false,
        );
    }
    if !is_wanted(node, &pod["spec"]) {
        return (vec!["node(s) didn't match Pod's node affinity/selector".to_owned()], false);
    }
    let allocatable = |resource: &str| milli(&node["status"]["allocatable"][resource]);
    let lacks = |resource: &String| {
        let used: i128 = on_it.iter().map(|p| asked(p, resource)).sum();
        used + asked(pod, resource) > allocatable(resource) && asked(pod, resource) > 0
    };
    let lacking: Vec<String> = resources(pod).into_iter().filter(lacks).collect();
    // Nobody's going makes more of it than there is.
    let helps = lacking.iter().all(|resource| asked(pod, resource) <= allocatable(resource));
    let mut why: Vec<String> = lacking.iter().map(|resource| format!("Insufficient {resource}")).collect();
    if on_it.len() as i128 * 1000 >= allocatable("pods") {
        why.push("Too many pods".to_owned());
    }
    (why, helps)
}

fn untolerated<'a>(node: &'a Value, pod: &Value) -> Option<&'a Value> {
    let tolerations = pod["spec"]["tolerations"].as_array();
    let tolerates = |taint: &Value| {
        tolerations.into_iter().flatten().any(|t| {
            let is_any = t["operator"] == "Exists" && t["key"].is_null();
            let same_key = is_any || t["key"] == taint["key"];
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let same_value = t["operator"] == "Exists" || text(&t["value"]) == text(&taint["value"]);
            let same_effect = text(&t["effect"]).is_empty() || t["effect"] == taint["effect"];
            same_key && same_value && same_effect
        })
    };
    let taints = node["spec"]["taints"].as_array()?;
    taints.iter().find(|t| t["effect"] != "PreferNoSchedule" && !tolerates(t))
}

fn is_wanted(node: &Value, spec: &Value) -> bool {
    let labels = &node["metadata"]["labels"];
    let selector = spec["nodeSelector"].as_object();
    if !selector.is_none_or(|s| s.iter().all(|(key, value)| labels[key.as_str()] == *value)) {
        return false;
    }
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let Some(terms) = required["nodeSelectorTerms"].as_array() else { return true };
    terms.iter().any(|term| {
        let all = |field: &str, find: &dyn Fn(&str) -> Value| {
            let expressions = term[field].as_array().into_iter().flatten();
            expressions.into_iter().all(|e| holds(e, &find(e["key"].as_str().unwrap_or_default())))
        };
        all("matchExpressions", &|key| labels[key].clone())
            && all("matchFields", &|_| node["metadata"]["name"].clone())
    })
}

fn holds(expression: &Value, found: &Value) -> bool {
    let listed = expression["values"].as_array().is_some_and(|values| values.contains(found));
    match expression["operator"].as_str() {
        Some("In") => listed,
        Some("NotIn") => !listed,
        Some("Exists") => !found.is_null(),
        Some("DoesNotExist") => found.is_null(),
        _ => false,
    }
}
