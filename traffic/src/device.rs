//! The one notation for devices: what `--device` takes, everywhere.

use std::fmt;
use std::str::FromStr;

/// A port to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// `pci:0000:03:00.0`: a NIC or VF bound to a DPDK driver.
    Pci(String),
    /// `vdev:net_memif0,role=server,…`: any DPDK virtual device, as EAL's `--vdev` takes it.
    Vdev(String),
    /// `iface:eth0`: a kernel interface through net_af_packet.
    Iface(String),
    /// `xdp:eth0`: a kernel interface through net_af_xdp.
    Xdp(String),
    /// `env`: the first of the SR-IOV device plugin's `PCIDEVICE_*` variables.
    Env,
}

impl Device {
    /// The driver that a vdev string names: the part before the instance number.
    pub fn vdev_driver(&self) -> Option<&str> {
        match self {
            Device::Vdev(args) => {
                Some(args.split(',').next().unwrap_or(args).trim_end_matches(|c: char| c.is_ascii_digit()))
            }
            _ => None,
        }
    }
}

/// Text that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "device `{0}` is not understood: write pci:0000:03:00.0, vdev:net_memif0,socket=…, iface:eth0, xdp:eth0 or env"
)]
pub struct DeviceError(pub String);

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Device, DeviceError> {
        let fault = || DeviceError(text.to_owned());
        if text == "env" {
            return Ok(Device::Env);
        }
        let (kind, rest) = text.split_once(':').ok_or_else(fault)?;
        match kind {
            "pci" => full_pci_address(rest).map(Device::Pci).ok_or_else(fault),
            "vdev" if rest.starts_with("net_") || rest.starts_with("eth_") => {
                Ok(Device::Vdev(rest.to_owned()))
            }
            "iface" | "xdp" if is_interface_name(rest) => Ok(if kind == "iface" {
                Device::Iface(rest.to_owned())
            } else {
                Device::Xdp(rest.to_owned())
            }),
            _ => Err(fault()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Pci(a) => write!(f, "pci:{a}"),
            Device::Vdev(a) => write!(f, "vdev:{a}"),
            Device::Iface(a) => write!(f, "iface:{a}"),
            Device::Xdp(a) => write!(f, "xdp:{a}"),
            Device::Env => f.write_str("env"),
        }
    }
}

/// `0000:03:00.0`; the domain may be left out, as `lspci` does.
fn full_pci_address(text: &str) -> Option<String> {
    let full = if text.matches(':').count() == 1 { format!("0000:{text}") } else { text.to_owned() };
    let (domain, rest) = full.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (slot, function) = rest.split_once('.')?;
    let hex = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_hexdigit());
    (hex(domain, 4) && hex(bus, 2) && hex(slot, 2) && hex(function, 1)).then(|| full.to_ascii_lowercase())
}

/// Linux's rule: 1 to 15 bytes, no slash, no space; and no comma, which would end the name in EAL's arguments.
fn is_interface_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name != "."
        && name != ".."
        && !name.contains(|c: char| c == '/' || c == ',' || c == ':' || c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_read_and_printed() {
        for text in ["pci:0000:03:00.0", "vdev:net_memif0,role=server", "iface:eth0", "xdp:eth0", "env"] {
            assert_eq!(text.parse::<Device>().unwrap().to_string(), text);
        }
        assert_eq!("pci:03:00.0".parse::<Device>(), Ok(Device::Pci("0000:03:00.0".into())));
        assert_eq!("vdev:net_memif0,id=1".parse::<Device>().unwrap().vdev_driver(), Some("net_memif"));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "eth0",
            "pci:3:0.0",
            "pci:zz:00.0",
            "iface:",
            "iface:a/b",
            "iface:eth0,fanout=1",
            "vdev:x",
            "usb:1",
        ] {
            assert!(bad.parse::<Device>().is_err(), "{bad}");
        }
    }
}
