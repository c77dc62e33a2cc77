//! Events for people: a line a sample, a table at the end.

use crate::{sayln, warnln};
use traffic::units::si;
use traffic::wire::{Account, Event, Latency, Ready, Sample, Summary};

/// What was shown last, for rates between samples.
#[derive(Debug, Default)]
pub struct Screen {
    last: Option<Sample>,
}

impl Screen {
    /// Shows one event on standard output; warnings go to standard error.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Ready(ready) => show_ready(ready),
            Event::Sample(sample) => self.show_sample(sample),
            Event::Started { .. } | Event::Sent => {}
            Event::Done(summary) => show_summary(summary),
            Event::Failed { error } => warnln!("failed: {error}"),
        }
    }

    fn show_sample(&mut self, now: &Sample) {
        let empty = Sample::default();
        let last = self.last.as_ref().unwrap_or(&empty);
        let seconds = (now.elapsed_ns - last.elapsed_ns) as f64 / 1e9;
        let rate = |count: fn(&Sample) -> u64| si((count(now) - count(last)) as f64 / seconds, "pps");
        let mut line = format!("{:8.1} s", now.elapsed_ns as f64 / 1e9);
        let is_sender = now.cores.iter().any(|c| c.tx_packets > 0);
        match &now.account {
            Some(a) if is_sender => {
                let sent = rate(|s| s.cores.iter().map(|c| c.tx_packets).sum());
                let back = rate(|s| s.account.as_ref().map_or(0, |a| a.received));
                line += &format!(
                    "  sent {sent:>12}  back {back:>12}  reordered {}  duplicated {}",
                    a.reordered, a.duplicated
                );
            }
            Some(a) => {
                let received = rate(|s| s.cores.iter().map(|c| c.rx_packets).sum());
                line += &format!(
                    "  received {received:>12}  lost {}  reordered {}  duplicated {}",
                    a.lost, a.reordered, a.duplicated
                );
            }
            None => {
                let sent = rate(|s| s.cores.iter().map(|c| c.tx_packets).sum());
                let unsent = rate(|s| s.cores.iter().map(|c| c.unsent_packets).sum());
                line += &format!("  sent {sent:>12}  unsent {unsent:>12}");
            }
        }
        sayln!("{line}");
        self.last = Some(now.clone());
    }
}

fn show_ready(r: &Ready) {
    let cpus: Vec<String> = r.worker_cpus.iter().map(u32::to_string).collect();
    let link = if r.link_up { format!("up, {} Mbit/s", r.link_mbps) } else { "down".to_owned() };
    sayln!("port      {} ({}, {}), link {link}, NUMA node {}", r.port_name, r.driver, r.mac, r.numa_node);
    sayln!("cores     main {}, workers {}", r.main_cpu, cpus.join(", "));
    sayln!("memory    {}; {} ready after {} ms", r.memory, r.dpdk_version, r.startup_ms);
    let rate = r.requested_pps.map_or(String::new(), |pps| format!(", {} asked", si(pps, "pps")));
    sayln!("traffic   {} flow{}{rate}", r.flows, if r.flows == 1 { "" } else { "s" });
    r.warnings.iter().for_each(|w| warnln!("warning: {w}"));
}

fn show_summary(s: &Summary) {
    sayln!("");
    let seconds = s.effective_ns as f64 / 1e9;
    let row = |name: &str, packets: u64, bytes: u64| {
        let per_second = |n: u64| if seconds > 0.0 { n as f64 / seconds } else { 0.0 };
        // Layer 2: with the FCS, which the counters leave out.
        let bits = si(per_second(bytes + 4 * packets) * 8.0, "bit/s");
        sayln!("{name:<12}{packets:>16}  {:>12}  {bits:>14}", si(per_second(packets), "pps"));
    };
    let is_receiver = s.totals.account.is_some() && s.tx_shards.is_empty();
    for core in &s.totals.cores {
        if is_receiver || core.rx_packets > 0 {
            row(&format!("cpu {} rx", core.cpu), core.rx_packets, core.rx_bytes);
        }
        if !is_receiver {
            row(&format!("cpu {} tx", core.cpu), core.tx_packets, core.tx_bytes);
        }
    }
    let sum = |count: fn(&traffic::wire::CoreCounters) -> u64| s.totals.cores.iter().map(count).sum::<u64>();
    if !is_receiver {
        let (sent, unsent) = (sum(|c| c.tx_packets), sum(|c| c.unsent_packets));
        row("sent", sent, sum(|c| c.tx_bytes));
        sayln!("{:<12}{:>16}\n{:<12}{unsent:>16}", "offered", sent + unsent, "unsent");
    }
    if let Some(account) = &s.totals.account {
        row("received", sum(|c| c.rx_packets), sum(|c| c.rx_bytes));
        show_account(account);
    }
    let answers = [
        ("arp answers", sum(|c| c.responded.arp)),
        ("ping answers", sum(|c| c.responded.icmp)),
        ("ndp answers", sum(|c| c.responded.ndp)),
    ];
    answers.iter().filter(|(_, n)| *n > 0).for_each(|(name, n)| sayln!("{name:<12}{n:>16}"));
    if let Some(l) = &s.totals.latency {
        show_latency(l);
    }
    if s.mbufs_missing > 0 {
        warnln!("warning: {} mbufs did not come back to their pools: please report this", s.mbufs_missing);
    }
    s.warnings.iter().for_each(|w| warnln!("warning: {w}"));
}

fn show_account(a: &Account) {
    let rows = [
        ("ours", a.received),
        ("lost", a.lost),
        ("reordered", a.reordered),
        ("duplicated", a.duplicated),
        ("too late", a.too_late),
        ("invalid", a.invalid),
        ("foreign", a.foreign_arp + a.foreign_ipv4 + a.foreign_ipv6 + a.foreign_other),
    ];
    rows.iter().for_each(|(name, n)| sayln!("{name:<12}{n:>16}"));
    if let Some(flows) = a.flows_seen {
        sayln!("{:<12}{flows:>16}", "flows seen");
    }
}

fn show_latency(l: &Latency) {
    let us = |ns: u64| ns as f64 / 1e3;
    sayln!(
        "latency     p50 {:.2} µs  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2}  jitter {:.2} µs ({})",
        us(l.p50_ns),
        us(l.p90_ns),
        us(l.p99_ns),
        us(l.p99_9_ns),
        us(l.max_ns),
        l.jitter_ns / 1e3,
        l.clock
    );
}
