//! Where frames to an address have to go: `GET /v1/next-hop?to=IP&interface=NAME`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mac::Mac;

/// The way that the kernel of the agent's network namespace would take to an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextHop {
    /// The interface that frames leave by.
    pub interface: String,
    /// The address of this host that the kernel would send from.
    pub source: IpAddr,
    /// The gateway; none where the address itself is on the link.
    pub via: Option<IpAddr>,
    /// What frames must carry as their destination; none where nobody answered.
    pub mac: Option<Mac>,
    /// Bytes that a packet may have on that way.
    pub mtu: u32,
    /// Why there is no `mac`: what was asked and not answered, and what to do.
    pub reason: Option<String>,
}
