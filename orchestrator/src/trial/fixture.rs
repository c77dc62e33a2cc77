//! A whole outcome for tests, to be bent by each of them.

use std::collections::BTreeMap;

use traffic::profile::Profile;
use traffic::wire::{
    Account, ClockId, CoreCounters, Ended, Inventory, Latency, Ready, Role, RunSpec, RxShard, Sample,
    Summary, TxShard, VERSION,
};

use super::outcome::{PairOutcome, Record, SideOutcome, SideRecord, Status};
use crate::expid::ExpId;

/// One pair, two shards of 500 frames each, nothing lost, latency measured.
pub fn outcome() -> PairOutcome {
    let (tx, rx) = (side_record("tx0", Role::Tx), side_record("rx0", Role::Rx));
    PairOutcome {
        record: Record {
            expid: ExpId::try_from("0badcafe".to_owned()).unwrap(),
            release: "0.1.0".into(),
            started_unix_ns: 1_742_534_273_000_000_000,
            lab: "local".into(),
            cluster: None,
            path: crate::path::PairPath::default(),
            socket_folder: None,
            pair: "tx0-rx0".into(),
            profile_name: "p".into(),
            profile_source: "flows/tx0-rx0/p.lua".into(),
            profile: profile(),
            duration_s: 1.0,
            warmup_s: 0.0,
            sample_interval_s: 10,
            sample_count: None,
            events: Vec::new(),
            options: BTreeMap::from([("burst".into(), "32".into())]),
            tx,
            rx,
            warnings: Vec::new(),
        },
        status: Status::Complete,
        error: None,
        tx: SideOutcome { ready: Some(ready()), samples: Vec::new(), summary: Some(tx_summary()) },
        rx: SideOutcome { ready: Some(ready()), samples: Vec::new(), summary: Some(rx_summary()) },
        warmup: Vec::new(),
        warnings: Vec::new(),
        timing: None,
    }
}

fn profile() -> Profile {
    serde_json::from_value(serde_json::json!({
        "streams": [{
            "frame_size": 64,
            "ethernet": {"src": "02:00:00:00:00:00", "dst": "02:00:00:00:00:01"},
            "ipv4": {"src": "10.0.0.1", "dst": "10.0.0.2"},
            "udp": {"src": 1, "dst": 2}
        }]
    }))
    .unwrap()
}

fn clock() -> ClockId {
    ClockId { name: "tsc".into(), hz: 1, boot_id: "a".into(), invariant: true }
}

fn side_record(pod: &str, role: Role) -> SideRecord {
    let spec: RunSpec = serde_json::from_value(serde_json::json!({
        "version": VERSION, "id": format!("0badcafe-{pod}"), "role": role, "device": "vdev:net_memif0",
        "profile": profile(), "tag": 1, "tx_workers": 2
    }))
    .unwrap();
    SideRecord {
        pod: pod.into(),
        node: "localhost".into(),
        agent_pid: None,
        pod_uid: None,
        agent_address: None,
        spec,
        warmup_spec: None,
        inventory: Inventory {
            hostname: String::new(),
            kernel: String::new(),
            cpu_model: String::new(),
            dpdk_version: String::new(),
            cores: Vec::new(),
            hugepages: Vec::new(),
            memory: Vec::new(),
            devices: Vec::new(),
            clock: clock(),
            ..Inventory::default()
        },
    }
}

fn ready() -> Ready {
    Ready {
        pid: 1,
        dpdk_version: String::new(),
        device: "vdev:net_memif0".into(),
        port_name: String::new(),
        driver: "net_memif".into(),
        mac: "02:00:00:00:00:01".parse().unwrap(),
        link_up: true,
        link_mbps: 0,
        numa_node: -1,
        main_cpu: 0,
        worker_cpus: vec![1, 2],
        queues: [1, 1],
        descriptors: [1024, 1024],
        requested_pps: Some(1000.0),
        flows: 100,
        stamped: true,
        rss: Vec::new(),
        flow_control: None,
        firmware: None,
        checksums: None,
        clock: clock(),
        memory: String::new(),
        startup_ms: 0,
        warnings: Vec::new(),
    }
}

/// A last word around these totals.
pub fn summary(totals: Sample) -> Summary {
    Summary { ended: Ended::Complete, totals, effective_ns: 1_000_000_000, ..Summary::default() }
}

fn tx_summary() -> Summary {
    let core =
        CoreCounters { tx_packets: 500, tx_bytes: 30_000, unsent_packets: 5, ..CoreCounters::default() };
    let totals = Sample { elapsed_ns: 1_000_000_000, cores: vec![core; 2], ..Sample::default() };
    let tx_shards =
        vec![TxShard { shard: 0, stream: 0, sent: 500 }, TxShard { shard: 1, stream: 0, sent: 500 }];
    Summary { tx_shards, ..summary(totals) }
}

fn rx_summary() -> Summary {
    let core = CoreCounters { rx_packets: 500, rx_bytes: 30_000, ..CoreCounters::default() };
    let account = Account { received: 1000, flows_seen: Some(100), ..Account::default() };
    let totals = Sample {
        elapsed_ns: 1_200_000_000,
        cores: vec![core; 2],
        account: Some(account),
        latency: Some(Latency { count: 1000, p50_ns: 7, ..Latency::default() }),
        ..Sample::default()
    };
    let shard = |shard| RxShard { shard, expected: 500, received: 500, ..RxShard::default() };
    Summary { rx_shards: vec![shard(0), shard(1)], ..summary(totals) }
}
