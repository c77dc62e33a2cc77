//! The stand-in for a cluster misbehaves as it is told.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use support::api::{LIMIT, apply, client, get_over, manifest, pod, pods, refusal};
use support::cluster::FakeCluster;
use tokio::time::timeout;

#[tokio::test]
async fn watches_are_dropped_and_told_that_they_are_too_old() {
    let fake = FakeCluster::start("--pairs 2");
    let api = pods(&fake);
    fake.fault(&json!({"fault": "watch-drop", "after_events": 3, "times": 1}));
    let params = WatchParams::default().timeout(1);
    let count = async || api.watch(&params, "0").await.unwrap().try_collect::<Vec<_>>().await.unwrap().len();
    assert_eq!((count().await, count().await), (3, 4));
    let version = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let gone = async || {
        let mut watch = Box::pin(api.watch(&params, &version).await.unwrap());
        match watch.next().await {
            Some(Ok(WatchEvent::Error(status))) => Some(status.code),
            _ => None,
        }
    };
    assert_eq!(gone().await, None);
    fake.fault(&json!({"fault": "watch-gone", "times": 1}));
    assert_eq!((gone().await, gone().await), (Some(410), None));
    fake.fault(&json!({"fault": "compact"}));
    assert_eq!(gone().await, Some(410));
}

#[tokio::test]
async fn requests_are_refused_as_a_real_server_refuses_them() {
    let fake = FakeCluster::start("--pairs 1 --fault too-many@retry_after_s=2,times=1,verb=list");
    let api = pods(&fake);
    let list = async || api.list(&ListParams::default()).await;
    assert_eq!(refusal(list().await).1, "TooManyRequests");
    list().await.unwrap();
    fake.fault(&json!([
        {"fault": "server-error", "verb": "get", "times": 2},
        {"fault": "forbid", "verb": "list", "resource": "pods"},
        {"fault": "forbid", "verb": "create", "resource": "pods/portforward"},
    ]));
    assert_eq!(refusal(api.get("tx0").await).0, 500);
    assert_eq!(refusal(api.get("tx0").await).1, "InternalError");
    api.get("tx0").await.unwrap();
    let said = "pods is forbidden: User \"fake-user\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"";
    assert_eq!(refusal(list().await).2, said);
    let (code, _, message) = refusal(api.portforward("tx0", &[8480]).await.map(|_| ()));
    assert_eq!(code, 403);
    assert!(
        message.contains("pods \"tx0\" is forbidden") && message.contains("\"pods/portforward\""),
        "{message}"
    );
    fake.clear_faults();
    fake.fault(&json!({"fault": "apply-conflict", "times": 1}));
    let conflict = refusal(apply(&api, "me", &manifest("tx7", &json!({}))).await);
    assert!(conflict.2.starts_with("Apply failed with 1 conflict: conflict with \"kubectl-"), "{conflict:?}");
    assert!(fake.faults().is_empty());
    let refused: Vec<_> = fake.log().iter().map(|seen| seen["status"].as_u64().unwrap()).collect();
    assert_eq!(refused, [429, 200, 500, 500, 200, 403, 403, 409]);
    assert_eq!(fake.asked("list", "pods").len(), 3);
}

#[tokio::test]
async fn streams_are_cut_and_stalled() {
    let fake = FakeCluster::start("--pairs 1");
    let api = pods(&fake);
    fake.fault(&json!({"fault": "forward-cut", "pod": "tx0", "after_bytes": 40, "times": 1}));
    assert!(get_over(&api, "tx0", "/healthz").await.is_err());
    get_over(&api, "tx0", "/healthz").await.unwrap();
    fake.fault(&json!({"fault": "forward-cut", "after_ms": 50, "times": 1}));
    let mut forward = api.portforward("tx0", &[8480]).await.unwrap();
    let mut stream = forward.take_stream(8480).unwrap();
    let mut nothing = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut nothing);
    assert_eq!(timeout(LIMIT, read).await.unwrap().unwrap(), 0);
    fake.fault(&json!({"fault": "forward-stall", "after_bytes": 0, "times": 1}));
    assert!(timeout(Duration::from_millis(300), get_over(&api, "tx0", "/healthz")).await.is_err());
    get_over(&api, "tx0", "/healthz").await.unwrap();
}

