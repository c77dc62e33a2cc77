//! Scripts that do harm, or try to.

use std::time::Duration;

use proptest::prelude::*;

use super::{error, import};
use crate::{ImportErrorKind, ImportOptions, Limit, Limits, MAX_SCRIPT_BYTES, import_file, import_str};

const ENDLESS: &str = "t.lua:2: the script ran for more than 20000000 Lua instructions (instruction limit): is this an endless loop?";
const MEMORY: &str = "the script needs more than 64 MiB of memory (memory limit)";

#[test]
fn an_endless_loop_ends_with_its_line() {
    assert_eq!(error("local n = 0\nwhile true do n = n + 1 end"), ENDLESS);
    assert_eq!(error("\nwhile true do pcall(function() while true do end end) end"), ENDLESS);
    assert_eq!(error("\nwhile true do xpcall(function() while true do end end, print) end"), ENDLESS);
    assert_eq!(error("\nlocal ok = pcall(function() while true do end end)"), ENDLESS);
    assert_eq!(error("\nload('while true do end')()"), ENDLESS);
    assert_eq!(
        error("\npktgen.set(setmetatable({}, { __index = print }), 1, 2)\nwhile true do end").lines().count(),
        1
    );
}

#[test]
fn a_slow_script_ends_by_its_time() {
    let limits = Limits { time: Duration::ZERO, ..Limits::default() };
    let options = ImportOptions { limits, ..ImportOptions::default() };
    let text = import_str("t.lua", "for i = 1, 5000 do end", &options).unwrap_err().to_string();
    assert_eq!(text, "t.lua:1: the script ran for more than 0.0 s (time limit): is this an endless loop?");
}

#[test]
fn a_memory_bomb_ends_with_its_line() {
    assert_eq!(
        error("local s = 'xxxxxxxx'\nfor i = 1, 60 do\ns = s .. s\nend"),
        format!("t.lua:3: {MEMORY}")
    );
    assert_eq!(error("\nlocal s = string.rep('x', 1 << 40)"), format!("t.lua:2: {MEMORY}"));
    assert_eq!(error("\nlocal s = ('x'):rep(1 << 30)"), format!("t.lua:2: {MEMORY}"));
    assert_eq!(error("local t = {}\nfor i = 1, 1e9 do\nt[i] = { i }\nend"), format!("t.lua:3: {MEMORY}"));
    assert_eq!(error("\nlocal s = (''):rep(1 << 60)"), format!("t.lua:2: {MEMORY}"));
    // Caught: the script goes on with what it has.
    assert_eq!(
        import("print(pcall(function() local s = 'x' while true do s = s .. s end end))\npktgen.start(0)")
            .unwrap()
            .output,
        "false\tnot enough memory\n"
    );
}

#[test]
fn recursion_ends() {
    let nested = ": calls nest too deeply (recursion limit): does a function call itself without an end?";
    assert_eq!(error("local function f() return 1 + f() end\nf()"), format!("t.lua:1{nested}"));
    assert_eq!(error("local function f() pcall(f) error('x') end\nf()"), "t.lua:1: x");
    assert_eq!(
        error(
            "local t = setmetatable({}, {})\ngetmetatable(t).__index = function(t, k) return t[k] end\nlocal x = t.a"
        ),
        format!("t.lua:2{nested}")
    );
    assert_eq!(error("\nxpcall(error, function() error('again') end)\nwhile true do end").lines().count(), 1);
}

#[test]
fn loops_inside_c_are_bounded() {
    let slow = error("\nlocal s = ('a'):rep(40):find(('a*'):rep(40) .. 'b')");
    assert!(slow.starts_with("t.lua:2: the pattern `a*a*") && slow.contains("fewer repetitions"), "{slow}");
    assert_eq!(
        error("\ntable.move({}, 1, 1 << 60, 2)"),
        "t.lua:2: table.move: more than 1,000,000 values (memory limit)"
    );
    let meta = "\nlocal t = setmetatable({}, { __len = function() return 1 << 60 end })\n";
    assert_eq!(
        error(&format!("{meta}table.insert(t, 1, 1)")),
        "t.lua:3: table.insert: a table with a metatable is not available to scripts"
    );
    assert_eq!(
        error("\nsetmetatable({}, { __gc = function() while true do end end })"),
        "t.lua:2: setmetatable: __gc is not available to scripts"
    );
}

#[test]
fn slow_library_calls_end_by_time() {
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    let options = ImportOptions { limits, ..ImportOptions::default() };
    let prepare = "local t, s = {}, ('x'):rep(1 << 20)\nfor i = 1, 100000 do t[i] = i end\nwhile true do\n";
    for call in ["table.sort(t)", "s:gsub('', '')", "table.concat(t)", "s:rep(20)", "s:upper():lower()"] {
        let started = std::time::Instant::now();
        let fault = import_str("t.lua", &format!("{prepare}{call} end"), &options).unwrap_err();
        assert!(matches!(fault.kind, ImportErrorKind::Limit(Limit::Time(_))), "{call}: {fault}");
        assert_eq!(fault.line, 4, "{call}");
        assert!(started.elapsed() < Duration::from_secs(20), "{call} took {:?}", started.elapsed());
    }
}

