//! The two ends of a pair beside each other.

use traffic::wire::MarkClock;

use super::check::Check;
use super::facts::Ends;

/// All of it; `name` is the pair's.
pub fn checks(name: &str, pair: &Ends<'_>) -> Vec<Check> {
    vec![versions(name, pair), clocks(name, pair)]
}

fn versions(name: &str, Ends { tx, rx }: &Ends<'_>) -> Check {
    let (ours, theirs) = (&tx.inventory.dpdk_version, &rx.inventory.dpdk_version);
    if ours == theirs {
        return Check::ok(name, "dpdk-version", format!("{ours} at both ends"));
    }
    Check::warning(
        name,
        "dpdk-version",
        format!("{} has {ours}, {} has {theirs}", tx.pod, rx.pod),
        "use one image for both ends (`orchestrator pods create -i …`): drivers differ between versions",
    )
}

fn clocks(name: &str, Ends { tx, rx }: &Ends<'_>) -> Check {
    const NAME: &str = "clock";
    if let MarkClock::Realtime { error_ns } = tx.ask.clock {
        let found = format!("CLOCK_REALTIME, which is said to differ by {error_ns} ns at most");
        return Check::ok(name, NAME, found);
    }
    let (tx, rx) = (&tx.inventory.clock, &rx.inventory.clock);
    if tx.is_same(rx) {
        return Check::ok(name, NAME, format!("one {}, invariant: latency is measured", tx.name));
    }
    if tx.boot_id == rx.boot_id && !tx.boot_id.is_empty() {
        return Check::warning(
            name,
            NAME,
            format!("the {} of this machine does not run at a constant rate: no latency", tx.name),
            "in a virtual machine, have the CPU's invariant TSC shown to it (host-passthrough, invtsc)",
        );
    }
    Check::warning(
        name,
        NAME,
        "two machines with clocks of their own: no one-way latency",
        "put both ends on one node (--same-node), or use --clock realtime --clock-error-ns N where PTP keeps the clocks",
    )
}
