//! What the scheduler says, in plain words: `0/2 nodes are available: 2 Insufficient hugepages-1Gi.`

use super::reasons::{Look, Trouble};

/// One part of the scheduler's sentence: how many nodes, and why not those.
#[derive(Debug, PartialEq, Eq)]
struct Part<'a> {
    nodes: u32,
    why: &'a str,
}

/// What the message means, and what to do. It may always pass: other pods leave, nodes come.
pub fn trouble(message: &str) -> Trouble {
    let mut parts = parts(message);
    // Pods are pinned, so most nodes don't match; that is worth a word only when it is all there is.
    let others: Vec<&Part<'_>> = parts.iter().filter(|part| !is_pin(part.why)).collect();
    if !others.is_empty() {
        parts.retain(|part| !is_pin(part.why));
    }
    let mut meanings: Vec<(String, String)> = parts.iter().map(meaning).collect();
    if meanings.is_empty() {
        meanings.push((String::new(), "look at the nodes and at `kubectl describe pod`".to_owned()));
    }
    meanings.dedup();
    let join = |texts: Vec<String>| texts.join("; ");
    let words = join(meanings.iter().map(|(text, _)| text.clone()).filter(|text| !text.is_empty()).collect());
    let message = message.trim();
    let text = match (words.is_empty(), message.is_empty()) {
        (true, true) => "no node takes it".to_owned(),
        (true, false) => format!("no node takes it ({message})"),
        (false, _) => format!("no node takes it: {words} ({message})"),
    };
    let unbound = message.contains("PersistentVolumeClaim") || message.contains("persistentvolumeclaim");
    Trouble {
        reason: "Unschedulable".to_owned(),
        text,
        remedy: join(meanings.into_iter().map(|(_, remedy)| remedy).collect()),
        may_pass: true,
        look: if unbound { Look::ClaimEvents } else { Look::Nowhere },
    }
}

/// The scheduler's list. Its own words may hold commas, so a part begins only where a number does.
fn parts(message: &str) -> Vec<Part<'_>> {
    let list = message.split_once("available: ").map_or(message, |(_, list)| list);
    // What preemption could do for us is said after it.
    let list = list.split(" preemption:").next().unwrap_or(list).trim().trim_end_matches('.');
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut start = 0;
    let starts = std::iter::once(0).chain(list.match_indices(", ").map(|(at, _)| at + 2));
    let begins = |at: usize| list[at..].split_once(' ').is_some_and(|(n, _)| n.parse::<u32>().is_ok());
    let cuts: Vec<usize> = starts.filter(|&at| begins(at)).collect();
    for (i, &at) in cuts.iter().enumerate() {
        let end = cuts.get(i + 1).map_or(list.len(), |next| next - 2);
        if let Some((n, why)) = list[at..end].split_once(' ') {
            parts.push(Part { nodes: n.parse().unwrap_or_default(), why: why.trim() });
        }
        start = end;
    }
    if parts.is_empty() && start < list.len() {
        parts.push(Part { nodes: 0, why: list });
    }
    parts
}

fn is_pin(why: &str) -> bool {
    ["didn't match node selector", "didn't match Pod's node affinity", "didn't match node affinity"]
        .iter()
        .any(|text| why.contains(text))
}

/// What a part means and what to do about it.
fn meaning(part: &Part<'_>) -> (String, String) {
    let of_nodes = match part.nodes {
        0 => String::new(),
        1 => " on 1 node".to_owned(),
        n => format!(" on {n} nodes"),
    };
    if let Some(resource) = part.why.strip_prefix("Insufficient ") {
        return lack(resource.trim(), &of_nodes);
    }
    let why = part.why;
    let known = |text: &str, remedy: &str| (format!("{text}{of_nodes}"), remedy.to_owned());
    match why {
        _ if why.contains("taint") => {
            let taint =
                why.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(inside, _)| inside);
            let taint = taint.map(|inside| inside.replace(": ", "=")).unwrap_or_default();
            let taint = taint.trim_end_matches(['=', ':', ' ']);
            known(
                &format!("a taint ({taint}) keeps it away"),
                &format!("bear it with --toleration {taint}, or choose other nodes (--tx-node, --rx-node)"),
            )
        }
        _ if is_pin(why) => known(
            "the node that it is pinned to is not there, or lacks a label",
            "look at --tx-node, --rx-node and --node-selector, and at `kubectl get nodes --show-labels`",
        ),
        _ if why.contains("unschedulable") => {
            known("cordoned", "`kubectl uncordon` the node, or choose another")
        }
        _ if why.contains("Too many pods") => known("too many pods", "free some, or choose other nodes"),
        _ if why.contains("volume node affinity conflict") => known(
            "its claim's volume belongs to another node",
            "place the pod where the volume is, or remove the claim with `orchestrator pods delete --claims`",
        ),
        _ if why.contains("unbound immediate PersistentVolumeClaim") => known(
            "its claim has no volume yet",
            "see the claim with `kubectl describe pvc`; name a storage class of this cluster with --storage-class, or do \
             without with --output-volume empty-dir",
        ),
        _ if why.contains("persistentvolumeclaim") => {
            known("its claim is not there", "create it again with `orchestrator pods create`")
        }
        _ => (String::new(), "look at the nodes: `kubectl describe nodes`".to_owned()),
    }
}