#[test]
fn bytecode_does_not_load() {
    assert_eq!(error("\x1bLua"), "t.lua: this is compiled Lua (bytecode): only source text is imported");
    assert_eq!(error("assert(load('\\27Lua'))"), "t.lua:1: attempt to load a binary chunk (mode is 't')");
    assert_eq!(
        error("load('return 1', 'x', 'b')"),
        "t.lua:1: load: mode `b` is not available: scripts are text only"
    );
    assert_eq!(import("print(load('return 7', 'x', 't', {})())").unwrap().output, "7\n");
}

#[test]
fn nothing_reaches_the_machine() {
    let absent = "for _, name in ipairs({ 'io', 'debug', 'coroutine', 'dofile', 'loadfile', 'warn' }) do\n\
                  if _G[name] ~= nil then print(name) end end\n\
                  for name in pairs(os) do if not ({ time = 1, clock = 1, date = 1 })[name] then print(name) end end\n\
                  print(os.execute, string.dump, package.loadlib, package.searchers, package.path)";
    assert_eq!(import(absent).unwrap().output, "nil\tnil\tnil\tnil\t./?.lua\n");
    assert_eq!(error("\nio.open('/etc/passwd')"), "t.lua:2: attempt to index a nil value (global 'io')");
    assert_eq!(error("os.execute('ls')"), "t.lua:1: attempt to call a nil value (field 'execute')");
    assert_eq!(
        error("require 'socket'"),
        "t.lua:1: require: module `socket` is not available: a script may only require \"Pktgen\""
    );
}

#[test]
fn output_is_bounded() {
    let import = import("print(1, nil, 'é', {} ~= nil)\nfor i = 1, 1e5 do print('é') end").unwrap();
    assert!(import.output.starts_with("1\tnil\té\ttrue\né\n") && import.output.len() <= 64 << 10);
    assert!(import.report.notes[0].text.contains("prints more than 65536 bytes"), "{:?}", import.report);
}

#[test]
fn files_are_bounded_and_named() {
    let dir = std::env::temp_dir().join(format!("lua-compat-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (large, folder) = (dir.join("large.lua"), dir.join("absent/x.lua"));
    std::fs::write(&large, vec![b'-'; MAX_SCRIPT_BYTES as usize + 1]).unwrap();
    let options = ImportOptions::default();
    let fault = import_file(&large, &options).unwrap_err();
    assert!(matches!(fault.kind, ImportErrorKind::TooLarge { max_bytes: MAX_SCRIPT_BYTES }));
    let fault = import_file(&folder, &options).unwrap_err();
    assert!(fault.to_string().contains("absent/x.lua: the script can't be read: "), "{fault}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn the_clock_follows_delays() {
    let text = "local from, cpu = os.time(), os.clock()\npktgen.delay(90000)\nprint(os.time() - from >= 90, os.clock() - cpu >= 90)\n\
                while os.time() < from + 200 do sleep(10) end";
    assert_eq!(import(&format!("require 'Pktgen'\n{text}")).unwrap().output, "true\ttrue\n");
}

#[test]
fn errors_have_a_place() {
    assert_eq!(error("local x = \n\n="), "t.lua:3: syntax error: unexpected symbol near '='");
    assert_eq!(error("\nerror('no ports')"), "t.lua:2: no ports");
    assert_eq!(error("\nerror('no place', 0)"), "t.lua:2: no place");
    assert_eq!(error("\n\nlocal t = nil + 1").split_once(": ").unwrap().0, "t.lua:3");
    assert_eq!(error("require 'Pktgen'\nprintf('%d', 'x')").split_once(": ").unwrap().0, "t.lua:2");
    assert_eq!(error("#!/usr/bin/lua\nx()"), "t.lua:2: attempt to call a nil value (global 'x')");
    let limit = crate::import_str("t.lua", "while true do end", &ImportOptions::default()).unwrap_err();
    assert!(matches!(limit.kind, ImportErrorKind::Limit(Limit::Instructions(_))));
}

/// What scripts are made of, for scripts that nobody would write.
const PIECES: [&str; 24] = [
    "pktgen",
    ".range",
    ".set",
    ".src_ip",
    ".start",
    ".foo",
    "(",
    ")",
    "'0'",
    "'all'",
    ", ",
    "'start'",
    "'inc'",
    "0",
    "1e300",
    "-1",
    "nil",
    "{}",
    " = ",
    "\n",
    "pcall",
    "require 'Pktgen'",
    "while true do ",
    " end ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any text ends in a profile or an error with the file's name: never in a panic, never without an end.
    #[test]
    fn any_text_ends(text in ".{0,200}", pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30)) {
        let limits = Limits { instructions: 100_000, ..Limits::default() };
        let options = ImportOptions { limits, ..ImportOptions::default() };
        for script in [text, pieces.concat()] {
            if let Err(fault) = import_str("t.lua", &script, &options) {
                prop_assert!(fault.to_string().starts_with("t.lua:"), "{fault}");
            }
        }
    }
}
