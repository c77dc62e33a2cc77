//! Kernel interfaces, which `iface:` and `xdp:` open.

use std::path::Path;

use traffic::wire::DeviceInfo;

use super::limits::{CAP_NET_RAW, has_capability};
use super::sources::{Sources, link_name, names, number, text};

/// ARPHRD_ETHER: the mark needs Ethernet frames.
const ETHERNET: u32 = 1;

/// Ethernet interfaces of this network namespace.
pub fn devices(sources: &Sources) -> Vec<DeviceInfo> {
    let class = sources.path("sys/class/net");
    let may_open = has_capability(sources, CAP_NET_RAW);
    names(&class)
        .into_iter()
        .filter(|name| number(&class.join(name).join("type")) == Some(ETHERNET))
        .map(|name| {
            let at = class.join(&name);
            DeviceInfo {
                driver: driver(&at),
                mac: text(&at.join("address")).and_then(|text| text.parse().ok()),
                numa_node: number(&at.join("device/numa_node")).unwrap_or(-1),
                detail: detail(sources, &at, &name),
                obstacle: obstacle(&at, &name, may_open),
                device: format!("iface:{name}"),
            }
        })
        .collect()
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
    const IFF_UP: u32 = 1;
    let flags =
        text(&at.join("flags")).and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    let state = text(&at.join("operstate"));
    if !may_open {
        return Some(
            "packet sockets need CAP_NET_RAW: run as root, or add NET_RAW to the pod's capabilities"
                .to_owned(),
        );
    }
    if flags.is_some_and(|flags| flags & IFF_UP == 0) {
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
