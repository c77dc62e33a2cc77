//! What generated profiles are like: behind `flows generate` and `experiments`.

use std::net::Ipv4Addr;

use clap::{Args, ValueEnum};
use lua_compat::paired::FlowMode;
use serde::Serialize;
use traffic::mac::Mac;
use traffic::units::FrameSize;

/// Everything but the lists of rates, sizes and flows.
#[derive(Debug, Args, Serialize)]
pub struct ShapeArgs {
    /// Which fields vary: s, sd, sp, dp, spd, sdpp or sdpd
    #[arg(long, default_value = "s")]
    pub flow_mode: FlowMode,
    /// paired: sends until stopped; latency: reports percentiles; converge: searches the highest rate without
    /// loss, up to --rate (the last two are scripts for `dataplane lua -f`)
    #[arg(long, value_enum, default_value_t = GenMode::Paired)]
    pub gen_mode: GenMode,
    /// First source address
    #[arg(long, default_value = "192.168.1.1")]
    pub base_src_ip: Ipv4Addr,
    /// First destination address
    #[arg(long, default_value = "192.168.2.1")]
    pub base_dst_ip: Ipv4Addr,
    /// First source port
    #[arg(long, default_value_t = 1024)]
    pub base_src_port: u16,
    /// First destination port
    #[arg(long, default_value_t = 1024)]
    pub base_dst_port: u16,
    /// lua as the old tool wrote, or toml
    #[arg(long, value_enum, default_value_t = ProfileFormat::Lua)]
    pub format: ProfileFormat,
    /// The sender's address, once a pair; the local lab's own when not given
    #[arg(long)]
    pub tx_mac: Vec<Mac>,
    /// The receiver's address, once a pair; the local lab's own when not given
    #[arg(long)]
    pub rx_mac: Vec<Mac>,
}

/// Kinds of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenMode {
    /// One sender, one receiver.
    Paired,
    /// Reports latency.
    Latency,
    /// Searches.
    Converge,
}

impl From<GenMode> for lua_compat::paired::GenMode {
    fn from(mode: GenMode) -> Self {
        match mode {
            GenMode::Paired => Self::Paired,
            GenMode::Latency => Self::Latency,
            GenMode::Converge => Self::Converge,
        }
    }
}

/// Notations of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileFormat {
    /// A Pktgen script.
    Lua,
    /// This project's own.
    Toml,
}

pub(super) fn frame_size(text: &str) -> Result<FrameSize, String> {
    let bytes: u32 = text.parse().map_err(|_| format!("frame size `{text}` is not a number of bytes"))?;
    FrameSize::new(bytes).map_err(|e| e.to_string())
}
