//! `dataplane tx`: send a profile by hand.

use std::path::Path;

use clap::Args;
use traffic::profile::Stop;
use traffic::profile::replay::Timing;
use traffic::units::Rate;
use traffic::wire::{Role, RunSpec};

use super::options::{ChecksumArg, FlowOptions, PortOptions, ProfileError, ProfileOptions, ResponderOptions};

/// Send what a profile says
#[derive(Clone, Debug, Args)]
pub struct TxArgs {
    #[command(flatten)]
    port: PortOptions,
    #[command(flatten)]
    profile: ProfileOptions,
    /// Rate of the port, in place of the profile's: 10%, 1.5Mpps, 2Gbps, 2GbpsL1, max
    #[arg(long)]
    rate: Option<Rate>,
    /// Seconds to send, in place of the profile's stop rule
    #[arg(long, conflicts_with = "count", value_parser = seconds)]
    duration: Option<f64>,
    /// Frames to send, in place of the profile's stop rule
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1 << 53))]
    count: Option<u64>,
    /// Book what comes back (from `dataplane reflect`, say): loss, order and round-trip latency by this host's own
    /// clock
    #[arg(long)]
    round_trip: bool,
    /// Who writes the checksums; the frames are the same
    #[arg(long, value_enum, default_value_t)]
    checksum: ChecksumArg,
    #[command(flatten)]
    responder: ResponderOptions,
    #[command(flatten)]
    flows: FlowOptions,
    /// Workers, each with a queue and a core of its own
    #[arg(long, default_value_t = 1)]
    workers: u16,
    /// Frames a burst at most
    #[arg(long, default_value_t = RunSpec::default_burst())]
    burst: u16,
}

/// A week at most, as a profile's own.
fn seconds(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|s| *s > 0.0 && *s <= 604_800.0);
    value.ok_or_else(|| format!("`{text}` is no number of seconds above 0 and up to 604800"))
}

impl TxArgs {
    /// The run that these options ask for.
    pub fn spec(&self) -> Result<(RunSpec, super::options::Output), ProfileError> {
        let mut profile = self.profile.read()?;
        profile.rate = self.rate.unwrap_or(profile.rate);
        // Who asks for a rate wants it in place of the capture's times.
        if let (Some(_), Some(replay)) = (self.rate, &mut profile.replay) {
            replay.timing = Timing::Rate;
        }
        profile.stop = match (self.duration, self.count) {
            (Some(seconds), _) => Stop::DurationS(seconds),
            (None, Some(count)) => Stop::Count(count),
            (None, None) => profile.stop,
        };
        let spec = self.port.spec(Role::Tx, profile, self.workers);
        let (round_trip, addresses) = (self.round_trip, self.responder.addresses.clone());
        let (checksums, per_flow) = (self.checksum.into(), self.flows.rows());
        let spec = RunSpec { burst: self.burst, round_trip, addresses, checksums, per_flow, ..spec };
        Ok((spec, self.port.output))
    }

    /// Where each flow's books go.
    pub fn flows_file(&self) -> Option<&Path> {
        self.flows.per_flow.as_deref()
    }
}
