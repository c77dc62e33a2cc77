//! Work that a NIC takes over: what a port can do, what is asked of it, what a frame says.

use std::ops::BitOr;

/// Offloads of sending, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TxOffloads(u64);

impl TxOffloads {
    /// None.
    pub const NONE: Self = Self(0);
    /// The IPv4 header checksum.
    pub const IPV4_CHECKSUM: Self = Self(dpdk_sys::SHIM_TX_IPV4_CKSUM);
    /// The UDP checksum.
    pub const UDP_CHECKSUM: Self = Self(dpdk_sys::SHIM_TX_UDP_CKSUM);
    /// The TCP checksum.
    pub const TCP_CHECKSUM: Self = Self(dpdk_sys::SHIM_TX_TCP_CKSUM);
    /// Sent mbufs go back to their pool in bulk and unlooked at: one pool a queue. Asked for with
    /// [`crate::PortConfig::fast_free`].
    pub const FAST_FREE: Self = Self(dpdk_sys::SHIM_TX_FAST_FREE);
    /// Frames of several segments.
    pub const MULTI_SEGMENT: Self = Self(dpdk_sys::SHIM_TX_MULTI_SEGS);

    /// Whether all of `others` are in this set.
    pub fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Those in both sets.
    pub fn both(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Those in this set and not in the other.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// DPDK's own bits (`RTE_ETH_TX_OFFLOAD_*`).
    pub fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl BitOr for TxOffloads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which checksum of layer 4 the NIC shall fill in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum L4Checksum {
    /// None.
    #[default]
    None,
    /// UDP's. The frame must hold the pseudo header's sum in its place.
    Udp,
    /// TCP's. The frame must hold the pseudo header's sum in its place.
    Tcp,
}

/// What the NIC shall fill in of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FrameOffload {
    /// Bytes of the Ethernet header with its VLAN tags; 127 at most.
    pub l2_len: u8,
    /// Bytes of the IP header; 511 at most.
    pub l3_len: u16,
    /// Bytes of layer 4's own header. DPDK asks for it with segmentation only, net_tap before 24.07 always.
    pub l4_len: u8,
    /// IPv6 instead of IPv4.
    pub ipv6: bool,
    /// The IPv4 header checksum, which must be zero in the frame.
    pub ipv4_checksum: bool,
    /// The checksum of layer 4.
    pub l4_checksum: L4Checksum,
}

impl FrameOffload {
    pub(crate) fn flags(self) -> u64 {
        let l4 = match self.l4_checksum {
            L4Checksum::None => 0,
            L4Checksum::Udp => dpdk_sys::SHIM_MBUF_TX_UDP_CKSUM,
            L4Checksum::Tcp => dpdk_sys::SHIM_MBUF_TX_TCP_CKSUM,
        };
        let l3 = if self.ipv4_checksum && !self.ipv6 { dpdk_sys::SHIM_MBUF_TX_IP_CKSUM } else { 0 };
        match (l3 | l4, self.ipv6) {
            (0, _) => 0,
            (flags, true) => flags | dpdk_sys::SHIM_MBUF_TX_IPV6,
            (flags, false) => flags | dpdk_sys::SHIM_MBUF_TX_IPV4,
        }
    }

    /// The word `tx_offload` of an mbuf: layer 2's length in its lowest bits, then layer 3's, then layer 4's.
    pub(crate) fn lengths(self) -> u64 {
        let l2 = u64::from(self.l2_len) & ((1 << dpdk_sys::SHIM_MBUF_L2_LEN_BITS) - 1);
        let l3 = u64::from(self.l3_len) & ((1 << dpdk_sys::SHIM_MBUF_L3_LEN_BITS) - 1);
        let l4 = u64::from(self.l4_len);
        l2 | l3 << dpdk_sys::SHIM_MBUF_L2_LEN_BITS
            | l4 << (dpdk_sys::SHIM_MBUF_L2_LEN_BITS + dpdk_sys::SHIM_MBUF_L3_LEN_BITS)
    }
}
