//! The agent finds who is next on the way to an address: on real links, without any capability.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use bench_tests::agent::Agent;
use bench_tests::netns::Netns;
use bench_tests::{bin, needs};
use serde_json::{Value, json};
use traffic::wire::{Inventory, NextHop};

const ROUTER_MAC: &str = "02:00:00:00:00:aa";
const PEER_MAC: &str = "02:00:00:00:00:bb";

/// A pod with two interfaces, `left` to a router and `right` to a peer.
struct Lab {
    pod: Netns,
    router: Netns,
    _peer: Netns,
}

impl Lab {
    fn new() -> Lab {
        let (pod, router, peer) = (Netns::new("pod"), Netns::new("router"), Netns::new("peer"));
        for one in [&pod, &router, &peer] {
            for which in ["all", "default", "lo"] {
                one.sysctl(&format!("ipv6/conf/{which}/disable_ipv6"), "0");
            }
            // An address is usable at once: nobody else is on these links.
            one.sysctl("ipv6/conf/default/accept_dad", "0");
            one.set_link("lo", "up");
        }
        for (here, other, mac) in [("left", &router, ROUTER_MAC), ("right", &peer, PEER_MAC)] {
            pod.join(here, other, "wire");
            // Its link-local address is made of the other one when it comes up.
            other.set_link("wire", "down");
            other.ip(&format!("link set wire address {mac}"));
            other.set_link("wire", "up");
        }
        for (one, interface, addresses) in [
            (&pod, "left", ["10.9.0.1/24", "fd00:9::1/64"]),
            (&pod, "right", ["10.8.0.1/24", "fd00:8::1/64"]),
            (&router, "wire", ["10.9.0.2/24", "fd00:9::2/64"]),
            (&peer, "wire", ["10.8.0.2/24", "fd00:8::2/64"]),
        ] {
            for address in addresses {
                one.ip(&format!("address add {address} dev {interface}"));
            }
        }
        router.sysctl("ipv4/ip_forward", "1");
        router.ip("route add 10.7.0.0/16 via 10.9.0.9");
        pod.ip("route add 10.7.0.0/16 via 10.9.0.2");
        pod.ip("route add 10.6.0.0/16 via 10.9.0.2 mtu 1400");
        pod.ip("route add 10.5.0.0/16 via 10.9.0.2");
        pod.ip("route add 10.5.1.0/24 via 10.8.0.2");
        pod.ip("route add unreachable 10.4.0.0/16");
        pod.ip("route add fd00:7::/64 via fd00:9::2");
        Lab { pod, router, _peer: peer }
    }
}

/// As a pod that drops all capabilities has it.
fn without_rights() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
    command.arg(bin::path("dataplane"));
    command
}

fn ask(agent: &Agent, query: &str) -> (u16, Value) {
    let (status, body) = agent.call("GET", &format!("/v1/next-hop?{query}"), "");
    (status, serde_json::from_str(&body).unwrap_or_else(|e| panic!("{body}: {e}")))
}

fn hop(agent: &Agent, query: &str) -> NextHop {
    let (status, answer) = ask(agent, query);
    assert_eq!(status, 200, "{query}: {answer}");
    serde_json::from_value(answer).unwrap()
}

fn refused(agent: &Agent, query: &str, status: u16, part: &str) {
    let (found, answer) = ask(agent, query);
    let error = answer["error"].as_str().unwrap_or_default().to_owned();
    assert!(found == status && error.contains(part), "{query}: {found} {answer}, not {status} with `{part}`");
}

#[test]
fn the_next_hop_is_found_without_rights() {
    if !needs::root_and(&["ip", "setpriv"]) {
        return;
    }
    let (folder, lab) = (tempfile::tempdir().unwrap(), Lab::new());
    lab.pod.inside(|| {
        let agent = &Agent::start_by(without_rights(), folder.path(), &[]);
        let inventory: Inventory = serde_json::from_str(&agent.call("GET", "/v1/inventory", "").1).unwrap();
        assert_eq!(inventory.capabilities, [""; 0], "nothing here needs a right");

        on_the_link(agent);
        by_a_gateway(agent);
        with_ipv6(agent);
        nowhere(agent);
    });
    let snmp = lab.router.inside(|| std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap());
    let mut ip = snmp.lines().filter_map(|line| line.strip_prefix("Ip: ")).map(str::split_whitespace);
    let (names, values) = (ip.next().unwrap(), ip.next().unwrap());
    let counts: Vec<(&str, &str)> = names.zip(values).collect();
    let count = |name: &str| counts.iter().find(|(one, _)| *one == name).unwrap().1;
    assert_ne!(count("InHdrErrors"), "0", "the router was to pass something on, with no hop left");
    assert_eq!(count("ForwDatagrams"), "0", "what asks for an address goes no further than the next hop");
}

