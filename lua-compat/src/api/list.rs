//! Every function of Pktgen's Lua API: 72 + 18 of today's, and those of 23.10 that were dropped since.

use super::call::Call;
use super::{Function, Run, Status, Table, control, range, single};

const DISPLAY: &str = "there is no Pktgen screen; results are shown by the run itself";
const COUNTERS: &str = "counters start at zero with every run";
const LEARNING: &str = "switches learn the addresses in the warm-up of a run";
const ADDRESSES: &str = "the addresses in the profile are the ones that are sent";
const RECEIVING: &str = "packets are received and counted by the other side";
const CLOCK: &str = "each process states the clock that it measures with";

const PORTS: &[&str] = &["ports"];
const PORTS_ON: &[&str] = &["ports", "on"];
const RANGE: &[&str] = &["ports", "what", "value"];

const fn done(name: &'static str, args: &'static [&'static str], run: Run) -> Function {
    Function { table: Table::Top, name, args: Some(args), status: Status::Done, run }
}

const fn any(name: &'static str, run: Run) -> Function {
    Function { table: Table::Top, name, args: None, status: Status::Done, run }
}

const fn quiet(name: &'static str, args: &'static [&'static str], why: &'static str) -> Function {
    Function {
        table: Table::Top,
        name,
        args: Some(args),
        status: Status::NoEffect(why),
        run: control::no_effect,
    }
}

const fn quiet_any(name: &'static str, why: &'static str) -> Function {
    Function { table: Table::Top, name, args: None, status: Status::NoEffect(why), run: control::no_effect }
}

const fn live(name: &'static str) -> Function {
    Function { table: Table::Top, name, args: None, status: Status::LiveOnly, run: control::live }
}

const fn later(name: &'static str) -> Function {
    Function { table: Table::Top, name, args: None, status: Status::NotYet, run: control::not_yet }
}

/// A mode that is not carried yet: switching it off is fine.
const fn mode(name: &'static str) -> Function {
    Function { table: Table::Top, name, args: Some(PORTS_ON), status: Status::NotYet, run: single::mode }
}

const fn ranged(
    name: &'static str,
    run: fn(&mut Call<'_>) -> Result<Option<crate::backend::Answer>, String>,
) -> Function {
    Function { table: Table::Range, name, args: Some(RANGE), status: Status::Done, run }
}

const fn ranged_later(name: &'static str) -> Function {
    Function { table: Table::Range, name, args: None, status: Status::NotYet, run: control::not_yet }
}

/// All of them, by group. What a script may call, and what documentation and tests are made from.
pub static FUNCTIONS: &[Function] = &[
    // Control.
    any("quit", control::quit),
    done("start", PORTS, control::start),
    done("stop", PORTS, control::stop),
    quiet("prime", PORTS, LEARNING),
    done("reset", PORTS, control::reset),
    quiet("port_restart", PORTS, "a run opens its port anew"),
    quiet("clear", PORTS, COUNTERS),
    quiet_any("clr", COUNTERS),
    later("save"),
    later("load"),
    later("run"),
    done("delay", &["ms"], control::delay),
    done("sleep", &["seconds"], control::sleep),
    done("pause", &["text", "ms"], control::pause),
    later("continue"),
    later("input"),
    // Settings and the single packet.
    done("set", RANGE, single::set),
    done("set_mac", &["ports", "side", "mac"], single::set_mac),
    done("set_ipaddr", &["ports", "side", "address"], single::set_ipaddr),
    done("set_proto", &["ports", "protocol"], single::set_proto),
    done("set_type", &["ports", "type"], single::set_type),
    later("set_tcp_flags"),
    mode("vlan"),
    later("vlanid"),
    later("cos"),
    later("tos"),
    mode("vxlan"),
    later("vxlan_id"),
    mode("mpls"),
    mode("qinq"),
    mode("gre"),
    mode("gre_eth"),
    later("gtpu_teid"),
    later("pattern"),
    later("userPattern"),
    later("rnd"),
    later("rnd_list"),
    mode("rnd_s_ip"),
    mode("rnd_s_pt"),
    // Sequences.
    later("seq"),
    later("seqTable"),
    later("seq_tcp_flags"),
    // Modes and protocols.
    done("set_range", PORTS_ON, single::set_range),
    mode("pcap"),
    quiet("process", PORTS_ON, RECEIVING),
    mode("capture"),
    mode("bonding"),
    quiet("icmp_echo", PORTS_ON, RECEIVING),
    quiet("mac_from_arp", &["on"], ADDRESSES),
    quiet("send_arp", &["ports", "what"], LEARNING),
    quiet("ping4", PORTS, LEARNING),
    quiet("ping6", PORTS, LEARNING),
    later("latency"),
    later("jitter"),
    later("latsampler_params"),
    mode("latsampler"),
    quiet("clock_gettime", &["on"], CLOCK),
    // Display.
    quiet("screen", &["on"], DISPLAY),
    quiet("page", &["name"], DISPLAY),
    quiet("port", &["number"], DISPLAY),
    quiet("ports_per_page", &["number"], DISPLAY),
    quiet_any("cls", DISPLAY),
    quiet_any("update", DISPLAY),
    quiet("blink", PORTS_ON, DISPLAY),
    quiet_any("help", DISPLAY),
    quiet_any("Lua.help", DISPLAY),
    // Queries.
    live("isSending"),
    live("linkState"),
    any("portCount", control::port_count),
    any("totalPorts", control::port_count),
    live("portStats"),
    live("portInfo"),
    // Of 23.10, dropped since.
    live("pktStats"),
    live("portSizes"),
    quiet("rxtap", PORTS_ON, RECEIVING),
    quiet("txtap", PORTS_ON, RECEIVING),
    // pktgen.range
    ranged("dst_mac", range::dst_mac),
    ranged("src_mac", range::src_mac),
    ranged("src_ip", range::src_ip),
    ranged("dst_ip", range::dst_ip),
    ranged("src_port", range::src_port),
    ranged("dst_port", range::dst_port),
    ranged("ttl", range::ttl),
    ranged_later("hop_limits"),
    ranged_later("vlan_id"),
    ranged("pkt_size", range::pkt_size),
    ranged_later("cos"),
    ranged_later("tos"),
    ranged_later("traffic_class"),
    Function {
        table: Table::Range,
        name: "set_type",
        args: Some(&["ports", "type"]),
        status: Status::Done,
        run: single::set_type,
    },
    Function {
        table: Table::Range,
        name: "ip_proto",
        args: Some(&["ports", "protocol"]),
        status: Status::Done,
        run: range::ip_proto,
    },
    ranged_later("mpls_entry"),
    ranged_later("qinqids"),
    ranged_later("gre_key"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_function_of_pktgen_is_listed_once() {
        let count = |table| FUNCTIONS.iter().filter(|f| f.table == table).count();
        assert_eq!((count(Table::Top), count(Table::Range)), (72 + 4, 18));
        let names: HashSet<String> = FUNCTIONS.iter().map(Function::full_name).collect();
        assert_eq!(names.len(), FUNCTIONS.len());
    }
}
