//! Virtual functions on vfio-pci behind an IOMMU, as pods have them.

use std::collections::BTreeSet;

use bench_tests::flows::S100;
use bench_tests::niclab::{ALL, profile};

use crate::exchange::{Exchange, RATE};

#[test]
fn frames_pass_from_one_to_another_and_every_counter_agrees() {
    let [(tx, _), (rx, _)] = Exchange::new("igb0v0", "igb0v1").run(&ALL.up());
    for ready in [&tx, &rx] {
        assert_eq!((&*ready.driver, ready.link_up, ready.link_mbps), ("net_e1000_igb_vf", true, 1000));
        assert!(ready.memory.starts_with("hugepages") && ready.memory.ends_with("DMA by virtual addresses"));
    }
    assert_eq!(tx.mac.to_string(), "52:54:00:f0:00:00");
}

#[test]
fn the_device_plugins_variable_names_one() {
    let said = ALL.up().run(
        "take igb0v0; export PCIDEVICE_LAB_VF=$(nic igb0v0) PCIDEVICE_LAB_VF_INFO='{}'\n\
         ./dataplane probe --device env --output json",
    );
    let port: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(port["driver"], "net_e1000_igb_vf", "{port}");
}

#[test]
fn probe_says_what_the_driver_says() {
    let said = ALL.up().run("take igb0v0; dp probe igb0v0 --output json; show group <(nic igb0v0 group)");
    let port: serde_json::Value = serde_json::from_str(said.stdout.lines().next().unwrap()).unwrap();
    for (key, value) in [
        ("driver", "net_e1000_igb_vf".into()),
        ("kernel_driver", "vfio-pci".into()),
        ("iommu_group", said.section("group").trim().into()),
        ("is_vf", true.into()),
        ("mac", "52:54:00:f0:00:00".into()),
        ("link_up", true.into()),
        ("link_mbps", 1000.into()),
        ("queues", serde_json::json!([2, 2])),
        ("rss", serde_json::json!([])),
        ("tx_checksums", serde_json::json!(["ipv4", "udp", "tcp"])),
        ("dma_by", "virtual addresses".into()),
    ] {
        assert_eq!(port[key], value, "{key} of {port}");
    }
}

/// The receiver is the kernel's driver and tcpdump: nothing of ours.
#[test]
fn a_witness_sees_pktgens_golden_frames() {
    let count = S100.flows;
    let said = ALL.up().run(&format!(
        "functions; ip link set igb0 vf 0 mac 00:50:56:ab:60:84; ip link set igb0 vf 1 mac 00:50:56:ab:a2:ef\n\
         nicunbind igb0v0 igb0v1; witness igb0v1 || exit; take igb0v0\n\
         dp tx igb0v0 --lcores 0,0 -p golden/{}.lua --no-stamp --rate 1kpps --count {count} --output json >/tmp/tx.json; show tx /tmp/tx.json\n\
         witnessed {count}\n\
         ip link set igb0 vf 0 mac 52:54:00:f0:00:00; ip link set igb0 vf 1 mac 52:54:00:f0:00:01",
        S100.name
    ));
    let (_, sent) = said.outcome("tx");
    assert_eq!(sent.totals.port.opackets, count as u64);
    let seen: BTreeSet<Vec<u8>> = said.frames().into_iter().collect();
    let ours: BTreeSet<Vec<u8>> = S100.ours(count, &[]).into_iter().collect();
    assert_eq!(said.frames().len(), count);
    assert!(seen == ours, "the bytes on the wire are those of `dataplane frames`, which are Pktgen's");
    assert!(said.kernel_count() >= count as u64, "the kernel counted {}", said.kernel_count());
}

#[test]
fn checksums_by_the_nic_are_the_same_bytes() {
    let guest = ALL.up();
    let seen = ["software", "nic"].map(|by| {
        let said = guest.run(&format!(
            "witness igb0v1 || exit; take igb0v0\n{}\
             dp tx igb0v0 --lcores 0,0 -p /tmp/p.toml --no-stamp --checksum {by} --rate 1kpps --count 100 --output json >/tmp/tx.json\n\
             show tx /tmp/tx.json; witnessed 100",
            profile("igb0v0", "igb0v1", 90, "")
        ));
        let ready = said.outcome("tx").0;
        assert_eq!(serde_json::to_value(ready.checksums).unwrap(), by, "what is in force");
        said.frames()
    });
    assert_eq!(seen[0].len(), 100);
    assert!(seen[0] == seen[1], "not a byte differs");
}

#[test]
fn a_plain_user_with_the_group_and_memlock_sends() {
    let said = ALL.up().run(&format!(
        "take igb0v0; chown dpdk /dev/vfio/$(nic igb0v0 group)\n{}\
         as_user 2147483648 ./dataplane tx --device pci:$(nic igb0v0) --lcores 0,0 -p /tmp/p.toml --rate {RATE} --count 1000 --output json \
         >/tmp/tx.json 2>/tmp/tx.err\n\
         chown root /dev/vfio/$(nic igb0v0 group); show tx /tmp/tx.json; show tx.err /tmp/tx.err",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    assert_eq!(said.outcome("tx").1.totals.port.opackets, 1000);
}

/// Two processes run side by side in every other test, each with a file prefix of its own.
#[test]
fn a_killed_run_leaves_nothing_behind_and_the_next_one_starts() {
    let said = ALL.up().run(&format!(
        "take igb0v0 igb0v1\n{}\
         free() {{ sed -n 's/^HugePages_Free: *//p' /proc/meminfo; }}\n\
         before=$(free); behind rx rx igb0v1 --lcores 1,1 -p /tmp/p.toml --duration 60 || exit\n\
         show during <(free); end rx KILL; show before <(echo $before); show after <(free); show files <(ls -A /dev/hugepages)\n\
         dp probe igb0v1 --output json >/tmp/next; show next /tmp/next",
        profile("igb0v0", "igb0v1", 64, "")
    ));
    let pages = |name: &str| said.section(name).trim().to_owned();
    assert_ne!(pages("during"), pages("before"), "it had a hugepage");
    assert_eq!((pages("after"), pages("files")), (pages("before"), String::new()));
    assert!(said.section("next").contains("\"link_up\":true"), "{}", said.section("next"));
}
