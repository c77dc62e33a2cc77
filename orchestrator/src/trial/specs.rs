//! What the agents of a pair are asked: pure functions from settings to run specs.

use std::net::{IpAddr, Ipv4Addr};

use traffic::device::Device;
use traffic::mac::Mac;
use traffic::profile::{Ethernet, Ipv4, Ipv6, Ports, Profile, Stop, Stream, Vlan};
use traffic::swap::Swap;
use traffic::units::{FrameSize, Rate};
use traffic::wire::{Checksums, Dump, MarkClock, Memory, Role, RunSpec, VERSION};

use crate::expid::ExpId;
use crate::lab::{LabPair, PairCores, PairInventory};
use crate::path::{PairPath, Way};
use crate::settings::{Settings, SideSettings, bounded};

/// What preparation, drain and collection may take beyond the sending itself before an engine ends by itself.
const LIMIT_MARGIN_S: u32 = 60;
/// Enough to teach every switch on the way, too little to disturb anybody.
const WARMUP_RATE_PPS: f64 = 1000.0;

/// Opening a port and being asked takes seconds.
const LOOK_LIMIT_S: u32 = 60;

/// Ethernet, IPv6, UDP and the mark.
const MARKED_IPV6_BYTES: u16 = 14 + 40 + 8 + 18;

/// How long a sender waits for its receiver to end before it closes its port all the same: drain and more.
const LINGER_MS: u32 = 15_000;

/// Both ends' specs.
#[derive(Debug, Clone, PartialEq)]
pub struct PairSpecs {
    /// For the sender's agent.
    pub tx: RunSpec,
    /// For the receiver's agent.
    pub rx: RunSpec,
}

/// The measured run: `txN` sends `profile`, `rxN` receives, or sends it back.
pub fn main_specs(
    settings: &Settings,
    expid: ExpId,
    pair: &LabPair,
    cores: &PairCores,
    inventory: &PairInventory,
    (profile, path): (&Profile, &PairPath),
) -> PairSpecs {
    let duration_s = settings.duration_s(profile);
    let profile = bounded(profile, duration_s);
    let spec = |pod: &str, role, device: &str, lcores: &[u32], workers, side: SideSettings| RunSpec {
        id: format!("{expid}-{pod}"),
        role,
        device: device.to_owned(),
        lcores: lcores.to_vec(),
        workers: Some(workers),
        descriptors: side.descriptors,
        socket_mem_mib: side.socket_mem_mib,
        ..base(settings, profile.clone(), expid.tag(pair.index), cores.tx_workers, duration_s)
    };
    let (tx, rx) = (&pair.tx, &pair.rx);
    let addresses = settings.addresses.get(&pair.index).cloned().unwrap_or_default();
    let sender = spec(&tx.pod, Role::Tx, &tx.device, &cores.tx, cores.tx_workers, settings.tx);
    let sender = RunSpec { addresses: addresses.tx, checksums: settings.checksums, ..sender };
    let far = |role| spec(&rx.pod, role, &rx.device, &cores.rx, cores.rx_workers, settings.rx);
    if settings.round_trip {
        return PairSpecs {
            tx: RunSpec { round_trip: true, per_flow: settings.per_flow, ..sender },
            rx: RunSpec { swap: swap(path), ..far(Role::Reflect) },
        };
    }
    PairSpecs {
        tx: sender,
        rx: RunSpec {
            dump: settings.dump,
            per_flow: settings.per_flow,
            addresses: addresses.rx,
            tx_clock: Some(inventory.tx.clock.clone()),
            ..far(Role::Rx)
        },
    }
}

/// What a reflector swaps: over a routed network the IP addresses too, or the answer would go nowhere.
fn swap(path: &PairPath) -> Swap {
    if path.way == Way::L3 { Swap::Port } else { Swap::Mac }
}

/// The warm-up: `rxN` sends to `txN`'s address and `txN` sends it back, addresses swapped, so that switches on the way
/// learn where both are.
///
/// In the result, `tx` is for the sending pod's agent, which is `rxN`'s, and `rx` for the reflecting one, `txN`'s.
pub fn warmup_specs(
    settings: &Settings,
    expid: ExpId,
    pair: &LabPair,
    cores: &PairCores,
    path: &PairPath,
) -> PairSpecs {
    let profile = warmup_profile(pair, path, &settings.profiles[&pair.index].profile, settings.warmup_s);
    let spec = |pod: &str, role, device: &str, lcores: &[u32], side: SideSettings| RunSpec {
        id: format!("{expid}-{pod}-warmup"),
        role,
        device: reversed(device),
        lcores: lcores.iter().take(2).copied().collect(),
        workers: Some(1),
        descriptors: side.descriptors,
        socket_mem_mib: side.socket_mem_mib,
        ..base(settings, profile.clone(), expid.warmup_tag(pair.index), 1, settings.warmup_s)
    };
    PairSpecs {
        // What comes back proves the way that will be measured.
        tx: RunSpec {
            round_trip: true,
            ..spec(&pair.rx.pod, Role::Tx, &pair.rx.device, &cores.rx, settings.rx)
        },
        rx: RunSpec {
            swap: swap(path),
            ..spec(&pair.tx.pod, Role::Reflect, &pair.tx.device, &cores.tx, settings.tx)
        },
    }
}

