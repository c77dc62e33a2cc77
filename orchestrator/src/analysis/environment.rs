//! What a result depends on beside the profile: machines, devices, software.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::results::stored::Stored;
use crate::trial::{SideOutcome, SideRecord};

/// One end's.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EndEnvironment {
    /// Facts that two comparable results share, by name.
    pub facts: BTreeMap<&'static str, String>,
    /// Facts that every machine has of its own.
    pub own: BTreeMap<&'static str, String>,
}

/// Both ends'.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Environment {
    /// `local` or `kube`.
    pub lab: String,
    /// The sender's.
    pub tx: EndEnvironment,
    /// The receiver's.
    pub rx: EndEnvironment,
}

/// Of one result.
pub fn environment(stored: &Stored) -> Environment {
    let outcome = &stored.judged.outcome;
    let record = &outcome.record;
    Environment {
        lab: record.lab.clone(),
        tx: end(&record.tx, &outcome.tx),
        rx: end(&record.rx, &outcome.rx),
    }
}

fn end(record: &SideRecord, side: &SideOutcome) -> EndEnvironment {
    let inventory = &record.inventory;
    let mut facts = BTreeMap::from([
        ("CPU", inventory.cpu_model.clone()),
        ("CPUs online", inventory.online_cpus.to_string()),
        ("kernel", inventory.kernel.clone()),
        ("kernel command line", inventory.kernel_cmdline.clone()),
        ("DPDK", inventory.dpdk_version.clone()),
    ]);
    let mut own = BTreeMap::from([
        ("node", record.node.clone()),
        ("pod", record.pod.clone()),
        ("device asked", record.spec.device.clone()),
        ("isolated CPUs", crate::show::cpu_list(&inventory.isolated_cpus)),
        ("clock", inventory.clock.name.clone()),
    ]);
    if let Some(ready) = &side.ready {
        facts.insert("driver", ready.driver.clone());
        facts.insert(
            "link",
            if ready.link_mbps == 0 { "unknown".into() } else { format!("{} Mbit/s", ready.link_mbps) },
        );
        facts.insert("DPDK", ready.dpdk_version.clone());
        if let Some(firmware) = &ready.firmware {
            facts.insert("firmware", firmware.clone());
        }
        // `hugepages 12 MiB`: how much of them differs with the profile.
        facts.insert(
            "memory",
            ready.memory.split(|c: char| c.is_ascii_digit()).next().unwrap_or("").trim().to_owned(),
        );
        facts.insert("workers", ready.worker_cpus.len().to_string());
        let kernel_device = inventory.devices.iter().find(|d| d.device == ready.device);
        if let Some(device) = kernel_device {
            own.insert("device", device.detail.clone());
            if let Some(is_vf) = device.is_vf {
                facts.insert("function", if is_vf { "VF".into() } else { "PF".into() });
            }
        }
        own.insert("port", ready.port_name.clone());
        own.insert("MAC", ready.mac.to_string());
        own.insert("main core", ready.main_cpu.to_string());
        own.insert("worker cores", crate::show::cpu_list(&ready.worker_cpus));
        own.insert("queues (RX, TX)", format!("{}, {}", ready.queues[0], ready.queues[1]));
        own.insert("descriptors (RX, TX)", format!("{}, {}", ready.descriptors[0], ready.descriptors[1]));
        own.insert("NUMA node of the port", ready.numa_node.to_string());
        if let Some(flow_control) = &ready.flow_control {
            own.insert("flow control", flow_control.clone());
        }
    }
    EndEnvironment { facts, own }
}

/// What differs between two environments that should be alike, a sentence each.
pub fn differences(a: &Environment, b: &Environment) -> Vec<String> {
    let mut found = Vec::new();
    if a.lab != b.lab {
        found.push(format!("lab: {} and {}", a.lab, b.lab));
    }
    for (end, a, b) in [("tx", &a.tx, &b.tx), ("rx", &a.rx, &b.rx)] {
        for (name, one) in &a.facts {
            let other = b.facts.get(name).map_or("unknown", String::as_str);
            if one != other {
                found.push(format!("{end} {name}: `{one}` and `{other}`"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::groups::tests::stored;

    #[test]
    fn another_cpu_or_driver_is_another_environment_and_another_node_is_not() {
        let a = environment(&stored(|_| {}));
        assert!(differences(&a, &environment(&stored(|o| o.record.tx.node = "elsewhere".into()))).is_empty());
        let b = environment(&stored(|o| {
            o.record.rx.inventory.cpu_model = "another".into();
            o.tx.ready.as_mut().unwrap().driver = "net_ixgbe".into();
        }));
        let said = differences(&a, &b);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("tx driver: ") && said[1].starts_with("rx CPU: "), "{said:?}");
    }
}
