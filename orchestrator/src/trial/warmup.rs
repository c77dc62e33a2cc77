//! The warm-up: a short run the other way and back, so that switches learn both addresses before anything is measured.

use std::time::Duration;

use tokio::time::Instant;
use traffic::wire::{CoreCounters, PortStats, RunStatus, Sample};

use super::prepare;
use super::specs::PairSpecs;
use super::suspects::{Leg, Suspects};
use crate::agent::AgentError;
use crate::agent::both::{Ears, follow_both};
use crate::agent::follow::Followed;
use crate::lab::LabPair;
use crate::path::PairPath;
use crate::show::count;

/// Stopping and draining a warm-up takes fractions of a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a warm-up left.
#[derive(Debug, Default)]
pub struct Warmup {
    /// Of `rxN`, which sends here.
    pub samples: Vec<Sample>,
    /// What went wrong beside.
    pub warnings: Vec<String>,
    /// Nothing comes through: where frames stop, and which counters say so.
    pub blocked: Option<String>,
}

/// Runs the warm-up of one pair for `duration_s` seconds.
pub async fn run(
    pair: &LabPair,
    specs: &PairSpecs,
    path: &PairPath,
    duration_s: f64,
) -> Result<Warmup, AgentError> {
    // In a warm-up rxN sends and txN sends it back.
    let ready = prepare::both((&pair.rx.agent, &specs.tx), (&pair.tx.agent, &specs.rx)).await?;
    let suspects = Suspects::of((&pair.rx.pod, &pair.tx.pod), path.way, &specs.tx, &ready);
    let (sender, reflector) = (pair.rx.agent.run(&specs.tx.id), pair.tx.agent.run(&specs.rx.id));
    reflector.start().await?;
    sender.start().await?;
    let latest = Instant::now() + Duration::from_secs_f64(duration_s) + PATIENCE;
    let ears = Ears { tx: |_: &Sample| {}, rx: |_: &Sample| {}, say: |_: &str| {} };
    let nobody_leaves = std::future::pending();
    let both = follow_both((sender, reflector), latest, PATIENCE, nobody_leaves, ears).await;
    Ok(judge(&suspects, both.tx, both.rx))
}

/// What the counters of both ends say.
fn judge(suspects: &Suspects<'_>, sent: Followed, reflected: Followed) -> Warmup {
    let mut warmup = Warmup { samples: sent.samples, ..Warmup::default() };
    let (sent, reflected) = match (sent.end, reflected.end) {
        (Ok(sent), Ok(reflected)) => (sent, reflected),
        (sent, reflected) => {
            let errors = [sent.err(), reflected.err()].into_iter().flatten();
            warmup.warnings.extend(errors.map(|error| format!("warm-up: {error}")));
            return warmup;
        }
    };
    let totals = |status: RunStatus| status.summary.map(|s| s.totals).unwrap_or_default();
    let (sent, reflected) = (totals(sent), totals(reflected));
    // A warm-up shorter than a second has no sample of its own.
    if warmup.samples.is_empty() {
        warmup.samples.push(sent.clone());
    }
    match diagnose(suspects, &sent, &reflected) {
        Finding::Fine => {}
        Finding::Thin(words) => warmup.warnings.push(words),
        Finding::Blocked(words) => warmup.blocked = Some(words),
    }
    warmup
}

/// What a warm-up showed of the way.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// Frames go there and come back.
    Fine,
    /// Most of them don't.
    Thin(String),
    /// None do.
    Blocked(String),
}

