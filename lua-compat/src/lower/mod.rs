//! From what a script set to a profile, with a note for everything that is not one to one.

mod assemble;
mod bits;
mod fields;
mod ipv6;
mod port;
mod sequence;

use std::path::PathBuf;

use traffic::mac::Mac;
use traffic::pacer::Gap;
use traffic::profile::replay::{Replay, Rewrite, Split, Timing, Truncated};
use traffic::profile::sizes::SizeRange;
use traffic::profile::{Ethernet, FrameSizes, Ipv4, Ports, Profile, Stop, Stream};
use traffic::units::{FrameSize, Rate};

use crate::backend::{Mode, Network, RangeField, Transport};
use crate::import::ImportOptions;
use crate::record::{At, Config, Recorder, Sending};
use crate::report::Report;
use assemble::{Net, Parts};

/// Pktgen's smallest rate, in percent: what it makes of 0.
const MIN_RATE_PERCENT: f64 = 0.01;

/// Settings that make no profile.
#[derive(Debug)]
pub(crate) struct LowerFault {
    pub(crate) line: u32,
    pub(crate) message: String,
}

/// A profile with what there is to say about it.
pub(crate) struct Lowered {
    pub(crate) profile: Profile,
    pub(crate) report: Report,
    pub(crate) ports: Vec<u16>,
}

/// Where a port stands, as far as its frames depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub port: u16,
    /// Its own address, where it runs: Pktgen's default source.
    pub mac: Option<Mac>,
    /// The address of the port that Pktgen pairs it with: its default destination.
    pub peer_mac: Option<Mac>,
    /// The capture that `pcap(ports, "on")` sends.
    pub pcap: Option<PathBuf>,
    /// Send what Pktgen would have sent.
    pub quirks: bool,
}

/// Makes the profile of one of the recorded ports.
pub(crate) fn lower(recorder: &Recorder, name: &str, options: &ImportOptions) -> Result<Lowered, LowerFault> {
    let mut report = recorder.report.clone();
    let port = port::choose(recorder, options.port, &mut report)?;
    let mut ports = recorder.started();
    if ports.is_empty() {
        ports.push(port.number);
    }
    let stop = stop(port.config.count, port.sending, &mut report);
    let place =
        Place { port: port.number, pcap: options.pcap.clone(), quirks: options.quirks, ..Place::default() };
    let mut profile = lower_config(&port.config, &place, &mut report)?;
    profile.stop = stop;
    profile.name = (!name.is_empty()).then(|| name.to_owned());
    report.sort();
    Ok(Lowered { profile, report, ports })
}

/// What a port with these settings sends, for ever or by its count, with what there is to say about it.
pub fn profile_of(config: &Config, place: &Place) -> Result<(Profile, Report), String> {
    let mut report = Report::default();
    let mut profile = lower_config(config, place, &mut report).map_err(|fault| fault.message)?;
    profile.stop = stop(config.count, None, &mut report);
    Ok((profile, report))
}

fn lower_config(config: &Config, place: &Place, report: &mut Report) -> Result<Profile, LowerFault> {
    let mut lowering = Lowering { port: place.port, place, config, quirks: place.quirks, report };
    let rate = lowering.rate();
    let replay = lowering.replay();
    let streams = if replay.is_some() { Vec::new() } else { lowering.streams()? };
    let stamp = Profile::default_stamp();
    Ok(Profile { name: None, rate, gap: Gap::Constant, stop: Stop::Never, stamp, streams, replay })
}

/// When the port stops: by its count; else when the script stops it; else never.
fn stop(count: Option<At<u64>>, sending: Option<&Sending>, report: &mut Report) -> Stop {
    let stopped =
        sending.and_then(|s| s.until_ms.map(|until| (until.line, until.value.saturating_sub(s.from_ms))));
    match (count, stopped) {
        (Some(At { value, .. }), stopped) if value > 0 => {
            if let Some((line, ms)) = stopped {
                let seconds = ms as f64 / 1000.0;
                report.info(
                    line,
                    format!(
                        "the stop after {seconds} s is not carried over: the count of {value} ends sending"
                    ),
                );
            }
            Stop::Count(value)
        }
        (_, Some((line, 0))) => {
            report.warn(
                line,
                "the script stops the port without any delay after start: the profile has no end",
            );
            Stop::Never
        }
        (_, Some((line, ms))) => {
            let seconds = ms as f64 / 1000.0;
            report.info(line, format!("stopped {seconds} s after start: the profile runs for {seconds} s"));
            Stop::DurationS(seconds)
        }
        (_, None) => Stop::Never,
    }
}

