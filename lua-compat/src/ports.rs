//! Pktgen's port lists: `"0"`, `"0,2-4"`, `"all"`, or a number.

use std::fmt;
use std::str::FromStr;

/// How many ports a script may name: 0…31, as many as DPDK's default build has.
pub const MAX_PORTS: u16 = 32;

/// A set of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSet {
    bits: u32,
    all: bool,
}

impl PortSet {
    /// Every port there is.
    pub const ALL: PortSet = PortSet { bits: u32::MAX, all: true };

    /// Whether the list was `"all"`: every port there is, however many that are.
    pub fn is_all(self) -> bool {
        self.all
    }

    /// Whether `port` is in the set.
    pub fn contains(self, port: u16) -> bool {
        port < MAX_PORTS && self.bits & (1 << port) != 0
    }

    /// The ports, ascending.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        (0..MAX_PORTS).filter(move |p| self.contains(*p))
    }
}

/// Text that is no port list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid portlist `{0}`: write ports from 0 to 31 such as \"0\", \"0,2-4\" or \"all\"")]
pub struct PortsError(pub String);

impl FromStr for PortSet {
    type Err = PortsError;

    fn from_str(text: &str) -> Result<PortSet, PortsError> {
        let fault = || PortsError(text.to_owned());
        if text.trim() == "all" {
            return Ok(PortSet::ALL);
        }
        let number =
            |part: &str| part.trim().parse::<u16>().ok().filter(|p| *p < MAX_PORTS).ok_or_else(fault);
        let mut bits = 0u32;
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first > last {
                return Err(fault());
            }
            bits |= (first..=last).fold(0, |b, p| b | 1 << p);
        }
        Ok(PortSet { bits, all: false })
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all {
            return f.write_str("all");
        }
        let list: Vec<String> = self.iter().map(|p| p.to_string()).collect();
        f.write_str(&list.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pktgen_reads() {
        for (text, shown) in
            [("0", "0"), ("0,2-4", "0,2,3,4"), (" 1 , 3 ", "1,3"), ("all", "all"), ("31", "31")]
        {
            assert_eq!(text.parse::<PortSet>().unwrap().to_string(), shown);
        }
        for bad in ["", "a", "32", "4-2", "-1", "1,", "0x1"] {
            assert_eq!(bad.parse::<PortSet>(), Err(PortsError(bad.into())), "{bad}");
        }
        assert!(PortSet::ALL.contains(7) && !"0".parse::<PortSet>().unwrap().contains(7));
    }
}
