//! What was typed, and what it means.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::error::AgentError;
use super::limits::Limits;

/// `dataplane agent`: the pod's process 1, or a lab's local stand-in for it.
#[derive(Clone, Debug, clap::Args)]
pub struct AgentArgs {
    /// Loopback address to listen on; port 0 takes a free one, named in the first line on standard output
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8480", value_parser = socket_address)]
    pub listen: SocketAddr,

    /// Directory that runs are written to as they happen, one folder each
    #[arg(long, value_name = "DIR", required_unless_present_any = ["check", "openapi"])]
    pub state_dir: Option<PathBuf>,

    /// End after so many seconds without a request and without a live run
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub idle_exit: Option<u64>,

    /// Serve /metrics, and nothing else, on this address too (for Prometheus; need not be loopback)
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = socket_address)]
    pub metrics_listen: Option<SocketAddr>,

    /// Ask the agent at --listen whether it is well, and exit with 0 or 1 (for Kubernetes exec probes)
    #[arg(long)]
    pub check: bool,

    /// Print the OpenAPI document of the API and end; a running agent serves it at /openapi.json
    #[arg(long, conflicts_with = "check")]
    pub openapi: bool,

    /// Program and arguments that run one engine, in place of this program's own `engine`; last on the line
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true, hide = true)]
    pub engine_command: Vec<OsString>,
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    named.as_deref().unwrap_or(text).parse().map_err(|_| {
        format!("`{text}` is no address with a port: write 127.0.0.1:8480, [::1]:8480 or 127.0.0.1:0")
    })
}

/// What an agent needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Loopback.
    pub listen: SocketAddr,
    /// Read-only second listener.
    pub metrics_listen: Option<SocketAddr>,
    /// Where runs are written.
    pub state_dir: PathBuf,
    /// Without a request and a live run; never when none.
    pub idle_exit: Option<Duration>,
    /// Program and arguments; never empty.
    pub engine_command: Vec<OsString>,
    /// The bounds in time.
    pub limits: Limits,
}

impl TryFrom<AgentArgs> for Settings {
    type Error = AgentError;

    fn try_from(args: AgentArgs) -> Result<Settings, AgentError> {
        let engine_command = if args.engine_command.is_empty() {
            vec![
                std::env::current_exe().map_err(AgentError::NoEngine)?.into_os_string(),
                OsString::from("engine"),
            ]
        } else {
            args.engine_command
        };
        Ok(Settings {
            listen: args.listen,
            metrics_listen: args.metrics_listen,
            state_dir: args.state_dir.ok_or(AgentError::NoStateDir)?,
            idle_exit: args.idle_exit.map(Duration::from_secs),
            engine_command,
            limits: Limits::default(),
        })
    }
}
