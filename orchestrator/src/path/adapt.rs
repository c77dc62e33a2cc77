//! Makes a profile fit a way: pure functions from a profile and a way to another profile and what was changed.

use std::net::IpAddr;

use traffic::mac::Mac;
use traffic::plan::Plan;
use traffic::profile::{Field, Ipv4, Ipv6, Profile, Range, Stream};

use super::{Leg, PairPath, PathError, Way};

/// First of the ports that flows are told apart by; below are services that somebody may listen on.
const FIRST_PORT: u16 = 1024;
/// How many there are from it on.
const PORTS: u64 = 65_536 - FIRST_PORT as u64;
/// Ethernet header and FCS.
const ETHERNET_BYTES: u32 = 18;
/// A profile may have thousands of streams; the user hears of so many changes.
const NOTES_MAX: usize = 10;

/// A profile that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapted {
    /// It.
    pub profile: Profile,
    /// What was changed, a sentence each.
    pub notes: Vec<String>,
}

/// `profile` for the way of `path`, sent from its `tx` end.
pub fn adapt(profile: &Profile, path: &PairPath) -> Result<Adapted, PathError> {
    let mut adapted = profile.clone();
    let mut notes = Notes::default();
    if path.way != Way::AsIs {
        if path.way == Way::L3 && profile.replay.is_some() {
            return Err(unroutable(
                "the replay",
                "its frames carry the addresses of the capture".to_owned(),
                "send them over a bridge or a NIC (--path l2), or as they are (--path as-is)",
            ));
        }
        if let Some(replay) = &mut adapted.replay {
            let rewrite = &mut replay.rewrite;
            own("the replay", "destination MAC", &mut rewrite.dst_mac, path.tx.next_hop, &mut notes);
            own("the replay", "source MAC", &mut rewrite.src_mac, path.tx.mac, &mut notes);
        }
        for (index, stream) in adapted.streams.iter_mut().enumerate() {
            let name =
                stream.name.clone().map_or_else(|| format!("stream {index}"), |n| format!("stream `{n}`"));
            fits(&name, stream, &path.tx)?;
            match path.way {
                Way::L3 => route(&name, stream, &path.tx, &path.rx, &mut notes)?,
                Way::L2 | Way::AsIs => bridge(&name, stream, &path.tx, &mut notes),
            }
        }
    }
    Ok(Adapted { profile: adapted, notes: notes.finish() })
}

/// The two ports' own addresses.
fn bridge(name: &str, stream: &mut Stream, leg: &Leg, notes: &mut Notes) {
    let ethernet = &mut stream.ethernet;
    // Broadcasts and multicasts are meant, and varied addresses too.
    if let Field::Fixed(dst) = ethernet.dst
        && !dst.is_multicast()
    {
        set(name, "destination MAC", &mut ethernet.dst, leg.next_hop, notes);
    }
    if matches!(ethernet.src, Field::Fixed(_)) {
        set(name, "source MAC", &mut ethernet.src, leg.mac, notes);
    }
}

/// The next hop's MAC, the pods' own IP addresses; flows are told apart by ports.
fn route(name: &str, stream: &mut Stream, tx: &Leg, rx: &Leg, notes: &mut Notes) -> Result<(), PathError> {
    let refuse = |reason: &str, remedy| Err(unroutable(name, reason.to_owned(), remedy));
    const AS_IS: &str = "measure it over a bridge or a NIC (--path l2)";
    if stream.arp.is_some() {
        return refuse("routers answer ARP and don't forward it", AS_IS);
    }
    if !stream.vlan.is_empty() || !stream.mpls.is_empty() {
        return refuse("VLAN tags and MPLS labels end at the next hop", AS_IS);
    }
    let flows = flows_of(stream);
    set(name, "destination MAC", &mut stream.ethernet.dst, tx.next_hop, notes);
    set(name, "source MAC", &mut stream.ethernet.src, tx.mac, notes);
    match (&mut stream.ipv4, &mut stream.ipv6, tx.ip, rx.ip) {
        (Some(ip), _, Some(IpAddr::V4(src)), Some(IpAddr::V4(dst))) => {
            lives(name, &ip.ttl, "TTL")?;
            set(name, "source IP", &mut ip.src, Some(src), notes);
            set(name, "destination IP", &mut ip.dst, Some(dst), notes);
        }
        (_, Some(ip), Some(IpAddr::V6(src)), Some(IpAddr::V6(dst))) => {
            lives(name, &ip.hop_limit, "hop limit")?;
            set(name, "source IP", &mut ip.src, Some(src), notes);
            set(name, "destination IP", &mut ip.dst, Some(dst), notes);
        }
        (ipv4, ipv6, ..) => return Err(wrong_family(name, ipv4.as_ref(), ipv6.as_ref(), rx)),
    }
    if flows_of(stream) != flows {
        flows_by_ports(name, stream, flows, notes)?;
    }
    Ok(())
}

