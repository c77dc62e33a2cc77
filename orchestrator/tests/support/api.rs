//! The stand-in for a cluster, seen through the client that the program uses.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Config, Error};
use serde_json::{Value, json};

use super::cluster::FakeCluster;

pub const OURS: &str = "app.kubernetes.io/managed-by=dpdk-k8s-bench";
pub const LIMIT: Duration = Duration::from_secs(20);

/// As the program's: no retries of kube's own.
pub fn client(fake: &FakeCluster) -> Client {
    let mut config = Config::new(format!("http://{}", fake.address).parse().unwrap());
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

pub fn pods(fake: &FakeCluster) -> Api<Pod> {
    Api::namespaced(client(fake), "default")
}

pub fn manifest(name: &str, resources: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "dpdk-k8s-bench"}},
        "spec": {"containers": [{"name": name, "image": "ours:1", "resources": {"limits": resources}}]},
    })
}

pub fn pod(name: &str, resources: &Value) -> Pod {
    serde_json::from_value(manifest(name, resources)).unwrap()
}

pub async fn apply(pods: &Api<Pod>, manager: &str, manifest: &Value) -> Result<Pod, Error> {
    let name = manifest["metadata"]["name"].as_str().unwrap();
    pods.patch(name, &PatchParams::apply(manager), &Patch::Apply(manifest)).await
}

pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (u16, String, String) {
    match answer {
        Err(Error::Api(status)) => (status.code, status.reason.clone(), status.message.clone()),
        other => panic!("no refusal: {other:?}"),
    }
}

/// `GET` over a port-forward.
pub async fn get_over(pods: &Api<Pod>, name: &str, path: &str) -> Result<Value, String> {
    let mut forward = pods.portforward(name, &[8480]).await.map_err(|e| e.to_string())?;
    let stream = forward.take_stream(8480).unwrap();
    let said = |e: hyper::Error| e.to_string();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    let driver = tokio::spawn(connection);
    let request = hyper::Request::get(path).header("host", "agent").body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.map_err(said)?;
    let bytes = answer.into_body().collect().await.map_err(said)?.to_bytes();
    driver.abort();
    Ok(serde_json::from_slice(&bytes).unwrap())
}
