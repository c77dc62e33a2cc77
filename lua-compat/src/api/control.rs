//! Functions that start, stop, wait, or do nothing here.

use super::Status;
use super::call::Call;
use super::function::Reply;
use crate::backend::{Answer, PortOp};
use crate::ports::PortSet;
use crate::report::Severity;

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

/// `prime(ports)`.
pub(super) fn prime(call: &mut Call<'_>) -> Reply {
    live_only(call, PortOp::Prime)
}

/// `clear(ports)`.
pub(super) fn clear(call: &mut Call<'_>) -> Reply {
    live_only(call, PortOp::Clear)
}

/// `clr()`.
pub(super) fn clr(call: &mut Call<'_>) -> Reply {
    if !call.backend.is_live() {
        return no_effect(call);
    }
    call.apply(PortSet::ALL, PortOp::Clear).map(|()| None)
}

fn live_only(call: &mut Call<'_>, op: PortOp) -> Reply {
    if !call.backend.is_live() {
        return no_effect(call);
    }
    let ports = call.ports()?;
    call.apply(ports, op).map(|()| None)
}

/// A function that does nothing here: its port list is still checked, and the report says why.
pub(super) fn no_effect(call: &mut Call<'_>) -> Reply {
    if call.function.args.is_some_and(|names| names.first() == Some(&"ports")) {
        call.ports()?;
    }
    if let Status::NoEffect(why) = call.function.status(call.backend.is_live()) {
        let name = call.function.full_name();
        call.note(Severity::Info, format!("{name} has no effect: {why}"));
    }
    Ok(None)
}

/// `input(text)`: nothing is typed.
pub(super) fn input(call: &mut Call<'_>) -> Reply {
    no_effect(call)?;
    Ok(Some(Answer::Text(String::new())))
}

/// What needs the script's files or the machine itself: `super::files` puts its own functions in their place.
pub(super) fn file(call: &mut Call<'_>) -> Reply {
    refused(call)
}

/// A function that this version will not carry out.
pub(super) fn refused(call: &mut Call<'_>) -> Reply {
    let name = call.function.full_name();
    match call.function.status(call.backend.is_live()) {
        Status::Refused(why) => Err(format!("{name} is not available: {why}")),
        _ => Err(format!("{name} is not available here: this script may use no files")),
    }
}
