//! `dataplane reflect`: send back what comes, by hand.

use std::net::Ipv4Addr;

use clap::{Args, ValueEnum};
use traffic::mac::Mac;
use traffic::profile::{Ethernet, Ipv4, Ports, Profile, Stream};
use traffic::swap::Swap;
use traffic::units::{FrameSize, Rate};
use traffic::wire::{Role, RunSpec};

use super::options::{Output, PortOptions};

/// Send back what comes, addresses swapped
#[derive(Clone, Debug, Args)]
pub struct ReflectArgs {
    #[command(flatten)]
    port: PortOptions,
    /// What is swapped; of what is not understood, the MAC addresses
    #[arg(long, value_enum, default_value_t)]
    swap: SwapArg,
    /// Workers, each with an RX and a TX queue and a core of its own
    #[arg(long, default_value_t = 1)]
    workers: u16,
    /// The largest frame that may come, bytes with FCS
    #[arg(long, default_value = "1518", value_parser = frame_size)]
    frame_size: FrameSize,
    /// Seconds; until Ctrl-C when not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    duration: Option<u32>,
}

/// `--swap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SwapArg {
    /// Ethernet addresses.
    #[default]
    Mac,
    /// IPv4 and IPv6 addresses too.
    Ip,
    /// UDP and TCP ports too.
    Port,
}

fn frame_size(text: &str) -> Result<FrameSize, String> {
    let bytes = text.parse().map_err(|_| format!("`{text}` is no number of bytes"))?;
    FrameSize::new(bytes).map_err(|error| error.to_string())
}

impl ReflectArgs {
    /// The run that these options ask for.
    pub fn spec(&self) -> (RunSpec, Output) {
        let mut spec = self.port.spec(Role::Reflect, any_frame(self.frame_size), self.workers);
        spec.workers = Some(self.workers);
        spec.swap = match self.swap {
            SwapArg::Mac => Swap::Mac,
            SwapArg::Ip => Swap::Ip,
            SwapArg::Port => Swap::Port,
        };
        spec.limit_s = self.duration.unwrap_or(spec.limit_s);
        (spec, self.port.output)
    }
}

/// A reflector sends nothing of its own: of this profile only the frame size matters, for its buffers.
fn any_frame(frame_size: FrameSize) -> Profile {
    let (any_mac, any_ip) = (Mac::default(), Ipv4Addr::UNSPECIFIED);
    let stream = Stream {
        ipv4: Some(Ipv4::between(any_ip.into(), any_ip.into())),
        udp: Some(Ports { src: 0.into(), dst: 0.into() }),
        ..Stream::new(frame_size, Ethernet { src: any_mac.into(), dst: any_mac.into() })
    };
    Profile { name: Some("reflect".to_owned()), rate: Rate::Max, stamp: false, ..Profile::of(vec![stream]) }
}
