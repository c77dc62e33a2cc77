//! How frames get from one end of a pair to the other.
//!
//! On a wire, a switch or a bridge (`l2`) a frame carries the receiver's own MAC and any IP addresses. Over a routed
//! network (`l3`: most CNIs between nodes, some on one node) it carries the next hop's MAC, and only the pods' own IP
//! addresses arrive. [`resolve`] finds out which it is, [`adapt`] makes a profile fit and says what it changed.

pub mod adapt;
pub mod error;
pub mod resolve;

use std::net::IpAddr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use traffic::mac::Mac;

pub use error::PathError;

/// What the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathWish {
    /// Found out, in a cluster; on this machine profiles are sent as they are
    #[default]
    Auto,
    /// A wire, switch or bridge: frames get the ports' own MACs
    L2,
    /// A routed network: frames get the next hop's MAC and the pods' IP addresses
    L3,
    /// Profiles are sent as they are
    AsIs,
}

/// What the way turned out to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Not looked at.
    #[default]
    AsIs,
    /// Wire, switch or bridge.
    L2,
    /// Routed.
    L3,
}

/// One pair's way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairPath {
    /// What it is.
    pub way: Way,
    /// From the sender.
    pub tx: Leg,
    /// From the receiver, for what goes back.
    pub rx: Leg,
}

/// The way as one end sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The port's own address, where it is known.
    pub mac: Option<Mac>,
    /// The pod's own IP address on it; of routed ways.
    #[serde(default)]
    pub ip: Option<IpAddr>,
    /// What frames to the other end carry as destination, where it is known.
    #[serde(default)]
    pub next_hop: Option<Mac>,
    /// The router of that MAC; of routed ways.
    #[serde(default)]
    pub via: Option<IpAddr>,
    /// Bytes of the largest IP packet; 0 where it is not known.
    #[serde(default)]
    pub mtu: u32,
}

impl PairPath {
    /// For results and for the user's eyes.
    pub fn words(&self) -> Option<String> {
        let routed = |leg: &Leg| match (leg.next_hop, leg.via) {
            (Some(mac), Some(via)) => format!("{mac} (router {via})"),
            (Some(mac), None) => mac.to_string(),
            (None, _) => "unknown".to_owned(),
        };
        match self.way {
            Way::AsIs => None,
            Way::L2 => Some(format!("l2: destination MAC {}", routed(&self.tx))),
            Way::L3 => {
                let ip = |leg: &Leg| leg.ip.map_or_else(|| "?".to_owned(), |ip| ip.to_string());
                let (from, to) = (ip(&self.tx), ip(&self.rx));
                Some(format!("l3: {from} to {to} by next hop {}", routed(&self.tx)))
            }
        }
    }
}