/// As many flows as before, by UDP or TCP ports: source ports in turn, and destination ports beside them where those
/// are too few.
fn flows_by_ports(name: &str, stream: &mut Stream, flows: u64, notes: &mut Notes) -> Result<(), PathError> {
    let remedy = "use UDP or TCP, or one flow";
    let (src, dst) = match (&mut stream.udp, &mut stream.tcp) {
        (Some(udp), _) => (&mut udp.src, &mut udp.dst),
        (None, Some(tcp)) => (&mut tcp.src, &mut tcp.dst),
        (None, None) => {
            let reason =
                format!("its {flows} flows differ by addresses that no router would bring to the receiver");
            return Err(unroutable(name, reason, remedy));
        }
    };
    if flows > PORTS * PORTS {
        let reason = format!("its {flows} flows are more than there are pairs of ports");
        return Err(unroutable(name, reason, "use fewer flows"));
    }
    let first = src.start().max(FIRST_PORT);
    let many = |count: u64, nest| {
        let last = FIRST_PORT + u16::try_from(count - 1).unwrap_or(u16::MAX - FIRST_PORT);
        Field::Range(Range { start: FIRST_PORT, min: FIRST_PORT, max: last, inc: 1, nest })
    };
    if flows <= u64::from(u16::MAX - first) + 1 {
        let last = first + u16::try_from(flows - 1).unwrap_or(0);
        *src = Field::Range(Range { start: first, min: first, max: last, inc: 1, nest: 0 });
        *dst = Field::Fixed(dst.start());
        notes.add(name, format!("{flows} flows by source port {first} to {last}, not by address"));
        return Ok(());
    }
    // A whole number of cycles of the source port: the nearest count that is a product of two.
    let rows = flows.div_ceil(PORTS);
    let columns = flows.div_ceil(rows);
    *src = many(columns, 0);
    *dst = many(rows, 1);
    let got = rows * columns;
    let exactly = if got == flows { String::new() } else { format!(" (asked: {flows})") };
    notes.add(
        name,
        format!("{got} flows{exactly} by {columns} source and {rows} destination ports, not by address"),
    );
    Ok(())
}

/// Distinct flows of one stream.
fn flows_of(stream: &Stream) -> u64 {
    // A stream that makes no sense was refused when the profile was read.
    Plan::compile(&Profile::of(vec![stream.clone()])).map_or(1, |plan| plan.flows())
}

/// Each router takes one off.
fn lives(name: &str, ttl: &Field<u8>, word: &str) -> Result<(), PathError> {
    match ttl {
        Field::Fixed(ttl @ 0..=1) => Err(unroutable(
            name,
            format!("its {word} is {ttl}, and the next router drops it"),
            "use 64, as hosts do",
        )),
        _ => Ok(()),
    }
}

/// The largest frame has to fit.
fn fits(name: &str, stream: &Stream, leg: &Leg) -> Result<(), PathError> {
    let frame_bytes = u32::from(stream.frame_size.bounds().1);
    // Tags are no part of what an MTU counts.
    let tags = 4 * u32::try_from(stream.vlan.len()).unwrap_or(0);
    let packet_bytes = frame_bytes.saturating_sub(ETHERNET_BYTES + tags);
    if leg.mtu == 0 || packet_bytes <= leg.mtu {
        return Ok(());
    }
    let most = leg.mtu + ETHERNET_BYTES + tags;
    Err(PathError::TooLarge { stream: name.to_owned(), frame_bytes, packet_bytes, mtu: leg.mtu, most })
}

fn wrong_family(name: &str, ipv4: Option<&Ipv4>, ipv6: Option<&Ipv6>, rx: &Leg) -> PathError {
    let its = match (ipv4, ipv6) {
        (Some(_), _) => "IPv4",
        (None, Some(_)) => "IPv6",
        (None, None) => "without IP",
    };
    let there = rx.ip.map_or_else(|| "no address".to_owned(), |ip| ip.to_string());
    unroutable(
        name,
        format!("it is {its} and the receiving pod has {there}"),
        "use the family of the pods' addresses, or --path l2 where the ends share a bridge",
    )
}

fn unroutable(stream: &str, reason: String, remedy: &'static str) -> PathError {
    PathError::Unroutable { stream: stream.to_owned(), reason, remedy }
}

/// One value in every frame.
fn set<T>(name: &str, what: &str, field: &mut Field<T>, value: Option<T>, notes: &mut Notes)
where
    T: traffic::profile::Value + std::fmt::Display,
{
    let Some(value) = value else { return };
    if field.is(value) {
        return;
    }
    let varied = if matches!(field, Field::Fixed(_)) { "" } else { " and on" };
    notes.add(name, format!("{what} {value}, not {}{varied}", field.start()));
    *field = Field::Fixed(value);
}

/// As [`set`], of a replay.
fn own(name: &str, what: &str, field: &mut Option<Mac>, value: Option<Mac>, notes: &mut Notes) {
    if value.is_some() && *field != value {
        let was = field.map_or_else(|| "the capture's".to_owned(), |mac| mac.to_string());
        notes.add(name, format!("{what} {}, not {was}", value.unwrap_or_default()));
        *field = value;
    }
}

