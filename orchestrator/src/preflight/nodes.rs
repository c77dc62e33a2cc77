//! One node, by what the API server says: whether it is well, and what pairs ask of it against what it has.

use super::amounts::{Amounts, SLACK, show};
use super::check::Check;

/// What is known of a node.
#[derive(Debug, Clone, Default)]
pub struct NodeFacts {
    /// Its name.
    pub name: String,
    /// Why it is not Ready; none when it is.
    pub trouble: Option<String>,
    /// Whether it takes no new pods.
    pub cordoned: bool,
    /// What pods may have in all.
    pub allocatable: Amounts,
    /// What our pods there have.
    pub ours: Amounts,
    /// How many of ours are there.
    pub pods: usize,
    /// What others' pods there have; none where we may not look.
    pub others: Option<Amounts>,
    /// What pods of ours to come would ask.
    pub to_come: Amounts,
    /// How many would come.
    pub pods_to_come: usize,
}

/// All of it.
pub fn checks(node: &NodeFacts) -> Vec<Check> {
    let mut checks = vec![ready(node)];
    let mut names: Vec<&String> = node.ours.keys().chain(node.to_come.keys()).collect();
    names.sort_by_key(|name| (rank(name), (*name).clone()));
    names.dedup();
    checks.extend(names.into_iter().map(|name| resource(node, name)));
    checks
}

fn ready(node: &NodeFacts) -> Check {
    let name = node.name.as_str();
    if let Some(trouble) = &node.trouble {
        let next = format!(
            "look at it (`kubectl describe node {name}`), or have pods elsewhere (--tx-node, --rx-node)"
        );
        return Check::error(name, "ready", trouble.clone(), next);
    }
    if node.cordoned {
        let found = "Ready, but cordoned: what is there stays, nothing new comes";
        return Check::warning(name, "ready", found, format!("`kubectl uncordon {name}`"));
    }
    Check::ok(name, "ready", "Ready")
}

/// CPUs first, devices last.
fn rank(name: &str) -> u8 {
    match name {
        "cpu" => 0,
        "memory" => 1,
        name if name.starts_with("hugepages-") => 2,
        _ => 3,
    }
}

/// The name of the check, the same for all resources of a kind.
fn check_name(resource: &str) -> &'static str {
    match rank(resource) {
        0 => "allocatable-cpus",
        1 => "allocatable-memory",
        2 => "allocatable-hugepages",
        _ => "allocatable-devices",
    }
}

fn resource(node: &NodeFacts, resource: &str) -> Check {
    let (scope, name) = (node.name.as_str(), check_name(resource));
    let of = |amounts: &Amounts| amounts.get(resource).copied().unwrap_or(0.0);
    let (ours, to_come, allocatable) = (of(&node.ours), of(&node.to_come), of(&node.allocatable));
    let others = node.others.as_ref().map(of);
    let text = |amount: f64| show(resource, amount);
    let mut parts = Vec::new();
    if node.pods > 0 {
        parts.push(format!("{} for {} pod(s) that are there", text(ours), node.pods));
    }
    if node.pods_to_come > 0 {
        parts.push(format!("{} for {} to come", text(to_come), node.pods_to_come));
    }
    let taken = match others {
        Some(taken) => format!(", {} taken by others", text(taken)),
        None => ", what others take is not known".to_owned(),
    };
    let found = format!("{resource}: {} of {} allocatable{taken}", parts.join(" and "), text(allocatable));
    let wanted = ours + to_come + others.unwrap_or(0.0);
    if to_come <= SLACK || wanted <= allocatable + SLACK {
        return Check::ok(scope, name, found);
    }
    Check::error(scope, name, found, remedy(node, resource, allocatable))
}

fn remedy(node: &NodeFacts, resource: &str, allocatable: f64) -> String {
    let elsewhere = "fewer pairs (-n), or other nodes (--tx-node, --rx-node)";
    match rank(resource) {
        0 => format!("fewer CPUs each (-c), {elsewhere}"),
        1 => format!("less memory each (-m), {elsewhere}"),
        2 => {
            let size = resource.trim_start_matches("hugepages-");
            let (size_kib, boot) = if size == "1Gi" { (1 << 20, "1G") } else { (2048, "2M") };
            let others = node.allocatable.iter().filter(|(name, amount)| {
                name.starts_with("hugepages-") && name.as_str() != resource && **amount > 0.0
            });
            let others: Vec<String> =
                others.map(|(name, amount)| format!("{} of {name}", show(name, *amount))).collect();
            let instead = match others.as_slice() {
                [] => String::new(),
                some => format!(" (it has {}: --hugepage-size)", some.join(", ")),
            };
            format!(
                "reserve more on {}: hugepagesz={boot} hugepages=N on the kernel's command line, or echo N > \
                 /sys/kernel/mm/hugepages/hugepages-{size_kib}kB/nr_hugepages and restart the kubelet; or less each \
                 (-g){instead}; {elsewhere}",
                node.name
            )
        }
        _ if allocatable <= SLACK => {
            let devices: Vec<String> = node
                .allocatable
                .iter()
                .filter(|(name, amount)| name.contains('/') && **amount > 0.0)
                .map(|(name, amount)| format!("{name}={}", show(name, *amount)))
                .collect();
            let have = if devices.is_empty() { "no device resource".to_owned() } else { devices.join(", ") };
            format!(
                "no device plugin offers it on {}: it has {have}; name the one to use (-r vendor.com/name), install the \
                 SR-IOV device plugin, or use a device that needs none (--device iface:eth0)",
                node.name
            )
        }
        _ => format!("fewer devices each (-d, -v), {elsewhere}, or more VFs on the node"),
    }
}
