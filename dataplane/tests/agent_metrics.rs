//! `/metrics`, read by Prometheus' own parser; the guide, the dashboard and the scrape examples name what is there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent_support;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agent_support::{TestAgent, settings};
use axum::body::Body;
use hyper::{Method, StatusCode};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Debian's Python first: the package is Debian's. None where it is missing, unless nothing may be skipped.
fn python() -> Option<&'static str> {
    let found = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import prometheus_client.openmetrics.parser"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("BENCH_NO_SKIP").is_none(), "python3-prometheus-client is missing");
        eprintln!("SKIPPED: needs python3 with prometheus_client");
    }
    found
}

/// Standard output of `command` with `text` as its standard input.
fn through(command: &mut Command, text: &str) -> (bool, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (done.status.success(), said)
}

/// The page of an agent with one run that sends and one that is done, and what the parser made of it.
async fn page() -> Option<(String, Value)> {
    let python = python()?;
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(&dir);
    settings.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let agent = TestAgent::start(settings).await;
    agent.client.start("a", "vdev:net_fake0,samples=4").await;
    agent.client.wait("a", "done").await;
    agent.client.start("b", "vdev:net_fake1").await;
    agent.client.samples("b", "from=3&wait_ms=20000").await;
    let open = agent_support::Client { address: agent.metrics.unwrap() };
    let (status, text) = open.raw(Method::GET, "/metrics", &[], Body::empty()).await;
    assert_eq!(status, StatusCode::OK);
    for path in ["/", "/healthz", "/v1/runs", "/v1/runs/a", "/openapi.json", "/v1/inventory", "/metrics/x"] {
        assert_eq!(open.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let (status, _) = open.raw(method, "/metrics", &[], Body::empty()).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
    agent.end().await;
    let (sound, read) = through(Command::new(python).arg(root().join("tests/devices/openmetrics.py")), &text);
    assert!(sound, "{read}\n{text}");
    Some((text, serde_json::from_str(&read).unwrap()))
}

#[tokio::test]
async fn prometheus_own_parser_reads_every_core_queue_and_stream() {
    let Some((text, families)) = page().await else { return };
    let values = |family: &str, labels: &[(&str, &str)]| -> Vec<f64> {
        let all = families[family]["samples"].as_array().unwrap_or_else(|| panic!("no {family}")).iter();
        let fits = |sample: &&Value| labels.iter().all(|(key, value)| sample[1][*key] == **value);
        all.filter(fits).map(|sample| sample[2].as_f64().unwrap()).collect()
    };
    assert_eq!(values("dpdkbench_core_tx_packets", &[("run", "a"), ("worker", "1")]), [30.0]);
    assert_eq!(values("dpdkbench_stream_received_packets", &[("run", "a"), ("stream", "1")]), [15.0]);
    assert_eq!(values("dpdkbench_stream_lost_packets", &[("run", "a"), ("stream", "1")]), [1.0]);
    assert_eq!(values("dpdkbench_stream_tx_packets", &[("run", "a"), ("stream", "1")]), [12.0]);
    let quoted = [("run", "a"), ("name", "a \"quoted\" \\ name")];
    assert_eq!(values("dpdkbench_port_driver_statistic", &quoted), [1.0]);
    let quantile = [("run", "a"), ("quantile", "0.99")];
    assert_eq!(values("dpdkbench_latency_seconds", &quantile), [4e-7]);
    assert_eq!(families["dpdkbench_latency_seconds"]["unit"], "seconds");
    // The parser would see what is wrong.
    let python = python().unwrap();
    let broken =
        [text.replace("# EOF\n", ""), text.replace(" counter\n", " gauge\n"), text.replace("\\\"", "\"")];
    for text in broken {
        let (sound, _) =
            through(Command::new(python).arg(root().join("tests/devices/openmetrics.py")), &text);
        assert!(!sound);
    }
    if Command::new("promtool").arg("--version").output().is_ok() {
        let (_, said) = through(Command::new("promtool").args(["check", "metrics"]), &text);
        assert!(!said.contains("error"), "{said}");
    }
}

/// Every word of `text` that begins as our metrics do, without what only samples end with.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("dpdkbench_") && *word != "dpdkbench_");
    ours.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_guide_and_the_dashboard_name_what_is_there() {
    let Some((_, families)) = page().await else { return };
    let families = families.as_object().unwrap();
    let there: BTreeSet<String> = families.keys().cloned().collect();
    let samples: BTreeSet<String> = families
        .values()
        .flat_map(|family| family["samples"].as_array().unwrap())
        .map(|sample| sample[0].as_str().unwrap().to_owned())
        .collect();
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let guide = named(&read("docs/metrics.md"));
    let unknown: Vec<_> = guide.difference(&there).filter(|name| !samples.contains(*name)).collect();
    assert!(unknown.is_empty(), "docs/metrics.md tells of {unknown:?}");
    let untold: Vec<_> = there.difference(&guide).collect();
    assert!(untold.is_empty(), "docs/metrics.md does not tell of {untold:?}");
    let dashboard: Value = serde_json::from_str(&read("docs/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 6);
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && panel["fieldConfig"]["defaults"]["unit"].is_string(), "{panel}");
        for target in targets {
            let used = named(target["expr"].as_str().unwrap());
            assert!(!used.is_empty() && used.is_subset(&samples), "{} of {}", target["expr"], panel["title"]);
        }
    }
    let variables = named(&dashboard["templating"].to_string());
    assert!(variables.is_subset(&samples), "{variables:?}");
}
