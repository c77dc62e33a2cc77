//! One pod, by what its agent says.

use super::check::Check;
use super::facts::{End, Ends};
use super::{cpus, device, machines, memory, pairs, port, rights, vfio};

/// Everything about one end.
pub fn checks(end: &End<'_>) -> Vec<Check> {
    let mut checks = cpus::checks(end);
    match port::find(end) {
        Ok(port) => {
            checks.extend(memory::checks(end, port.numa_node(end)));
            checks.extend(device::checks(end, &port));
            checks.extend(vfio::check(end, &port).filter(|_| !has_obstacle(&port)));
            checks.extend(rights::checks(end, &port));
        }
        Err(missing) => {
            checks.extend(memory::checks(end, -1));
            checks.push(missing);
        }
    }
    checks
}

/// The device's own sentence says it already.
fn has_obstacle(port: &port::Port<'_>) -> bool {
    matches!(port, port::Port::Pci(device) if device.obstacle.is_some())
}

/// Everything about pairs: each end, both together, and what those of one machine do to each other.
pub fn all(pairs: &[(String, Ends<'_>)]) -> Vec<Check> {
    let ends: Vec<End<'_>> = pairs.iter().flat_map(|(_, pair)| [pair.tx, pair.rx]).collect();
    let mut checks = machines::checks(&ends);
    for (name, pair) in pairs {
        checks.extend(self::checks(&pair.tx));
        checks.extend(self::checks(&pair.rx));
        checks.extend(pairs::checks(name, pair));
    }
    checks
}

/// Only the devices that are not there: what can be said of any machine, however crowded.
pub fn missing_devices(pairs: &[(String, Ends<'_>)]) -> Vec<Check> {
    let ends = pairs.iter().flat_map(|(_, pair)| [pair.tx, pair.rx]);
    ends.filter_map(|end| port::find(&end).err()).collect()
}
