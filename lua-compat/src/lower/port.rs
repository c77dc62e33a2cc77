//! Which port of a script becomes the profile, and in what state.

use super::LowerFault;
use crate::ports::MAX_PORTS;
use crate::record::{Config, Recorder, Sending};
use crate::report::Report;

/// The port chosen, with its settings at the time of its start.
pub(super) struct Chosen<'a> {
    pub(super) number: u16,
    pub(super) config: Config,
    pub(super) sending: Option<&'a Sending>,
}

/// The port asked for, or port 0, or the first that is started.
pub(super) fn choose<'a>(
    recorder: &'a Recorder,
    asked: Option<u16>,
    report: &mut Report,
) -> Result<Chosen<'a>, LowerFault> {
    let started = recorder.started();
    let default = if started.contains(&0) { 0 } else { started.first().copied().unwrap_or(0) };
    let number = asked.unwrap_or(default);
    let record = recorder.port(number).ok_or_else(|| LowerFault {
        line: 0,
        message: format!("port {number} can't be: ports go from 0 to {}", MAX_PORTS - 1),
    })?;
    let list = started.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    if asked.is_none() && started.len() > 1 {
        report.info(0, format!("the script starts ports {list}: this is the profile of port {number}, ask for another by its number"));
    }
    let Some(sending) = &record.sending else {
        let others = if started.is_empty() { String::new() } else { format!(" (it starts {list})") };
        report.warn(0, format!("the script never starts port {number}{others}: this is what it would send"));
        return Ok(Chosen { number, config: record.config.clone(), sending: None });
    };
    if let Some(line) = sending.changed_line {
        report.warn(line, "settings changed while the port sends are not carried over");
    }
    if let Some(line) = sending.again_line {
        let first = sending.line;
        report.warn(
            line,
            format!(
                "only the first start (line {first}) is carried over: run the script live for the others"
            ),
        );
    }
    Ok(Chosen { number, config: sending.config.clone(), sending: Some(sending) })
}
