//! Checksums that the port fills in are those that software writes: the same frames leave a net_tap either way, tcpdump
//! and tshark being witnesses; where a port or a profile can't, that is said before the start.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bench_tests::decoder::{self, VALID, decode_frames};
use bench_tests::memif::spec;
use bench_tests::netns::Netns;
use bench_tests::pcapdiff::assert_same_sequence;
use bench_tests::profiles::UdpFlows;
use bench_tests::refused::Refusal;
use bench_tests::run::{Run, sent};
use bench_tests::tcpdump::Tcpdump;
use bench_tests::{bin, cpus, needs};
use traffic::profile::{Format, Profile, load_str};
use traffic::wire::{Checksums, Command, Role, RunSpec};

/// More than one round of the fields.
const COUNT: u64 = 300;
const TAP: &str = "vdev:net_tap0,iface=dtap0";
const TAG: u32 = 0x0bad_cafe;

const UDP: &str = r#"
[[streams]]
frame_size = 90
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
[streams.ipv4]
src = { start = "10.0.0.1", min = "10.0.0.1", max = "10.0.0.100", inc = "0.0.0.1" }
dst = "192.168.2.1"
ttl = { start = 1, min = 1, max = 64, inc = 1 }
[streams.udp]
src = { start = 1024, min = 1024, max = 1073, inc = 1 }
dst = 1024
"#;

const TAGGED_TCP: &str = r#"
[[streams]]
frame_size = 131
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
vlan = [{ id = 7 }]
[streams.ipv4]
src = "10.0.0.1"
dst = { start = "192.168.2.1", min = "192.168.2.1", max = "192.168.2.50", inc = "0.0.0.1" }
[streams.tcp]
src = 40000
dst = 80
seq = { start = 0, min = 0, max = 4000000000, inc = 123456 }
"#;

/// Not a field varies.
const STILL: &str = r#"
[[streams]]
frame_size = 64
ethernet = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02" }
ipv4 = { src = "10.0.0.1", dst = "10.0.0.2" }
udp = { src = 1024, dst = 1024 }
"#;

fn profile(streams: &str, stamp: bool) -> Profile {
    let text = format!("rate = \"2kpps\"\nstop = {{ count = {COUNT} }}\nstamp = {stamp}\n{streams}");
    load_str(&text, Format::Toml, "test").unwrap_or_else(|e| panic!("{e}"))
}

/// What a tap in a namespace of its own lets the kernel see.
fn on_the_wire(profile: &Profile, checksums: Checksums, workers: u16) -> Vec<Vec<u8>> {
    let netns = Netns::new("tap");
    let spec = RunSpec { checksums, tag: TAG, ..spec(Role::Tx, TAP.to_owned(), profile, workers) };
    let mut engine = bin::dataplane();
    engine.arg("engine");
    let mut run = Run::spawn(&mut netns.wrap(engine));
    run.process().say(&serde_json::to_string(&spec).unwrap());
    assert_eq!(run.ready().checksums, Some(checksums), "what is in force is shown");
    // There is no tap before the engine makes it.
    let witness = Tcpdump::start(&netns, "dtap0");
    run.start();
    run.wait_until_sent();
    let seen = witness.stop(COUNT as usize);
    run.command(Command::Stop);
    let outcome = run.finish();
    assert_eq!((sent(&outcome.summary.totals), outcome.summary.mbufs_missing), (COUNT, 0));
    seen
}

fn can_run() -> bool {
    needs::root_and(&["ip", "tcpdump", "tshark"])
}

/// Sent by both ways, unmarked: the same bytes, of which tshark finds every checksum valid.
fn compare(streams: &str, l4_status: &str) {
    if !can_run() {
        return;
    }
    let profile = profile(streams, false);
    let software = on_the_wire(&profile, Checksums::Software, 1);
    let nic = on_the_wire(&profile, Checksums::Nic, 1);
    assert_eq!(nic.len() as u64, COUNT);
    assert_valid(&nic, l4_status);
    assert_same_sequence(&nic, "checksums by the port", &software, "checksums by software");
    assert!(nic == software, "not a byte differs");
}