/// The lowering of one port's settings.
struct Lowering<'a> {
    port: u16,
    place: &'a Place,
    config: &'a Config,
    quirks: bool,
    report: &'a mut Report,
}

impl Lowering<'_> {
    fn rate(&mut self) -> Rate {
        let Some(At { value, line }) = self.config.rate else { return Profile::default_rate() };
        let clamped = if value == 0.0 { MIN_RATE_PERCENT } else { value.min(100.0) };
        if clamped != value {
            self.report.info(line, format!("rate {value} becomes {clamped} %, as in Pktgen"));
        }
        Rate::Percent(clamped)
    }

    /// The capture, where one is sent: at the port's rate, over and over.
    fn replay(&mut self) -> Option<Replay> {
        let at = self.config.modes[Mode::Pcap as usize].filter(|at| at.value)?;
        let Some(file) = self.place.pcap.clone() else {
            let text = "pcap is on, but no capture is named (--pcap FILE, Pktgen's -s): the packet is sent";
            self.report.warn(at.line, text);
            return None;
        };
        Some(Replay {
            file,
            timing: Timing::Rate,
            loops: 0,
            limit_frames: None,
            truncated: Truncated::default(),
            split: Split::default(),
            rewrite: Rewrite::default(),
        })
    }

    fn streams(&mut self) -> Result<Vec<Stream>, LowerFault> {
        if let Some(At { value: count @ 1.., .. }) = self.config.seq_count {
            return self.sequence(count);
        }
        let range_mode = self.config.range_mode.is_some_and(|mode| mode.value);
        let parts = if range_mode { self.range_parts()? } else { self.single_parts() };
        Ok(vec![self.assemble(parts)?])
    }

    fn range_parts(&mut self) -> Result<Parts, LowerFault> {
        let ethernet =
            Ethernet { src: self.range_mac(RangeField::SrcMac)?, dst: self.range_mac(RangeField::DstMac)? };
        let net = match self.config.range_network.or(self.config.network).map(|at| at.value) {
            Some(Network::Ipv6) => Net::V6(self.range_ipv6()?),
            _ => {
                let (src, dst) = (self.range_ip(RangeField::SrcIp)?, self.range_ip(RangeField::DstIp)?);
                let tos = self.range_small(RangeField::Tos, self.config.tos.map_or(0, |at| at.value))?;
                Net::V4(Ipv4 { ttl: self.range_ttl()?, tos, ..Ipv4::between(src, dst) })
            }
        };
        let ports =
            Ports { src: self.range_port(RangeField::SrcPort)?, dst: self.range_port(RangeField::DstPort)? };
        Ok(Parts {
            ethernet,
            net,
            ports,
            vlan: self.range_small(RangeField::VlanId, self.vlan_id())?,
            cos: self.range_small(RangeField::Cos, self.cos())?,
            teid: self.range_small(RangeField::GtpuTeid, traffic::profile::Value::zero())?,
            size: self.range_size(),
            transport: self.range_transport(),
            flags: self.config.tcp_flags.map(|at| at.value),
        })
    }

    fn single_parts(&mut self) -> Parts {
        self.unused_ranges();
        let ethernet = self.single_macs();
        let net = match self.config.network.map(|at| at.value) {
            Some(Network::Ipv6) => Net::V6(self.single_ipv6()),
            Some(Network::Arp) => Net::Arp(self.single_ipv4()),
            _ => Net::V4(self.single_ipv4()),
        };
        let is_arp = matches!(net, Net::Arp(_));
        Parts {
            ethernet,
            net,
            ports: self.single_ports(is_arp),
            vlan: self.vlan_id().into(),
            cos: self.cos().into(),
            teid: self.teid(),
            size: self.size("set size", self.config.size).into(),
            transport: if is_arp { Transport::Udp } else { self.single_transport() },
            flags: self.config.tcp_flags.map(|at| at.value),
        }
    }

    /// `set_proto` reaches only the single packet in Pktgen; its users mean all packets.
    fn range_transport(&mut self) -> Transport {
        match (self.config.range_proto, self.config.proto) {
            (Some(range), _) => range.value,
            (None, Some(At { value: Transport::Udp, line })) if self.quirks => {
                let text = "set_proto(\"udp\") reaches only the single packet: range packets are TCP, as Pktgen 23.03 \
                            sends them (--pktgen-quirks)";
                self.report.info(line, text);
                Transport::Tcp
            }
            (None, Some(At { value: Transport::Udp, line })) => {
                let text = "set_proto(\"udp\") holds for range packets too; Pktgen 23.03 itself would have sent TCP, \
                            because only range.ip_proto changes them (--pktgen-quirks imports what Pktgen sends)";
                self.report.info(line, text);
                Transport::Udp
            }
            (None, _) => self.single_transport(),
        }
    }

    fn single_transport(&mut self) -> Transport {
        if let Some(proto) = self.config.proto {
            return proto.value;
        }
        self.report.info(0, "no protocol is set: TCP, Pktgen's default");
        Transport::Tcp
    }

    fn range_size(&mut self) -> FrameSizes {
        let parts = *self.config.range(RangeField::PktSize);
        if let Some(At { value: inc @ 1.., line }) = parts.inc {
            let start = self.size("range.pkt_size", narrow(parts.start));
            let min = self.size("range.pkt_size min", narrow(parts.min));
            let most = parts.max.unwrap_or(At { value: 1518, line });
            let max = self.size("range.pkt_size max", narrow(Some(most)));
            if min < max {
                if start != min {
                    let text = format!("range.pkt_size starts at {start}: the profile starts at {min}");
                    self.report.info(line, text);
                }
                let step = u16::try_from(inc).unwrap_or(u16::MAX).min(9536);
                return FrameSizes::Range(SizeRange { min, max, step });
            }
        }
        if let (None, Some(At { value, line })) = (parts.start, self.config.size)
            && value != 64
        {
            let text = format!(
                "set size {value} reaches only the single packet: range packets have 64 bytes, Pktgen's default, \
                 until range.pkt_size says otherwise"
            );
            self.report.warn(line, text);
        }
        self.size("range.pkt_size", narrow(parts.start)).into()
    }

    fn size(&mut self, what: &str, size: Option<At<u64>>) -> FrameSize {
        let Some(At { value, line }) = size else { return FrameSize::MIN };
        let checked = u32::try_from(value).ok().and_then(|bytes| FrameSize::new(bytes).ok());
        checked.unwrap_or_else(|| {
            if value < u64::from(FrameSize::MIN.bytes()) {
                self.report
                    .info(line, format!("{what} {value} becomes 64, the smallest frame, as in Pktgen"));
                FrameSize::MIN
            } else {
                self.report.warn(line, format!("{what} {value} becomes 9600, the largest frame"));
                FrameSize::MAX
            }
        })
    }

    fn unused_ranges(&mut self) {
        // GTP-U's tunnel has one setter for both kinds of packet.
        let own = |(i, _): &(usize, _)| *i != RangeField::GtpuTeid as usize;
        let ranges = self.config.ranges.iter().enumerate().filter(own);
        let line = ranges.filter_map(|(_, range)| range.first_line()).min();
        if let Some(line) = line {
            let text = "range packets are set but not switched on (set_range): the single packet is sent";
            self.report.warn(line, text);
        }
    }
}

/// A part of a range that is no larger than 64 bits.
fn narrow(part: Option<At<u128>>) -> Option<At<u64>> {
    part.map(|At { value, line }| At { value: u64::try_from(value).unwrap_or(u64::MAX), line })
}
