//! What stands for what in a template: the old tool's placeholders, and those that our own template needs beside them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest;
use super::placement::PairNodes;
use super::quantity::PageSize;
use super::settings::{OutputVolume, PodSettings};
use crate::cluster::labels::{PodRole, pod_name};

/// The text for a placeholder, or why there is none.
pub type Filling = Result<String, &'static str>;

/// Everything that a template may say for this end of this pair; what the user sets comes before what we know.
pub fn fillings(
    settings: &PodSettings,
    role: PodRole,
    pair: usize,
    nodes: &PairNodes,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, Filling> {
    let mut all: BTreeMap<String, Filling> = BTreeMap::new();
    let mut put = |name: &str, filling: Filling| drop(all.insert(name.to_owned(), filling));
    names(settings, role, pair, nodes, &mut put);
    amounts(settings, &mut put);
    volumes(settings, role, pair, &mut put);
    fragments(settings, role, pair, &mut put);
    for (name, text) in own {
        put(name, Ok(text.clone()));
    }
    all
}

type Put<'a> = &'a mut dyn FnMut(&str, Filling);

fn names(settings: &PodSettings, role: PodRole, pair: usize, nodes: &PairNodes, put: Put<'_>) {
    let node = match role {
        PodRole::Tx => &nodes.tx,
        PodRole::Rx => &nodes.rx,
    };
    put("pod-name", Ok(pod_name(role, pair)));
    put("pod-role", Ok(role.to_string()));
    put("pair", Ok(pair.to_string()));
    put("namespace", Ok(settings.namespace.clone()));
    let unpinned = "the pods are not pinned to nodes: give --tx-node and --rx-node, or take the affinity out";
    put("node-name", node.clone().ok_or(unpinned));
    put("image", Ok(settings.image.clone()));
    put("image-pull-policy", Ok(settings.pull_policy.to_owned()));
    put("device", Ok(settings.device(role, pair)));
    // Nobody knows them before the pods are there; agents find out by themselves.
    for name in ["src-mac", "dst-mac", "src-pci", "dst-pci"] {
        put(name, Ok(String::new()));
    }
    let kubeconfig =
        "nothing in a pod needs a kubeconfig: take the mount out, or give --set kubeconfig-path=PATH";
    put("kubeconfig-path", Err(kubeconfig));
}

fn amounts(settings: &PodSettings, put: Put<'_>) {
    for name in ["cpu", "cpu-request", "cpu-limit"] {
        put(name, Ok(settings.cpu.to_string()));
    }
    put("memory", Ok(settings.memory.to_string()));
    let gib = settings.memory.whole_gib().map(|n| n.to_string());
    let gib = gib.ok_or("-m is no whole number of GiB: write {{memory}} in place of this and its Gi");
    put("memory-request", gib.clone());
    put("memory-limit", gib);
    let pages = match &settings.hugepages {
        None => Ok("0".to_owned()),
        Some(pages) if pages.size == PageSize::Mi2 => {
            Err("--hugepage-size is 2Mi: write {{hugepages-resource}} in place of the line")
        }
        Some(pages) => pages.amount.whole_gib().map(|n| n.to_string()).ok_or("-g is no whole number of GiB"),
    };
    put("hugepages-limit", pages);
    let resource = settings.resource.as_ref().map(|r| format!("{}: \"{}\"", r.name, r.count));
    put("resource-requests", Ok(resource.clone().unwrap_or_default()));
    put("resource-limits", Ok(resource.unwrap_or_default()));
    let pages = settings.hugepages.as_ref();
    let line = pages.map(|p| format!("{}: {}", p.size.resource(), p.amount));
    put("hugepages-resource", Ok(line.unwrap_or_default()));
}

fn volumes(settings: &PodSettings, role: PodRole, pair: usize, put: Put<'_>) {
    let claim = "--output-volume is empty-dir: take the claim out of the template";
    let (size, class, volume) = match &settings.output {
        OutputVolume::Claim { class, size_gib } => (
            Ok(size_gib.to_string()),
            Ok(class.clone().unwrap_or_default()),
            format!("persistentVolumeClaim: {{claimName: {}}}", manifest::claim_name(role, pair)),
        ),
        OutputVolume::EmptyDir => (Err(claim), Err(claim), "emptyDir: {}".to_owned()),
    };
    put("storage-size", size);
    let line = class.clone().map(|class| labelled("storageClassName", &class));
    put("storage-class-name", line);
    put("storage-class", class);
    put("output-volume", Ok(volume));
    let fragment = |list: &[serde_json::Value], name: &str| {
        let found = list.iter().find(|item| item["name"] == name);
        Ok(found.map(|item| format!("- {item}")).unwrap_or_default())
    };
    let (mounts, volumes) =
        (values(&manifest::mounts(settings)), values(&manifest::volumes(settings, role, pair)));
    put("hugepages-mount", fragment(&mounts, "hugepage"));
    put("hugepages-volume", fragment(&volumes, "hugepage"));
    put("memif-mount", fragment(&mounts, "memif"));
    put("memif-volume", fragment(&volumes, "memif"));
}

fn fragments(settings: &PodSettings, role: PodRole, _pair: usize, put: Put<'_>) {
    put("networks", Ok(labelled(manifest::NETWORKS, &settings.networks.join(","))));
    put("security-context", Ok(flow(&manifest::security_context(settings, role))));
    put("pod-security-context", Ok(flow(&manifest::pod_security_context(settings))));
    put("node-selector", Ok(flow(&manifest::node_selector(settings))));
    put(
        "service-account",
        Ok(labelled("serviceAccountName", settings.service_account.as_deref().unwrap_or_default())),
    );
    let arguments =
        manifest::metrics_arguments(settings).into_iter().map(|word| format!(", {}", flow(&word)));
    put("metrics-arguments", Ok(arguments.collect()));
    let ports = manifest::metrics_ports(settings).map(|ports| format!("ports: {}", flow(&ports)));
    put("metrics-ports", Ok(ports.unwrap_or_default()));
    let tolerations = &settings.tolerations;
    let line = (!tolerations.is_empty()).then(|| format!("tolerations: {}", flow(tolerations)));
    put("tolerations", Ok(line.unwrap_or_default()));
}

/// `key: "text"`, or nothing when there is no text.
fn labelled(key: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{key}: {}", flow(text)) }
}

/// JSON, which is YAML on one line.
fn flow<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn values<T: Serialize>(items: &[T]) -> Vec<serde_json::Value> {
    items.iter().filter_map(|item| serde_json::to_value(item).ok()).collect()
}
