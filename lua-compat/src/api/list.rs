//! Every function of Pktgen's Lua API: 72 + 18 of today's, those of 23.10 that were dropped since, and `dpdk`'s.

use super::function::{Function, Group, Status};
use super::{control, header, latency, query, random, range, seq, single};

const DISPLAY: &str = "there is no Pktgen screen; results are shown by the run itself";
const COUNTERS: &str = "counters start at zero with every run";
const LEARNING: &str = "switches learn the addresses in the warm-up of a run";
const ADDRESSES: &str = "the addresses in the profile are the ones that are sent";
const RECEIVING: &str = "packets are received and counted by the other side";
const CLOCK: &str = "each process states the clock that it measures with";
const KEYS: &str = "nobody is there to press a key: the script goes on at once";
const TAPS: &str = "no tap interface is made: use tcpdump, or `dataplane rx --dump-foreign`";
const BONDING: &str = "bonds are the host's business: name the bond as a device";
const RESTART: &str = "a port is opened once and keeps running";
const BYTECODE: &str = "bytecode can do anything: scripts are source text only";
const SCRIPT_FILES: &str = "an imported script reads and writes no files: run it live (dataplane lua -f)";
const LIVE: &str = "it asks a running port: run the script live (dataplane lua -f)";

const PORTS: &[&str] = &["ports"];
const ON: &[&str] = &["ports", "on"];
const RANGE: &[&str] = &["ports", "what", "value"];
const SEQ: &[&str] = &[
    "slot", "ports", "dmac", "smac", "dip", "sip", "sport", "dport", "type", "proto", "vlan", "size", "teid",
];

const fn control(name: &'static str) -> Function {
    Function::new(Group::Control, name)
}
const fn single(name: &'static str) -> Function {
    Function::new(Group::Single, name)
}
const fn mode(name: &'static str) -> Function {
    Function::new(Group::Mode, name).takes(ON)
}
const fn show(name: &'static str) -> Function {
    Function::new(Group::Display, name).without_effect(DISPLAY)
}
const fn query(name: &'static str) -> Function {
    Function::new(Group::Query, name).takes(PORTS).run(query::live).imports(Status::Refused(LIVE))
}
const fn dropped(name: &'static str) -> Function {
    Function::new(Group::Dropped, name).takes(PORTS)
}
const fn ranged(name: &'static str) -> Function {
    Function::new(Group::Range, name).takes(RANGE).run(range::set)
}
const fn dpdk(name: &'static str) -> Function {
    Function::new(Group::Dpdk, name)
}

