//! The stand-in for a cluster behaves as one, seen through the client that the program uses.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use futures_util::TryStreamExt;
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolumeClaim, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::wait::Condition;
use kube::runtime::{WatchStreamExt, wait, watcher};
use kube::{Api, Error};
use serde_json::{Value, json};
use support::api::{LIMIT, OURS, apply, client, get_over, manifest, pod, pods, refusal};
use support::cluster::FakeCluster;
use tokio::time::timeout;

#[tokio::test]
async fn nodes_and_pairs_are_there_from_the_start() {
    let fake = FakeCluster::start("--nodes 2 --control-plane --pairs 3 --foreign --device iface:eth0");
    let nodes = Api::<Node>::all(client(&fake)).list(&ListParams::default()).await.unwrap();
    let names: Vec<_> = nodes.items.iter().map(|n| n.metadata.name.clone().unwrap()).collect();
    assert_eq!(names, ["control-plane-0", "node-0", "node-1"]);
    let allocatable = nodes.items[1].status.as_ref().unwrap().allocatable.as_ref().unwrap();
    assert_eq!(allocatable["hugepages-1Gi"].0, "64Gi");
    let ours = pods(&fake).list(&ListParams::default().labels(OURS)).await.unwrap();
    assert_eq!(ours.items.len(), 6);
    let rx2 = pods(&fake).get("rx2").await.unwrap();
    assert_eq!(rx2.metadata.labels.as_ref().unwrap()["dpdk-k8s-bench/pair"], "2");
    assert_eq!(rx2.metadata.annotations.as_ref().unwrap()["dpdk-k8s-bench/device"], "iface:eth0");
    assert_eq!(rx2.spec.as_ref().unwrap().node_name.as_deref(), Some("node-1"));
    assert!(wait::conditions::is_pod_running().matches_object(Some(&rx2)));
    let all = pods(&fake).list(&ListParams::default()).await.unwrap();
    assert_eq!(all.items.len(), 8);
    let version = client(&fake).apiserver_version().await.unwrap();
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "33"));
    let configz = hyper::Request::get("/api/v1/nodes/node-0/proxy/configz").body(Vec::new()).unwrap();
    let said: Value = client(&fake).request(configz).await.unwrap();
    assert_eq!(said["kubeletconfig"]["cpuManagerPolicy"], "static");
}

