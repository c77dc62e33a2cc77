//! Pktgen's functions: arguments, names, helpers.

use super::{error, import, notes};
use crate::api::{FUNCTIONS, Status, Table};

#[test]
fn unknown_functions_say_so_when_called() {
    assert_eq!(error("\npktgen.foo(1)"), "t.lua:2: pktgen.foo is not a Pktgen function");
    assert_eq!(
        error("pktgen.set_rnge('0', 'on')"),
        "t.lua:1: pktgen.set_rnge is not a Pktgen function (did you mean pktgen.set_range?)"
    );
    assert_eq!(
        error("pktgen.dst_mac('0', '00:00:00:00:00:01')"),
        "t.lua:1: pktgen.dst_mac is not a Pktgen function (did you mean pktgen.range.dst_mac?)"
    );
    assert_eq!(
        error("pktgen.range.srcip('0', 'start', '1.1.1.1')"),
        "t.lua:1: pktgen.range.srcip is not a Pktgen function (did you mean pktgen.range.src_ip?)"
    );
    assert!(error("pktgen.range('0', 'on')").contains("call pktgen.set_range(ports, \"on\")"));
}

#[test]
fn what_an_import_refuses_is_an_error_with_its_place_and_reason() {
    let live = "is not available: ";
    for function in FUNCTIONS {
        let Status::Refused(why) = function.import else { continue };
        let args = function.args.map_or(0, |names| names.len() - function.optional);
        let args = vec!["'0'"; args].join(", ");
        let call = format!("\n{}[{:?}]({args})", function.table().prefix(), function.name);
        let text = error(&call);
        assert!(text.starts_with("t.lua:2: "), "{call}: {text}");
        assert!(
            text.contains(&format!("{live}{why}")) || text.contains("asks a running port"),
            "{call}: {text}"
        );
    }
    assert_eq!(
        error("pktgen.portStats(0)"),
        "t.lua:1: pktgen.portStats asks a running port: a script that reacts to counters or link state can't be imported \
         as a profile, it has to be run live"
    );
}

#[test]
fn arguments_are_counted_as_pktgen_does() {
    assert_eq!(
        error("pktgen.set('0', 'rate')"),
        "t.lua:1: pktgen.set: wrong number of arguments: 2 instead of 3 (ports, what, value)"
    );
    assert_eq!(
        error("pktgen.start()"),
        "t.lua:1: pktgen.start: wrong number of arguments: 0 instead of 1 (ports)"
    );
    for function in FUNCTIONS.iter().filter(|f| f.args.is_some()) {
        let args = (1..20).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let call = format!("{}[{:?}]({args})", function.table().prefix(), function.name);
        if matches!(function.name, "save" | "load" | "run") {
            continue;
        }
        assert!(error(&call).contains("wrong number of arguments"), "{call}");
    }
}

/// Calls with a wrong argument, and what they are told.
const WRONG: &[(&str, &str)] = &[
    (
        "set('0', 'rate', 'fast')",
        "pktgen.set: argument 3 (value) must be a rate in % of the link, such as 10 or \"12.5\", not \"fast\"",
    ),
    (
        "set('0', 'rate', -1)",
        "pktgen.set: argument 3 (value) must be a rate in % of the link, such as 10 or \"12.5\", not -1",
    ),
    (
        "set('0', 'sport', 65536)",
        "pktgen.set: argument 3 (value) must be a port, a whole number from 0 to 65535, not 65536",
    ),
    (
        "set('0', 'count', 1.5)",
        "pktgen.set: argument 3 (value) must be a number of packets, a whole number from 0 to 9007199254740992, not 1.5",
    ),
    (
        "set('0', 'conut', 1)",
        "pktgen.set does not know `conut` (did you mean count?): it takes count, size, rate, burst, txburst, rxburst, cycles, sport, dport, ttl, seq_cnt, seqcnt, prime, dump",
    ),
    (
        "set('x', 'rate', 1)",
        "pktgen.set: invalid portlist `x`: write ports from 0 to 31 such as \"0\", \"0,2-4\" or \"all\"",
    ),
    (
        "start({})",
        "pktgen.start: argument 1 (ports) must be a port list such as \"0\", \"0,2-4\" or \"all\", not table",
    ),
    (
        "set_mac('0', 'dst', '00:50')",
        "pktgen.set_mac: argument 3 (mac) must be a MAC address such as \"00:50:56:ab:a2:ef\", not \"00:50\"",
    ),
    (
        "set_mac('0', 'both', '00:50')",
        "pktgen.set_mac: argument 2 (side) must be \"src\" or \"dst\", not \"both\"",
    ),
    (
        "set_ipaddr('0', 'src', '1.2.3/24')",
        "pktgen.set_ipaddr: argument 3 (address) must be an IPv4 or IPv6 address such as \"192.168.1.1\", \"192.168.1.1/24\" or \"2001:db8::1\", not \"1.2.3/24\"",
    ),
    (
        "set_proto('0', 'sctp')",
        "pktgen.set_proto: argument 2 (protocol) must be \"udp\", \"tcp\" or \"icmp\", not \"sctp\"",
    ),
    (
        "set_type('0', 'ipx')",
        "pktgen.set_type: argument 2 (type) must be \"ipv4\", \"ipv6\" or \"arp\", not \"ipx\"",
    ),
    (
        "rnd('0', 0, 20, 'XY')",
        "pktgen.rnd: argument 4 (mask) must be \"off\" or up to 32 of 0, 1, . and X, such as \"XX.._.... ...1\", not \"XY\"",
    ),
    (
        "seqTable(0, '0', { pktsize = 64 })",
        "pktgen.seqTable does not know `pktsize` (did you mean pktSize?): it takes eth_dst_addr, eth_src_addr, ip_dst_addr, ip_src_addr, sport, dport, ethType, ipProto, vlanid, pktSize, gtpu_teid, cos, tos, tcp_flags",
    ),
    ("delay(-5)", "pktgen.delay: argument 1 (ms) must be a time from 0 to a year, not -5"),
    ("delay(nil)", "pktgen.delay: argument 1 (ms) must be a number, not nil"),
    (
        "range.ttl('0', 'start', 256)",
        "pktgen.range.ttl: argument 3 (value) must be a time to live, a whole number from 0 to 255, not 256",
    ),
    (
        "range.src_ip('0', 'start', 'a')",
        "pktgen.range.src_ip: argument 3 (value) must be an IPv4 or IPv6 address such as \"192.168.1.1\", \"192.168.1.1/24\" or \"2001:db8::1\", not \"a\"",
    ),
    (
        "clear('99')",
        "pktgen.clear: invalid portlist `99`: write ports from 0 to 31 such as \"0\", \"0,2-4\" or \"all\"",
    ),
];

