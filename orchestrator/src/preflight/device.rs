//! The port of one pod: there, up, large enough, near its CPUs, with an address of its own.

use traffic::mac::Mac;
use traffic::wire::InterfaceInfo;

use super::check::{Check, Level};
use super::facts::End;
use super::port::{Port, kernel_device};
use crate::show::cpu_list;

/// What an Ethernet header and the FCS add to a packet.
const ETHERNET_BYTES: u32 = 18;

/// All of it.
pub fn checks(end: &End<'_>, port: &Port<'_>) -> Vec<Check> {
    let mut checks = vec![there(end, port)];
    checks.extend(link(end, port));
    checks.extend(mtu(end, port));
    checks.extend(address(end, port));
    checks.extend(numa(end, port.numa_node(end)));
    checks
}

fn there(end: &End<'_>, port: &Port<'_>) -> Check {
    const NAME: &str = "device";
    match port {
        Port::Virtual => Check::ok(end.pod, NAME, format!("{}: made when it is opened", short(end.device))),
        Port::Kernel(interface) | Port::Xdp(interface) => {
            Check::ok(end.pod, NAME, format!("{} ({})", end.device, driver(interface.driver.as_deref())))
        }
        Port::Pci(device) => {
            let found = format!("{} ({})", device.device, driver(device.driver.as_deref()));
            let from = device.from_env.as_ref().map_or_else(String::new, |name| format!(", given by {name}"));
            match &device.obstacle {
                None => Check::ok(end.pod, NAME, format!("{found}{from}")),
                Some(why) => {
                    let (why, next) = halves(why);
                    Check::error(end.pod, NAME, format!("{found}{from}: {why}"), next)
                }
            }
        }
    }
}

/// The agent's sentence: what is wrong, and after the first colon what helps.
fn halves(sentence: &str) -> (&str, String) {
    match sentence.split_once(": ") {
        Some((why, next)) => (why, next.to_owned()),
        None => (sentence, "choose another device".to_owned()),
    }
}

fn driver(name: Option<&str>) -> String {
    name.map_or_else(|| "no driver".to_owned(), |name| format!("driver {name}"))
}

/// A vdev's arguments are long.
fn short(device: &str) -> &str {
    device.split(',').next().unwrap_or(device)
}

fn link(end: &End<'_>, port: &Port<'_>) -> Option<Check> {
    const NAME: &str = "link";
    match port {
        Port::Virtual => None,
        Port::Kernel(interface) | Port::Xdp(interface) if interface.up => {
            Some(Check::ok(end.pod, NAME, format!("{} is up", interface.name)))
        }
        Port::Kernel(interface) | Port::Xdp(interface) => Some(Check::error(
            end.pod,
            NAME,
            format!("{} is down", interface.name),
            format!("`ip link set {} up`, and look at its cable or its peer", interface.name),
        )),
        Port::Pci(device) => Some(match device.link_up {
            Some(true) => Check::ok(end.pod, NAME, "up"),
            Some(false) => Check::warning(
                end.pod,
                NAME,
                format!("the link of {} is down", device.device),
                "look at its cable, and at the physical function on the node (`ip link`)",
            ),
            None => Check::ok(end.pod, NAME, "known once the port is open"),
        }),
    }
}

fn mtu(end: &End<'_>, port: &Port<'_>) -> Option<Check> {
    let frame = end.ask.frame_bytes?;
    let needed = frame.saturating_sub(ETHERNET_BYTES);
    // DPDK sets a NIC's own; the kernel's are as they are.
    let (mtu, level) = match port {
        Port::Kernel(InterfaceInfo { mtu, .. }) | Port::Xdp(InterfaceInfo { mtu, .. }) => {
            (*mtu, Level::Error)
        }
        Port::Pci(device) => (device.mtu?, Level::Warning),
        Port::Virtual => return None,
    };
    if mtu == 0 {
        return None;
    }
    Some(if needed > mtu {
        Check::at(
            level,
            end.pod,
            "mtu",
            format!("frames of {frame} B need an MTU of {needed}, and it is {mtu}"),
            format!("use frames of {} B at most, or raise the MTU of the network", mtu + ETHERNET_BYTES),
        )
    } else {
        Check::ok(end.pod, "mtu", format!("{mtu}, frames of {frame} B need {needed}"))
    })
}

fn address(end: &End<'_>, port: &Port<'_>) -> Option<Check> {
    const NAME: &str = "mac";
    let (mac, is_vf) = match port {
        Port::Virtual => return None,
        Port::Kernel(interface) | Port::Xdp(interface) => {
            let is_vf = kernel_device(end, &interface.name).and_then(|device| device.is_vf);
            (interface.mac, is_vf == Some(true))
        }
        Port::Pci(device) => (device.mac, device.is_vf == Some(true)),
    };
    let on_node = "on the node, give the VF one: `ip link set PF vf N mac ADDRESS` (and `spoofchk off` if frames are to \
                   carry others)";
    Some(match (mac, is_vf) {
        (Some(mac), true) if mac == Mac::default() => Check::warning(
            end.pod,
            NAME,
            "the VF's address is all zeros: it gets a new one each time",
            on_node,
        ),
        (Some(mac), true) => Check::ok(
            end.pod,
            NAME,
            format!("{mac}, a VF's: with spoof checking on, frames from any other are dropped"),
        ),
        (Some(mac), false) => Check::ok(end.pod, NAME, mac.to_string()),
        (None, true) => Check::warning(
            end.pod,
            NAME,
            "a VF's, not known before the port is open: the NIC drops frames whose source is another (spoof checking)",
            format!(
                "make profiles with the VF's own address (`flows generate --tx-mac … --rx-mac …`), or {on_node}"
            ),
        ),
        (None, false) => Check::ok(end.pod, NAME, "known once the port is open"),
    })
}

fn numa(end: &End<'_>, node: i32) -> Option<Check> {
    if node < 0 {
        return None;
    }
    let polled = end.polled();
    let cores = end.inventory.cores.iter().filter(|core| polled.contains(&core.cpu));
    let far: Vec<u32> = cores.filter(|core| core.numa_node != node).map(|core| core.cpu).collect();
    Some(if far.is_empty() {
        Check::ok(end.pod, "numa", format!("device and workers are on node {node}"))
    } else {
        Check::warning(
            end.pod,
            "numa",
            format!("the device is on node {node}, and its workers' CPUs {} are not", cpu_list(&far)),
            "have the kubelet's topologyManagerPolicy set to single-numa-node, with cpuManagerPolicy static, and create the \
             pods again",
        )
    })
}
