//! Finds the system's DPDK, compiles the shim and generates the bindings. No logic of its own beyond that.

use std::env;
use std::path::PathBuf;
use std::process::{Command, exit};

/// The oldest DPDK whose API the shim and the bindings are written for.
const OLDEST: &str = "22.11";

/// What we call into. The rest of DPDK (drivers above all) is loaded by EAL itself when it starts.
const LINKED: &[&str] = &["rte_ethdev", "rte_mbuf", "rte_mempool", "rte_eal", "rte_log"];

const FUNCTIONS: &[&str] = &[
    "shim_.*",
    "fopencookie",
    "rte_strerror",
    "rte_openlog_stream",
    "rte_eal_(init|cleanup|iova_mode)",
    "rte_thread_(register|unregister)",
    "rte_get_tsc_hz",
    "rte_mempool_(free|avail_count|in_use_count|obj_iter)",
    "rte_pktmbuf_(pool_create|free_bulk)",
    "rte_eth_find_next",
    "rte_eth_dev_(adjust_nb_rx_tx_desc|close|configure|get_name_by_port|info_get)",
    "rte_eth_dev_(get_mtu|set_mtu|set_link_up|set_link_down|socket_id|start|stop)",
    "rte_eth_dev_(flow_ctrl_get|fw_version_get|rss_hash_conf_get|rss_reta_query|rss_reta_update|vlan_filter)",
    "rte_eth_(rx|tx)_queue_setup",
    "rte_eth_tx_done_cleanup",
    "rte_eth_macaddr_get",
    "rte_eth_promiscuous_(enable|disable|get)",
    "rte_eth_stats_(get|reset)",
    "rte_eth_xstats_(get|get_names|reset)",
];

const CONSTANTS: &[&str] = &["SHIM_.*", "RTE_MAX_ETHPORTS", "RTE_MAX_LCORE", "RTE_ETH_XSTATS_NAME_SIZE"];

/// Layouts that change between versions are never read by field: the shim states their offsets.
const OPAQUE: &[&str] = &["rte_mbuf", "rte_mempool", "rte_device"];

/// An opaque type's size is C's business: it is never built or moved in Rust.
const OPAQUE_BODY: &str =
    "{ _opaque: [u8; 0], _pinned: ::core::marker::PhantomData<(*mut u8, ::core::marker::PhantomPinned)> }";

fn main() {
    println!("cargo:rerun-if-changed=shim/shim.h");
    println!("cargo:rerun-if-changed=shim/shim.c");
    println!("cargo:rerun-if-changed=shim/guard.c");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");

    let library = match pkg_config::Config::new().cargo_metadata(false).probe("libdpdk") {
        Ok(library) => library,
        Err(pkg_config::Error::Command { cause, .. }) => {
            fail(&format!("pkg-config cannot be run ({cause}): apt-get install pkg-config"))
        }
        Err(error) => fail(&format!(
            "DPDK not found: apt-get install libdpdk-dev (Debian, Ubuntu) or dpdk-devel (Fedora), \
             or point PKG_CONFIG_PATH at the folder of libdpdk.pc.\n{error}"
        )),
    };
    if number(&library.version) < number(OLDEST) {
        fail(&format!(
            "DPDK {} is too old: {OLDEST} or later is needed. Install a newer libdpdk-dev, \
             or point PKG_CONFIG_PATH at the libdpdk.pc of a newer build",
            library.version
        ));
    }
    println!("cargo:version={}", library.version);

    let flags = compiler_flags();
    compile_shim(&flags);
    for path in &library.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }
    for name in LINKED.iter().filter(|name| library.libs.iter().any(|found| found == **name)) {
        println!("cargo:rustc-link-lib=dylib={name}");
    }
    generate_bindings(&flags);
}

/// pkg-config's flags as they are: the `pkg_config` crate drops `-march` and `-include`, which DPDK needs.
fn compiler_flags() -> Vec<String> {
    let tool = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    match Command::new(&tool).args(["--cflags", "libdpdk"]).output() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
        }
        Ok(output) => fail(&format!(
            "{tool} --cflags libdpdk failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => fail(&format!("{tool} cannot be run: {error}")),
    }
}

fn compile_shim(flags: &[String]) {
    let mut build = cc::Build::new();
    build.files(["shim/shim.c", "shim/guard.c"]).opt_level(3).warnings(true).extra_warnings(true);
    for flag in flags {
        // DPDK's own headers are not ours to warn about.
        match flag.strip_prefix("-I") {
            Some(path) => build.flag("-isystem").flag(path),
            None => build.flag(flag),
        };
    }
    build.compile("dpdk_shim");
}

fn generate_bindings(flags: &[String]) {
    let mut builder = bindgen::Builder::default()
        .header("shim/shim.h")
        .clang_args(flags)
        .clang_arg("-D_GNU_SOURCE")
        .rust_edition(bindgen::RustEdition::Edition2024)
        .use_core()
        .generate_comments(false)
        .layout_tests(false)
        .derive_debug(false)
        .prepend_enum_name(false)
        .default_enum_style(bindgen::EnumVariation::Consts);
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in CONSTANTS {
        builder = builder.allowlist_var(name);
    }
    for name in OPAQUE {
        builder = builder
            .opaque_type(name)
            .blocklist_type(name)
            .raw_line(format!("#[repr(C)] pub struct {name} {OPAQUE_BODY}"));
    }
    let bindings = match builder.generate() {
        Ok(bindings) => bindings,
        Err(error) => fail(&format!("bindgen failed on DPDK's headers (libclang is needed): {error}")),
    };
    let Some(folder) = env::var_os("OUT_DIR") else { fail("OUT_DIR is not set: run this through cargo") };
    let file = PathBuf::from(folder).join("bindings.rs");
    if let Err(error) = bindings.write_to_file(&file) {
        fail(&format!("cannot write {}: {error}", file.display()));
    }
}

/// "22.11.3" → (22, 11): LTS updates never change the API.
fn number(version: &str) -> (u32, u32) {
    let mut parts = version.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn fail(message: &str) -> ! {
    for line in message.lines() {
        println!("cargo:warning={line}");
    }
    eprintln!("dpdk-sys: {message}");
    exit(1)
}
