//! Finds out what a pair's way is, by asking both agents.

use std::net::IpAddr;

use traffic::device::Device;
use traffic::mac::Mac;
use traffic::wire::{InterfaceInfo, Inventory, NextHop};

use super::{Leg, PairPath, PathError, PathWish, Way};
use crate::lab::{Endpoint, LabPair, PairInventory};

/// The way of one pair, as the user wants it.
pub async fn resolve(
    wish: PathWish,
    pair: &LabPair,
    inventory: &PairInventory,
) -> Result<PairPath, PathError> {
    let ends = (End::of(&pair.tx, &inventory.tx), End::of(&pair.rx, &inventory.rx));
    let (tx, rx) = ends;
    match wish {
        PathWish::AsIs => Ok(PairPath::default()),
        PathWish::L2 => Ok(bridged(&tx, &rx)),
        PathWish::L3 => {
            let (hop_tx, hop_rx) = hops(&tx, &rx).await?;
            Ok(routed((&tx, hop_tx), (&rx, hop_rx)))
        }
        // Behind a PCI device or a shared-memory port there is no kernel to ask, and no router that it would know of.
        PathWish::Auto if tx.interface_name().is_none() || rx.interface_name().is_none() => {
            Ok(bridged(&tx, &rx))
        }
        PathWish::Auto => {
            let (hop_tx, hop_rx) = hops(&tx, &rx).await?;
            let is_bridged = hop_tx.via.is_none() && hop_tx.mac.is_some() && hop_tx.mac == rx.mac();
            Ok(if is_bridged { bridged(&tx, &rx) } else { routed((&tx, hop_tx), (&rx, hop_rx)) })
        }
    }
}

/// One end with what is known of it.
struct End<'a> {
    endpoint: &'a Endpoint,
    inventory: &'a Inventory,
    device: Option<Device>,
}

impl<'a> End<'a> {
    fn of(endpoint: &'a Endpoint, inventory: &'a Inventory) -> End<'a> {
        End { endpoint, inventory, device: endpoint.device.parse().ok() }
    }

    fn interface_name(&self) -> Option<&str> {
        match &self.device {
            Some(Device::Iface(name) | Device::Xdp(name)) => Some(name),
            _ => None,
        }
    }

    /// The port's own address: the kernel's, or what a virtual device was given.
    fn mac(&self) -> Option<Mac> {
        known_mac(self.endpoint, self.inventory)
    }

    fn interface(&self) -> Result<&'a InterfaceInfo, PathError> {
        let Some(name) = self.interface_name() else {
            let (pod, device) = (self.endpoint.pod.clone(), self.endpoint.device.clone());
            return Err(PathError::NoInterface { pod, device });
        };
        self.inventory.interfaces.iter().find(|i| i.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.inventory.interfaces.iter().map(|i| i.name.as_str()).collect();
            PathError::UnknownInterface {
                pod: self.endpoint.pod.clone(),
                name: name.to_owned(),
                have: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            }
        })
    }

    /// The address that the other end sends to: IPv4 where there is one.
    fn ip(&self, other: &End<'_>) -> Result<IpAddr, PathError> {
        let interface = self.interface()?;
        let all = || interface.addresses.iter().filter_map(|a| a.split('/').next()?.parse::<IpAddr>().ok());
        let global = |ip: &IpAddr| match ip {
            IpAddr::V4(ip) => !ip.is_link_local(),
            IpAddr::V6(ip) => !ip.is_unicast_link_local(),
        };
        let of = |v4: bool| all().find(|ip| ip.is_ipv4() == v4 && global(ip));
        of(true).or_else(|| of(false)).ok_or_else(|| PathError::NoAddress {
            pod: self.endpoint.pod.clone(),
            name: interface.name.clone(),
            other: other.endpoint.pod.clone(),
        })
    }

    async fn hop_to(&self, other: &End<'_>) -> Result<NextHop, PathError> {
        let (name, to) = (&self.interface()?.name, other.ip(self)?);
        let hop = self.endpoint.agent.next_hop(to, name).await?;
        match hop.mac {
            Some(_) => Ok(hop),
            None => Err(PathError::NoNextHop {
                pod: self.endpoint.pod.clone(),
                to: to.to_string(),
                reason: hop.reason.unwrap_or_else(|| "its agent does not say why".to_owned()),
            }),
        }
    }
}

/// The port's own address where it is known before the port is open.
pub fn known_mac(endpoint: &Endpoint, inventory: &Inventory) -> Option<Mac> {
    if endpoint.mac.is_some() {
        return endpoint.mac;
    }
    match endpoint.device.parse().ok()? {
        Device::Iface(name) | Device::Xdp(name) => {
            inventory.interfaces.iter().find(|i| i.name == name).and_then(|i| i.mac)
        }
        Device::Vdev(arguments) => {
            let written = arguments.split(',').find_map(|a| a.strip_prefix("mac="));
            written.and_then(|mac| mac.parse().ok())
        }
        device @ Device::Pci(_) => of_device(inventory, &device.to_string()),
        Device::Env => inventory.devices.iter().find(|d| d.from_env.is_some()).and_then(|d| d.mac),
    }
}

fn of_device(inventory: &Inventory, device: &str) -> Option<Mac> {
    inventory.devices.iter().find(|d| d.device == device).and_then(|d| d.mac)
}

async fn hops(tx: &End<'_>, rx: &End<'_>) -> Result<(NextHop, NextHop), PathError> {
    let (tx, rx) = futures_util::future::join(tx.hop_to(rx), rx.hop_to(tx)).await;
    Ok((tx?, rx?))
}

fn bridged(tx: &End<'_>, rx: &End<'_>) -> PairPath {
    let leg = |own: &End<'_>, other: &End<'_>| Leg {
        mac: own.mac(),
        next_hop: other.mac(),
        mtu: own.interface().map_or(0, |i| i.mtu),
        ..Leg::default()
    };
    PairPath { way: Way::L2, tx: leg(tx, rx), rx: leg(rx, tx) }
}

fn routed((tx, hop_tx): (&End<'_>, NextHop), (rx, hop_rx): (&End<'_>, NextHop)) -> PairPath {
    let leg = |own: &End<'_>, hop: NextHop, own_ip: Option<IpAddr>| Leg {
        mac: own.mac(),
        ip: own_ip.or(Some(hop.source)),
        next_hop: hop.mac,
        via: hop.via,
        mtu: hop.mtu,
    };
    let (tx_ip, rx_ip) = (tx.ip(rx).ok(), rx.ip(tx).ok());
    PairPath { way: Way::L3, tx: leg(tx, hop_tx, tx_ip), rx: leg(rx, hop_rx, rx_ip) }
}
