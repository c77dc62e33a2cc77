//! What the server makes of a pod's or claim's manifest: defaults, and what it refuses.

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::quantity::milli;
use crate::refusal::Refusal;
use crate::state::Fake;

/// Fills in what was not given.
pub fn with_defaults(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Pod => pod_defaults(object),
        Kind::Claim => claim_defaults(object),
        _ => {}
    }
}

fn give(object: &mut Value, fields: &[(&str, Value)]) {
    for (key, value) in fields {
        if object[*key].is_null() {
            object[*key] = value.clone();
        }
    }
}

fn pod_defaults(pod: &mut Value) {
    let spec = &mut pod["spec"];
    give(
        spec,
        &[
            ("restartPolicy", "Always".into()),
            ("dnsPolicy", "ClusterFirst".into()),
            ("schedulerName", "default-scheduler".into()),
            ("serviceAccountName", "default".into()),
            ("terminationGracePeriodSeconds", 30.into()),
            ("enableServiceLinks", true.into()),
            ("securityContext", json!({})),
        ],
    );
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        give(
            container,
            &[
                ("imagePullPolicy", "IfNotPresent".into()),
                ("terminationMessagePath", "/dev/termination-log".into()),
                ("terminationMessagePolicy", "File".into()),
                ("resources", json!({})),
            ],
        );
        let limits = container["resources"]["limits"].as_object().cloned().unwrap_or_default();
        if !limits.is_empty() && container["resources"]["requests"].is_null() {
            container["resources"]["requests"] = json!({});
        }
        for (resource, amount) in limits {
            give(&mut container["resources"]["requests"], &[(&resource, amount)]);
        }
    }
    if pod["status"]["phase"].is_null() {
        pod["status"] = json!({"phase": "Pending", "qosClass": qos(pod)});
    }
}

fn qos(pod: &Value) -> &'static str {
    let containers: Vec<&Value> = pod["spec"]["containers"].as_array().into_iter().flatten().collect();
    let is_bound = |c: &&Value, resource: &str| {
        let (limit, request) = (&c["resources"]["limits"][resource], &c["resources"]["requests"][resource]);
        !limit.is_null() && milli(limit) == milli(request)
    };
    let is_empty = |c: &&Value| c["resources"]["requests"].is_null() && c["resources"]["limits"].is_null();
    if containers.iter().all(|c| is_bound(c, "cpu") && is_bound(c, "memory")) {
        "Guaranteed"
    } else if containers.iter().all(is_empty) {
        "BestEffort"
    } else {
        "Burstable"
    }
}

fn claim_defaults(claim: &mut Value) {
    give(&mut claim["spec"], &[("volumeMode", "Filesystem".into())]);
    give(&mut claim["metadata"], &[("finalizers", json!(["kubernetes.io/pvc-protection"]))]);
    if claim["status"]["phase"].is_null() {
        claim["status"] = json!({"phase": "Pending"});
    }
}

/// The provisioner's part: a volume where the class is known, or the event that says that it is not.
pub fn provision(fake: &Fake, claim: &Value) -> Value {
    let class = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
    let mut store = fake.store();
    if !class.is_empty() && !fake.args.storage_class.iter().any(|known| known == class) {
        let why = format!("storageclass.storage.k8s.io \"{class}\" not found");
        store.event(claim, "persistentvolume-controller", "Warning", "ProvisioningFailed", &why);
        return claim.clone();
    }
    let mut bound = claim.clone();
    bound["spec"]["volumeName"] =
        format!("pvc-{}", claim["metadata"]["uid"].as_str().unwrap_or_default()).into();
    bound["status"] = json!({"phase": "Bound", "capacity": claim["spec"]["resources"]["requests"],
                             "accessModes": claim["spec"]["accessModes"]});
    (*store.put(Kind::Claim, bound)).clone()
}

/// What a real server finds first.
pub fn check(kind: Kind, object: &Value) -> Result<(), Refusal> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let mut faults = Vec::new();
    if name.is_empty() {
        faults.push("metadata.name: Required value: name or generateName is required".to_owned());
    } else if !is_dns_name(name) {
        faults.push(format!(
            "metadata.name: Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case \
             alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
             'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ));
    }
    if kind == Kind::Pod {
        check_pod(object, &mut faults);
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(kind, name, &faults)) }
}

fn is_dns_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= 253 && name.chars().all(is_good) && ends(name.chars().next()) && ends(name.chars().last())
}

fn check_pod(pod: &Value, faults: &mut Vec<String>) {
    let Some(containers) = pod["spec"]["containers"].as_array().filter(|c| !c.is_empty()) else {
        faults.push("spec.containers: Required value".to_owned());
        return;
    };
    for (at, container) in containers.iter().enumerate() {
        let place = format!("spec.containers[{at}]");
        if container["image"].as_str().is_none_or(str::is_empty) {
            faults.push(format!("{place}.image: Required value"));
        }
        check_resources(container, &place, faults);
    }
}

fn check_resources(container: &Value, place: &str, faults: &mut Vec<String>) {
    let (limits, requests) = (&container["resources"]["limits"], &container["resources"]["requests"]);
    let names =
        |of: &Value| -> Vec<String> { of.as_object().into_iter().flat_map(|o| o.keys().cloned()).collect() };
    for resource in names(requests) {
        let must_be_equal = resource.starts_with("hugepages-") || resource.contains('/');
        let (asked, limit) = (&requests[&resource], &limits[&resource]);
        if must_be_equal && milli(asked) != milli(limit) {
            faults.push(format!(
                "{place}.resources.requests: Invalid value: {asked}: must be equal to {resource} limit of {}",
                limit.as_str().unwrap_or("0")
            ));
        } else if !limit.is_null() && milli(asked) > milli(limit) {
            faults.push(format!(
                "{place}.resources.requests: Invalid value: {asked}: must be less than or equal to {resource} limit of {}",
                limit.as_str().unwrap_or_default()
            ));
        }
    }
    let all: Vec<String> = names(limits).into_iter().chain(names(requests)).collect();
    let has = |name: &str| all.iter().any(|n| n == name);
    if all.iter().any(|n| n.starts_with("hugepages-")) && !has("cpu") && !has("memory") {
        faults.push(format!("{place}.resources: Forbidden: HugePages require cpu or memory"));
    }
}

/// Of a pod that is there, only little may change.
pub fn check_update(kind: Kind, before: &Value, after: &Value) -> Result<(), Refusal> {
    let without_images = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for container in spec["containers"].as_array_mut().into_iter().flatten() {
            container["image"] = Value::Null;
        }
        spec["tolerations"] = Value::Null;
        spec["activeDeadlineSeconds"] = Value::Null;
        spec
    };
    let name = after["metadata"]["name"].as_str().unwrap_or_default();
    if kind == Kind::Pod && without_images(before) != without_images(after) {
        let fault = "spec: Forbidden: pod updates may not change fields other than \
            `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
            `spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` \
            (allow it to be set to 1 if it was previously negative)";
        return Err(Refusal::invalid(kind, name, &[fault.to_owned()]));
    }
    if kind == Kind::Claim && before["spec"] != after["spec"] {
        let fault = "spec: Forbidden: spec is immutable after creation except resources.requests and \
            volumeAttributesClassName for bound claims";
        return Err(Refusal::invalid(kind, name, &[fault.to_owned()]));
    }
    Ok(())
}
