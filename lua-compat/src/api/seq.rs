//! Sequences: packets that are sent one after the other, each with its own addresses.

use std::net::{IpAddr, Ipv4Addr};

use mlua::{Table, Value};
use traffic::mac::Mac;

use super::call::Call;
use super::function::Reply;
use super::header;
use super::single::network;
use crate::backend::{Network, PortOp, SeqPacket, Transport};

/// Slots of a port: Pktgen has 16.
pub(super) const MAX_SLOTS: u16 = 256;
/// Keys of `seqTable` in the order of [`super::list`]'s arguments, from the third.
const KEYS: [&str; 14] = [
    "eth_dst_addr",
    "eth_src_addr",
    "ip_dst_addr",
    "ip_src_addr",
    "sport",
    "dport",
    "ethType",
    "ipProto",
    "vlanid",
    "pktSize",
    "gtpu_teid",
    "cos",
    "tos",
    "tcp_flags",
];

/// `seq(slot, ports, dmac, smac, dip, sip, sport, dport, type, proto, vlan, size[, teid])`.
pub(super) fn seq(call: &mut Call<'_>) -> Reply {
    let slot = slot(call)?;
    let ports = ports(call)?;
    let teid =
        if call.args.len() > 12 { call.whole(12, "a tunnel's number", 0..=u64::from(u32::MAX))? } else { 0 };
    let packet = SeqPacket {
        dst_mac: call.mac(2)?,
        src_mac: call.mac(3)?,
        dst: call.any_ip(4)?,
        src: call.any_ip(5)?,
        sport: call.whole(6, "a port", 0..=65535)? as u16,
        dport: call.whole(7, "a port", 0..=65535)? as u16,
        network: network(call, 8)?,
        proto: call.proto(9)?,
        vlan: call.whole(10, "a VLAN", 0..=4095)? as u16,
        size: call.whole(11, "a frame size", 0..=65535)?,
        teid: teid as u32,
        cos: 0,
        tos: 0,
        flags: None,
    };
    call.apply(ports, PortOp::Sequence(slot, Box::new(packet))).map(|()| None)
}

/// `seqTable(slot, ports, { eth_dst_addr = …, … })`.
pub(super) fn table(call: &mut Call<'_>) -> Reply {
    let slot = slot(call)?;
    let ports = ports(call)?;
    let Some(Value::Table(table)) = call.args.get(2).cloned() else {
        return Err(call.wrong(2, "a table such as { ip_dst_addr = \"192.168.1.1\", pktSize = 64 }"));
    };
    unknown_key(&table)?;
    let packet = packet(call, &table)?;
    call.apply(ports, PortOp::Sequence(slot, Box::new(packet))).map(|()| None)
}

/// `seq_tcp_flags(slot, ports, flags)`.
pub(super) fn flags(call: &mut Call<'_>) -> Reply {
    let (slot, ports, flags) = (slot(call)?, ports(call)?, header::flags(call, 2)?);
    call.apply(ports, PortOp::SequenceFlags(slot, flags)).map(|()| None)
}

fn slot(call: &Call<'_>) -> Result<u16, String> {
    Ok(call.whole(0, "a slot of the sequence", 0..=u64::from(MAX_SLOTS - 1))? as u16)
}

/// The port list, second here.
fn ports(call: &Call<'_>) -> Result<crate::ports::PortSet, String> {
    let text = call.text(1).map_err(|_| call.wrong(1, "a port list such as \"0\", \"0,2-4\" or \"all\""))?;
    text.parse().map_err(|fault| format!("{}: {fault}", call.function.full_name()))
}

fn unknown_key(table: &Table) -> Result<(), String> {
    for pair in table.pairs::<Value, Value>() {
        let Ok((key, _)) = pair else { continue };
        let key = key.to_string().unwrap_or_default();
        if !KEYS.contains(&key.as_str()) {
            let near = super::suggest::nearest(&key, KEYS.iter().copied());
            let near = near.map_or_else(String::new, |n| format!(" (did you mean {n}?)"));
            let keys = KEYS.join(", ");
            return Err(format!("pktgen.seqTable does not know `{key}`{near}: it takes {keys}"));
        }
    }
    Ok(())
}

/// A slot of a table; what it leaves out is as in Pktgen's own slots.
fn packet(call: &mut Call<'_>, table: &Table) -> Result<SeqPacket, String> {
    let values: Vec<Value> = KEYS.iter().map(|key| table.raw_get(*key).unwrap_or(Value::Nil)).collect();
    // The checks of arguments serve for the table's values, under their keys.
    let mut fields = Call { function: &TABLE, line: call.line, args: &values, backend: call.backend };
    let there = |index: usize| values.get(index).is_some_and(|value| !value.is_nil());
    let defaults = SeqPacket {
        dst_mac: Mac::default(),
        src_mac: Mac::default(),
        dst: IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1)),
        src: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 1)),
        sport: 1234,
        dport: 5678,
        network: Network::Ipv4,
        proto: Transport::Tcp,
        vlan: 1,
        size: 64,
        teid: 0,
        cos: 0,
        tos: 0,
        flags: None,
    };
    let whole = |fields: &Call<'_>, index, what, most, default: u64| {
        if there(index) { fields.whole(index, what, 0..=most) } else { Ok(default) }
    };
    let fields = &mut fields;
    Ok(SeqPacket {
        dst_mac: if there(0) { fields.mac(0)? } else { defaults.dst_mac },
        src_mac: if there(1) { fields.mac(1)? } else { defaults.src_mac },
        dst: if there(2) { fields.any_ip(2)? } else { defaults.dst },
        src: if there(3) { fields.any_ip(3)? } else { defaults.src },
        sport: whole(fields, 4, "a port", 65535, 1234)? as u16,
        dport: whole(fields, 5, "a port", 65535, 5678)? as u16,
        network: if there(6) { network(fields, 6)? } else { defaults.network },
        proto: if there(7) { fields.proto(7)? } else { defaults.proto },
        vlan: whole(fields, 8, "a VLAN", 4095, 1)? as u16,
        size: whole(fields, 9, "a frame size", 65535, 64)?,
        teid: whole(fields, 10, "a tunnel's number", u64::from(u32::MAX), 0)? as u32,
        cos: whole(fields, 11, "a priority", 7, 0)? as u8,
        tos: whole(fields, 12, "a type of service", 255, 0)? as u8,
        flags: if there(13) { Some(header::flags(fields, 13)?) } else { None },
    })
}

/// Names the values of a table in errors.
static TABLE: super::Function = super::Function::new(super::Group::Sequence, "seqTable").takes(&KEYS);
