//! From what a script set to a profile, with a note for everything that is not one to one.

mod fields;
mod port;

use traffic::pacer::Gap;
use traffic::profile::{Ethernet, Ipv4, Ports, Profile, Stop, Stream};
use traffic::units::{FrameSize, Rate};

use crate::backend::{RangeField, Transport};
use crate::import::ImportOptions;
use crate::record::{At, Config, Recorder, Sending};
use crate::report::Report;

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

/// Makes the profile of one of the recorded ports.
pub(crate) fn lower(recorder: &Recorder, name: &str, options: &ImportOptions) -> Result<Lowered, LowerFault> {
    let mut report = recorder.report.clone();
    let port = port::choose(recorder, options.port, &mut report)?;
    let mut ports = recorder.started();
    if ports.is_empty() {
        ports.push(port.number);
    }
    let mut lowering =
        Lowering { port: port.number, config: &port.config, quirks: options.quirks, report: &mut report };
    let stop = stop(port.config.count, port.sending, lowering.report);
    let rate = lowering.rate();
    let stream = lowering.stream()?;
    let name = (!name.is_empty()).then(|| name.to_owned());
    let stamp = Profile::default_stamp();
    report.sort();
    Ok(Lowered {
        profile: Profile { name, rate, gap: Gap::Constant, stop, stamp, streams: vec![stream], replay: None },
        report,
        ports,
    })
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

    fn stream(&mut self) -> Result<Stream, LowerFault> {
        let range_mode = self.config.range_mode.is_some_and(|mode| mode.value);
        let (ethernet, ipv4, ports, frame_size, transport);
        if range_mode {
            ethernet = Ethernet {
                src: self.range_mac(RangeField::SrcMac)?,
                dst: self.range_mac(RangeField::DstMac)?,
            };
            let (src, dst) = (self.range_ip(RangeField::SrcIp)?, self.range_ip(RangeField::DstIp)?);
            ipv4 = Ipv4 { ttl: self.range_ttl()?, ..Ipv4::between(src, dst) };
            ports = Ports {
                src: self.range_port(RangeField::SrcPort)?,
                dst: self.range_port(RangeField::DstPort)?,
            };
            frame_size = self.range_size();
            transport = self.range_transport();
        } else {
            self.unused_ranges();
            ethernet = self.single_macs();
            ipv4 = self.single_ipv4();
            ports = self.single_ports();
            frame_size = self.size("set size", self.config.size);
            transport = self.single_transport();
        }
        let (udp, tcp) = match transport {
            Transport::Udp => (Some(ports), None),
            Transport::Tcp => (None, Some(ports.into())),
        };
        Ok(Stream { ipv4: Some(ipv4), udp, tcp, ..Stream::new(frame_size, ethernet) })
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

    fn range_size(&mut self) -> FrameSize {
        let parts = *self.config.range(RangeField::PktSize);
        if let Some(At { value: inc @ 1.., line }) = parts.inc {
            let start = parts.start.map_or(64, |start| start.value);
            let text = format!(
                "a range of frame sizes (inc {inc}) is not carried over yet: every frame has the start size, {start} bytes"
            );
            self.report.warn(line, text);
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
        self.size("range.pkt_size", parts.start)
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
        let line = self.config.ranges.iter().filter_map(|range| range.first_line()).min();
        if let Some(line) = line {
            let text = "range packets are set but not switched on (set_range): the single packet is sent";
            self.report.warn(line, text);
        }
    }
}
