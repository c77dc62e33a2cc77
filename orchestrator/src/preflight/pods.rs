//! The pods of pairs, by what the API server says: there, paired, ready.

use std::collections::BTreeMap;

use super::check::Check;
use crate::agent::AgentError;
use crate::cluster::labels::PodRole;
use crate::pods::rows::Row;

const NAME: &str = "pod";

/// All of it.
pub fn checks(rows: &[Row]) -> Vec<Check> {
    let mut checks: Vec<Check> = rows.iter().map(ready).collect();
    checks.extend(halves(rows));
    checks
}

fn ready(row: &Row) -> Check {
    let node = row.node.as_deref().unwrap_or("no node");
    match (&row.reason, row.ready) {
        (_, true) if row.restarts > 0 => Check::warning(
            &row.pod,
            NAME,
            format!("ready on {node}, after {} restart(s) of its container", row.restarts),
            format!("look why: `kubectl logs --previous {}`", row.pod),
        ),
        (_, true) => Check::ok(&row.pod, NAME, format!("ready on {node}")),
        (reason, false) => Check::error(
            &row.pod,
            NAME,
            format!("not ready: {}", reason.as_deref().unwrap_or("no reason is given")),
            row.remedy
                .clone()
                .unwrap_or_else(|| "wait some seconds, then look again (`orchestrator pods list`)".into()),
        ),
    }
}

/// Senders without a receiver, receivers without a sender.
fn halves(rows: &[Row]) -> Vec<Check> {
    let mut pairs: BTreeMap<usize, Vec<PodRole>> = BTreeMap::new();
    for row in rows {
        if let (Some(pair), Some(role)) = (row.pair, row.role) {
            pairs.entry(pair).or_default().push(role);
        }
    }
    let check = |(pair, roles): (usize, Vec<PodRole>)| {
        let missing = [PodRole::Tx, PodRole::Rx].into_iter().find(|role| !roles.contains(role))?;
        Some(Check::error(
            &crate::lab::pair_name(pair),
            NAME,
            format!("half a pair: {missing}{pair} is not there"),
            "`orchestrator pods create` makes those that are missing, `pods delete --pair` takes the other away",
        ))
    };
    pairs.into_iter().filter_map(check).collect()
}

/// First contact with an agent.
pub fn contact(pod: &str, release: &str) -> Check {
    const OURS: &str = env!("CARGO_PKG_VERSION");
    if release == OURS {
        return Check::ok(pod, "agent", format!("dataplane {release} answers"));
    }
    Check::warning(
        pod,
        "agent",
        format!("dataplane {release} answers, this is orchestrator {OURS}: one protocol, two releases"),
        "use the image of this release for figures to be published (`orchestrator pods create -i …`)",
    )
}

/// An agent that can't be worked with.
pub fn no_contact(pod: &str, error: &AgentError) -> Check {
    let next = match error {
        AgentError::Version { .. } => {
            "make the pods again with the image of this release (`orchestrator pods delete`, `pods create -i …`)".to_owned()
        }
        _ => format!("look what it says: `kubectl logs {pod}`; and whether this program may use pods/portforward"),
    };
    Check::error(pod, "agent", error.to_string(), next)
}