fn on_the_link(agent: &Agent) {
    let found = hop(agent, "to=10.9.0.2");
    assert_eq!((found.interface.as_str(), found.via, found.mtu), ("left", None, 1500));
    assert_eq!((found.source, found.reason), ("10.9.0.1".parse().unwrap(), None));
    assert_eq!(found.mac.unwrap().to_string(), ROUTER_MAC);
    // Known by now, and found all the same.
    assert_eq!(hop(agent, "to=10.9.0.2&interface=left").mac, found.mac);
    let silent = hop(agent, "to=10.9.0.77");
    assert_eq!(silent.mac, None);
    let reason = silent.reason.unwrap();
    assert!(reason.contains("10.9.0.77 on left was asked") && reason.contains("ARP"), "{reason}");
    let again = hop(agent, "to=10.9.0.77");
    assert_eq!((again.mac, again.reason), (None, Some(reason)), "one that had failed before is asked again");
    let own = hop(agent, "to=10.9.0.1");
    assert!(own.mac.is_none() && own.reason.unwrap().contains("own address"));
}

fn by_a_gateway(agent: &Agent) {
    let found = hop(agent, "to=10.7.3.4");
    assert_eq!(found.via, Some("10.9.0.2".parse().unwrap()));
    assert_eq!((found.interface.as_str(), found.mac.unwrap().to_string()), ("left", ROUTER_MAC.into()));
    assert_eq!(hop(agent, "to=10.6.0.1").mtu, 1400, "the route's own MTU counts");
    let longest = hop(agent, "to=10.5.1.9");
    assert_eq!(longest.via, Some("10.8.0.2".parse().unwrap()), "the longest prefix wins");
    assert_eq!((longest.interface.as_str(), longest.source), ("right", "10.8.0.1".parse().unwrap()));
    assert_eq!(longest.mac.unwrap().to_string(), PEER_MAC);
    let by_left = hop(agent, "to=10.5.1.9&interface=left");
    assert_eq!(by_left.via, Some("10.9.0.2".parse().unwrap()), "by the interface that was named");
}

fn with_ipv6(agent: &Agent) {
    let near = hop(agent, "to=fd00:8::2");
    assert_eq!(
        (near.interface.as_str(), near.via, near.source),
        ("right", None, "fd00:8::1".parse().unwrap())
    );
    assert_eq!(near.mac.unwrap().to_string(), PEER_MAC);
    let far = hop(agent, "to=fd00:7::5");
    assert_eq!(
        (far.via, far.mac.unwrap().to_string()),
        (Some("fd00:9::2".parse().unwrap()), ROUTER_MAC.into())
    );
    let local = hop(agent, "to=fe80::ff:fe00:bb&interface=right");
    assert_eq!(local.mac.unwrap().to_string(), PEER_MAC);
    let silent = hop(agent, "to=fd00:8::77");
    assert!(silent.mac.is_none());
    let reason = silent.reason.unwrap();
    assert!(reason.contains("neighbour discovery"), "{reason}");
    refused(agent, "to=fe80::1", 400, "interface=NAME");
    refused(agent, "to=fd00:66::1", 404, "no route to fd00:66::1");
    refused(agent, "to=fd00:8::2&interface=left", 404, "by interface left");
}

fn nowhere(agent: &Agent) {
    refused(agent, "to=192.0.2.9", 404, "no route to 192.0.2.9");
    refused(agent, "to=10.4.0.1", 404, "no route to 10.4.0.1");
    refused(agent, "to=10.7.3.4&interface=right", 404, "by interface right");
    refused(agent, "to=10.9.0.2&interface=eth7", 404, "no interface `eth7`");
    for (query, part) in [
        ("to=224.0.0.5", "no single host's"),
        ("to=ff02::1", "no single host's"),
        ("to=0.0.0.0", "no single host's"),
        ("to=10.9.0.255", "no single host's"),
        ("to=somewhere", "IP address"),
        ("", "to"),
        ("to=10.9.0.2&colour=red", "colour"),
    ] {
        refused(agent, query, 400, part);
    }
    assert_eq!(ask(agent, "to=10.9.0.2").1["reason"], json!(null));
}
