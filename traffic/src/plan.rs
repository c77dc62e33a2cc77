//! A checked profile, compiled: templates, flows, and what the port's rate and stop rule mean in frames.

use crate::fault::Faults;
use crate::frame::Template;
use crate::profile::{Profile, Stop, check};
use crate::shard::Shard;
use crate::units::{FrameSize, Rate};

/// A profile that can be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// As the profile's, or `profile`.
    pub name: String,
    /// Of the whole port.
    pub rate: Rate,
    /// When the port stops by itself.
    pub stop: Stop,
    /// What is sent.
    pub stream: StreamPlan,
    /// What the user should know though it is no fault.
    pub warnings: Vec<String>,
}

/// One stream, compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamPlan {
    /// Bytes with FCS.
    pub frame_size: FrameSize,
    /// The frame and its varying fields.
    pub template: Template,
    /// Distinct flows: frames before all fields repeat.
    pub flows: u64,
    /// Frames before every field is on its cycle; 0 for ranges that start on it.
    pub lead_in: u64,
}

impl Plan {
    /// Checks and compiles; all faults at once.
    pub fn compile(profile: &Profile) -> Result<Plan, Faults> {
        let name = profile.name.clone().unwrap_or_else(|| "profile".to_owned());
        let faults = check::check(profile);
        let parts = profile.streams.first().and_then(|s| {
            let template = Template::new(s, profile.stamp)?;
            Some((s.frame_size, template.flows()?, template))
        });
        let Some((frame_size, flows, template)) = parts.filter(|_| faults.is_empty()) else {
            return Err(Faults { source_name: name, faults });
        };
        let mut warnings = Vec::new();
        if profile.stamp && template.stamp_at.is_none() {
            warnings.push(format!(
                "frames of {frame_size} have no room for the 18-byte mark behind their headers: loss, order and \
                 latency are not measured; use larger frames (UDP needs 64 B, TCP 76 B)"
            ));
        }
        let stream = StreamPlan { frame_size, flows, lead_in: template.lead_in(), template };
        Ok(Plan { name, rate: profile.rate, stop: profile.stop, stream, warnings })
    }

    /// Whether frames carry the mark.
    pub fn stamped(&self) -> bool {
        self.stream.template.stamp_at.is_some()
    }

    /// The parts of `workers` workers.
    pub fn shards(&self, workers: u16) -> Vec<Shard> {
        Shard::all(workers, self.stream.flows)
    }

    /// Packets a second of the whole port on a link of `link_mbps` (0 = unknown: 10 Gbit/s is assumed, as DPDK's
    /// virtual devices report); `None` for `max`.
    pub fn requested_pps(&self, link_mbps: u32) -> Option<f64> {
        let mbps = if link_mbps == 0 { 10_000 } else { link_mbps };
        self.rate.pps(self.stream.frame_size, f64::from(mbps) * 1e6)
    }
}
