//! What may be typed behind `run`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::measure_args::MeasureArgs;

/// `run`
#[derive(Debug, Args, Serialize)]
pub struct RunArgs {
    /// A profile's path, or its bare file name in flows/txN-rxN/
    #[arg(long)]
    pub profile: String,
    /// Trials, one after the other; of several, the median and the spread are shown at the end
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeats: u32,
    /// The capture of a Lua script that says pktgen.pcap(ports, "on") (Pktgen's -s)
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// How to measure.
    #[command(flatten)]
    #[serde(flatten)]
    pub measure: MeasureArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Cli, Verb, dashed};
    use crate::cli::measure_args::MemoryArg;
    use clap::Parser;
    use std::ffi::OsString;

    fn run_args(line: &str) -> RunArgs {
        let words = line.split(' ').map(OsString::from).map(dashed);
        match Cli::try_parse_from(words).unwrap().verb {
            Verb::Run(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_of_the_old_tool_are_read() {
        let args = run_args(
            "orchestrator run --profile a_b.lua --tx_num_core 2 --rx_num_core=3 --txd 512 --interactive false \
             --control-port 22022 --skip-copy --warmup_duration 0 --sample-interval 5",
        );
        assert_eq!((args.profile.as_str(), args.repeats), ("a_b.lua", 1));
        let args = args.measure;
        assert_eq!((args.tx_num_core, args.rx_num_core, args.txd), (Some(2), Some(3), 512));
        assert_eq!((args.interactive, args.warmup_duration), (false, 0.0));
        let defaults = run_args("orchestrator run --profile p.lua").measure;
        assert_eq!(
            (defaults.warmup_duration, defaults.sample_interval, defaults.control_port),
            (2.0, 10, 22022)
        );
        assert_eq!(defaults.memory(), MemoryArg::Auto);
        assert_eq!(run_args("orchestrator run --profile p --no_huge").measure.memory(), MemoryArg::NoHuge);
        assert_eq!(
            run_args("orchestrator run --profile p --memory hugepages").measure.memory(),
            MemoryArg::Hugepages
        );
        assert_eq!((defaults.tx_socket_mem, defaults.duration, defaults.pairs), (None, None, None));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for line in [
            "--burst 65",
            "--repeats 0",
            "--duration 0",
            "--pairs 0",
            "--txd 1",
            "--rxd 16385",
            "--sample-interval 0",
            "--duration soon",
            "--memory some",
            "--memory hugepages --no-huge",
        ] {
            let words = format!("orchestrator run --profile p {line}");
            assert!(Cli::try_parse_from(words.split(' ')).is_err(), "{line}");
        }
    }
}
