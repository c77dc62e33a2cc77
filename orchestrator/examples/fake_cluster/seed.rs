//! What is there from the start.

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::state::Fake;
use crate::{kubelet, nodes, pod_agent, pods};

pub fn all(fake: &Fake) {
    let args = &fake.args;
    nodes::seed(args, &mut fake.store());
    let mut namespaces = vec!["default".to_owned(), "kube-system".to_owned(), args.home.clone()];
    namespaces.extend(args.namespace.iter().cloned());
    for name in namespaces {
        let namespace = json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
        });
        add(fake, Kind::Namespace, namespace);
    }
    for pair in 0..args.pairs {
        // As `pods create` places them: the receiver on the next node.
        seed_pod(fake, &pair_pod(fake, "tx", pair), pair);
        seed_pod(fake, &pair_pod(fake, "rx", pair), pair + 1);
    }
    if args.foreign {
        foreign(fake);
    }
}

fn add(fake: &Fake, kind: Kind, mut object: Value) -> Value {
    let mut store = fake.store();
    store.dress(kind, &mut object);
    (*store.put(kind, object)).clone()
}

fn pair_pod(fake: &Fake, role: &str, pair: usize) -> Value {
    let args = &fake.args;
    let name = format!("{role}{pair}");
    let resources = json!({"cpu": args.pod_cpus.to_string(), "memory": "2Gi", "hugepages-1Gi": "2Gi", "intel.com/dpdk": "1"});
    let mut annotations = json!({"pod-type": role});
    if let Some(device) = &args.device {
        annotations["dpdk-k8s-bench/device"] = device.as_str().into();
    }
    json!({
        "metadata": {"name": name, "namespace": args.home, "annotations": annotations, "labels": {
            "app.kubernetes.io/managed-by": "dpdk-k8s-bench",
            "app.kubernetes.io/name": "dpdk-k8s-bench",
            "app.kubernetes.io/component": role,
            "dpdk-k8s-bench/pair": pair.to_string(),
            "role": role, "environment": "dpdk.tester", "app": "mus.toolkit",
        }},
        "spec": {"containers": [{
            "name": name, "image": "dpdk-k8s-bench/dataplane:dev",
            "command": ["dataplane", "agent", "--state-dir", "/output/agent"],
            "resources": {"requests": resources.clone(), "limits": resources},
        }]},
    })
}

fn foreign_pod(fake: &Fake, name: &str, labels: &Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": fake.args.home, "labels": labels},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}],
                 "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "somebodys-data"}}]},
    })
}

/// Of somebody else, one of them with what the old tools selected by.
fn foreign(fake: &Fake) {
    for name in ["somebodys-data", "output-pvc-tx9"] {
        let mut claim = json!({
            "metadata": {"name": name, "namespace": fake.args.home},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        });
        pods::with_defaults(Kind::Claim, &mut claim);
        pods::provision(fake, &add(fake, Kind::Claim, claim));
    }
    seed_pod(fake, &foreign_pod(fake, "web-0", &json!({"app": "web"})), 0);
    let theirs = json!({"role": "tx", "environment": "dpdk.tester", "app.kubernetes.io/managed-by": "Helm"});
    seed_pod(fake, &foreign_pod(fake, "tx9", &theirs), 1);
}

/// A pod that is ready already.
fn seed_pod(fake: &Fake, manifest: &Value, number: usize) {
    let mut pod = manifest.clone();
    pods::with_defaults(Kind::Pod, &mut pod);
    pod["spec"]["nodeName"] = format!("node-{}", number % fake.args.nodes.max(1)).into();
    let mut store = fake.store();
    store.dress(Kind::Pod, &mut pod);
    kubelet::run(&mut store, &mut pod);
    kubelet::scheduled(&mut pod);
    let never = fake.faults.is_never_ready(pod["metadata"]["name"].as_str().unwrap());
    kubelet::set_ready(&mut pod, !never);
    let pod = store.put(Kind::Pod, pod);
    drop(store);
    pod_agent::start(fake, &pod);
}
