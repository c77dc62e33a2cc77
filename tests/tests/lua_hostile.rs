//! Scripts that do harm, or try to, while a port sends: each ends with a clear error at its line, and the port with it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::lua::text;

const SENDING: &str = "pktgen.set('0', 'rate', 1) pktgen.start('0')\n";

/// What is done, and what is said at line 2.
const HARM: &[(&str, &str)] = &[
    ("while true do end", "is this an endless loop?"),
    ("local s = 'x' while true do s = s .. s end", "memory limit"),
    ("local s = string.rep('x', 1 << 40)", "memory limit"),
    ("local t = {} for i = 1, 1e9 do t[i] = { i } end", "memory limit"),
    ("local function f() return 1 + f() end f()", "recursion limit"),
    ("string.find(string.rep('a', 100000), '.-.-.-.-b')", "time limit"),
    ("os.execute('id')", "attempt to call a nil value (field 'execute')"),
    ("io.popen('id')", "attempt to call a nil value (field 'popen')"),
    ("load('\\27Lua', 'x', 'b')", "scripts are text only"),
    ("assert(load('\\27LuaS'))", "attempt to load a binary chunk"),
    ("dpdk.compile('x')", "bytecode can do anything"),
    ("local a = string.dump(print)", "attempt to call a nil value (field 'dump')"),
    ("setmetatable({}, { __gc = function() while true do end end })", "__gc is not available"),
    ("table.concat(setmetatable({}, { __len = function() return 1 << 50 end }))", "a table with a metatable"),
    (
        "for _ = 1, 40 do assert(io.open('f' .. _, 'w')) keep = keep or {} keep[_] = io.open('g' .. _, 'w') end",
        "close some",
    ),
    (
        "local f = assert(io.open('big', 'w')) local s = string.rep('x', 1 << 20) for _ = 1, 100 do f:write(s) end",
        "64 MiB",
    ),
    ("assert(io.open('/etc/passwd'))", "outside of what a script may use"),
    ("assert(io.open('../../../etc/passwd'))", "outside of what a script may use"),
    ("assert(io.open('../x', 'w'))", "outside of what a script may use"),
    ("assert(io.open('/tmp/x', 'w'))", "outside of what a script may use"),
    ("assert(io.open('/dev/zero'))", "outside of what a script may use"),
    ("require('..passwd')", "No such file"),
    ("pktgen.load('/proc/self/environ')", "outside of what a script may use"),
    ("pktgen.start('7')", "port 7 is not there: 1 run(s)"),
    ("pktgen.set('0', 'size', 9000)", "larger than the ports were opened for: give --max-frame 9000"),
];

#[test]
fn each_ends_with_its_error_and_its_traffic() {
    for (harm, said) in HARM {
        let end = text(&format!("{SENDING}{harm}\nprint('went on')"), &[]);
        assert!(!end.status.success(), "{harm}: ended well: {}", end.output);
        assert!(end.stderr.contains("t.lua:2: "), "{harm}: no place: {}", end.stderr);
        assert!(end.stderr.contains(said), "{harm}: not `{said}`: {}", end.stderr);
        assert!(!end.output.contains("went on"), "{harm}");
    }
}

#[test]
fn a_link_out_of_the_results_leads_nowhere() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "secret").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(secret.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("/tmp", folder.path().join("out")).unwrap();
    let script = folder.path().join("t.lua");
    let lines = "print(io.open('link'))\nprint(io.open('link', 'w'))\nprint(io.open('out/new', 'w'))";
    std::fs::write(&script, lines).unwrap();
    let results = folder.path().to_str().unwrap();
    let end = bench_tests::lua::file(&script, bench_tests::lua::RING, &["--results-dir", results]).ok();
    assert_eq!(end.output.matches("outside of what a script may use").count(), 3, "{}", end.output);
    assert_eq!(std::fs::read_to_string(secret.path()).unwrap(), "secret");
}

#[test]
fn a_script_that_waits_has_a_limit_in_all() {
    // One line: where a slow machine's time is up doesn't matter.
    let line = format!("{} while true do pktgen.delay(50) end", SENDING.trim_end());
    let end = text(&line, &["--limit", "1"]);
    assert!(!end.status.success());
    assert!(
        end.stderr.contains("t.lua:1: the script ran for more than 1 s in all (--limit)"),
        "{}",
        end.stderr
    );
}
