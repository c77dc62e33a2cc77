//! Profiles made for a test.

use std::path::{Path, PathBuf};

use traffic::profile::Profile;
use traffic::profile::load::load_file;

/// A profile of UDP flows by source address.
#[derive(Clone, Copy, Debug)]
pub struct UdpFlows {
    /// Distinct source addresses.
    pub flows: u32,
    /// With the FCS.
    pub frame_size: u32,
    /// As profiles write it.
    pub rate: &'static str,
    /// Frames to send; no end when none.
    pub count: Option<u64>,
}

impl UdpFlows {
    /// Writes it to a file in `folder`.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("udp_{}_flows_{}.toml", self.flows, self.frame_size));
        let stop = self.count.map_or("\"never\"".to_owned(), |count| format!("{{ count = {count} }}"));
        let first = u32::from(std::net::Ipv4Addr::new(10, 0, 0, 1));
        let last = std::net::Ipv4Addr::from(first + self.flows - 1);
        let text = format!(
            r#"rate = "{}"
stop = {stop}

[[streams]]
frame_size = {}
ethernet = {{ src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }}
udp = {{ src = 1024, dst = 1024 }}

[streams.ipv4]
src = {{ start = "10.0.0.1", min = "10.0.0.1", max = "{last}", inc = "0.0.0.1" }}
dst = "192.168.2.1"
"#,
            self.rate, self.frame_size
        );
        std::fs::write(&path, text).expect("a profile can be written");
        path
    }

    /// It as a value.
    pub fn profile(&self) -> Profile {
        let folder = tempfile::tempdir().expect("a temporary folder");
        load_file(&self.write(folder.path())).unwrap_or_else(|e| panic!("{e}"))
    }
}