#[tokio::test]
async fn lists_come_in_pages_and_by_selector() {
    let fake = FakeCluster::start("--pairs 4");
    let api = pods(&fake);
    let mut names = Vec::new();
    let mut params = ListParams::default().labels("role in (tx,rx),dpdk-k8s-bench/pair!=3").limit(4);
    loop {
        let page = api.list(&params).await.unwrap();
        names.extend(page.items.iter().map(|p| p.metadata.name.clone().unwrap()));
        match page.metadata.continue_ {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!(names, ["rx0", "rx1", "rx2", "tx0", "tx1", "tx2"]);
    let one = api.list(&ListParams::default().fields("metadata.name=tx1")).await.unwrap();
    assert_eq!(one.items.len(), 1);
    let (code, reason, _) = refusal(api.list(&ListParams::default().fields("spec.color=red")).await);
    assert_eq!((code, reason.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn a_created_pod_becomes_ready_and_a_watch_tells_all_of_it() {
    let fake = FakeCluster::start("");
    let api = pods(&fake);
    let mut events = Box::pin(watcher(api.clone(), watcher::Config::default().labels(OURS)));
    // What is there is known, so that all that comes is told.
    while !matches!(timeout(LIMIT, events.try_next()).await.unwrap().unwrap(), Some(watcher::Event::InitDone))
    {
    }
    let mut events = events.applied_objects();
    let made = apply(&api, "me", &manifest("tx0", &json!({"cpu": "2", "memory": "1Gi"}))).await.unwrap();
    assert_eq!(made.status.as_ref().unwrap().phase.as_deref(), Some("Pending"));
    assert_eq!(made.status.as_ref().unwrap().qos_class.as_deref(), Some("Guaranteed"));
    let mut phases = Vec::new();
    loop {
        let pod = timeout(LIMIT, events.try_next()).await.unwrap().unwrap().unwrap();
        phases.push(pod.status.as_ref().unwrap().phase.clone().unwrap());
        let conditions = pod.status.unwrap().conditions.unwrap_or_default();
        if conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True") {
            break;
        }
    }
    assert_eq!((phases.first().unwrap().as_str(), phases.last().unwrap().as_str()), ("Pending", "Running"));
    assert!(api.logs("tx0", &kube::api::LogParams::default()).await.unwrap().contains("agent of tx0"));
    let about = ListParams::default().fields("involvedObject.name=tx0,involvedObject.kind=Pod");
    let told = Api::<Event>::namespaced(client(&fake), "default").list(&about).await.unwrap();
    let reasons: Vec<_> = told.items.iter().map(|e| e.reason.clone().unwrap()).collect();
    assert_eq!(reasons, ["Scheduled", "Pulled", "Created", "Started"]);
    api.delete("tx0", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(apply_again(&api).await).1, "AlreadyExists");
    timeout(
        LIMIT,
        wait::await_condition(api.clone(), "tx0", wait::conditions::is_deleted(&made.metadata.uid.unwrap())),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(refusal(api.get("tx0").await), (404, "NotFound".into(), "pods \"tx0\" not found".into()));
    assert_eq!(refusal(api.delete("tx0", &DeleteParams::default()).await).0, 404);
}

/// Creates what is still going.
async fn apply_again(api: &Api<Pod>) -> Result<Pod, Error> {
    api.create(&PostParams::default(), &pod("tx0", &json!({}))).await
}

#[tokio::test]
async fn what_does_not_fit_is_said_as_the_scheduler_says_it() {
    let fake = FakeCluster::start("--nodes 2 --control-plane --hugepages-1gi 4");
    let api = pods(&fake);
    let greedy = json!({"cpu": "1", "memory": "1Gi", "hugepages-1Gi": "5Gi"});
    api.create(&PostParams::default(), &pod("greedy", &greedy)).await.unwrap();
    fake.wait_until("a verdict on greedy", |f| {
        f.object("Pod", "greedy").unwrap()["status"]["conditions"][0]["reason"] == "Unschedulable"
    });
    let said = "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, \
                2 Insufficient hugepages-1Gi. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    assert_eq!(fake.object("Pod", "greedy").unwrap()["status"]["conditions"][0]["message"], said);
    let missing =
        json!({"metadata": {"name": "m"}, "spec": {"containers": [{"name": "m", "image": "missing:1"}]}});
    api.create(&PostParams::default(), &serde_json::from_value(missing).unwrap()).await.unwrap();
    fake.wait_until("the missing image", |f| {
        let state = &f.object("Pod", "m").unwrap()["status"]["containerStatuses"][0]["state"];
        state["waiting"]["reason"] == "ImagePullBackOff"
    });
    // Room is made for one that waits.
    let four = json!({"cpu": "1", "hugepages-1Gi": "4Gi"});
    for name in ["a", "b", "c"] {
        api.create(&PostParams::default(), &pod(name, &four)).await.unwrap();
    }
    let is_placed =
        |f: &FakeCluster, name: &str| f.object("Pod", name).unwrap()["spec"]["nodeName"].is_string();
    fake.wait_until("two to be placed", |f| is_placed(f, "a") && is_placed(f, "b"));
    assert!(!is_placed(&fake, "c"));
    api.delete("a", &DeleteParams::default()).await.unwrap();
    fake.wait_until("room for the third", |f| is_placed(f, "c"));
}

#[tokio::test]
async fn server_side_apply_merges_dries_and_conflicts() {
    let fake = FakeCluster::start("");
    let api = pods(&fake);
    let first = manifest("tx0", &json!({"cpu": "1"}));
    let dry = PatchParams::apply("me").dry_run();
    api.patch("tx0", &dry, &Patch::Apply(&first)).await.unwrap();
    assert_eq!(refusal(api.get("tx0").await).0, 404);
    apply(&api, "me", &first).await.unwrap();
    let mut other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tx0", "labels":
        {"app.kubernetes.io/managed-by": "them", "more": "1"}}});
    let (code, reason, message) = refusal(apply(&api, "them", &other).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(
        message,
        "Apply failed with 1 conflict: conflict with \"me\": .metadata.labels.app.kubernetes.io/managed-by"
    );
    other["metadata"]["labels"] = json!({"more": "1"});
    let merged = apply(&api, "them", &other).await.unwrap();
    assert_eq!(merged.metadata.labels.unwrap().len(), 2);
    let again = apply(&api, "me", &first).await.unwrap();
    let after = apply(&api, "me", &first).await.unwrap();
    assert_eq!(again.metadata.resource_version.is_some(), after.metadata.resource_version.is_some());
    let changed = manifest("tx0", &json!({"cpu": "2"}));
    let (code, reason, message) = refusal(apply(&api, "me", &changed).await);
    assert_eq!((code, reason.as_str()), (422, "Invalid"));
    assert!(
        message.starts_with("Pod \"tx0\" is invalid: spec: Forbidden: pod updates may not change"),
        "{message}"
    );
    let label = Patch::Merge(json!({"metadata": {"labels": {"more": null}}}));
    let merged = api.patch("tx0", &PatchParams::default(), &label).await.unwrap();
    assert_eq!(merged.metadata.labels.unwrap().len(), 1);
    let nowhere: Api<Pod> = Api::namespaced(client(&fake), "nowhere");
    assert_eq!(refusal(apply(&nowhere, "me", &first).await).2, "namespaces \"nowhere\" not found");
    let bad = manifest("bad", &json!({"hugepages-2Mi": "64Mi"}));
    assert!(refusal(apply(&api, "me", &bad).await).2.contains("HugePages require cpu or memory"));
}

#[tokio::test]
async fn deletion_keeps_to_labels_preconditions_and_claims_in_use() {
    let fake = FakeCluster::start("--pairs 2 --foreign");
    let api = pods(&fake);
    let wrong = Preconditions { uid: Some("other".into()), resource_version: None };
    let params = DeleteParams { preconditions: Some(wrong), ..DeleteParams::default() };
    assert_eq!(refusal(api.delete("tx0", &params).await).1, "Conflict");
    api.delete("tx0", &DeleteParams { dry_run: true, ..DeleteParams::default() }).await.unwrap();
    api.delete_collection(&DeleteParams::default(), &ListParams::default().labels(OURS)).await.unwrap();
    fake.wait_until("ours to be gone", |f| f.names("Pod") == ["tx9", "web-0"]);
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client(&fake), "default");
    claims.delete("somebodys-data", &DeleteParams::default()).await.unwrap();
    assert!(claims.get("somebodys-data").await.unwrap().metadata.deletion_timestamp.is_some());
    for name in ["tx9", "web-0"] {
        api.delete(name, &DeleteParams::default()).await.unwrap();
    }
    fake.wait_until("the claim to follow its pods", |f| {
        f.names("PersistentVolumeClaim") == ["output-pvc-tx9"]
    });
}

#[tokio::test]
async fn claims_are_bound_where_their_class_is_known() {
    let fake = FakeCluster::start("--nodes 1");
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client(&fake), "default");
    let claim = |name: &str, class: &str| -> PersistentVolumeClaim {
        let spec = json!({"storageClassName": class, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}});
        serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap()
    };
    let using = |name: &str| -> Pod {
        let mut pod = manifest(name, &json!({"cpu": "1"}));
        pod["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": name}}]);
        serde_json::from_value(pod).unwrap()
    };
    let api = pods(&fake);
    for (name, class) in [("good", "fast-disks"), ("bad", "slow")] {
        claims.create(&PostParams::default(), &claim(name, class)).await.unwrap();
        api.create(&PostParams::default(), &using(name)).await.unwrap();
    }
    api.create(&PostParams::default(), &using("none")).await.unwrap();
    fake.wait_until("good to run", |f| f.object("Pod", "good").unwrap()["status"]["phase"] == "Running");
    let said = |name: &str| {
        let pod = fake.object("Pod", name).unwrap();
        pod["status"]["conditions"][0]["message"].as_str().unwrap().to_owned()
    };
    assert!(said("bad").contains(": pod has unbound immediate PersistentVolumeClaims. "), "{}", said("bad"));
    assert!(said("none").contains("persistentvolumeclaim \"none\" not found"), "{}", said("none"));
    let about =
        ListParams::default().fields("involvedObject.name=bad,involvedObject.kind=PersistentVolumeClaim");
    let told = Api::<Event>::namespaced(client(&fake), "default").list(&about).await.unwrap();
    assert_eq!(told.items[0].message.as_deref(), Some("storageclass.storage.k8s.io \"slow\" not found"));
}