fn lack(resource: &str, of_nodes: &str) -> (String, String) {
    let (what, remedy) = match resource {
        "cpu" => ("free CPUs", "ask for fewer with -c or -n, or free some".to_owned()),
        "memory" => ("free memory", "ask for less with -m or -n, or free some".to_owned()),
        "ephemeral-storage" => ("free disk", "free some on the node".to_owned()),
        "hugepages-1Gi" => (
            "free 1 GiB hugepages",
            "ask for less with -g, use --hugepage-size 2Mi, or reserve pages on the node with the kernel parameters \
             hugepagesz=1G hugepages=N (the kubelet reads them when it starts)"
                .to_owned(),
        ),
        "hugepages-2Mi" => (
            "free 2 MiB hugepages",
            "ask for less with -g, use --hugepage-size 1Gi, or reserve pages on the node with `sysctl -w \
             vm.nr_hugepages=N` and restart its kubelet, which reads them when it starts"
                .to_owned(),
        ),
        device => {
            let text = format!("free {device}");
            let remedy = format!(
                "ask for fewer with -d (-v for sriov) or -n, another resource with -r, or look at the device plugin: \
                 `kubectl describe node` must show {device} under Allocatable"
            );
            return (format!("too few {text}{of_nodes}"), remedy);
        }
    };
    (format!("too few {what}{of_nodes}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(message: &str, text: &str, remedy: &str) {
        let trouble = trouble(message);
        assert!(trouble.text.contains(text), "{}", trouble.text);
        assert!(trouble.text.contains(message), "{}", trouble.text);
        assert!(trouble.remedy.contains(remedy), "{}", trouble.remedy);
        assert!(trouble.may_pass);
    }

    #[test]
    fn what_is_lacking_is_named_with_its_flag() {
        let lacks = |what: &str| format!("0/2 nodes are available: 2 Insufficient {what}.");
        says(&lacks("hugepages-1Gi"), "too few free 1 GiB hugepages on 2 nodes", "--hugepage-size 2Mi");
        says(&lacks("hugepages-2Mi"), "too few free 2 MiB hugepages on 2 nodes", "vm.nr_hugepages");
        says(&lacks("cpu"), "too few free CPUs on 2 nodes", "-c");
        says(&lacks("memory"), "too few free memory on 2 nodes", "-m");
        says(&lacks("intel.com/dpdk"), "too few free intel.com/dpdk on 2 nodes", "-d");
    }

    #[test]
    fn a_pin_is_said_only_when_nothing_else_is() {
        let both = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector.";
        says(both, "too few free CPUs on 1 node (", "-c");
        assert!(!trouble(both).text.contains("pinned"));
        says("0/2 nodes are available: 2 node(s) didn't match node selector.", "pinned", "--node-selector");
    }

    #[test]
    fn commas_and_preemption_do_not_mislead() {
        let old = "0/3 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't \
                   tolerate, 2 Insufficient hugepages-1Gi.";
        says(
            old,
            "a taint (node-role.kubernetes.io/master) keeps it away on 1 node",
            "--toleration node-role",
        );
        says(old, "too few free 1 GiB hugepages on 2 nodes", "-g");
        let new = "0/2 nodes are available: 1 node(s) had untolerated taint {dedicated: dpdk}, 1 node(s) were \
                   unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
        says(new, "a taint (dedicated=dpdk)", "--toleration dedicated=dpdk");
        says(new, "cordoned on 1 node", "uncordon");
        assert!(!trouble(new).remedy.contains("Preemption"));
    }

    #[test]
    fn a_claim_without_a_volume_sends_to_its_events() {
        for message in [
            "0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.",
            "pod has unbound immediate PersistentVolumeClaims",
            "0/1 nodes are available: 1 persistentvolumeclaim \"output-pvc-tx0\" not found.",
        ] {
            let trouble = trouble(message);
            assert_eq!(trouble.look, Look::ClaimEvents, "{message}");
            assert!(trouble.text.contains("its claim"), "{}", trouble.text);
        }
    }

    #[test]
    fn what_is_not_known_is_handed_on() {
        says(
            "0/2 nodes are available: 2 node(s) had a bad day.",
            "no node takes it (",
            "kubectl describe nodes",
        );
        assert_eq!(trouble("").text, "no node takes it");
    }
}
