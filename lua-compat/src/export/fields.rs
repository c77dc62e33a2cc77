//! Fields as ranges and random bits.

use traffic::profile::{Field, Value};

use super::{ExportError, Script, refuse};

/// Where random bits of a field are in the frame.
pub(super) struct At {
    pub(super) byte: usize,
    pub(super) bits: u32,
}

impl Script {
    /// A field as `pktgen.range.NAME` sets it, and `rnd` where it has random bits.
    pub(super) fn field<T: Value>(
        &mut self,
        name: &str,
        field: &Field<T>,
        quote: &str,
        at: Option<At>,
    ) -> Result<(), ExportError> {
        let shown = |value: T| format!("{quote}{value}{quote}");
        let mut set = |what: &str, value: &str| self.call(name, &[&format!("\"{what}\""), value]);
        match field {
            // Without an increment Pktgen's own would step some fields.
            Field::Fixed(value) => {
                set("start", &shown(*value));
                set("inc", &shown(T::zero()));
            }
            Field::Range(r) if r.nest == 0 => {
                for (what, value) in [("start", r.start), ("inc", r.inc), ("min", r.min), ("max", r.max)] {
                    set(what, &shown(value));
                }
            }
            Field::Range(_) => {
                return refuse(format!("{name} that is nested"), "all ranges step with each frame");
            }
            Field::List(_) => return refuse(format!("{name} from a list"), "Pktgen has ranges"),
            Field::Random(_) => {
                return refuse(format!("{name} between random bounds"), "Pktgen draws bits (rnd)");
            }
            Field::Bits(b) => {
                set("start", &shown(b.value));
                set("inc", &shown(T::zero()));
                let Some(At { byte, bits }) = at else {
                    return refuse(
                        format!("random bits of {name}"),
                        "only addresses of IPv4 and ports have them here",
                    );
                };
                let slot = b.seed.wrapping_sub(1);
                if slot > 31 || b.value.to_u64() & b.bits.to_u64() != 0 {
                    return refuse(
                        format!("the seed {} of {name}", b.seed),
                        "a slot of rnd, 0 to 31, is the seed less 1",
                    );
                }
                let mask: String =
                    (0..bits).rev().map(|n| if b.bits.to_u64() >> n & 1 == 1 { 'X' } else { '.' }).collect();
                self.call("rnd", &[&slot.to_string(), &byte.to_string(), &format!("\"{mask}\"")]);
            }
        }
        Ok(())
    }

    /// A field that has one value.
    pub(super) fn fixed<T: Value>(&self, name: &str, field: &Field<T>) -> Result<T, ExportError> {
        match field {
            Field::Fixed(value) => Ok(*value),
            _ => refuse(format!("{name} that varies"), "it has one value in Pktgen"),
        }
    }

    /// A field that has this value, which no call can change.
    pub(super) fn only<T: Value>(&self, name: &str, field: &Field<T>, value: T) -> Result<(), ExportError> {
        if field.is(value) { Ok(()) } else { refuse(format!("{name} other than {value}"), "no call sets it") }
    }
}
