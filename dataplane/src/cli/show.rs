//! Events for people: a line a sample, a table at the end.

use crate::{sayln, warnln};
use traffic::units::si;
use traffic::wire::{Account, Checksums, Event, Latency, Pacing, Ready, Sample, Summary};

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
    let checksums = match r.checksums {
        Some(Checksums::Software) => ", checksums by software",
        Some(Checksums::Nic) => ", checksums by the NIC",
        None => "",
    };
    let (port, driver, mac, node) = (&r.port_name, &r.driver, r.mac, r.numa_node);
    sayln!("port      {port} ({driver}, {mac}), link {link}, NUMA node {node}{checksums}");
    sayln!("cores     main {}, workers {}", r.main_cpu, cpus.join(", "));
    sayln!("memory    {}; {} ready after {} ms", r.memory, r.dpdk_version, r.startup_ms);
    let rate = r.requested_pps.map_or(String::new(), |pps| format!(", {} asked", si(pps, "pps")));
    if !r.rss.is_empty() {
        sayln!("rss       {} over {} queues", r.rss.join(", "), r.queues[0]);
    }
    if let Some(fc) = r.flow_control.as_ref().filter(|fc| *fc != "off") {
        sayln!("pause     {fc}");
    }
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
    show_queues(s);
    if let Some(l) = &s.totals.latency {
        show_latency(l);
    }
    match &s.pacing {
        Some(pacing) => show_pacing(pacing, seconds),
        None if s.tx_shards.is_empty() => {}
        None => {
            let pps = if seconds > 0.0 { sum(|c| c.tx_packets) as f64 / seconds } else { 0.0 };
            sayln!("rate        requested max  achieved {} over {seconds:.3} s", si(pps, "pps"));
        }
    }
    show_nic(s);
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
        ("foreign", a.foreign()),
    ];
    rows.iter().for_each(|(name, n)| sayln!("{name:<12}{n:>16}"));
    show_foreign(a);
    if let Some(flows) = a.flows_seen {
        sayln!("{:<12}{flows:>16}", "flows seen");
    }
}

/// What foreign frames were, if there were any.
fn show_foreign(a: &Account) {
    let kinds = [
        ("ARP", a.foreign_arp),
        ("IPv4", a.foreign_ipv4),
        ("IPv6", a.foreign_ipv6),
        ("LLDP", a.foreign_lldp),
        ("other", a.foreign_other),
    ];
    let of_all = [
        ("tagged", a.foreign_tagged),
        ("broadcast", a.foreign_broadcast),
        ("multicast", a.foreign_multicast),
    ];
    let words = |list: &[(&str, u64)]| -> Vec<String> {
        list.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect()
    };
    let (kinds, of_all) = (words(&kinds), words(&of_all));
    if !kinds.is_empty() {
        let among =
            if of_all.is_empty() { String::new() } else { format!("; among them {}", of_all.join(", ")) };
        sayln!("{:<12}{}{among}", "", kinds.join(", "));
    }
}

/// Each queue's share, where there are several.
fn show_queues(s: &Summary) {
    let all: u64 = s.rx_queues.iter().map(|q| q.packets).sum();
    if s.rx_queues.len() > 1 && all > 0 {
        let share = |q: &traffic::wire::RxQueueShare| {
            format!("{}: {:.1} %", q.queue, q.packets as f64 / all as f64 * 100.0)
        };
        sayln!("rx queues   {}", s.rx_queues.iter().map(share).collect::<Vec<_>>().join("  "));
    }
}

fn show_pacing(p: &Pacing, seconds: f64) {
    sayln!(
        "rate        requested {}  offered {}  achieved {} ({:.2} %) over {seconds:.3} s",
        si(p.requested_pps, "pps"),
        si(p.offered_pps, "pps"),
        si(p.achieved_pps, "pps"),
        p.achieved_pps / p.requested_pps * 100.0
    );
    if let Some(d) = &p.departures {
        let us = |ns: u64| ns as f64 / 1e3;
        sayln!(
            "departures  {:.2} % within ±256 ns of their due time; late by p50 {:.2} µs  p99 {:.2}  max {:.2}",
            d.within_256_ns * 100.0,
            us(d.p50_ns),
            us(d.p99_ns),
            us(d.max_ns)
        );
    }
}

/// The NIC's own word, where it has something to say.
fn show_nic(s: &Summary) {
    let port = &s.totals.port;
    let counters = [
        ("imissed", port.imissed),
        ("ierrors", port.ierrors),
        ("oerrors", port.oerrors),
        ("rx_nombuf", port.rx_nombuf),
    ];
    let words: Vec<String> =
        counters.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    if !words.is_empty() {
        sayln!("NIC says    {}", words.join("  "));
    }
}

fn show_latency(l: &Latency) {
    let us = |ns: u64| ns as f64 / 1e3;
    sayln!(
        "latency     p50 {:.2} µs  p90 {:.2}  p99 {:.2}  p99.9 {:.2}  p99.99 {:.2}  max {:.2}  jitter {:.2} µs ({}{})",
        us(l.p50_ns),
        us(l.p90_ns),
        us(l.p99_ns),
        us(l.p99_9_ns),
        us(l.p99_99_ns),
        us(l.max_ns),
        l.jitter_ns / 1e3,
        l.clock,
        l.clock_error_ns.map_or(String::new(), |ns| format!(", ±{ns} ns as stated"))
    );
    if l.rejected > 0 {
        warnln!("warning: {} frames had an impossible time and are in no latency figure", l.rejected);
    }
}
