//! Pods and claims as objects: pure functions of settings and placement. No field is newer than Kubernetes 1.20, since
//! server-side apply of an unknown one fails there.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, ExecAction,
    HostPathVolumeSource, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimVolumeSource, Pod,
    PodSecurityContext, PodSpec, Probe, ResourceRequirements, SeccompProfile, SecurityContext, Volume,
    VolumeMount, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::placement::{HOSTNAME, PairNodes};
use super::settings::{IMAGE_USER, MEMIF_MOUNT, OutputVolume, PodSettings};
use crate::cluster::labels::{DEVICE, POD_TYPE, PodRole, labels, pod_name};

/// Multus reads it.
pub const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";
/// `dataplane`'s own word for it.
const ALLOW_NO_IOMMU: &str = "DPDK_BENCH_ALLOW_NO_IOMMU";
/// The agent says what runs are, and must find them again after it was restarted: on the volume.
const AGENT: [&str; 4] = ["dataplane", "agent", "--state-dir", "/output/agent"];
const CHECK: [&str; 3] = ["dataplane", "agent", "--check"];
/// `--check` itself gives up after 5 s.
const CHECK_LIMIT_S: i32 = 6;

/// The claim of a pod's output, where it has one.
pub fn claim(settings: &PodSettings, role: PodRole, pair: usize) -> Option<PersistentVolumeClaim> {
    let OutputVolume::Claim { class, size_gib } = &settings.output else { return None };
    let storage = BTreeMap::from([("storage".to_owned(), Quantity(format!("{size_gib}Gi")))]);
    let spec = PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        resources: Some(VolumeResourceRequirements { requests: Some(storage), limits: None }),
        storage_class_name: class.clone(),
        ..PersistentVolumeClaimSpec::default()
    };
    let metadata = metadata(settings, claim_name(role, pair), role, pair);
    Some(PersistentVolumeClaim { metadata, spec: Some(spec), status: None })
}

/// `output-pvc-tx0`, as the old template had it.
pub fn claim_name(role: PodRole, pair: usize) -> String {
    format!("output-pvc-{}", pod_name(role, pair))
}

/// One end of a pair.
pub fn pod(settings: &PodSettings, role: PodRole, pair: usize, nodes: &PairNodes) -> Pod {
    let node = match role {
        PodRole::Tx => nodes.tx.as_deref(),
        PodRole::Rx => nodes.rx.as_deref(),
    };
    let mut metadata = metadata(settings, pod_name(role, pair), role, pair);
    metadata.annotations = Some(annotations(settings, role, pair));
    let spec = PodSpec {
        affinity: node.map(affinity),
        // Nothing in the pod talks to the API server.
        automount_service_account_token: Some(false),
        containers: vec![container(settings, role, pair)],
        enable_service_links: Some(false),
        node_selector: Some(node_selector(settings)),
        // An agent that died comes back with its runs, and the restart count tells.
        restart_policy: Some("Always".to_owned()),
        security_context: Some(pod_security_context(settings)),
        service_account_name: settings.service_account.clone(),
        // The agent stops its engine and writes the last samples.
        termination_grace_period_seconds: Some(10),
        tolerations: (!settings.tolerations.is_empty()).then(|| settings.tolerations.clone()),
        volumes: Some(volumes(settings, role, pair)),
        ..PodSpec::default()
    };
    Pod { metadata, spec: Some(spec), status: None }
}

fn metadata(settings: &PodSettings, name: String, role: PodRole, pair: usize) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(settings.namespace.clone()),
        labels: Some(labels(role, pair)),
        ..ObjectMeta::default()
    }
}

fn annotations(settings: &PodSettings, role: PodRole, pair: usize) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        (POD_TYPE.to_owned(), role.to_string()),
        (DEVICE.to_owned(), settings.device(role, pair)),
    ]);
    if !settings.networks.is_empty() {
        all.insert(NETWORKS.to_owned(), settings.networks.join(","));
    }
    all
}

/// The pod runs on a Linux node, and on one that the user selects.
pub fn node_selector(settings: &PodSettings) -> BTreeMap<String, String> {
    let mut labels = settings.node_selector.clone();
    labels.entry("kubernetes.io/os".to_owned()).or_insert_with(|| "linux".to_owned());
    labels
}

fn affinity(hostname: &str) -> Affinity {
    let requirement = NodeSelectorRequirement {
        key: HOSTNAME.to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![hostname.to_owned()]),
    };
    let term = NodeSelectorTerm { match_expressions: Some(vec![requirement]), match_fields: None };
    let required = NodeSelector { node_selector_terms: vec![term] };
    let node_affinity = NodeAffinity {
        required_during_scheduling_ignored_during_execution: Some(required),
        ..NodeAffinity::default()
    };
    Affinity { node_affinity: Some(node_affinity), ..Affinity::default() }
}

