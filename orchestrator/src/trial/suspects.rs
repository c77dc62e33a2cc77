//! Why frames of a warm-up did not arrive: what both ports say of themselves against what the frames carry.

use traffic::device::Device;
use traffic::mac::Mac;
use traffic::wire::{Ready, RunSpec};

use crate::path::Way;

/// Which way frames went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// From `rxN`, which sends in a warm-up.
    There,
    /// What `txN` sends back.
    Back,
}

/// What is known of a warm-up's frames and ports.
#[derive(Debug)]
pub struct Suspects<'a> {
    /// The sending pod, and the one that sends back.
    pub names: (&'a str, &'a str),
    way: Way,
    /// Addresses that the frames carry: source and destination.
    frames: (Mac, Mac),
    /// The ports' own.
    ports: (Mac, Mac),
    /// VLAN of the outer tag.
    vlan: Option<u32>,
    /// PCI addresses of those ports that are PCI devices.
    pci: Vec<String>,
}

impl<'a> Suspects<'a> {
    /// Of a warm-up whose ports are up, the sender's first.
    pub fn of(names: (&'a str, &'a str), way: Way, sender: &RunSpec, ready: &(Ready, Ready)) -> Suspects<'a> {
        let stream = sender.profile.streams.first();
        let ports = (ready.0.mac, ready.1.mac);
        let is_pci = |name: &&String| matches!(format!("pci:{name}").parse(), Ok(Device::Pci(_)));
        Suspects {
            names,
            way,
            frames: stream.map_or(ports, |s| (s.ethernet.src.start(), s.ethernet.dst.start())),
            ports,
            vlan: stream.and_then(|s| s.vlan.first()).map(|tag| tag.id.start().into()),
            pci: [&ready.0.port_name, &ready.1.port_name].into_iter().filter(is_pci).cloned().collect(),
        }
    }

    #[cfg(test)]
    pub fn nobody(names: (&'a str, &'a str)) -> Suspects<'a> {
        let none = (Mac::default(), Mac::default());
        Suspects { names, way: Way::AsIs, frames: none, ports: none, vlan: None, pci: Vec::new() }
    }

    /// What most likely stands in the way of these frames, the likeliest first, and how to look.
    pub fn of_frames(&self, leg: Leg) -> String {
        if self.way == Way::L3 {
            return "between them lies a routed network: look for a NetworkPolicy, an MTU, or a CNI that drops what is not \
                    from the pod's own address"
                .to_owned();
        }
        let mut all: Vec<String> = Vec::new();
        all.extend(self.wrong_destination(leg));
        all.extend(self.foreign_source(leg));
        all.extend(self.switch());
        if self.pci.is_empty() {
            all.push(
                "look for a link that is down, another VLAN, or a switch or bridge on the way that drops such addresses"
                    .to_owned(),
            );
        }
        all.join("; ")
    }

    /// Sender and receiver of a leg: pod, the port's address, the frames' address.
    fn ends(&self, leg: Leg) -> [(&'a str, Mac, Mac); 2] {
        let there =
            [(self.names.0, self.ports.0, self.frames.0), (self.names.1, self.ports.1, self.frames.1)];
        match leg {
            Leg::There => there,
            Leg::Back => [there[1], there[0]],
        }
    }

    fn wrong_destination(&self, leg: Leg) -> Option<String> {
        let [_, (pod, port, frame)] = self.ends(leg);
        (frame != port && !frame.is_multicast()).then(|| {
            format!(
                "these frames go to {frame}, and the port of {pod} is {port}: make the profile with the ports' own addresses \
                 (`orchestrator flows generate --tx-mac … --rx-mac …`)"
            )
        })
    }

    fn foreign_source(&self, leg: Leg) -> Option<String> {
        let [(pod, port, frame), _] = self.ends(leg);
        (frame != port).then(|| {
            format!(
                "they come from {frame}, and the port of {pod} is {port}: a VF's spoof check drops what is not from its own address \
                 (on the node: `ip link set PF vf N spoofchk off`, or give the VF that address: `ip link set PF vf N mac {frame}`)"
            )
        })
    }

    /// What a NIC's own switch drops without a word, by the settings of its VFs.
    fn switch(&self) -> Option<String> {
        let device = self.pci.first()?;
        let vlan = match self.vlan {
            Some(id) => format!("a VLAN that one of them is not in (these frames are of VLAN {id})"),
            None => "a VLAN that only one of them is in (these frames have no tag)".to_owned(),
        };
        Some(format!(
            "a NIC's switch drops between its VFs, and counts nowhere: {vlan}, spoof check, trust, a link state of `disable`; on the \
             node `ip -d link show $(ls /sys/bus/pci/devices/{device}/physfn/net)` shows what each VF has, and `ip link set PF vf N vlan 0` \
             (or spoofchk off, trust on, state auto) changes it; between two NICs look at the switch's VLANs too"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(last: u64) -> Mac {
        Mac::from_u64(0x0200_0000_0000 + last)
    }

    fn vfs(frames: (Mac, Mac)) -> Suspects<'static> {
        let pci = vec!["0000:01:10.2".to_owned(), "0000:01:10.0".to_owned()];
        let ports = (mac(1), mac(0));
        Suspects { names: ("rx0", "tx0"), way: Way::L2, frames, ports, vlan: None, pci }
    }

    #[test]
    fn an_address_that_is_no_ports_is_named_before_all_else() {
        let there = vfs((mac(1), mac(9))).of_frames(Leg::There);
        assert!(
            there.starts_with(
                "these frames go to 02:00:00:00:00:09, and the port of tx0 is 02:00:00:00:00:00"
            ),
            "{there}"
        );
        assert!(!there.contains("they come from"), "{there}");
        let back = vfs((mac(1), mac(9))).of_frames(Leg::Back);
        assert!(
            back.starts_with("they come from 02:00:00:00:00:09, and the port of tx0 is 02:00:00:00:00:00"),
            "{back}"
        );
    }

    #[test]
    fn with_right_addresses_the_switchs_settings_are_left() {
        let suspects = vfs((mac(1), mac(0)));
        let said = suspects.of_frames(Leg::There);
        assert!(said.starts_with("a NIC's switch drops"), "{said}");
        for words in
            ["VLAN", "no tag", "spoof check", "trust", "/sys/bus/pci/devices/0000:01:10.2/physfn/net"]
        {
            assert!(said.contains(words), "{words}: {said}");
        }
        let tagged = Suspects { vlan: Some(7), ..suspects };
        assert!(tagged.of_frames(Leg::There).contains("these frames are of VLAN 7"));
    }

    #[test]
    fn a_routed_way_is_the_networks() {
        let suspects = Suspects { way: Way::L3, ..vfs((mac(1), mac(9))) };
        assert!(suspects.of_frames(Leg::There).contains("NetworkPolicy"));
    }
}
