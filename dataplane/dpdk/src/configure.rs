//! From a port that lies idle to one that runs: configure → a queue each → start.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::Arc;

use crate::device::{self, DevInfo};
use crate::eal::Eal;
use crate::errno::{Errno, check};
use crate::mempool::Mempool;
use crate::numa::SocketId;
use crate::offload::TxOffloads;
use crate::port::{OpenPort, Port, PortError, PortId, failed, label};
use crate::queue::{Guard, RxQueue, TxQueue};

/// The driver that takes shared memory away from under a burst when its peer leaves.
const FAULTY_DRIVER: &str = "net_memif";

/// Descriptors of a queue where neither the user nor the driver has an opinion.
const DESCRIPTORS: u16 = 512;

/// The MTU of Ethernet, bytes.
const MTU: u16 = 1500;

/// What a frame has beside its MTU, without FCS: addresses, type and two VLAN tags.
const HEADER_BYTES: u32 = 14 + 2 * 4;

/// Whether received frames are spread over the RX queues by a hash of their addresses and ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rss {
    /// When there are several RX queues and the port can.
    #[default]
    Auto,
    /// Not at all.
    Off,
}

/// What is asked of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortConfig {
    /// RX queues.
    pub rx_queues: u16,
    /// TX queues.
    pub tx_queues: u16,
    /// Descriptors of each RX queue, fitted to what the device has. None: as the driver likes.
    pub rx_descriptors: Option<u16>,
    /// Descriptors of each TX queue, fitted to what the device has. None: as the driver likes.
    pub tx_descriptors: Option<u16>,
    /// Bytes; frames are 14 longer, and 4 with FCS. None: 1500.
    pub mtu: Option<u16>,
    /// Receive what is addressed to others.
    pub promiscuous: bool,
    /// Spread received frames over the RX queues.
    pub rss: Rss,
    /// TX offloads that are wanted; those that the port lacks are left out, see [`Chosen::tx_offloads`].
    pub tx_offloads: TxOffloads,
    /// Give sent mbufs back in bulk, where the port can. Each TX queue then sends frames of one pool only.
    pub fast_free: bool,
    /// VLANs to be let in by a port that filters them, where it can be told. None: it is not asked to filter.
    pub vlans: Vec<u16>,
}

/// What was made of a [`PortConfig`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// RX queues.
    pub rx_queues: u16,
    /// TX queues.
    pub tx_queues: u16,
    /// Descriptors of each RX queue.
    pub rx_descriptors: u16,
    /// Descriptors of each TX queue.
    pub tx_descriptors: u16,
    /// What RSS hashes (`RTE_ETH_RSS_*`); 0: RSS is off.
    pub rss: u64,
    /// TX offloads in force, fast free among them.
    pub tx_offloads: TxOffloads,
    /// Whether the port receives what is addressed to others.
    pub promiscuous: bool,
    /// Bytes.
    pub mtu: u16,
    /// Those of the VLANs that the port has been told to let in.
    pub vlans: Vec<u16>,
}

impl Chosen {
    /// Whether sent mbufs go back in bulk.
    pub fn fast_free(&self) -> bool {
        self.tx_offloads.contains(TxOffloads::FAST_FREE)
    }
}

/// A configured port whose queues are being set up.
#[derive(Debug)]
pub struct PortBuilder<'e> {
    open: Arc<OpenPort<'e>>,
    info: DevInfo,
    chosen: Chosen,
    promiscuous: bool,
    rx_done: u16,
    tx_done: u16,
    _pools: PhantomData<&'e Mempool<'e>>,
}

impl<'e> Port<'e> {
    /// Configures a port, once in its life, after checking what is asked against what the device has.
    pub fn configure(eal: &'e Eal, id: PortId, config: &PortConfig) -> Result<PortBuilder<'e>, PortError> {
        let info = device::read(id)?;
        check_limits(id, config, &info)?;
        if !eal.take_port(id) {
            return Err(PortError::Taken { port: label(id) });
        }
        // From here on, whatever fails, the port is closed.
        let open = Arc::new(OpenPort { id, name: info.name.clone(), eal: eal.handle() });
        let mut chosen = choose(config, &info);
        apply(id, &chosen)?;
        if config.mtu.is_some() {
            set_mtu(id, chosen.mtu)?;
        }
        adjust_descriptors(id, &mut chosen)?;
        let promiscuous = config.promiscuous;
        Ok(PortBuilder { open, info, chosen, promiscuous, rx_done: 0, tx_done: 0, _pools: PhantomData })
    }
}

impl<'e> PortBuilder<'e> {
    /// What the device says of itself.
    pub fn device_info(&self) -> &DevInfo {
        &self.info
    }

