//! An address that a port answers for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An IPv4 or IPv6 address and the length of its network's prefix; written `10.0.0.1/24` or `fd00::1/64`, or
/// without a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Address {
    ip: IpAddr,
    prefix: u8,
}

/// Text that is no address of a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address.
    #[error("address `{0}` is neither IPv4 nor IPv6: write it as 10.0.0.1/24 or fd00::1/64")]
    Ip(String),
    /// Not a prefix.
    #[error("address `{text}`: its prefix must be a number from 0 to {most}")]
    Prefix {
        /// As given.
        text: String,
        /// Bits of the address.
        most: u8,
    },
    /// No single host's.
    #[error("address `{text}` is {what}, which no port can have: name one host's address")]
    NotAHost {
        /// As given.
        text: String,
        /// What it is instead.
        what: &'static str,
    },
}

impl Address {
    /// Without its prefix.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Address, AddressError> {
        let (ip, prefix) = text.split_once('/').map_or((text, None), |(ip, prefix)| (ip, Some(prefix)));
        let ip: IpAddr = ip.parse().map_err(|_| AddressError::Ip(text.to_owned()))?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let is_digits = |p: &str| !p.is_empty() && p.bytes().all(|c| c.is_ascii_digit());
        let prefix = match prefix {
            None => Some(most),
            Some(p) => p.parse().ok().filter(|n| is_digits(p) && *n <= most),
        };
        let Some(prefix) = prefix else { return Err(AddressError::Prefix { text: text.to_owned(), most }) };
        match not_a_host(ip, prefix) {
            Some(what) => Err(AddressError::NotAHost { text: text.to_owned(), what }),
            None => Ok(Address { ip, prefix }),
        }
    }
}

/// Why no port can have this address; none when one can.
fn not_a_host(ip: IpAddr, prefix: u8) -> Option<&'static str> {
    if ip.is_unspecified() {
        return Some("the address of nobody");
    }
    if ip.is_multicast() {
        return Some("a multicast address");
    }
    if ip.is_loopback() {
        return Some("a loopback address");
    }
    let IpAddr::V4(ip) = ip else { return None };
    let host_bits = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    match u32::from(ip) & host_bits {
        _ if ip.is_broadcast() => Some("a broadcast address"),
        // A network of two has no other addresses (RFC 3021).
        _ if prefix >= 31 => None,
        0 => Some("the address of its network"),
        host if host == host_bits => Some("the broadcast address of its network"),
        _ => None,
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Address, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

/// Whether packets may be sent to this address, and come from it: not multicast, broadcast, or nobody's.
pub(super) fn is_host_v4(ip: Ipv4Addr) -> bool {
    !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast()
}

/// As [`is_host_v4`].
pub(super) fn is_host_v6(ip: Ipv6Addr) -> bool {
    !ip.is_unspecified() && !ip.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        for text in ["10.0.0.1/24", "10.0.0.0/31", "10.0.0.255/32", "fd00::1/64", "fe80::2/128", "10.0.0.1/0"]
        {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("10.0.0.1".parse::<Address>().unwrap().to_string(), "10.0.0.1/32");
        assert_eq!("fd00::1".parse::<Address>().unwrap().to_string(), "fd00::1/128");
        let json = serde_json::to_string(&"fd00::1/64".parse::<Address>().unwrap()).unwrap();
        assert_eq!(json, "\"fd00::1/64\"");
        assert!(serde_json::from_str::<Address>("\"fd00::1/129\"").is_err());
    }

    #[test]
    fn refuses_what_no_port_can_have_and_says_why() {
        for (text, why) in [
            ("10.0.0", "neither"),
            ("host/24", "neither"),
            ("10.0.0.1/33", "0 to 32"),
            ("10.0.0.1/", "0 to 32"),
            ("10.0.0.1/+8", "0 to 32"),
            ("fd00::1/129", "0 to 128"),
            ("0.0.0.0/0", "nobody"),
            ("::/0", "nobody"),
            ("224.0.0.1/24", "multicast"),
            ("ff02::1/64", "multicast"),
            ("127.0.0.1/8", "loopback"),
            ("255.255.255.255", "broadcast"),
            ("10.0.0.0/24", "its network"),
            ("10.0.0.255/24", "broadcast address of its network"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(why), "{error}");
        }
    }
}