fn assert_valid(frames: &[Vec<u8>], l4_status: &str) {
    decoder::assert_sound(frames, "frames with the port's checksums");
    let status = decode_frames(frames, &["ip.checksum.status", l4_status]);
    assert!(status.iter().all(|row| row == &[VALID, VALID]), "{:?}", &status[..3]);
}

#[test]
fn udp_frames_are_the_same_bytes() {
    compare(UDP, "udp.checksum.status");
}

#[test]
fn tagged_tcp_frames_are_the_same_bytes() {
    compare(TAGGED_TCP, "tcp.checksum.status");
}

#[test]
fn frames_that_never_differ_are_the_same_bytes() {
    compare(STILL, "udp.checksum.status");
}

#[test]
fn marked_frames_of_two_workers_are_valid_and_carry_every_number() {
    if !can_run() {
        return;
    }
    let frames = on_the_wire(&profile(UDP, true), Checksums::Nic, 2);
    assert_valid(&frames, "udp.checksum.status");
    let mut numbers: Vec<(u16, u64)> = frames
        .iter()
        .map(|frame| traffic::stamp::read(frame, TAG).unwrap())
        .map(|mark| (mark.shard, mark.seq))
        .collect();
    numbers.sort_unstable();
    let half = COUNT / 2;
    assert_eq!(numbers, (0..2).flat_map(|shard| (0..half).map(move |n| (shard, n))).collect::<Vec<_>>());
}

/// `dataplane tx --checksum nic` must be refused with these words.
fn refuse(device: &str, profile: &Profile, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.json");
    std::fs::write(&file, serde_json::to_string(profile).unwrap()).unwrap();
    let mut command = bin::dataplane();
    command.args(["tx", "--checksum", "nic", "--device", device, "--lcores", &cpus::tx(1), "--no-huge"]);
    Refusal::new().of(command.arg("--profile").arg(file), words);
}

#[test]
fn a_port_that_does_not_offer_it_is_refused_by_its_drivers_name() {
    let udp = ["vdev:net_null0", "driver net_null", "checksums of IPv4 and UDP", "--checksum software"];
    refuse("vdev:net_null0", &profile(UDP, true), &udp);
    refuse("vdev:net_ring0", &profile(TAGGED_TCP, true), &["driver net_ring", "checksums of IPv4 and TCP"]);
}

#[test]
fn a_profile_of_other_frames_is_refused_before_the_device_is_opened() {
    let words = ["one stream and one frame size", "--checksum software"];
    let several = profile(&[UDP, TAGGED_TCP].concat(), true);
    refuse("vdev:net_null0", &several, &words);
    let v6 = STILL.replace(
        "ipv4 = { src = \"10.0.0.1\", dst = \"10.0.0.2\" }",
        "ipv6 = { src = \"fd00::1\", dst = \"fd00::2\" }",
    );
    refuse("vdev:net_null0", &profile(&v6.replace("64", "90"), true), &words);
}

#[test]
fn by_hand_the_first_line_shows_the_choice() {
    let folder = tempfile::tempdir().unwrap();
    let profile = UdpFlows { flows: 10, frame_size: 64, rate: "1kpps", count: Some(10) }.write(folder.path());
    let mut command = bin::dataplane();
    command.args(["tx", "--device", "vdev:net_null0", "--lcores", &cpus::tx(1), "--no-huge"]);
    let done = bench_tests::process::run(command.arg("--profile").arg(profile));
    let first = done.stdout.lines().next().unwrap_or_default();
    assert!(
        done.status.success() && first.contains("checksums by software"),
        "{}\n{}",
        done.stdout,
        done.stderr
    );
}