/// A run that only opens the port and says what it is.
pub fn look_spec(id: &str, device: &str) -> RunSpec {
    let mac = Mac::default();
    RunSpec {
        version: VERSION,
        id: id.to_owned(),
        role: Role::Rx,
        device: device.to_owned(),
        profile: probe_profile(mac, mac, None, LOOK_LIMIT_S.into()),
        tag: 0,
        tx_workers: 1,
        lcores: Vec::new(),
        workers: Some(1),
        descriptors: RunSpec::default_descriptors(),
        burst: RunSpec::default_burst(),
        memory: Memory::default(),
        socket_mem_mib: None,
        sample_interval_ms: RunSpec::default_sample_interval_ms(),
        drain_quiet_ms: RunSpec::default_drain_quiet_ms(),
        drain_limit_ms: RunSpec::default_drain_limit_ms(),
        linger_ms: RunSpec::default_linger_ms(),
        limit_s: LOOK_LIMIT_S,
        clock: MarkClock::default(),
        dump: Dump::default(),
        tx_clock: None,
        swap: Swap::default(),
        round_trip: false,
        addresses: Vec::new(),
        checksums: Checksums::default(),
        per_flow: 0,
    }
}

/// What both ends and both runs have in common.
fn base(settings: &Settings, profile: Profile, tag: u32, tx_workers: u16, sending_s: f64) -> RunSpec {
    // Saturates far above any run; the engine has limits of its own.
    let limit_s = (sending_s.ceil() as u32).saturating_add(LIMIT_MARGIN_S);
    RunSpec {
        profile,
        tag,
        tx_workers,
        burst: settings.burst,
        memory: settings.memory,
        linger_ms: LINGER_MS,
        limit_s,
        clock: settings.clock,
        ..look_spec("", "")
    }
}

/// The device for the way back: of two memif ends, the one that receives serves the socket, so that it can be ready
/// before the one that sends.
fn reversed(device: &str) -> String {
    const SERVER: &str = "role=server";
    const CLIENT: &str = "role=client";
    let is_memif = device.parse::<Device>().is_ok_and(|d| d.vdev_driver() == Some("net_memif"));
    match is_memif {
        true if device.contains(SERVER) => device.replace(SERVER, CLIENT),
        true => device.replace(CLIENT, SERVER),
        false => device.to_owned(),
    }
}

/// What `rxN` sends in the warm-up: as the way wants it, and with the addresses that the profile was made with where
/// the way says nothing.
fn warmup_profile(pair: &LabPair, path: &PairPath, measured: &Profile, duration_s: f64) -> Profile {
    let written = measured.streams.first().map(|s| (s.ethernet.src.start(), s.ethernet.dst.start()));
    let rewritten = || measured.replay.as_ref().map(|r| (r.rewrite.src_mac, r.rewrite.dst_mac));
    let rewritten = || rewritten().map(|(src, dst)| (src.unwrap_or_default(), dst.unwrap_or_default()));
    let (tx_mac, rx_mac) = written.or_else(rewritten).unwrap_or_default();
    let src = path.rx.mac.or(pair.rx.mac).unwrap_or(rx_mac);
    let dst = path.rx.next_hop.or(pair.tx.mac).unwrap_or(tx_mac);
    let ips = path.rx.ip.zip(path.tx.ip);
    let rate = Rate::Pps(WARMUP_RATE_PPS);
    let mut profile =
        Profile { name: Some("warm-up".into()), rate, ..probe_profile(src, dst, ips, duration_s) };
    // Switches learn addresses by VLAN, and a NIC may let only one of them through.
    let tags = measured.streams.first().map_or(&[][..], |stream| &stream.vlan);
    for stream in &mut profile.streams {
        stream.vlan = tags.iter().map(fixed).collect();
        let tag_bytes = u16::try_from(4 * tags.len()).unwrap_or(0);
        stream.frame_size = FrameSize::of_mbuf(stream.frame_size.bounds().1.mbuf_bytes() + tag_bytes).into();
    }
    profile
}

/// A tag of one VLAN: the first that it takes.
fn fixed(tag: &Vlan) -> Vlan {
    Vlan { id: tag.id.start().into(), priority: tag.priority.start().into(), ..tag.clone() }
}

/// One flow of the smallest frames that carry the mark, for `duration_s`.
fn probe_profile(src: Mac, dst: Mac, ips: Option<(IpAddr, IpAddr)>, duration_s: f64) -> Profile {
    let ports = Some(Ports { src: 1024.into(), dst: 1024.into() });
    let ethernet = Ethernet { src: src.into(), dst: dst.into() };
    let mut stream = Stream { udp: ports, ..Stream::new(FrameSize::MIN, ethernet) };
    match ips {
        Some((IpAddr::V4(from), IpAddr::V4(to))) => {
            stream.ipv4 = Some(Ipv4::between(from.into(), to.into()));
        }
        Some((IpAddr::V6(from), IpAddr::V6(to))) => {
            // The longer header and the mark need more than 64 bytes.
            stream.frame_size = FrameSize::of_mbuf(MARKED_IPV6_BYTES).into();
            stream.ipv6 = Some(Ipv6::between(from.into(), to.into()));
        }
        _ => {
            let (from, to) = (Ipv4Addr::new(192, 168, 2, 1), Ipv4Addr::new(192, 168, 1, 1));
            stream.ipv4 = Some(Ipv4::between(from.into(), to.into()));
        }
    }
    Profile { stop: Stop::DurationS(duration_s), ..Profile::of(vec![stream]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_swaps_memif_roles_and_nothing_else() {
        let server = "vdev:net_memif0,role=server,socket=/tmp/m0.sock";
        let client = "vdev:net_memif0,role=client,socket=/tmp/m0.sock";
        assert_eq!((reversed(server).as_str(), reversed(client).as_str()), (client, server));
        assert_eq!(reversed("pci:0000:03:00.0"), "pci:0000:03:00.0");
    }
}