/// What was changed.
#[derive(Default)]
struct Notes {
    said: Vec<String>,
    more: usize,
}

impl Notes {
    fn add(&mut self, stream: &str, change: String) {
        match self.said.len() < NOTES_MAX {
            true => self.said.push(format!("{stream}: {change}")),
            false => self.more += 1,
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.said.push(format!("and {} changes like these in other streams", self.more));
        }
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use traffic::profile::{Ethernet, Ports};
    use traffic::units::FrameSize;

    fn mac(last: u64) -> Mac {
        Mac::from_u64(0x0200_0000_0000 + last)
    }

    fn stream(flows: u32) -> Stream {
        let (first, last) =
            (Ipv4Addr::new(192, 168, 1, 1), u32::from(Ipv4Addr::new(192, 168, 1, 1)) + flows - 1);
        let src = Field::range(first, first, last.into(), Ipv4Addr::new(0, 0, 0, 1));
        Stream {
            ipv4: Some(Ipv4::between(src, Ipv4Addr::new(192, 168, 2, 1).into())),
            udp: Some(Ports { src: 1024.into(), dst: 4000.into() }),
            ..Stream::new(FrameSize::MIN, Ethernet { src: mac(9).into(), dst: mac(8).into() })
        }
    }

    fn path(way: Way) -> PairPath {
        let leg = |own: u64, ip: [u8; 4], next: u64| Leg {
            mac: Some(mac(own)),
            ip: Some(Ipv4Addr::from(ip).into()),
            next_hop: Some(mac(next)),
            via: None,
            mtu: 1450,
        };
        PairPath { way, tx: leg(1, [10, 0, 0, 1], 99), rx: leg(2, [10, 1, 0, 2], 98) }
    }

    fn adapted(way: Way, stream: Stream) -> Result<(Stream, Vec<String>), String> {
        let done = adapt(&Profile::of(vec![stream]), &path(way)).map_err(|e| e.to_string())?;
        assert!(Plan::compile(&done.profile).is_ok());
        Ok((done.profile.streams[0].clone(), done.notes))
    }

    #[test]
    fn a_bridge_changes_macs_alone_and_says_so() {
        let (stream, notes) = adapted(Way::L2, stream(100)).unwrap();
        assert_eq!((stream.ethernet.dst, stream.ethernet.src), (mac(99).into(), mac(1).into()));
        assert_eq!(stream.ipv4, self::stream(100).ipv4);
        assert_eq!(notes[0], "stream 0: destination MAC 02:00:00:00:00:63, not 02:00:00:00:00:08");
        assert_eq!(adapted(Way::AsIs, self::stream(5)).unwrap(), (self::stream(5), Vec::new()));
    }

    #[test]
    fn broadcasts_stay_on_a_bridge() {
        let broadcast = Mac::from_u64(0xffff_ffff_ffff);
        let mut one = stream(1);
        one.ethernet.dst = broadcast.into();
        assert_eq!(adapted(Way::L2, one).unwrap().0.ethernet.dst, broadcast.into());
    }

    #[test]
    fn a_routed_way_keeps_the_flows_by_ports() {
        let (stream, notes) = adapted(Way::L3, stream(100)).unwrap();
        let ip = stream.ipv4.clone().unwrap();
        assert_eq!((ip.src, ip.dst), (Ipv4Addr::new(10, 0, 0, 1).into(), Ipv4Addr::new(10, 1, 0, 2).into()));
        assert_eq!(flows_of(&stream), 100);
        assert!(notes.iter().any(|n| n.contains("100 flows by source port 1024 to 1123")), "{notes:?}");
        let (stream, _) = adapted(Way::L3, self::stream(1_000_000)).unwrap();
        assert_eq!(flows_of(&stream), 1_000_000);
    }

    #[test]
    fn what_no_router_forwards_is_refused_with_the_way_out() {
        let mut dying = stream(1);
        dying.ipv4.as_mut().unwrap().ttl = Field::Fixed(1);
        assert!(adapted(Way::L3, dying).unwrap_err().contains("its TTL is 1"));
        let mut tagged = stream(1);
        tagged.vlan = vec![traffic::profile::Vlan {
            id: Field::zero(),
            priority: Field::zero(),
            dei: false,
            tpid: None,
        }];
        assert!(adapted(Way::L3, tagged).unwrap_err().contains("VLAN tags"));
        let mut ping = stream(7);
        ping.udp = None;
        ping.icmp =
            Some(traffic::profile::Icmp { echo: Default::default(), id: Field::zero(), seq: Field::zero() });
        assert!(adapted(Way::L3, ping).unwrap_err().contains("its 7 flows differ by addresses"));
        let mut large = stream(1);
        large.frame_size = FrameSize::new(1518).unwrap().into();
        let said = adapted(Way::L3, large).unwrap_err();
        assert!(said.contains("at most 1468 B"), "{said}");
    }
}
