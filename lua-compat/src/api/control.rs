//! Functions that start, stop, wait, ask, or do nothing here.

use super::Status;
use super::call::Call;
use crate::backend::{Answer, PortOp, Query};
use crate::ports::PortSet;
use crate::report::Severity;

type Reply = Result<Option<Answer>, String>;

/// The longest single delay, in ms: a year.
const MAX_DELAY_MS: u64 = 365 * 24 * 3600 * 1000;

pub(super) fn start(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    call.apply(ports, PortOp::Start).map(|()| None)
}

pub(super) fn stop(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    call.apply(ports, PortOp::Stop).map(|()| None)
}

pub(super) fn reset(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    call.apply(ports, PortOp::Reset).map(|()| None)
}

pub(super) fn quit(call: &mut Call<'_>) -> Reply {
    call.backend.quit(call.line).map(|()| None).map_err(|fault| fault.to_string())
}

/// `delay(ms)`.
pub(super) fn delay(call: &mut Call<'_>) -> Reply {
    let ms = call.number(0)?;
    wait(call, 0, ms)
}

/// `sleep(s)`.
pub(super) fn sleep(call: &mut Call<'_>) -> Reply {
    let seconds = call.number(0)?;
    wait(call, 0, seconds * 1000.0)
}

/// `pause(text, ms)`.
pub(super) fn pause(call: &mut Call<'_>) -> Reply {
    call.text(0)?;
    let ms = call.number(1)?;
    wait(call, 1, ms)
}

fn wait(call: &mut Call<'_>, index: usize, ms: f64) -> Reply {
    if !(0.0..=MAX_DELAY_MS as f64).contains(&ms) {
        return Err(call.wrong(index, "a time from 0 to a year"));
    }
    call.backend.delay(call.line, ms.round() as u64).map(|()| None).map_err(|fault| fault.to_string())
}

/// A function that does nothing here: its port list is still checked, and the report says why.
pub(super) fn no_effect(call: &mut Call<'_>) -> Reply {
    if call.function.args.is_some_and(|names| names.first() == Some(&"ports")) {
        call.ports()?;
    }
    if let Status::NoEffect(why) = call.function.status {
        let name = call.function.full_name();
        call.note(Severity::Info, format!("{name} has no effect: {why}"));
    }
    Ok(None)
}

pub(super) fn port_count(call: &mut Call<'_>) -> Reply {
    call.backend.query(call.line, Query::PortCount).map(Some).map_err(|fault| fault.to_string())
}

/// A question that only a running port can answer.
pub(super) fn live(call: &mut Call<'_>) -> Reply {
    let ports = if call.args.is_empty() { PortSet::ALL } else { call.ports()? };
    let query = Query::Live(call.function.name, ports);
    call.backend.query(call.line, query).map(Some).map_err(|fault| fault.to_string())
}

/// A function that Pktgen has and this version does not.
pub(super) fn not_yet(call: &mut Call<'_>) -> Reply {
    let name = call.function.full_name();
    Err(format!(
        "{name} is not supported by import yet: take the call out, or write the profile by hand (TOML)"
    ))
}