#[tokio::test]
async fn a_lost_node_holds_its_streams_and_takes_no_new_ones() {
    let fake = FakeCluster::start("--pairs 1 --nodes 1");
    let api = pods(&fake);
    let mut forward = api.portforward("tx0", &[8480]).await.unwrap();
    let mut stream = forward.take_stream(8480).unwrap();
    get_over(&api, "tx0", "/healthz").await.unwrap();
    fake.fault(&json!({"fault": "node-lost", "node": "node-0"}));
    let mut nothing = Vec::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut read = Box::pin(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut nothing));
    assert!(timeout(Duration::from_millis(300), &mut read).await.is_err());
    let (code, _, message) = refusal(api.portforward("tx0", &[8480]).await.map(|_| ()));
    assert!(code == 500 && message.contains("error dialing backend"), "{message}");
    let ready =
        |fake: &FakeCluster| fake.object("Node", "node-0").unwrap()["status"]["conditions"][3].clone();
    assert_eq!((&ready(&fake)["type"], &ready(&fake)["status"]), (&"Ready".into(), &"Unknown".into()));
    fake.fault(&json!({"fault": "node-back", "node": "node-0"}));
    assert_eq!(timeout(LIMIT, read).await.unwrap().unwrap(), 0);
    get_over(&api, "tx0", "/healthz").await.unwrap();
    assert_eq!(ready(&fake)["status"], "True");
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends() {
    let fake = FakeCluster::start("--pairs 1");
    let api = pods(&fake);
    let mut watch = Box::pin(api.watch(&WatchParams::default(), "0").await.unwrap());
    assert!(watch.next().await.unwrap().is_ok() && watch.next().await.unwrap().is_ok());
    fake.fault(&json!({"fault": "stop", "ms": 300}));
    let cut = timeout(LIMIT, watch.next()).await.unwrap();
    assert!(!matches!(cut, Some(Ok(_))), "{cut:?}");
    let error = api.get("tx0").await.unwrap_err().to_string();
    assert!(!error.is_empty());
    let end = tokio::time::Instant::now() + LIMIT;
    while api.get("tx0").await.is_err() {
        assert!(tokio::time::Instant::now() < end, "it never came back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn pods_are_evicted_deleted_restarted_and_never_ready() {
    let fake = FakeCluster::start("--pairs 2 --fault never-ready@pod=tx7");
    let api = pods(&fake);
    fake.fault(&json!([
        {"fault": "evict", "pod": "tx0"},
        {"fault": "delete", "pod": "rx0", "after_ms": 20},
        {"fault": "restart", "pod": "tx1"},
    ]));
    fake.wait_until("an eviction", |f| f.object("Pod", "tx0").unwrap()["status"]["reason"] == "Evicted");
    fake.wait_until("a deletion", |f| f.object("Pod", "rx0").is_none());
    fake.wait_until("a restart", |f| {
        let status = &f.object("Pod", "tx1").unwrap()["status"]["containerStatuses"][0];
        status["restartCount"] == 1 && status["ready"] == true
    });
    get_over(&api, "tx1", "/healthz").await.unwrap();
    assert!(get_over(&api, "tx0", "/healthz").await.is_err());
    api.create(&PostParams::default(), &pod("tx7", &json!({}))).await.unwrap();
    fake.wait_until("tx7 to run", |f| f.object("Pod", "tx7").unwrap()["status"]["phase"] == "Running");
    let ready = &fake.object("Pod", "tx7").unwrap()["status"]["containerStatuses"][0]["ready"];
    assert_eq!(ready, false);
}

#[tokio::test]
async fn rights_are_reviewed() {
    let fake = FakeCluster::start("--fault forbid@verb=create,resource=pods/portforward");
    let review = async |resource: &str| {
        let (main, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let body = json!({"spec": {"resourceAttributes":
            {"verb": "create", "resource": main, "subresource": sub, "namespace": "default"}}});
        let request = hyper::Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        let request = request.body(body.to_string().into_bytes()).unwrap();
        client(&fake).request::<Value>(request).await.unwrap()["status"]["allowed"].clone()
    };
    assert_eq!((review("pods").await, review("pods/portforward").await), (true.into(), false.into()));
}