/// Follows the frames from counter to counter: where they stop, something is in the way.
fn diagnose(suspects: &Suspects<'_>, sent: &Sample, reflected: &Sample) -> Finding {
    let (rx, tx) = suspects.names;
    let sum = |sample: &Sample, of: fn(&CoreCounters) -> u64| sample.cores.iter().map(of).sum::<u64>();
    let out = sum(sent, |c| c.tx_packets);
    let unsent = sum(sent, |c| c.unsent_packets);
    let came = sum(reflected, |c| c.rx_packets);
    let went = sum(reflected, |c| c.tx_packets);
    let back = sent.account.map_or(0, |a| a.received);
    let out_port = format!("sent {} ({})", count(out), port(&sent.port));
    let in_port = format!("received {} ({})", count(came), port(&reflected.port));
    if out == 0 {
        let refused = count(unsent);
        return Finding::Blocked(format!(
            "warm-up: the port of {rx} took no frame of {refused} ({}): look at its link, and at the pod's log",
            port(&sent.port)
        ));
    }
    if came == 0 {
        return Finding::Blocked(format!(
            "warm-up: nothing comes through from {rx} to {tx}: {rx} {out_port}, {tx} {in_port}; {}",
            suspects.of_frames(Leg::There)
        ));
    }
    if went == 0 {
        return Finding::Blocked(format!(
            "warm-up: {tx} {in_port} of {rx} and its port took nothing to send back ({}): look at its link",
            port(&reflected.port)
        ));
    }
    if back == 0 {
        return Finding::Blocked(format!(
            "warm-up: nothing comes through from {tx} to {rx}: {tx} sent {} back ({}), {rx} received none of them \
             ({}); {}",
            count(went),
            port(&reflected.port),
            port(&sent.port),
            suspects.of_frames(Leg::Back)
        ));
    }
    if back * 2 < out {
        return Finding::Thin(format!(
            "warm-up: of {} frames at 1,000 a second {} reached {tx} and {} came back to {rx}: look for what drops them \
             before you trust a loss figure",
            count(out),
            count(came),
            count(back)
        ));
    }
    Finding::Fine
}

/// The port's own counters that tell where a frame ended.
fn port(port: &PortStats) -> String {
    let all = [
        ("out", port.opackets),
        ("in", port.ipackets),
        ("missed", port.imissed),
        ("no buffer", port.rx_nombuf),
        ("bad in", port.ierrors),
        ("bad out", port.oerrors),
    ];
    let said = all.iter().filter(|(name, n)| *n > 0 || matches!(*name, "out" | "in"));
    let words: Vec<String> = said.map(|(name, n)| format!("{name} {}", count(*n))).collect();
    format!("port: {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::wire::Account;

    fn sample(tx: u64, rx: u64, back: u64) -> Sample {
        let core = CoreCounters { tx_packets: tx, rx_packets: rx, ..CoreCounters::default() };
        let port = PortStats { opackets: tx, ipackets: rx, ..PortStats::default() };
        let account = Some(Account { received: back, ..Account::default() });
        Sample { cores: vec![core], port, account, ..Sample::default() }
    }

    fn said(sent: &Sample, reflected: &Sample) -> String {
        match diagnose(&Suspects::nobody(("rx0", "tx0")), sent, reflected) {
            Finding::Fine => String::new(),
            Finding::Thin(words) | Finding::Blocked(words) => words,
        }
    }

    #[test]
    fn where_frames_stop_is_said_with_the_counters() {
        assert_eq!(said(&sample(100, 100, 100), &sample(100, 100, 0)), "");
        let out = said(&sample(0, 0, 0), &sample(0, 0, 0));
        assert!(out.contains("the port of rx0 took no frame"), "{out}");
        let there = said(&sample(100, 0, 0), &sample(0, 0, 0));
        assert!(
            there.contains("from rx0 to tx0: rx0 sent 100 (port: out 100, in 0), tx0 received 0"),
            "{there}"
        );
        let mute = said(&sample(100, 0, 0), &sample(0, 100, 0));
        assert!(mute.contains("took nothing to send back"), "{mute}");
        let back = said(&sample(100, 0, 0), &sample(90, 90, 0));
        assert!(back.contains("from tx0 to rx0: tx0 sent 90 back"), "{back}");
        let thin = said(&sample(100, 40, 40), &sample(90, 90, 0));
        assert!(thin.contains("90 reached tx0 and 40 came back"), "{thin}");
    }
}
