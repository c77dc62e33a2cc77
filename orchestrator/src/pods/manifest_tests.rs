use k8s_openapi::api::rbac::v1::{ClusterRole, Role};
use serde_json::Value;

use super::*;
use crate::pods::fixtures::{on, settings};
use crate::pods::objects::{built_in, yaml};
use crate::pods::quantity::PageSize;
use crate::pods::rbac::{Grant, manifests};
use crate::pods::settings::{DeviceResource, Hugepages};

/// Both ends of a pair as files have them.
fn pair(settings: &PodSettings, nodes: &PairNodes) -> String {
    let end = |role| yaml(&built_in(settings, role, 1, nodes).unwrap()).unwrap();
    end(PodRole::Tx) + &end(PodRole::Rx)
}

/// Every manifest of this file's snapshots.
fn all() -> Vec<(&'static str, String)> {
    let made = |change: fn(&mut PodSettings), nodes: PairNodes| {
        let mut settings = settings();
        change(&mut settings);
        pair(&settings, &nodes)
    };
    let two = || on("node-a", "node-b");
    vec![
        ("default", made(|_| {}, PairNodes::default())),
        ("two_nodes", made(|_| {}, two())),
        ("same_node", made(|_| {}, on("node-a", "node-a"))),
        (
            "iface",
            made(
                |s| {
                    s.tx_device = "iface:eth0".parse().unwrap();
                    s.rx_device = "xdp:net1".parse().unwrap();
                    s.resource = None;
                },
                two(),
            ),
        ),
        (
            "sriov",
            made(
                |s| {
                    s.resource = Some(DeviceResource { name: "intel.com/sriov".into(), count: 2 });
                    s.hugepages = Some(Hugepages { amount: "512Mi".parse().unwrap(), size: PageSize::Mi2 });
                },
                two(),
            ),
        ),
        ("privileged", made(|s| s.privileged = true, two())),
        ("metrics", made(|s| s.metrics_port = Some(9480), two())),
        ("empty_dir", made(|s| s.output = OutputVolume::EmptyDir, two())),
        ("networks", made(|s| s.networks = vec!["sriov-a".into(), "other/sriov-b".into()], two())),
        (
            "memif_dir",
            made(
                |s| {
                    s.memif_dir = Some("/run/bench".into());
                    s.resource = None;
                },
                on("node-a", "node-a"),
            ),
        ),
        (
            "tolerations",
            made(
                |s| {
                    let read = |text| crate::cli::pods_values::toleration(text).unwrap();
                    s.tolerations = vec![read("dedicated=dpdk:NoSchedule"), read("nic")];
                    s.node_selector = [("nic".to_owned(), "x710".to_owned())].into();
                },
                two(),
            ),
        ),
        (
            "nothing_needed",
            made(
                |s| {
                    s.tx_device = "vdev:net_null0".parse().unwrap();
                    s.rx_device = "vdev:net_null0".parse().unwrap();
                    (s.resource, s.hugepages, s.output) = (None, None, OutputVolume::EmptyDir);
                },
                PairNodes::default(),
            ),
        ),
    ]
}