    /// What was made of the configuration.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Sets up the next RX queue, which receives into `pool`.
    pub fn rx_queue(&mut self, pool: &'e Mempool<'e>) -> Result<(), PortError> {
        let id = self.open.id;
        let needed = u32::from(self.chosen.mtu) + HEADER_BYTES;
        if needed > u32::from(pool.room()) {
            let (room, pool) = (pool.room(), pool.name().to_owned());
            return Err(PortError::Room { port: label(id), needed, room, pool });
        }
        self.room_for_one_more("RX", self.rx_done, self.chosen.rx_queues)?;
        // SAFETY: the port is configured with this queue and not started; NULL stands for the driver's
        // defaults; the pool outlives the port ('e).
        check(unsafe {
            dpdk_sys::rte_eth_rx_queue_setup(
                id.0,
                self.rx_done,
                self.chosen.rx_descriptors,
                SocketId::to_raw(self.info.socket).cast_unsigned(),
                std::ptr::null(),
                pool.as_ptr(),
            )
        })
        .map_err(|errno| failed(id, "set up an RX queue", errno))?;
        self.rx_done += 1;
        Ok(())
    }

    /// Sets up the next TX queue.
    pub fn tx_queue(&mut self) -> Result<(), PortError> {
        let id = self.open.id;
        self.room_for_one_more("TX", self.tx_done, self.chosen.tx_queues)?;
        // SAFETY: the port is configured with this queue and not started; NULL stands for the driver's
        // defaults.
        check(unsafe {
            dpdk_sys::rte_eth_tx_queue_setup(
                id.0,
                self.tx_done,
                self.chosen.tx_descriptors,
                SocketId::to_raw(self.info.socket).cast_unsigned(),
                std::ptr::null(),
            )
        })
        .map_err(|errno| failed(id, "set up a TX queue", errno))?;
        self.tx_done += 1;
        Ok(())
    }

    /// Starts the port and hands out its queues, in the order in which they were set up.
    pub fn start(mut self) -> Result<(Port<'e>, Vec<RxQueue<'e>>, Vec<TxQueue<'e>>), PortError> {
        let id = self.open.id;
        for (direction, done, asked) in
            [("RX", self.rx_done, self.chosen.rx_queues), ("TX", self.tx_done, self.chosen.tx_queues)]
        {
            if done != asked {
                return Err(PortError::Incomplete { port: label(id), direction, done, asked });
            }
        }
        // SAFETY: the port is configured and all its queues are set up.
        check(unsafe { dpdk_sys::rte_eth_dev_start(id.0) }).map_err(|errno| failed(id, "start it", errno))?;
        if self.promiscuous {
            // SAFETY: the port is open. A driver that cannot is no reason to stop: what came of it is in
            // `chosen`.
            self.chosen.promiscuous = unsafe { dpdk_sys::rte_eth_promiscuous_enable(id.0) } == 0;
        }
        self.chosen.vlans.retain(|vlan| {
            // SAFETY: the port is open; DPDK checks the number. One that is refused is missing in `chosen`.
            unsafe { dpdk_sys::rte_eth_dev_vlan_filter(id.0, *vlan, 1) == 0 }
        });
        let guard = if self.info.driver == FAULTY_DRIVER { install_guard(id)? } else { Guard::Off };
        let rx = (0..self.rx_done).map(|index| RxQueue::new(Arc::clone(&self.open), index, guard)).collect();
        let fast_free = self.chosen.fast_free();
        let tx = (0..self.tx_done)
            .map(|index| TxQueue::new(Arc::clone(&self.open), index, fast_free, guard))
            .collect();
        let port = Port { open: self.open, chosen: self.chosen, _one_thread: PhantomData };
        Ok((port, rx, tx))
    }

