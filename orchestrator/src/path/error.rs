//! Profiles that can't arrive, and ways that can't be found.

/// What stands in the way of frames.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The path was asked to be routed, on a device without a kernel interface.
    #[error(
        "{pod}: --path l3 needs iface:NAME or xdp:NAME, since the next hop is asked of the kernel; `{device}` is neither"
    )]
    NoInterface {
        /// The pod.
        pod: String,
        /// Its device.
        device: String,
    },
    /// The interface is not there.
    #[error(
        "{pod} has no interface `{name}`; it has {have}: name one of them with --tx-device and --rx-device"
    )]
    UnknownInterface {
        /// The pod.
        pod: String,
        /// As asked.
        name: String,
        /// Its interfaces.
        have: String,
    },
    /// No address to route to.
    #[error("{pod}: interface {name} has no IP address that {other} could send to")]
    NoAddress {
        /// The pod.
        pod: String,
        /// Its interface.
        name: String,
        /// The other end.
        other: String,
    },
    /// The next hop does not answer.
    #[error("{pod}: no MAC address for the way to {to}: {reason}")]
    NoNextHop {
        /// The pod.
        pod: String,
        /// The other end's address.
        to: String,
        /// What was asked and not answered.
        reason: String,
    },
    /// A frame that no router forwards, or not there.
    #[error("{stream} can't arrive over a routed network: {reason}; {remedy}")]
    Unroutable {
        /// Which stream.
        stream: String,
        /// Why.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Larger than the way takes.
    #[error(
        "{stream} has frames of {frame_bytes} B, an IP packet of {packet_bytes} B, and the way takes {mtu}: use frames of \
         at most {most} B, or raise the MTU of the network"
    )]
    TooLarge {
        /// Which stream.
        stream: String,
        /// With FCS.
        frame_bytes: u32,
        /// Without Ethernet header and FCS.
        packet_bytes: u32,
        /// Of the way.
        mtu: u32,
        /// The largest frame that fits.
        most: u32,
    },
    /// The agent.
    #[error(transparent)]
    Agent(#[from] crate::agent::AgentError),
}
