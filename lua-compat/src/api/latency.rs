//! Latency: which frames carry the time, and what is counted by it.

use super::call::Call;
use super::function::Reply;
use crate::backend::{Mode, PortOp, Sampler, Setting};
use crate::report::Severity;

/// The longest time that is asked for, in microseconds: a second.
const MAX_US: u64 = 1_000_000;
/// Samples that a file may get.
const MAX_SAMPLES: u64 = 10_000_000;

/// `latency(ports, "on" | "off")`, `latency(ports, "rate", µs)`, `latency(ports, "entropy", n)`.
pub(super) fn latency(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    let what = call.text(1)?;
    let setting = match (what.as_str(), call.args.len()) {
        ("rate", 3) => Setting::LatencyRate(call.whole(2, "microseconds", 0..=MAX_US)?),
        ("entropy", 3) => {
            call.whole(2, "a number of ports", 0..=65535)?;
            let text =
                "pktgen.latency entropy has no effect: every frame carries the time, whatever its ports";
            call.note(Severity::Info, text.into());
            return Ok(None);
        }
        (_, 3) => return Err(call.wrong(1, "\"rate\" or \"entropy\", when a value follows")),
        _ => Setting::Mode(Mode::Latency, call.on(1)?),
    };
    call.apply(ports, PortOp::Set(setting)).map(|()| None)
}

/// `jitter(ports, µs)`.
pub(super) fn jitter(call: &mut Call<'_>) -> Reply {
    let (ports, us) = (call.ports()?, call.whole(1, "microseconds", 0..=MAX_US)?);
    call.apply(ports, PortOp::Set(Setting::Jitter(us))).map(|()| None)
}

/// `latsampler_params(ports, "simple" | "poisson", samples, rate, file)`.
pub(super) fn sampler_params(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    match call.text(1)?.as_str() {
        "simple" => {}
        "poisson" => {
            let text = "pktgen.latsampler_params: samples come at even times, not at Poisson's";
            call.note(Severity::Warning, text.into());
        }
        _ => return Err(call.wrong(1, "\"simple\" or \"poisson\"")),
    }
    let samples = call.whole(2, "a number of samples", 1..=MAX_SAMPLES)?;
    let rate = call.whole(3, "samples a second", 1..=MAX_US)?;
    let file = call.text(4)?;
    call.apply(ports, PortOp::Set(Setting::Sampler(Sampler { samples, rate, file }))).map(|()| None)
}
