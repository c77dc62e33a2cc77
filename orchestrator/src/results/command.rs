//! What does by hand what an agent was asked: command lines for a POSIX shell.

use std::path::Path;

use traffic::profile::{Profile, Stop};
use traffic::swap::Swap;
use traffic::wire::{Checksums, Memory, Role, RunSpec};

use crate::trial::{Record, SideRecord};

/// How much longer than its sender a receiver by hand stays, so that both can be started one after the other.
const HAND_MARGIN_S: f64 = 10.0;

/// The measured run of one end.
pub fn main_run(record: &Record, side: &SideRecord) -> String {
    let spec = &side.spec;
    let option = |name: &str| record.options.get(name).is_some_and(|v| v == "true");
    let (quirks, no_stamp) = (option("pktgen_quirks"), option("no_stamp"));
    let has_pcap = record.options.get("pcap").is_some_and(|file| !file.is_empty());
    let mut line = Line::new(record, spec);
    match spec.role {
        // A receiver has no flags for what was changed in the file's profile.
        Role::Rx if quirks || no_stamp => line.profile_inline(&spec.profile),
        // `dataplane` imports no capture: the profile that was made of both goes along.
        Role::Rx | Role::Tx if has_pcap => line.profile_inline(&spec.profile),
        // It sends nothing of its own.
        Role::Reflect => {}
        _ => line.pair("--profile", &record.profile_source),
    }
    if spec.role == Role::Tx {
        line.flag("--pktgen-quirks", quirks);
        line.flag("--no-stamp", no_stamp);
        line.flag("--round-trip", spec.round_trip);
        if spec.checksums == Checksums::Nic {
            line.pair("--checksum", "nic");
        }
    }
    if spec.role == Role::Reflect {
        let swap = if spec.swap == Swap::Port { "port" } else { "mac" };
        line.pair("--swap", swap);
        line.pair("--frame-size", &largest(&spec.profile).to_string());
    }
    spec.addresses.iter().for_each(|address| line.pair("--address", &address.to_string()));
    if spec.per_flow > 0 {
        line.pair("--per-flow", &format!("{}_flows.csv", side.pod));
    }
    line.ends(spec);
    let is_one_host = record.lab == "local" && spec.tx_clock.is_some();
    line.flag("--same-host", spec.role == Role::Rx && is_one_host);
    line.text()
}

/// Bytes of a profile's largest frame; of a replay, as large as ordinary ones are.
fn largest(profile: &Profile) -> u32 {
    profile.streams.iter().map(|s| s.frame_size.bounds().1.into()).max().unwrap_or(1518)
}

/// The warm-up of one end; empty without one.
pub fn warmup(record: &Record, side: &SideRecord) -> String {
    let Some(spec) = &side.warmup_spec else { return String::new() };
    let mut line = Line::new(record, spec);
    if spec.role != Role::Reflect {
        line.profile_inline(&spec.profile);
    }
    line.ends(spec);
    line.text()
}

/// Words of a command line that is being made.
struct Line {
    before: String,
    words: Vec<String>,
}

impl Line {
    fn new(record: &Record, spec: &RunSpec) -> Line {
        let verb = match spec.role {
            Role::Tx => "tx",
            Role::Rx => "rx",
            Role::Reflect => "reflect",
        };
        let mut line = Line { before: String::new(), words: vec!["dataplane".into(), verb.into()] };
        line.pair("--device", &by_hand(&spec.device, record));
        if !spec.lcores.is_empty() {
            let cpus: Vec<String> = spec.lcores.iter().map(u32::to_string).collect();
            line.pair("--lcores", &cpus.join(","));
        }
        line.pair("--descriptors", &spec.descriptors.to_string());
        line.pair("--memory", memory(spec.memory));
        if let Some(mib) = spec.socket_mem_mib {
            line.pair("--socket-mem", &mib.to_string());
        }
        line.pair("--tag", &format!("{:08x}", spec.tag));
        line
    }

    fn flag(&mut self, flag: &str, is_set: bool) {
        self.words.extend(is_set.then(|| flag.to_owned()));
    }

    fn pair(&mut self, flag: &str, value: &str) {
        self.words.extend([flag.to_owned(), quoted(value)]);
    }

    /// A profile that is in no file of the user's.
    fn profile_inline(&mut self, profile: &Profile) {
        let json = serde_json::to_string(profile).unwrap_or_default();
        self.before = format!("p=$(mktemp --suffix=.json) && printf %s {} >\"$p\" && ", quoted(&json));
        self.words.extend(["--profile".into(), "\"$p\"".into()]);
    }