fn container(settings: &PodSettings, role: PodRole, pair: usize) -> Container {
    let resources = resources(settings);
    Container {
        name: pod_name(role, pair),
        image: Some(settings.image.clone()),
        image_pull_policy: Some(settings.pull_policy.to_owned()),
        command: Some(AGENT.map(str::to_owned).into_iter().chain(metrics_arguments(settings)).collect()),
        env: environment(settings),
        ports: metrics_ports(settings),
        // Ready as soon as the agent answers. No readiness probe beside it: each run of one takes time on the pod's own
        // CPUs, and a run notices by itself when its agent is gone.
        startup_probe: Some(Probe { failure_threshold: Some(60), period_seconds: Some(1), ..probe() }),
        liveness_probe: Some(Probe { failure_threshold: Some(3), period_seconds: Some(30), ..probe() }),
        // Requests equal to limits are the Guaranteed class, which the static CPU manager pins.
        resources: Some(ResourceRequirements {
            limits: Some(resources.clone()),
            requests: Some(resources),
            claims: None,
        }),
        security_context: Some(security_context(settings, role)),
        volume_mounts: Some(mounts(settings)),
        ..Container::default()
    }
}

/// What the agent refuses unless it is asked for.
fn environment(settings: &PodSettings) -> Option<Vec<EnvVar>> {
    let allowed = EnvVar { name: ALLOW_NO_IOMMU.to_owned(), value: Some("1".to_owned()), value_from: None };
    settings.allow_no_iommu.then(|| vec![allowed])
}

/// What the agent is told beside, where it shows its metrics to the cluster.
pub fn metrics_arguments(settings: &PodSettings) -> Vec<String> {
    let listen = |port| ["--metrics-listen".to_owned(), format!("0.0.0.0:{port}")];
    settings.metrics_port.map(listen).into_iter().flatten().collect()
}

/// The port by its name, as scrapers ask for it.
pub fn metrics_ports(settings: &PodSettings) -> Option<Vec<ContainerPort>> {
    let port = |port: u16| ContainerPort {
        container_port: port.into(),
        name: Some("metrics".to_owned()),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    settings.metrics_port.map(|number| vec![port(number)])
}

fn probe() -> Probe {
    let command = Some(CHECK.map(str::to_owned).to_vec());
    Probe { exec: Some(ExecAction { command }), timeout_seconds: Some(CHECK_LIMIT_S), ..Probe::default() }
}

/// What the container asks for and is limited to.
pub fn resources(settings: &PodSettings) -> BTreeMap<String, Quantity> {
    let mut all = BTreeMap::from([
        ("cpu".to_owned(), Quantity(settings.cpu.to_string())),
        ("memory".to_owned(), Quantity(settings.memory.to_string())),
    ]);
    if let Some(pages) = &settings.hugepages {
        all.insert(pages.size.resource(), Quantity(pages.amount.to_string()));
    }
    if let Some(resource) = &settings.resource {
        all.insert(resource.name.clone(), Quantity(resource.count.to_string()));
    }
    all
}

/// As little as the device needs, unless the user wants it all.
pub fn security_context(settings: &PodSettings, role: PodRole) -> SecurityContext {
    let rights = settings.rights(role);
    if settings.privileged {
        return SecurityContext {
            privileged: Some(true),
            run_as_user: Some(0),
            ..SecurityContext::default()
        };
    }
    let added = rights.capabilities.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            add: (!added.is_empty()).then_some(added),
            drop: Some(vec!["ALL".to_owned()]),
        }),
        run_as_non_root: (rights.user != 0).then_some(true),
        run_as_user: Some(rights.user),
        ..SecurityContext::default()
    }
}

/// Of the pod as a whole.
pub fn pod_security_context(settings: &PodSettings) -> PodSecurityContext {
    let seccomp = SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None };
    PodSecurityContext {
        // Volumes that the image's user may write.
        fs_group: Some(IMAGE_USER),
        seccomp_profile: (!settings.privileged).then_some(seccomp),
        ..PodSecurityContext::default()
    }
}

/// Where the container sees its volumes.
pub fn mounts(settings: &PodSettings) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    };
    let mut all = vec![mount("output", "/output")];
    if settings.hugepages.is_some() {
        all.push(mount("hugepage", "/dev/hugepages"));
    }
    if settings.memif_dir.is_some() {
        // A folder for each namespace, since others may use the node's folder too.
        all.push(VolumeMount { sub_path: Some(settings.namespace.clone()), ..mount("memif", MEMIF_MOUNT) });
    }
    all
}

/// What the pod mounts.
pub fn volumes(settings: &PodSettings, role: PodRole, pair: usize) -> Vec<Volume> {
    let mut all = vec![output_volume(settings, role, pair)];
    if let Some(pages) = &settings.hugepages {
        let source = EmptyDirVolumeSource { medium: Some(pages.size.medium()), size_limit: None };
        all.push(Volume { name: "hugepage".to_owned(), empty_dir: Some(source), ..Volume::default() });
    }
    if let Some(path) = &settings.memif_dir {
        let source = HostPathVolumeSource { path: path.clone(), type_: Some("DirectoryOrCreate".to_owned()) };
        all.push(Volume { name: "memif".to_owned(), host_path: Some(source), ..Volume::default() });
    }
    all
}

fn output_volume(settings: &PodSettings, role: PodRole, pair: usize) -> Volume {
    let name = "output".to_owned();
    match settings.output {
        OutputVolume::Claim { .. } => {
            let claim_name = claim_name(role, pair);
            let source = PersistentVolumeClaimVolumeSource { claim_name, read_only: None };
            Volume { name, persistent_volume_claim: Some(source), ..Volume::default() }
        }
        OutputVolume::EmptyDir => {
            Volume { name, empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
        }
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