#[test]
fn wrong_values_are_shown_with_their_place() {
    for (call, message) in WRONG {
        assert_eq!(error(&format!("-- one\npktgen.{call}")), format!("t.lua:2: {message}"));
    }
}

#[test]
fn an_error_can_be_caught_as_text() {
    let text =
        "local ok, text = pcall(pktgen.set, '0', 'rate')\nprint(ok, type(text), text)\npktgen.start(0)";
    let output = import(text).unwrap().output;
    assert_eq!(
        output,
        "false\tstring\tscript:1: pktgen.set: wrong number of arguments: 2 instead of 3 (ports, what, value)\n"
    );
    assert_eq!(import("print(select(2, pcall(error, { code = 7 })).code)").unwrap().output, "7\n");
}

#[test]
fn words_and_numbers_are_taken_as_pktgen_takes_them() {
    let import =
        import("pktgen.set_range(0, 'yes')\npktgen.set(0.0, 'RATE', '12.5')\npktgen.start(0)").unwrap();
    assert_eq!(import.profile.rate, traffic::units::Rate::Percent(12.5));
    let off =
        "line 1: warning: pktgen.set_range: `yes` is taken as off, as Pktgen does: write \"on\" or \"off\"";
    assert!(notes(&import).iter().any(|n| n == off), "{:?}", import.report);
}

#[test]
fn helpers_of_pktgen_lua() {
    let text = r#"
        assert(require("Pktgen") == pktgen and require "Pktgen" == pktgen)
        printf("%s-%d\n", "a", 7)
        prints("t", { x = "y" })
        print(trim("  a b  "), d2u("a\\b"), basename("x/y.lua"))
        print(getn({ 1, 2 }), getn({ a = 1 }), isTrue("1 < 2"), #str2tbl("a\nb\n"), strfmt("%02d", 3))
        print(pktgen.portCount(), pktgen.totalPorts(), type(pktgen.info.Pktgen_Version))
        msg("%d", 1) cPrintf("c") comment("d")
    "#;
    let expected = "a-7\nt = {\n  [\"x\"] = \"y\",\n}\na b\ta/b\ty.lua\tx\n2\t1\t1\t2\t03\n1\t1\tstring\n++ 1/* c */\n/* d */\n";
    assert_eq!(import(text).unwrap().output, expected);
    assert_eq!(
        error("require 'Pktgen'\nsystem('ls')"),
        "t.lua:2: system needs a shell, which an imported script does not have"
    );
}

/// Where the documentation's table of functions is.
const DOCS: &str = "../docs/lua.md";
const BEGIN: &str =
    "<!-- functions: written by lua-compat's test from its table; LUA_DOCS=write updates it -->\n";
const END: &str = "\n<!-- end of functions -->";

#[test]
fn the_documentation_has_every_function_as_the_code_has_it() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCS);
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (table, tail) = rest.split_once(END).unwrap();
    let now = crate::api::docs::table();
    if std::env::var("LUA_DOCS").is_ok_and(|v| v == "write") {
        std::fs::write(&path, format!("{head}{BEGIN}{now}{END}{tail}")).unwrap();
    } else {
        assert!(table == now, "docs/lua.md is behind the code: run this test with LUA_DOCS=write");
    }
}

#[test]
fn every_reason_is_one() {
    let reasons = FUNCTIONS.iter().flat_map(|f| [f.live, f.import]).filter_map(|status| match status {
        Status::NoEffect(why) | Status::Refused(why) => Some(why),
        Status::Done => None,
    });
    assert!(reasons.into_iter().all(|why| why.len() > 10));
    assert_eq!(
        FUNCTIONS.iter().filter(|f| f.table() == Table::Range && f.import == Status::Done).count(),
        18
    );
}
