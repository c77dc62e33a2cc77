//! `rnd`: bits of the frame that are drawn anew for each one.

use super::call::Call;
use super::function::Reply;
use crate::backend::{PortOp, Query, RandomBits, Setting};
use crate::ports::PortSet;

/// Slots of random bits that a port has.
const MAX_SLOTS: u64 = 32;
/// The last byte at which they may begin: a header's.
const MAX_OFFSET: u64 = 1500;

/// `rnd(ports, slot, offset, mask)`.
pub(super) fn rnd(call: &mut Call<'_>) -> Reply {
    let ports = call.ports()?;
    let slot = call.whole(1, "a slot", 0..=MAX_SLOTS - 1)? as u8;
    let offset = call.whole(2, "a byte of the frame", 0..=MAX_OFFSET)? as u16;
    let text = call.text(3)?;
    let bits = if text == "off" { None } else { Some(bits(call, offset, &text)?) };
    call.apply(ports, PortOp::Set(Setting::Random(slot, bits))).map(|()| None)
}

/// A mask of up to 32 of `0 1 . X`; `_` and blanks are for the reader. Missing ones leave the frame's bits.
fn bits(call: &Call<'_>, offset: u16, text: &str) -> Result<RandomBits, String> {
    let wrong = || call.wrong(3, "\"off\" or up to 32 of 0, 1, . and X, such as \"XX.._.... ...1\"");
    let letters: Vec<char> = text.chars().filter(|c| !matches!(c, '_' | ' ')).collect();
    if letters.len() > 32 {
        return Err(wrong());
    }
    let mut bits = RandomBits { offset, random: 0, ones: 0, zeros: 0 };
    for (place, letter) in letters.iter().enumerate() {
        let bit = 1u32 << (31 - place);
        match letter {
            'X' | 'x' => bits.random |= bit,
            '1' => bits.ones |= bit,
            '0' => bits.zeros |= bit,
            '.' => {}
            _ => return Err(wrong()),
        }
    }
    Ok(bits)
}

/// `rnd_list([ports])`.
pub(super) fn rnd_list(call: &mut Call<'_>) -> Reply {
    let ports = if call.args.is_empty() { PortSet::ALL } else { call.ports()? };
    call.backend.query(call.line, Query::Random(ports)).map(Some).map_err(|fault| fault.to_string())
}
