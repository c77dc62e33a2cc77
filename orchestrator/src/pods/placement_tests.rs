use serde_json::{Value, json};

use super::*;
use crate::pods::fixtures::{node, on};

/// A node with something else than a plain worker has.
fn with(name: &str, changes: Value) -> Node {
    let mut value = serde_json::to_value(node(name)).unwrap();
    merge(&mut value, changes);
    serde_json::from_value(value).unwrap()
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value));
        }
        (into, from) => *into = from,
    }
}

fn placed(nodes: &[Node], pairs: usize, wish: &PlacementWish) -> Vec<PairNodes> {
    place(nodes, pairs, wish).unwrap().pairs
}

fn control_plane(name: &str) -> Node {
    with(
        name,
        json!({
            "metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}},
            "spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]},
        }),
    )
}

#[test]
fn pairs_go_round_the_workers_and_each_receiver_to_the_next() {
    // As the API server lists them: by no order of ours.
    let nodes = [node("c"), control_plane("a"), node("b"), node("d")];
    let wish = PlacementWish::default();
    assert_eq!(placed(&nodes, 4, &wish), [on("b", "c"), on("c", "d"), on("d", "b"), on("b", "c")]);
    let same = PlacementWish { same_node: true, ..wish };
    assert_eq!(placed(&nodes, 2, &same), [on("b", "b"), on("b", "b")]);
}

#[test]
fn one_worker_takes_both_ends_and_that_is_said() {
    let placement = place(&[control_plane("a"), node("b")], 2, &PlacementWish::default()).unwrap();
    assert_eq!(placement.pairs, [on("b", "b"), on("b", "b")]);
    assert_eq!(placement.notes, ["there is one node for pods, b: both ends of every pair go there"]);
    let asked = PlacementWish { same_node: true, ..PlacementWish::default() };
    assert!(place(&[node("b")], 2, &asked).unwrap().notes.is_empty());
}

#[test]
fn without_a_worker_an_open_control_plane_will_do() {
    let open = with("a", json!({"metadata": {"labels": {"node-role.kubernetes.io/master": ""}}}));
    let placement = place(&[open, control_plane("b")], 1, &PlacementWish::default()).unwrap();
    assert_eq!(placement.pairs, [on("a", "a")]);
    assert!(placement.notes[0].starts_with("no worker node can take pods; they go to the control plane: a"));
}

#[test]
fn nodes_that_are_named_are_taken() {
    let nodes = [node("a"), node("b"), node("c")];
    let wish = |tx: Option<&str>, rx: Option<&str>, same_node| PlacementWish {
        tx_node: tx.map(str::to_owned),
        rx_node: rx.map(str::to_owned),
        same_node,
        ..PlacementWish::default()
    };
    assert_eq!(placed(&nodes, 2, &wish(Some("c"), Some("a"), false)), [on("c", "a"), on("c", "a")]);
    // The other ends keep away from it, in turn.
    assert_eq!(placed(&nodes, 3, &wish(Some("b"), None, false)), [on("b", "a"), on("b", "c"), on("b", "a")]);
    assert_eq!(placed(&nodes, 2, &wish(None, Some("b"), true)), [on("b", "b"), on("b", "b")]);
    let error = place(&nodes, 1, &wish(Some("z"), None, false)).unwrap_err().to_string();
    assert_eq!(error, "--tx-node names `z`, which is no node; the nodes are: a, b, c");
    let nodes = [node("a"), with("b", json!({"spec": {"unschedulable": true}}))];
    let error = place(&nodes, 1, &wish(None, Some("b"), false)).unwrap_err().to_string();
    assert_eq!(error, "--rx-node names `b`, which can take no pod: it is cordoned (kubectl uncordon b)");
}

#[test]
fn the_host_name_label_is_what_pins() {
    let nodes =
        [with("ip-10-0-0-1", json!({"metadata": {"labels": {"kubernetes.io/hostname": "worker-1"}}}))];
    assert_eq!(placed(&nodes, 1, &PlacementWish::default()), [on("worker-1", "worker-1")]);
    let wish = PlacementWish {
        tx_node: Some("ip-10-0-0-1".to_owned()),
        rx_node: Some("worker-1".to_owned()),
        ..PlacementWish::default()
    };
    assert_eq!(placed(&nodes, 1, &wish), [on("worker-1", "worker-1")]);
}

#[test]
fn taints_keep_pods_away_unless_they_are_borne() {
    let tainted = |effect: &str| {
        let taint = json!({"key": "dedicated", "value": "dpdk", "effect": effect});
        with("a", json!({"spec": {"taints": [taint]}}))
    };
    let bear = |text: &str| PlacementWish {
        tolerations: vec![crate::cli::pods_values::toleration(text).unwrap()],
        ..PlacementWish::default()
    };
    let error = place(&[tainted("NoSchedule")], 1, &PlacementWish::default()).unwrap_err().to_string();
    assert!(error.contains("a: its taint dedicated=dpdk:NoSchedule is not tolerated"), "{error}");
    assert!(error.contains("(--toleration dedicated=dpdk:NoSchedule)"), "{error}");
    for borne in ["dedicated", "dedicated=dpdk", "dedicated:NoSchedule", "dedicated=dpdk:NoSchedule"] {
        assert!(place(&[tainted("NoSchedule")], 1, &bear(borne)).is_ok(), "{borne}");
    }
    for not in ["dedicated=other", "dedicated:NoExecute", "other"] {
        assert!(place(&[tainted("NoSchedule")], 1, &bear(not)).is_err(), "{not}");
    }
    assert!(place(&[tainted("PreferNoSchedule")], 1, &PlacementWish::default()).is_ok());
    assert!(place(&[tainted("NoExecute")], 1, &PlacementWish::default()).is_err());
}

#[test]
fn every_node_that_is_left_out_is_named_with_the_reason() {
    let nodes = [
        with(
            "a",
            json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown",
            "message": "Kubelet stopped posting node status."}]}}),
        ),
        with("b", json!({"spec": {"unschedulable": true}})),
        control_plane("c"),
        node("d"),
    ];
    let wish = PlacementWish {
        node_selector: [("nic".to_owned(), "x710".to_owned())].into(),
        ..PlacementWish::default()
    };
    let error = place(&nodes, 1, &wish).unwrap_err().to_string();
    for part in [
        "\n  a: it is not Ready (Kubelet stopped posting node status.)",
        "\n  d: it has no label nic=x710 (--node-selector)",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(
        place(&[], 1, &PlacementWish::default()).unwrap_err().to_string().contains("the cluster has none")
    );
}

#[test]
fn named_nodes_are_enough_when_none_may_be_listed() {
    let wish = PlacementWish {
        tx_node: Some("a".to_owned()),
        rx_node: Some("b".to_owned()),
        ..PlacementWish::default()
    };
    assert_eq!(unseen(2, &wish).pairs, [on("a", "b"), on("a", "b")]);
    let same = PlacementWish { same_node: true, rx_node: None, ..wish };
    assert_eq!(unseen(1, &same).pairs, [on("a", "a")]);
    assert_eq!(unseen(1, &PlacementWish::default()).pairs, [PairNodes::default()]);
}
