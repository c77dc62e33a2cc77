//! Questions.

use super::call::Call;
use super::function::Reply;
use crate::backend::{Answer, Query};
use crate::ports::PortSet;

fn ask(call: &mut Call<'_>, query: Query) -> Reply {
    call.backend.query(call.line, query).map(Some).map_err(|fault| fault.to_string())
}

/// `portCount()`, `totalPorts()`.
pub(super) fn port_count(call: &mut Call<'_>) -> Reply {
    ask(call, Query::PortCount)
}

/// A question that only a running port can answer.
pub(super) fn live(call: &mut Call<'_>) -> Reply {
    let ports = if call.args.is_empty() { PortSet::ALL } else { call.ports()? };
    ask(call, Query::Live(call.function.name, ports))
}

/// `portStats(ports)` as today, `portStats(ports, "port" | "rate")` as in 23.10.
pub(super) fn port_stats(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    let name = match (call.args.len(), call.function.name) {
        (1, _) => "portStats",
        _ => match call.text(1)?.as_str() {
            "port" => "portStats port",
            "rate" => "portStats rate",
            _ => return Err(call.wrong(1, "\"port\" or \"rate\"")),
        },
    };
    ask(call, Query::Live(name, ports))
}

/// `dpdk.version()`.
pub(super) fn version(_: &mut Call<'_>) -> Reply {
    Ok(Some(Answer::Text(concat!("dpdk-k8s-bench ", env!("CARGO_PKG_VERSION")).to_owned())))
}
