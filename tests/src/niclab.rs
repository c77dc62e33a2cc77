//! A guest with emulated NICs (tests/niclab): scripts in it, and what our programs said there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use traffic::wire::{Event, Ready, Summary};

use crate::bin;

/// The folder that the guest sees at /work: `make niclab` makes it.
const WORK: &str = "NICLAB_WORK";
/// A guest that was forgotten ends by itself.
const LIFE_S: &str = "1200";
/// What a script may take, with what a shared machine adds.
const SCRIPT_S: &str = "90";

/// Two igb with two VFs each, two of every other kind, pages of 1 GiB.
pub const ALL: Lab = Lab {
    name: "all",
    options: &["--nics", "igb,e1000e,vmxnet3,virtio,e1000", "--vfs", "2", "--hugepages", "1Gx2"],
};
/// Pages of 2 MiB.
pub const TWO_MIB: Lab = Lab { name: "two-mib", options: &["--vfs", "2", "--hugepages", "2Mx512"] };
/// No IOMMU, and VFIO not loaded.
pub const BARE: Lab = Lab {
    name: "bare",
    options: &[
        "--hugepages",
        "2Mx128",
        "--append",
        "intel_iommu=off",
        "--without",
        "vfio-pci",
        "--without",
        "vfio_iommu_type1",
    ],
};

/// A guest's name, and what it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Lab {
    name: &'static str,
    options: &'static [&'static str],
}

/// A guest that is up. One of a test that fails is ended, so that no other test inherits its state.
#[derive(Debug)]
pub struct Guest;

fn niclab() -> Command {
    Command::new(bin::data("niclab/niclab"))
}

impl Lab {
    /// The guest, which the test before may have left up.
    pub fn up(self) -> Guest {
        let work = std::env::var_os(WORK).map(PathBuf::from);
        let work = work.unwrap_or_else(|| panic!("{WORK} is not set: these tests are run by `make niclab`"));
        let mut command = niclab();
        command.args(["up", self.name, "--timeout", LIFE_S, "--dir"]).arg(work).args(self.options);
        // Its output is nobody's: a guest that lives on would hold a pipe open.
        let status = command.stdin(Stdio::null()).status().unwrap_or_else(|e| panic!("niclab: {e}"));
        assert!(status.success(), "guest {} did not come up", self.name);
        Guest
    }
}

impl Guest {
    /// Runs a script, after `lib.sh`, and hands back what was said. A script that fails is the test's failure.
    pub fn run(&self, script: &str) -> Said {
        let said = self.try_run(script);
        assert!(said.is_success, "the script failed:\n{script}\nand said\n{}\n{}", said.stdout, said.stderr);
        said
    }

    /// The same, where it may fail.
    pub fn try_run(&self, script: &str) -> Said {
        let lib = std::fs::read_to_string(bin::data("niclab/guest/lib.sh")).expect("lib.sh");
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), format!("{lib}\n{script}\n")).expect("the script is written");
        let script = std::fs::File::open(file.path()).expect("the script is read");
        let mut command = niclab();
        command.args(["exec", "--timeout", SCRIPT_S]).stdin(script);
        // It has a limit of its own.
        let done = command.output().unwrap_or_else(|e| panic!("niclab: {e}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { is_success: done.status.success(), stdout: text(&done.stdout), stderr: text(&done.stderr) }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Whether it works is not this test's question.
            let _ = niclab().arg("down").status();
        }
    }
}

/// What a script said: all of it, and its sections (`== NAME`).
#[derive(Debug)]
pub struct Said {
    /// Whether its status was 0.
    pub is_success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Said {
    /// A section's text.
    pub fn section(&self, name: &str) -> &str {
        let head = format!("== {name}\n");
        let found = self.stdout.split_once(&head).map(|(_, rest)| rest.split("\n== ").next().unwrap_or(rest));
        found.unwrap_or_else(|| panic!("no section {name} in\n{}\n{}", self.stdout, self.stderr))
    }

    /// The run whose events are in a section.
    pub fn outcome(&self, name: &str) -> (Ready, Summary) {
        let (mut ready, mut done) = (None, None);
        for line in self.section(name).lines().filter(|line| line.starts_with(['{', '"'])) {
            match serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")) {
                Event::Ready(one) => ready = Some(*one),
                Event::Done(one) => done = Some(*one),
                Event::Failed { error } => panic!("{name} failed: {error}"),
                Event::Started { .. } | Event::Sample(_) | Event::Sent => {}
            }
        }
        ready
            .zip(done)
            .unwrap_or_else(|| panic!("{name} did not come to its end:\n{}\n{}", self.stdout, self.stderr))
    }

    /// The frames of the section `pcap`: what the witness saw.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let hex = self.section("pcap").split_whitespace();
        let bytes: Vec<u8> = hex.map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect();
        let frames = traffic::pcap::frames(&bytes).unwrap_or_else(|e| panic!("the witness's capture: {e}"));
        frames.into_iter().map(<[u8]>::to_vec).collect()
    }

    /// What the kernel's driver of the witness counted.
    pub fn kernel_count(&self) -> u64 {
        self.section("kernel").trim().parse().expect("a number")
    }
}

/// A NIC of the lab, by its name: its MAC address as the lab gave it.
pub fn mac(nic: &str) -> String {
    let digit = nic.chars().last().expect("a name");
    let kinds = BTreeMap::from([("igb", "76"), ("e1000e", "74"), ("vmx", "15"), ("virtio", "1a")]);
    if let Some((pf, vf)) = nic.strip_prefix("igb").and_then(|rest| rest.split_once('v')) {
        return format!("52:54:00:f0:0{pf}:0{vf}");
    }
    let kind = &nic[..nic.len() - 1];
    format!("52:54:00:{}:00:0{digit}", kinds.get(kind).unwrap_or_else(|| panic!("no NIC {nic}")))
}

/// `cat >/tmp/p.toml`: frames of `bytes` from one NIC to another in 100 flows, `more` being further lines of the
/// stream.
pub fn profile(from: &str, to: &str, bytes: u16, more: &str) -> String {
    format!(
        "cat >/tmp/p.toml <<'END'\n[[streams]]\nframe_size = {bytes}\nethernet = {{ src = \"{}\", dst = \"{}\" }}\n{more}\n[streams.ipv4]\n\
         src = {{ start = \"10.0.0.1\", min = \"10.0.0.1\", max = \"10.0.0.100\", inc = \"0.0.0.1\" }}\ndst = \"192.168.2.1\"\n\
         [streams.udp]\nsrc = 1024\ndst = 1024\nEND\n",
        mac(from),
        mac(to)
    )
}
