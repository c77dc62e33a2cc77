//! What a device can do.

use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;

use crate::eal::Eal;
use crate::errno::check;
use crate::numa::SocketId;
use crate::offload::TxOffloads;
use crate::port::{PortError, PortId, failed};

/// An Ethernet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

/// How many descriptors a queue may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorLimits {
    /// The fewest.
    pub min: u16,
    /// The most.
    pub max: u16,
    /// A multiple of this.
    pub align: u16,
}

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevInfo {
    /// The driver (`net_iavf`).
    pub driver: String,
    /// The port's name: the PCI address or the vdev.
    pub name: String,
    /// The device behind the port, where its driver names one: several ports may share it.
    pub device: Option<String>,
    /// Its NUMA node. None: the machine has one, or the device none.
    pub socket: Option<SocketId>,
    /// Its Ethernet address.
    pub mac: Mac,
    /// The most RX queues.
    pub max_rx_queues: u16,
    /// The most TX queues.
    pub max_tx_queues: u16,
    /// Descriptors of an RX queue.
    pub rx_descriptors: DescriptorLimits,
    /// Descriptors of a TX queue.
    pub tx_descriptors: DescriptorLimits,
    /// What RSS can hash (`RTE_ETH_RSS_*`); 0: no RSS.
    pub rss_capability: u64,
    /// Entries of the table by which RSS finds a queue; 0: there is none.
    pub rss_table: u16,
    /// RX offloads (`RTE_ETH_RX_OFFLOAD_*`).
    pub rx_capability: u64,
    /// TX offloads.
    pub tx_capability: TxOffloads,
    /// The smallest MTU, bytes.
    pub min_mtu: u16,
    /// The largest MTU, bytes.
    pub max_mtu: u16,
    /// The longest frame that can be received, bytes with FCS.
    pub max_rx_bytes: u32,
    /// The smallest buffer that it receives into, bytes.
    pub min_rx_buffer: u32,
    /// What the driver would choose for an RX queue; 0: it has no opinion.
    pub preferred_rx_descriptors: u16,
    /// What the driver would choose for a TX queue; 0: it has no opinion.
    pub preferred_tx_descriptors: u16,
    /// The burst that the driver would choose for RX; 0: it has no opinion.
    pub preferred_rx_burst: u16,
    /// The burst that the driver would choose for TX; 0: it has no opinion.
    pub preferred_tx_burst: u16,
}

impl DevInfo {
    /// What its RSS can hash, in words; nothing where it has none.
    pub fn rss_words(&self) -> Vec<&'static str> {
        crate::rss::words(self.rss_capability)
    }
}

impl Eal {
    /// What the device of a port says of itself.
    pub fn device_info(&self, port: PortId) -> Result<DevInfo, PortError> {
        read(port)
    }
}

/// The caller has a port of a running EAL.
pub(crate) fn read(port: PortId) -> Result<DevInfo, PortError> {
    let mut raw = MaybeUninit::<dpdk_sys::rte_eth_dev_info>::zeroed();
    // SAFETY: DPDK checks the number and fills the structure, which is large enough as it is C's own.
    check(unsafe { dpdk_sys::rte_eth_dev_info_get(port.0, raw.as_mut_ptr()) })
        .map_err(|errno| failed(port, "read the device's properties", errno))?;
    // SAFETY: plain C data, zeroed and then filled.
    let raw = unsafe { raw.assume_init() };

    let mut mac = MaybeUninit::<dpdk_sys::rte_ether_addr>::zeroed();
    // SAFETY: as above.
    check(unsafe { dpdk_sys::rte_eth_macaddr_get(port.0, mac.as_mut_ptr()) })
        .map_err(|errno| failed(port, "read the Ethernet address", errno))?;
    // SAFETY: six bytes, zeroed and then filled.
    let mac = unsafe { mac.assume_init() };

    // SAFETY: DPDK checks the number.
    let socket = unsafe { dpdk_sys::rte_eth_dev_socket_id(port.0) };
    let device = if raw.device.is_null() {
        None
    } else {
        // SAFETY: the device is alive as long as its port is.
        unsafe { text(dpdk_sys::shim_device_name(raw.device)) }
    };
    Ok(DevInfo {
        // SAFETY: a static string of the driver, or NULL.
        driver: unsafe { text(raw.driver_name) }.unwrap_or_default(),
        name: port.name().unwrap_or_default(),
        device,
        socket: SocketId::from_raw(socket),
        mac: Mac(mac.addr_bytes),
        max_rx_queues: raw.max_rx_queues,
        max_tx_queues: raw.max_tx_queues,
        rx_descriptors: limits(&raw.rx_desc_lim),
        tx_descriptors: limits(&raw.tx_desc_lim),
        rss_capability: raw.flow_type_rss_offloads,
        rss_table: raw.reta_size,
        rx_capability: raw.rx_offload_capa,
        tx_capability: TxOffloads::from_bits(raw.tx_offload_capa),
        min_mtu: raw.min_mtu,
        max_mtu: raw.max_mtu,
        max_rx_bytes: raw.max_rx_pktlen,
        min_rx_buffer: raw.min_rx_bufsize,
        preferred_rx_descriptors: raw.default_rxportconf.ring_size,
        preferred_tx_descriptors: raw.default_txportconf.ring_size,
        preferred_rx_burst: raw.default_rxportconf.burst_size,
        preferred_tx_burst: raw.default_txportconf.burst_size,
    })
}

fn limits(raw: &dpdk_sys::rte_eth_desc_lim) -> DescriptorLimits {
    DescriptorLimits { min: raw.nb_min, max: raw.nb_max, align: raw.nb_align }
}

/// A copy of a C string.
///
/// # Safety
/// `text` is NULL or a C string that is alive.
unsafe fn text(text: *const std::ffi::c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, hence a C string, says the caller.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