/// All of them, by group. What a script may call, and what documentation and tests are made from.
pub static FUNCTIONS: &[Function] = &[
    control("quit").run(control::quit),
    control("start").takes(PORTS).run(control::start),
    control("stop").takes(PORTS).run(control::stop),
    control("prime").takes(PORTS).run(control::prime).imports(Status::NoEffect(LEARNING)),
    control("reset").takes(PORTS).run(control::reset),
    control("port_restart").takes(PORTS).without_effect(RESTART),
    control("clear").takes(PORTS).run(control::clear).imports(Status::NoEffect(COUNTERS)),
    control("clr").run(control::clr).imports(Status::NoEffect(COUNTERS)),
    control("save").takes(&["path"]).run(control::file).imports(Status::Refused(SCRIPT_FILES)),
    control("load").takes(&["path"]).run(control::file).imports(Status::Refused(SCRIPT_FILES)),
    control("run").takes(&["kind", "text", "more"]).optional(1).run(control::file),
    control("delay").takes(&["ms"]).run(control::delay),
    control("sleep").takes(&["seconds"]).run(control::sleep),
    control("pause").takes(&["text", "ms"]).run(control::pause),
    control("continue").takes(&["text"]).without_effect(KEYS),
    control("input").takes(&["text"]).run(control::input).without_effect_but_answers(KEYS),
    single("set").takes(RANGE).run(single::set),
    single("set_mac").takes(&["ports", "side", "mac"]).run(single::set_mac),
    single("set_ipaddr").takes(&["ports", "side", "address"]).run(single::set_ipaddr),
    single("set_proto").takes(&["ports", "protocol"]).run(single::set_proto),
    single("set_type").takes(&["ports", "type"]).run(single::set_type),
    single("set_tcp_flags").takes(&["ports", "flags"]).run(header::tcp_flags),
    single("vlan").takes(ON).run(header::mode),
    single("vlanid").takes(&["ports", "id"]).run(header::vlanid),
    single("cos").takes(&["ports", "unused", "value"]).optional(1).run(header::cos),
    single("tos").takes(&["ports", "value"]).run(header::tos),
    single("vxlan").takes(ON).run(header::mode),
    single("vxlan_id").takes(&["ports", "flags", "group", "vni"]).run(header::vxlan_id),
    single("mpls").takes(ON).run(header::mode),
    single("qinq").takes(ON).run(header::mode),
    single("gre").takes(ON).run(header::mode),
    single("gre_eth").takes(ON).run(header::mode),
    single("gtpu_teid").takes(RANGE).run(range::set),
    single("pattern").takes(&["ports", "pattern"]).run(header::pattern),
    single("userPattern").takes(&["ports", "text"]).run(header::user_pattern),
    single("rnd").takes(&["ports", "slot", "offset", "mask"]).run(random::rnd),
    single("rnd_list").takes(PORTS).optional(1).run(random::rnd_list),
    single("rnd_s_ip").takes(ON).run(header::mode),
    single("rnd_s_pt").takes(ON).run(header::mode),
    Function::new(Group::Sequence, "seq").takes(SEQ).optional(1).run(seq::seq),
    Function::new(Group::Sequence, "seqTable").takes(&["slot", "ports", "packet"]).run(seq::table),
    Function::new(Group::Sequence, "seq_tcp_flags").takes(&["slot", "ports", "flags"]).run(seq::flags),
    mode("set_range").run(single::set_range),
    mode("pcap").run(header::mode),
    mode("process").without_effect(RECEIVING),
    mode("capture").without_effect(TAPS),
    mode("bonding").without_effect(BONDING),
    mode("icmp_echo").without_effect(RECEIVING),
    mode("mac_from_arp").takes(&["on"]).without_effect(ADDRESSES),
    mode("send_arp").takes(&["ports", "what"]).without_effect(LEARNING),
    mode("ping4").takes(PORTS).without_effect(LEARNING),
    mode("ping6").takes(PORTS).without_effect(LEARNING),
    mode("latency").takes(&["ports", "what", "value"]).optional(1).run(latency::latency),
    mode("jitter").takes(&["ports", "microseconds"]).run(latency::jitter),
    mode("latsampler_params")
        .takes(&["ports", "kind", "samples", "rate", "file"])
        .run(latency::sampler_params),
    mode("latsampler").run(header::mode),
    mode("clock_gettime").takes(&["on"]).without_effect(CLOCK),
    show("screen").takes(&["on"]),
    show("page").takes(&["name"]),
    show("port").takes(&["number"]),
    show("ports_per_page").takes(&["number"]),
    show("cls"),
    show("update"),
    show("blink").takes(ON),
    show("help"),
    show("Lua.help"),
    query("isSending"),
    query("linkState"),
    Function::new(Group::Query, "portCount").run(query::port_count),
    Function::new(Group::Query, "totalPorts").run(query::port_count),
    query("portStats").takes(&["ports", "kind"]).optional(1).run(query::port_stats),
    query("portInfo"),
    dropped("pktStats").run(query::live).imports(Status::Refused(LIVE)),
    dropped("portSizes").run(query::live).imports(Status::Refused(LIVE)),
    dropped("rxtap").takes(ON).without_effect(TAPS),
    dropped("txtap").takes(ON).without_effect(TAPS),
    ranged("dst_mac"),
    ranged("src_mac"),
    ranged("src_ip"),
    ranged("dst_ip"),
    ranged("src_port"),
    ranged("dst_port"),
    ranged("ttl"),
    ranged("hop_limits"),
    ranged("vlan_id"),
    ranged("pkt_size"),
    ranged("cos"),
    ranged("tos"),
    ranged("traffic_class"),
    ranged("set_type").takes(&["ports", "type"]).run(single::set_type),
    ranged("ip_proto").takes(&["ports", "protocol"]).run(range::ip_proto),
    ranged("mpls_entry").takes(&["ports", "entry"]).run(header::mpls_entry),
    ranged("qinqids").takes(&["ports", "outer", "inner"]).run(header::qinqids),
    ranged("gre_key").takes(&["ports", "key"]).run(header::gre_key),
    dpdk("delay").takes(&["ms"]).run(control::delay),
    dpdk("sleep").takes(&["seconds"]).run(control::sleep),
    dpdk("pause").takes(&["text", "ms"]).run(control::pause),
    dpdk("continue").takes(&["text"]).without_effect(KEYS),
    dpdk("input").takes(&["text"]).run(control::input).without_effect_but_answers(KEYS),
    dpdk("portCount").run(query::port_count),
    dpdk("totalPorts").run(query::port_count),
    dpdk("port_stats").takes(PORTS).run(query::port_stats).imports(Status::Refused(LIVE)),
    dpdk("linkState").takes(PORTS).run(query::live).imports(Status::Refused(LIVE)),
    dpdk("version").run(query::version),
    dpdk("compile").run(control::refused).refused(BYTECODE),
    dpdk("decompile").run(control::refused).refused(BYTECODE),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::api::Table;

    #[test]
    fn every_function_of_pktgen_is_listed_once() {
        let count = |table| FUNCTIONS.iter().filter(|f| f.table() == table).count();
        assert_eq!((count(Table::Top), count(Table::Range), count(Table::Dpdk)), (72 + 4, 18, 12));
        let names: HashSet<String> = FUNCTIONS.iter().map(Function::full_name).collect();
        assert_eq!(names.len(), FUNCTIONS.len());
    }
}
