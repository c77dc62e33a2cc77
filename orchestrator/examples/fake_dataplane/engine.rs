//! What a run does and says.

use std::fs;
use std::io::Write;
use std::time::{Duration, SystemTime};

use traffic::profile::Stop;
use traffic::wire::{
    Account, CoreCounters, Ended, Latency, Pacing, PortStats, Role, RunState, RxShard, Sample, Summary,
    TxShard,
};

use super::{Agent, Run, dir, save, with};

/// Frames a second, whatever the profile says.
pub const PPS: f64 = 1000.0;
const LOST_WHEN_LOSING: u64 = 7;

/// One run, ticking until it is over.
pub async fn engine(agent: Agent, id: String) {
    loop {
        tokio::time::sleep(agent.tick).await;
        let Ok(over) = with(&agent, &id, |run| tick(&agent, run)) else { return };
        if over {
            return;
        }
    }
}

fn tick(agent: &Agent, run: &mut Run) -> bool {
    let elapsed = run.started.unwrap().elapsed();
    let planned = match run.spec.profile.stop {
        Stop::DurationS(s) => Duration::from_secs_f64(s),
        Stop::Count(frames) => Duration::from_secs_f64(frames as f64 / PPS),
        Stop::Never => Duration::MAX,
    };
    let over = run.stop || (run.spec.role == Role::Tx && elapsed >= planned);
    let n = run.samples.len() as u64;
    let sample = sample(agent, run, n, elapsed.min(planned));
    if agent.mode == "tx-dies" && run.spec.role == Role::Tx && n == 3 {
        run.state = RunState::Failed;
        run.error = Some("the engine was killed by signal 11 (SIGSEGV)".into());
        save(agent, &run.spec.id, "error.txt", "the engine was killed by signal 11 (SIGSEGV)");
        return true;
    }
    if agent.mode == "vanishes" && n == 3 {
        std::process::exit(1);
    }
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir(agent, &run.spec.id).join("samples.ndjson"))
        .unwrap();
    writeln!(file, "{}", serde_json::to_string(&sample).unwrap()).unwrap();
    if run.spec.role == Role::Tx {
        fs::write(agent.shared.join(run.spec.tag.to_string()), sample.port.opackets.to_string()).unwrap();
    }
    run.samples.push(sample.clone());
    if over {
        run.summary = Some(summary(run, sample));
        save(agent, &run.spec.id, "summary.json", &serde_json::to_string(&run.summary).unwrap());
        // As the real one: a sender holds its port until it is told to close it.
        run.state = if run.spec.role == Role::Tx { RunState::Sent } else { RunState::Done };
    }
    over
}

fn sample(agent: &Agent, run: &Run, n: u64, elapsed: Duration) -> Sample {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let cpu = run.spec.lcores[1];
    let base = Sample {
        n,
        unix_ns: unix.as_nanos() as u64,
        elapsed_ns: elapsed.as_nanos() as u64,
        ..Sample::default()
    };
    if run.spec.role == Role::Tx {
        let packets = (elapsed.as_secs_f64() * PPS).round() as u64;
        let core =
            CoreCounters { cpu, tx_packets: packets, tx_bytes: packets * 60, ..CoreCounters::default() };
        let port = PortStats { opackets: packets, obytes: packets * 60, ..PortStats::default() };
        // What a warm-up's sender gets back.
        let received = if agent.mode == "mute" { 0 } else { packets };
        let account = run.spec.round_trip.then(|| Account { received, ..Account::default() });
        return Sample { cores: vec![core], port, account, ..base };
    }
    let sent = fs::read_to_string(agent.shared.join(run.spec.tag.to_string())).unwrap_or_default();
    let lost = if agent.mode == "loses" { LOST_WHEN_LOSING } else { 0 };
    let packets = sent.parse::<u64>().unwrap_or(0).saturating_sub(lost);
    let latency = Latency {
        clock: "tsc".into(),
        count: packets,
        p50_ns: 850,
        p99_ns: 12_340,
        max_ns: 99_000,
        ..Latency::default()
    };
    Sample {
        cores: vec![CoreCounters {
            cpu,
            tx_packets: if run.spec.role == Role::Reflect && agent.mode != "mute" { packets } else { 0 },
            rx_packets: packets,
            rx_bytes: packets * 60,
            ..CoreCounters::default()
        }],
        port: PortStats { ipackets: packets, ibytes: packets * 60, ..PortStats::default() },
        account: Some(Account {
            received: packets,
            flows_seen: Some(packets.min(100)),
            ..Account::default()
        }),
        latency: Some(latency),
        ..base
    }
}

fn summary(run: &Run, totals: Sample) -> Summary {
    let (sent, received) = (totals.port.opackets, totals.port.ipackets);
    let is_tx = run.spec.role == Role::Tx;
    let seconds = totals.elapsed_ns as f64 / 1e9;
    Summary {
        ended: if run.stop && is_tx { Ended::Stopped } else { Ended::Complete },
        effective_ns: totals.elapsed_ns,
        tx_shards: if is_tx { vec![TxShard { shard: 0, stream: 0, sent }] } else { Vec::new() },
        rx_shards: if is_tx {
            Vec::new()
        } else {
            vec![RxShard { shard: 0, expected: received, received, ..RxShard::default() }]
        },
        pacing: is_tx.then(|| Pacing {
            requested_pps: PPS,
            offered_pps: sent as f64 / seconds,
            achieved_pps: sent as f64 / seconds,
            ..Pacing::default()
        }),
        totals,
        ..Summary::default()
    }
}
