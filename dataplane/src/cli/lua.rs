//! `dataplane lua`: Pktgen's Lua scripts on running ports, and its control port.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use traffic::units::{FrameSize, UnitError};
use traffic::wire::{Role, RunSpec};

use super::options::{Output, PortOptions};
use crate::live::state::{Counts, Stopper};
use crate::live::{self, LuaError, Options, open};
use crate::{sayln, warnln};

/// Pktgen's control port.
const CONTROL_PORT: &str = "127.0.0.1:22022";

/// Run a Pktgen Lua script on ports, as `pktgen -f` does; or listen for Lua text, as `pktgen -G` does
#[derive(Clone, Debug, Args)]
pub struct LuaArgs {
    /// The script
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Port 0, 1, … of the script, in this order; see --device of `dataplane tx`
    #[arg(long = "device", value_name = "DEVICE", default_value = "env")]
    devices: Vec<String>,
    /// Listen for Lua text on 127.0.0.1:22022, until pktgen.quit() or Ctrl-C
    #[arg(short = 'G', long = "control")]
    control: bool,
    /// Listen for Lua text on this address, until pktgen.quit() or Ctrl-C
    #[arg(short = 'g', long = "control-address", value_name = "HOST:PORT")]
    control_address: Option<String>,
    /// Let --control-address be one that others can reach: whoever does may send any traffic
    #[arg(long)]
    allow_remote_control: bool,
    /// Where scripts may write files; they may read those beside the script as well
    #[arg(long, value_name = "DIR", default_value = ".")]
    results_dir: PathBuf,
    /// The capture that pktgen.pcap(ports, "on") sends (Pktgen's -s)
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Send what Pktgen would have sent, oddities included
    #[arg(long)]
    pktgen_quirks: bool,
    /// Bytes of the largest frame with FCS, 64 to 9600, that scripts may send
    #[arg(long, default_value = "1518", value_parser = frame_size)]
    max_frame: FrameSize,
    /// Seconds that a script may run in all
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    limit: u64,
    /// Cores, memory, output.
    #[command(flatten)]
    cores: CoreOptions,
}

/// Cores and memory, as for the other verbs.
#[derive(Clone, Debug, Args)]
struct CoreOptions {
    /// CPUs to use, main core first, then one a port; a CPU may be repeated on small machines [default: all allowed]
    #[arg(long, value_delimiter = ',')]
    lcores: Vec<u32>,
    /// Descriptors of each queue
    #[arg(long, default_value_t = RunSpec::default_descriptors(), visible_aliases = ["txd", "rxd"],
        value_parser = clap::value_parser!(u16).range(16..=16384))]
    descriptors: u16,
    /// Use ordinary memory, not hugepages
    #[arg(long)]
    no_huge: bool,
    /// MiB of DPDK memory a port [default: what it needs]
    #[arg(long)]
    socket_mem: Option<u32>,
    /// At the end, a table for people or one JSON object for programs
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum LuaCliError {
    /// Nothing to do.
    #[error("nothing to run: give a script (-f FILE), or a control port (-G)")]
    Nothing,
    /// An address that others reach.
    #[error(
        "the control port {0} can be reached from other machines, and whoever reaches it may send any traffic: use 127.0.0.1 \
         and an SSH tunnel or port-forward, or add --allow-remote-control"
    )]
    Remote(SocketAddr),
    /// No address.
    #[error("control port {address}: {cause}; is another one running there?")]
    Listen {
        /// As given.
        address: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The run.
    #[error(transparent)]
    Run(#[from] LuaError),
}

fn frame_size(text: &str) -> Result<FrameSize, String> {
    let bytes = text.parse::<u32>().map_err(|_| format!("`{text}` is not a number"))?;
    FrameSize::new(bytes).map_err(|error: UnitError| error.to_string())
}

/// Does what was typed.
pub fn run(args: &LuaArgs) -> Result<(), LuaCliError> {
    let listener = listen(args)?;
    if args.file.is_none() && listener.is_none() {
        return Err(LuaCliError::Nothing);
    }
    let stopper = Arc::new(Stopper::default());
    let stop = Arc::clone(&stopper);
    if let Err(error) = ctrlc::set_handler(move || stop.stop()) {
        warnln!("warning: can't catch Ctrl-C ({error}): it will end the run without a summary");
    }
    let options = Options {
        spec: spec(args),
        devices: args.devices.clone(),
        script: args.file.clone(),
        results: args.results_dir.clone(),
        pcap: args.pcap.clone(),
        quirks: args.pktgen_quirks,
        limit: Duration::from_secs(args.limit),
        listener,
    };
    let outcome = live::run(&options, &stopper)?;
    match args.cores.output {
        Output::Json => sayln!("{}", serde_json::Value::from_iter([("ports", json(&outcome))])),
        Output::Table => {
            for (number, (device, counts)) in outcome.iter().enumerate() {
                warnln!("port {number} ({device}): {}", counts.words());
            }
        }
    }
    Ok(())
}

fn json(outcome: &[(String, Counts)]) -> serde_json::Value {
    let port = |(device, counts): &(String, Counts)| {
        let mut object = serde_json::Map::new();
        object.insert("device".to_owned(), device.as_str().into());
        object.extend(counts.told().map(|(name, n)| (name.to_owned(), n.into())));
        serde_json::Value::Object(object)
    };
    outcome.iter().map(port).collect()
}

/// The control port, open.
fn listen(args: &LuaArgs) -> Result<Option<TcpListener>, LuaCliError> {
    let address = match (&args.control_address, args.control) {
        (Some(address), _) => address.clone(),
        (None, true) => CONTROL_PORT.to_owned(),
        (None, false) => return Ok(None),
    };
    let fail = |cause| LuaCliError::Listen { address: address.clone(), cause };
    let all: Vec<SocketAddr> = address.to_socket_addrs().map_err(fail)?.collect();
    if let Some(remote) = all.iter().find(|a| !a.ip().is_loopback())
        && !args.allow_remote_control
    {
        return Err(LuaCliError::Remote(*remote));
    }
    let listener = TcpListener::bind(all.as_slice()).map_err(fail)?;
    if let Ok(address) = listener.local_addr() {
        warnln!("control port: {address}");
    }
    Ok(Some(listener))
}

/// What all ports have in common. The engine's checks are those of a sender that sees what comes back.
fn spec(args: &LuaArgs) -> RunSpec {
    let port = PortOptions {
        device: String::new(),
        lcores: args.cores.lcores.clone(),
        descriptors: args.cores.descriptors,
        memory: super::options::MemoryArg::Auto,
        no_huge: args.cores.no_huge,
        socket_mem: args.cores.socket_mem,
        interval_ms: RunSpec::default_sample_interval_ms(),
        tag: super::options::TAG_BY_HAND,
        clock: super::options::ClockArg::Tsc,
        clock_error_ns: 0,
        output: args.cores.output,
    };
    RunSpec { round_trip: true, ..port.spec(Role::Tx, open::largest(args.max_frame), 1) }
}