    /// Workers, and when it ends.
    fn ends(&mut self, spec: &RunSpec) {
        let workers = spec.workers.unwrap_or(1).to_string();
        let sending_s = match spec.profile.stop {
            Stop::DurationS(seconds) => Some(seconds),
            Stop::Count(_) | Stop::Never => None,
        };
        self.pair("--workers", &workers);
        if spec.role == Role::Rx {
            self.pair("--tx-workers", &spec.tx_workers.to_string());
        }
        match (spec.role, sending_s) {
            (Role::Tx, seconds) => {
                if let Some(seconds) = seconds {
                    self.pair("--duration", &seconds.to_string());
                }
                self.pair("--burst", &spec.burst.to_string());
            }
            // By Ctrl-C where nobody knows how long a count takes.
            (Role::Rx | Role::Reflect, None) => {}
            (Role::Rx | Role::Reflect, Some(seconds)) => {
                self.pair("--duration", &(seconds + HAND_MARGIN_S).ceil().to_string());
            }
        }
    }

    fn text(&self) -> String {
        format!("{}{}", self.before, self.words.join(" "))
    }
}

/// The device with its memif socket where a folder for it exists: the trial's own one goes with the trial.
fn by_hand(device: &str, record: &Record) -> String {
    match &record.socket_folder {
        Some(folder) => {
            let theirs = format!("{}/", Path::new(folder).display());
            device.replace(&theirs, &format!("/tmp/{}-", record.expid))
        }
        None => device.to_owned(),
    }
}

fn memory(memory: Memory) -> &'static str {
    match memory {
        Memory::Auto => "auto",
        Memory::Hugepages => "hugepages",
        Memory::NoHuge => "no-huge",
    }
}

/// One word for the shell, whatever is in it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:,=@%+-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::fixture;
    use std::process::Command;
    use traffic::profile::load::{Format, load_str};

    /// The arguments that a shell hands to `dataplane`.
    fn arguments(line: &str) -> Vec<String> {
        let script = format!("dataplane() {{ printf '%s\\n' \"$@\"; }}\n{line}\nrm -f \"$p\"");
        let output = Command::new("/bin/sh").args(["-ec", &script]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn record() -> Record {
        let mut record = fixture::outcome().record;
        record.socket_folder = Some("/tmp/bench-7-x".into());
        record.profile_source = "it's a $(touch me).lua".into();
        for side in [&mut record.tx, &mut record.rx] {
            side.spec.device = "vdev:net_memif0,socket=/tmp/bench-7-x/m0.sock,id=0".into();
            side.spec.lcores = vec![0, 1];
            side.spec.profile.stop = Stop::DurationS(1.5);
        }
        record
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        let record = record();
        assert_eq!(
            arguments(&main_run(&record, &record.tx)).join("|"),
            "tx|--device|vdev:net_memif0,socket=/tmp/0badcafe-m0.sock,id=0|--lcores|0,1|--descriptors|1024|\
             --memory|auto|--tag|00000001|--profile|it's a $(touch me).lua|--workers|1|--duration|1.5|--burst|64"
        );
        let rx = arguments(&main_run(&record, &record.rx)).join("|");
        assert!(rx.starts_with("rx|") && rx.ends_with("|--workers|1|--tx-workers|2|--duration|12"), "{rx}");
    }

    #[test]
    fn a_profile_without_a_file_goes_along() {
        let mut record = record();
        record.options.insert("no_stamp".into(), "true".into());
        record.rx.spec.profile.name = Some("it's".into());
        let line = main_run(&record, &record.rx);
        let json = line.split_once("printf %s ").unwrap().1.split_once(" >\"$p\"").unwrap().0;
        let said = Command::new("/bin/sh").args(["-c", &format!("printf %s {json}")]).output().unwrap();
        let read = load_str(&String::from_utf8(said.stdout).unwrap(), Format::Json, "line").unwrap();
        assert_eq!(read, record.rx.spec.profile);
        assert!(arguments(&main_run(&record, &record.tx)).contains(&"--no-stamp".to_owned()));
        record.tx.warmup_spec = Some(RunSpec { role: Role::Reflect, ..record.tx.spec.clone() });
        let reflect = arguments(&warmup(&record, &record.tx));
        assert!(reflect[0] == "reflect" && !reflect.contains(&"--profile".to_owned()), "{reflect:?}");
    }
}
