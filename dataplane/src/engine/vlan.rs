//! VLANs that a virtual function has to ask its parent for: until it does, the parent's switch drops tagged frames for
//! it, silently.

use std::collections::BTreeSet;

use traffic::device::Device;
use traffic::profile::value::Uint;
use traffic::profile::{Field, Vlan};
use traffic::wire::{Role, RunSpec};

use crate::inventory::Sources;

/// Parents give out few: 32 in all (igb), 16 to a function that they don't trust (i40e, ice).
const VLANS_MAX: usize = 64;
/// The type of a tag that such switches look at.
const TAG: u16 = 0x8100;

/// The profile's VLANs, for a virtual function that receives; none for all other ports, which filter none.
pub fn wanted(spec: &RunSpec, device: &Device, sources: &Sources) -> Vec<u16> {
    let receives = spec.role != Role::Tx || spec.round_trip;
    let Device::Pci(address) = device else { return Vec::new() };
    let is_vf = sources.path("sys/bus/pci/devices").join(address).join("physfn").is_symlink();
    if !receives || !is_vf {
        return Vec::new();
    }
    let mut vlans = BTreeSet::new();
    for stream in &spec.profile.streams {
        // Of two tags the outer one is another type's unless the profile says so.
        let is_seen = |vlan: &&Vlan| vlan.tpid.map_or(stream.vlan.len() == 1, |tpid| tpid == TAG);
        vlans.extend(stream.vlan.first().filter(is_seen).map(|vlan| ids(&vlan.id)).unwrap_or_default());
    }
    vlans.into_iter().take(VLANS_MAX).collect()
}

/// What a field takes; of those by chance their range. Priority tags (id 0) need no asking.
fn ids(field: &Field<Uint<12>>) -> BTreeSet<u16> {
    let number = |id: &Uint<12>| u16::try_from(u32::from(*id)).unwrap_or(0);
    let mut all: BTreeSet<u16> = match field {
        Field::Fixed(id) => BTreeSet::from([number(id)]),
        Field::List(list) => list.list.iter().map(number).collect(),
        Field::Range(range) => {
            (number(&range.min)..=number(&range.max)).chain([number(&range.start)]).collect()
        }
        Field::Random(random) => (number(&random.random.min)..=number(&random.random.max)).collect(),
        Field::Bits(bits) => BTreeSet::from([number(&bits.value)]),
    };
    all.remove(&0);
    all
}

/// Says which of them the port was not told of.
pub fn check(spec: &RunSpec, device: &Device, sources: &Sources, told: &[u16], warnings: &mut Vec<String>) {
    let untold: Vec<String> = wanted(spec, device, sources)
        .iter()
        .filter(|vlan| !told.contains(vlan))
        .map(u16::to_string)
        .collect();
    if !untold.is_empty() {
        warnings.push(format!(
            "{device}: its parent did not let VLAN {} in for it: tagged frames may be dropped by the NIC's switch; give the VF the \
             VLAN (`ip link set PF vf N vlan ID`, and send untagged frames), or trust it (`ip link set PF vf N trust on`)",
            untold.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::profile::{List, Range};

    fn id(n: u32) -> Uint<12> {
        Uint::new(n).unwrap()
    }

    #[test]
    fn every_vlan_of_a_field_is_named_and_priority_tags_are_not() {
        assert_eq!(ids(&Field::Fixed(id(7))), BTreeSet::from([7]));
        assert_eq!(ids(&Field::Fixed(id(0))), BTreeSet::new());
        let list = List { list: vec![id(9), id(3), id(9)], nest: 0 };
        assert_eq!(ids(&Field::List(list)), BTreeSet::from([3, 9]));
        let range = Range { start: id(20), min: id(10), max: id(12), inc: id(1), nest: 0 };
        assert_eq!(ids(&Field::Range(range)), BTreeSet::from([10, 11, 12, 20]));
    }
}