#[test]
fn manifests_are_as_they_were() {
    for (name, text) in all() {
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn rights_are_as_they_were() {
    let grant = |kubelet_config| Grant {
        namespace: "bench".to_owned(),
        service_account: "runner".to_owned(),
        kubelet_config,
    };
    insta::assert_snapshot!("rbac", manifests(&grant(false)).unwrap());
    let more = manifests(&grant(true)).unwrap();
    assert!(more.contains("nodes/proxy") && !manifests(&grant(false)).unwrap().contains("nodes/proxy"));
}

/// The JSON schema of a kind, from Kubernetes' own OpenAPI document.
fn validator<K: schemars::JsonSchema>() -> jsonschema::Validator {
    let schema = serde_json::to_value(schemars::schema_for!(K)).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// What a typed reader loses is what Kubernetes does not know.
fn round<K: serde::de::DeserializeOwned + serde::Serialize>(value: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<K>(value.clone()).unwrap()).unwrap()
}

#[test]
fn every_manifest_is_what_kubernetes_openapi_schema_says() {
    let (pod, claim) = (validator::<Pod>(), validator::<PersistentVolumeClaim>());
    let (role, cluster_role) = (validator::<Role>(), validator::<ClusterRole>());
    let grant = Grant { namespace: "n".to_owned(), service_account: "a".to_owned(), kubelet_config: true };
    let mut texts: Vec<String> = all().into_iter().map(|(_, text)| text).collect();
    texts.push(manifests(&grant).unwrap());
    let mut seen = 0;
    for text in texts {
        for value in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            let (validator, round) = match value["kind"].as_str().unwrap() {
                "Pod" => (&pod, round::<Pod>(&value)),
                "PersistentVolumeClaim" => (&claim, round::<PersistentVolumeClaim>(&value)),
                "Role" => (&role, round::<Role>(&value)),
                "ClusterRole" => (&cluster_role, round::<ClusterRole>(&value)),
                _ => continue,
            };
            let faults: Vec<String> = validator
                .iter_errors(&value)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{faults:?}\n{text}");
            assert_eq!(round, value);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_schema_would_say_so() {
    let mut value =
        built_in(&settings(), PodRole::Tx, 0, &PairNodes::default()).unwrap().pop().unwrap().value;
    value["spec"]["containers"][0]["image"] = serde_json::json!(5);
    assert!(!validator::<Pod>().is_valid(&value));
    value["spec"]["containers"][0]["image"] = serde_json::json!("x");
    value["spec"]["contaners"] = serde_json::json!([]);
    assert_ne!(round::<Pod>(&value), value);
}

/// Pod Security Standards, level restricted: <https://kubernetes.io/docs/concepts/security/pod-security-standards/>.
#[test]
fn pods_are_restricted_but_for_the_capabilities_that_their_device_needs() {
    let stated = ["IPC_LOCK", "SYS_NICE", "NET_RAW", "NET_ADMIN", "BPF"];
    for (name, text) in all().into_iter().filter(|(name, _)| !matches!(*name, "privileged" | "memif_dir")) {
        let count = |words: &str| text.matches(words).count();
        assert_eq!(count("type: RuntimeDefault"), 2, "{name}: seccomp");
        assert_eq!(
            [count("hostPort"), count("procMount"), count("seLinuxOptions"), count("sysctls")],
            [0; 4],
            "{name}"
        );
        let added = text.split("        add:\n").skip(1).flat_map(|rest| {
            rest.lines().map_while(|line| line.strip_prefix("        - ")).collect::<Vec<_>>()
        });
        let added: std::collections::BTreeSet<&str> = added.collect();
        assert!(added.iter().all(|capability| stated.contains(capability)), "{name}: {added:?}");
        // Root only where a capability asks for it.
        let non_root = count("runAsNonRoot: true");
        assert_eq!(non_root, if added.is_empty() { 2 } else { 0 }, "{name}: {added:?}");
        assert_eq!(added.is_empty(), name == "nothing_needed", "{name}: {added:?}");
    }
}

#[test]
fn unprivileged_pods_reach_nothing_of_their_node() {
    for (name, text) in all().into_iter().filter(|(name, _)| !matches!(*name, "privileged" | "memif_dir")) {
        for word in ["hostPath", "hostNetwork", "hostPID", "privileged", "kubeconfig", "SYS_ADMIN"] {
            assert!(!text.contains(word), "{name}: {word}");
        }
        assert_eq!(text.matches("automountServiceAccountToken: false").count(), 2, "{name}");
        assert_eq!(text.matches("allowPrivilegeEscalation: false").count(), 2, "{name}");
        assert_eq!(text.matches("- ALL").count(), 2, "{name}");
    }
}

/// The variable is what `dataplane` reads, for both ends; without the option no pod has any.
#[test]
fn without_an_iommu_nothing_is_used_unless_the_pods_were_made_so() {
    let allowed = PodSettings { privileged: true, allow_no_iommu: true, ..settings() };
    let made = pair(&allowed, &PairNodes::default());
    assert_eq!(made.matches("DPDK_BENCH_ALLOW_NO_IOMMU").count(), 2, "{made}");
    let privileged = PodSettings { allow_no_iommu: false, ..allowed };
    assert!(!pair(&privileged, &PairNodes::default()).contains("NO_IOMMU"));
}