    fn room_for_one_more(&self, direction: &'static str, done: u16, asked: u16) -> Result<(), PortError> {
        if done < asked {
            return Ok(());
        }
        Err(PortError::Incomplete {
            port: label(self.open.id),
            direction,
            done: done.saturating_add(1),
            asked,
        })
    }
}

fn check_limits(id: PortId, config: &PortConfig, info: &DevInfo) -> Result<(), PortError> {
    if config.rx_queues == 0 && config.tx_queues == 0 {
        return Err(PortError::NoQueues { port: label(id) });
    }
    for (direction, asked, max) in
        [("RX", config.rx_queues, info.max_rx_queues), ("TX", config.tx_queues, info.max_tx_queues)]
    {
        if asked > max {
            let driver = info.driver.clone();
            return Err(PortError::Queues { port: label(id), direction, asked, max, driver });
        }
    }
    let asked = config.mtu.unwrap_or(MTU);
    if config.mtu.is_some() && !(info.min_mtu..=info.max_mtu).contains(&asked) {
        let (min, max, driver) = (info.min_mtu, info.max_mtu, info.driver.clone());
        return Err(PortError::Mtu { port: label(id), asked, min, max, driver });
    }
    Ok(())
}

fn choose(config: &PortConfig, info: &DevInfo) -> Chosen {
    let fast_free = if config.fast_free { TxOffloads::FAST_FREE } else { TxOffloads::NONE };
    let wanted = config.tx_offloads.without(TxOffloads::FAST_FREE) | fast_free;
    let spread = config.rx_queues > 1 && config.rss == Rss::Auto;
    let preferred = |asked: Option<u16>, driver: u16| {
        asked.filter(|count| *count > 0).unwrap_or(if driver > 0 { driver } else { DESCRIPTORS })
    };
    Chosen {
        rx_queues: config.rx_queues,
        tx_queues: config.tx_queues,
        rx_descriptors: preferred(config.rx_descriptors, info.preferred_rx_descriptors),
        tx_descriptors: preferred(config.tx_descriptors, info.preferred_tx_descriptors),
        rss: if spread { info.rss_capability & dpdk_sys::SHIM_RSS_WANTED } else { 0 },
        tx_offloads: wanted.both(info.tx_capability),
        promiscuous: false,
        mtu: config.mtu.unwrap_or(MTU.min(info.max_mtu)),
        vlans: if info.rx_capability & dpdk_sys::SHIM_RX_VLAN_FILTER == 0 {
            Vec::new()
        } else {
            config.vlans.clone()
        },
    }
}

fn apply(id: PortId, chosen: &Chosen) -> Result<(), PortError> {
    // SAFETY: plain C data, for which all zeroes are the documented defaults.
    let mut raw = unsafe { MaybeUninit::<dpdk_sys::rte_eth_conf>::zeroed().assume_init() };
    raw.rxmode.mtu = u32::from(chosen.mtu);
    raw.rxmode.mq_mode = if chosen.rss == 0 { dpdk_sys::SHIM_MQ_RX_NONE } else { dpdk_sys::SHIM_MQ_RX_RSS };
    raw.rx_adv_conf.rss_conf.rss_hf = chosen.rss;
    if !chosen.vlans.is_empty() {
        raw.rxmode.offloads = dpdk_sys::SHIM_RX_VLAN_FILTER;
    }
    raw.txmode.offloads = chosen.tx_offloads.bits();
    // SAFETY: the port is not started, as it is configured once only; DPDK checks and copies the structure.
    check(unsafe {
        dpdk_sys::rte_eth_dev_configure(id.0, chosen.rx_queues, chosen.tx_queues, &raw const raw)
    })
    .map(drop)
    .map_err(|errno| failed(id, "configure it", errno))
}

/// Most drivers take the MTU from the configuration, some only from this call, and some from neither.
fn set_mtu(id: PortId, mtu: u16) -> Result<(), PortError> {
    // SAFETY: the port is configured.
    match check(unsafe { dpdk_sys::rte_eth_dev_set_mtu(id.0, mtu) }) {
        Ok(_) | Err(Errno::NOTSUP) => Ok(()),
        Err(errno) => Err(failed(id, "set the MTU", errno)),
    }
}

fn adjust_descriptors(id: PortId, chosen: &mut Chosen) -> Result<(), PortError> {
    let (rx, tx) = (&raw mut chosen.rx_descriptors, &raw mut chosen.tx_descriptors);
    // SAFETY: the port is configured; both are valid places to read from and to write to.
    check(unsafe { dpdk_sys::rte_eth_dev_adjust_nb_rx_tx_desc(id.0, rx, tx) })
        .map(drop)
        .map_err(|errno| failed(id, "fit the descriptors", errno))
}

/// Makes guarded bursts possible in this process.
fn install_guard(id: PortId) -> Result<Guard, PortError> {
    // SAFETY: installs handlers for SIGSEGV and SIGBUS that give way to the former ones outside a guarded
    // burst.
    check(unsafe { dpdk_sys::shim_guard_install() })
        .map_err(|errno| failed(id, "guard its bursts", errno))?;
    Ok(Guard::On)
}
