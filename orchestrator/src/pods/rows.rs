//! Pods as users see them: one row each.

use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use super::reasons::{Health, health};
use crate::cluster::labels::{PodRole, device_of, pair_of, role_of};

/// One pod of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Always `pod`: JSON lines name their kind.
    pub event: &'static str,
    /// Where it lives.
    pub namespace: String,
    /// Its pair.
    pub pair: Option<usize>,
    /// Its end of the pair.
    pub role: Option<PodRole>,
    /// Its name.
    pub pod: String,
    /// Where it runs, once it is scheduled.
    pub node: Option<String>,
    /// Whether it can be used.
    pub ready: bool,
    /// Since it was created.
    pub age_s: u64,
    /// Of its container.
    pub restarts: i32,
    /// That its agent is to use.
    pub device: String,
    /// Limits of its container, `cpu=2 memory=2Gi …`.
    pub resources: String,
    /// Why it is not ready.
    pub reason: Option<String>,
    /// The next step.
    pub remedy: Option<String>,
}

/// A row for each, by pair and end.
pub fn rows<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Vec<Row> {
    let mut rows: Vec<Row> = pods.into_iter().map(row).collect();
    let key = |row: &Row| (row.namespace.clone(), row.pair, row.role, row.pod.clone());
    rows.sort_by_key(key);
    rows
}

fn row(pod: &Pod) -> Row {
    let meta = &pod.metadata;
    let containers = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let (ready, trouble) = match health(pod) {
        Health::Ready => (true, None),
        Health::Waiting(trouble) => (false, trouble),
    };
    let starting = (!ready).then(|| "it is being started".to_owned());
    Row {
        event: "pod",
        namespace: meta.namespace.clone().unwrap_or_default(),
        pair: pair_of(meta),
        role: role_of(meta),
        pod: meta.name.clone().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        ready,
        age_s: meta.creation_timestamp.as_ref().map_or(0, |created| age_s(created.0.as_second())),
        restarts: containers.map(|container| container.restart_count).sum(),
        device: device_of(meta).to_owned(),
        resources: resources(pod),
        reason: trouble.as_ref().map(|t| format!("{}: {}", t.reason, t.text)).or(starting),
        remedy: trouble.map(|trouble| trouble.remedy),
    }
}

fn age_s(created_s: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    now.saturating_sub(u64::try_from(created_s).unwrap_or_default())
}

fn resources(pod: &Pod) -> String {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let limits = containers.filter_map(|container| container.resources.as_ref()?.limits.as_ref());
    let texts: Vec<String> = limits.flatten().map(|(name, amount)| format!("{name}={}", amount.0)).collect();
    texts.join(" ")
}

/// The table of `pods list`; a pod that is not ready gets its reason and the next step below it.
pub fn table(rows: &[Row], with_namespace: bool) -> String {
    let mut table = Table::new();
    // Without rules between rows: there may be hundreds.
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["pair", "pod", "node", "ready", "restarts", "age", "device", "resources"];
    if with_namespace {
        header.insert(0, "namespace");
    }
    table.set_header(header);
    for row in rows {
        let mut cells = vec![
            row.pair.map_or_else(|| "?".to_owned(), |pair| pair.to_string()),
            row.pod.clone(),
            row.node.clone().unwrap_or_else(|| "-".to_owned()),
            if row.ready { "yes" } else { "no" }.to_owned(),
            row.restarts.to_string(),
            age(row.age_s),
            row.device.clone(),
            row.resources.clone(),
        ];
        if with_namespace {
            cells.insert(0, row.namespace.clone());
        }
        table.add_row(cells);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Left);
        column.set_padding((0, 2));
    }
    let mut text = table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let mut reasons: Vec<(&Row, Vec<&str>)> = Vec::new();
    for row in rows.iter().filter(|row| !row.ready) {
        match reasons.iter_mut().find(|(known, _)| known.reason == row.reason) {
            Some((_, names)) => names.push(&row.pod),
            None => reasons.push((row, vec![&row.pod])),
        }
    }
    for (row, names) in reasons {
        text.push_str(&format!("\n{}: {}", names.join(", "), row.reason.as_deref().unwrap_or_default()));
        if let Some(remedy) = &row.remedy {
            text.push_str(&format!("\n  → {remedy}"));
        }
    }
    text
}

/// In the largest unit that fits.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_come_by_pair_and_say_why() {
        let pod = |name: &str, pair: &str, status: serde_json::Value| -> Pod {
            serde_json::from_value(json!({
                "metadata": {"name": name, "namespace": "n", "labels": {
                    "dpdk-k8s-bench/pair": pair, "app.kubernetes.io/component": &name[..2]}},
                "spec": {"nodeName": "a", "containers": [{"name": "c", "resources": {"limits": {"cpu": "2"}}}]},
                "status": status,
            }))
            .unwrap()
        };
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 3}]});
        let stuck = json!({"conditions": [{"type": "PodScheduled", "status": "False",
            "message": "0/1 nodes are available: 1 Insufficient cpu."}]});
        let pods = [pod("rx10", "10", stuck), pod("tx10", "10", ready.clone()), pod("tx2", "2", ready)];
        let rows = rows(&pods);
        let names: Vec<&str> = rows.iter().map(|row| row.pod.as_str()).collect();
        assert_eq!(names, ["tx2", "tx10", "rx10"]);
        assert!(rows[0].ready && rows[0].restarts == 3 && rows[0].resources == "cpu=2");
        let text = table(&rows, false);
        assert!(
            text.contains("rx10: Unschedulable: no node takes it: too few free CPUs on 1 node"),
            "{text}"
        );
        assert!(text.contains("→ ask for fewer with -c"), "{text}");
    }
}