#[tokio::test]
async fn agents_are_reached_by_port_forward() {
    let fake = FakeCluster::start("--pairs 2 --agent-mode old-version@tx1");
    let api = pods(&fake);
    let health = get_over(&api, "tx0", "/healthz").await.unwrap();
    assert_eq!(health["version"], traffic::wire::VERSION);
    assert_eq!(get_over(&api, "tx1", "/healthz").await.unwrap()["version"], traffic::wire::VERSION - 1);
    let inventory = get_over(&api, "rx1", "/v1/inventory").await.unwrap();
    assert_eq!(inventory["devices"][0]["from_env"], "PCIDEVICE_INTEL_COM_DPDK");
    assert_eq!(inventory["cores"].as_array().unwrap().len(), 4);
    let peer = fake.object("Pod", "rx0").unwrap()["status"]["podIP"].as_str().unwrap().to_owned();
    let hop = get_over(&api, "tx0", &format!("/v1/next-hop?to={peer}")).await.unwrap();
    assert_eq!((hop["via"].as_str(), hop["mac"].as_str()), (Some("10.244.0.1"), Some("02:00:0a:f4:00:01")));
    let mut other = api.portforward("tx0", &[9]).await.unwrap();
    let said = timeout(LIMIT, other.take_error(9).unwrap()).await.unwrap().unwrap();
    assert!(said.contains("127.0.0.1:9: connect: connection refused"), "{said}");
    assert_eq!(refusal(api.portforward("nobody", &[8480]).await.map(|_| ())).0, 404);
}

#[tokio::test]
async fn the_end_of_a_pod_cuts_its_streams() {
    let fake = FakeCluster::start("--pairs 1");
    let api = pods(&fake);
    let mut forward = api.portforward("tx0", &[8480]).await.unwrap();
    let mut stream = forward.take_stream(8480).unwrap();
    api.delete("tx0", &DeleteParams::default()).await.unwrap();
    let mut nothing = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut nothing);
    assert_eq!(timeout(LIMIT, read).await.unwrap().unwrap(), 0);
}
