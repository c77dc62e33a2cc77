//! Kernel interfaces, which `iface:` and `xdp:` open.

use std::path::Path;

use traffic::wire::{DeviceInfo, InterfaceInfo};

use super::devices::env_variable;
use super::rights::{CAP_NET_RAW, has_capability};
use super::sources::{Sources, link_name, names, number, text};

/// ARPHRD_ETHER: the mark needs Ethernet frames.
const ETHERNET: u32 = 1;
/// ARPHRD_LOOPBACK.
const LOOPBACK: u32 = 772;

/// Ethernet interfaces of this network namespace.
pub fn devices(sources: &Sources) -> Vec<DeviceInfo> {
    let class = sources.path("sys/class/net");
    let may_open = has_capability(sources, CAP_NET_RAW);
    names(&class)
        .into_iter()
        .filter(|name| number(&class.join(name).join("type")) == Some(ETHERNET))
        .map(|name| {
            let at = class.join(&name);
            let parent = at.join("device");
            let is_pci = link_name(&parent.join("subsystem")).is_some_and(|bus| bus == "pci");
            DeviceInfo {
                driver: driver(&at),
                mac: mac(&at),
                numa_node: number(&parent.join("numa_node")).unwrap_or(-1),
                detail: detail(sources, &at, &name),
                obstacle: obstacle(&at, &name, may_open),
                link_up: link_up(&at),
                mtu: number(&at.join("mtu")),
                is_vf: is_pci.then(|| parent.join("physfn").is_symlink()),
                // The kernel has it: VFIO does not.
                iommu_group: None,
                vfio_group_usable: None,
                from_env: link_name(&parent).and_then(|address| env_variable(sources, &address)),
                device: format!("iface:{name}"),
            }
        })
        .collect()
}

/// All interfaces of this network namespace but loopback, with their addresses.
pub fn all(sources: &Sources) -> Vec<InterfaceInfo> {
    let class = sources.path("sys/class/net");
    names(&class)
        .into_iter()
        .filter(|name| number(&class.join(name).join("type")).is_some_and(|kind: u32| kind != LOOPBACK))
        .map(|name| {
            let at = class.join(&name);
            let addresses = sources.addresses.iter().filter(|(of, _)| *of == name);
            InterfaceInfo {
                mac: mac(&at),
                mtu: number(&at.join("mtu")).unwrap_or(0),
                up: is_set_up(&at).unwrap_or(true) && link_up(&at).unwrap_or(true),
                addresses: addresses.map(|(_, address)| address.clone()).collect(),
                driver: driver(&at),
                name,
            }
        })
        .collect()
}

/// Of Ethernet interfaces only: others have addresses of other lengths, or six bytes by chance.
pub fn mac(at: &Path) -> Option<traffic::mac::Mac> {
    let is_ethernet = number(&at.join("type")).is_none_or(|kind: u32| kind == ETHERNET);
    is_ethernet.then(|| text(&at.join("address"))?.parse().ok()).flatten()
}

/// Whether the link is up; none where the driver does not say.
pub fn link_up(at: &Path) -> Option<bool> {
    match text(&at.join("operstate")).as_deref() {
        Some("up") => Some(true),
        Some("down" | "lowerlayerdown" | "dormant" | "notpresent" | "testing") => Some(false),
        // Drivers without an operational state (virtual ones) may know the carrier; it can't be read while the
        // interface is down.
        _ => number::<u8>(&at.join("carrier")).map(|carrier| carrier == 1),
    }
}

/// IFF_UP.
fn is_set_up(at: &Path) -> Option<bool> {
    let flags = u32::from_str_radix(text(&at.join("flags"))?.trim_start_matches("0x"), 16).ok()?;
    Some(flags & 1 == 1)
}

/// Virtual interfaces have no device; what kind they are is in `uevent`.
fn driver(at: &Path) -> Option<String> {
    link_name(&at.join("device/driver")).or_else(|| {
        let uevent = text(&at.join("uevent"))?;
        uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE=").map(str::to_owned))
    })
}

fn detail(sources: &Sources, at: &Path, name: &str) -> String {
    let state = text(&at.join("operstate")).unwrap_or_else(|| "unknown".to_owned());
    let mut words =
        vec![if state == "unknown" { "link unknown".to_owned() } else { format!("link {state}") }];
    words.extend(number::<u32>(&at.join("mtu")).map(|mtu| format!("mtu {mtu}")));
    // −1 where the driver does not know; an interface that is down refuses to say.
    words.extend(
        number::<u32>(&at.join("speed")).filter(|mbps| *mbps > 0).map(|mbps| format!("{mbps} Mbit/s")),
    );
    words.extend(link_name(&at.join("master")).map(|master| format!("part of {master}")));
    if has_default_route(sources, name) {
        words.push("in use: carries this host's default route, which test traffic would disturb".to_owned());
    }
    words.join(", ")
}

fn obstacle(at: &Path, name: &str, may_open: bool) -> Option<String> {
    let state = text(&at.join("operstate"));
    if !may_open {
        return Some(
            "packet sockets need CAP_NET_RAW: run as root, or add NET_RAW to the pod's capabilities"
                .to_owned(),
        );
    }
    if is_set_up(at) == Some(false) {
        return Some(format!("the interface is down: `ip link set {name} up`"));
    }
    match state.as_deref() {
        Some("down" | "lowerlayerdown") => {
            Some("it is up but its link is down: connect the cable or bring its peer up".to_owned())
        }
        _ => None,
    }
}

/// IPv4 and IPv6, main table.
pub fn has_default_route(sources: &Sources, name: &str) -> bool {
    let v4 = sources.text("proc/net/route").unwrap_or_default();
    let in_v4 = v4.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.first() == Some(&name) && words.get(1) == Some(&"00000000") && words.get(7) == Some(&"00000000")
    });
    let v6 = sources.text("proc/net/ipv6_route").unwrap_or_default();
    let in_v6 = v6.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // RTF_REJECT marks the kernel's own unreachable default.
        let flags = words.get(8).and_then(|text| u32::from_str_radix(text, 16).ok()).unwrap_or(0);
        words.last() == Some(&name)
            && words.get(1) == Some(&"00")
            && words[0].bytes().all(|b| b == b'0')
            && flags & 0x200 == 0
    });
    in_v4 || in_v6
}
