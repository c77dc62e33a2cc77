//! The devices of local pairs: memif joins them unless the user names others.

use std::collections::HashMap;
use std::path::Path;

use traffic::device::Device;
use traffic::mac::Mac;

use super::LabError;

/// The two ends of one local pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairDevices {
    /// The sender's device.
    pub tx: String,
    /// The receiver's device.
    pub rx: String,
    /// Both addresses, sender first, where this module chose them.
    pub macs: Option<(Mac, Mac)>,
}

/// Locally administered, so that they can't be any NIC's.
const FIRST_LOCAL_MAC: u64 = 0x0200_0000_0000;
/// memif's own default buffer.
const MEMIF_BUFFER_BYTES: u32 = 2048;

/// The addresses of local pair `index`, sender first: `02:00:00:00:00:00`, `02:00:00:00:00:01`, and so on.
pub fn local_macs(index: usize) -> (Mac, Mac) {
    let first = FIRST_LOCAL_MAC + 2 * index as u64;
    (Mac::from_u64(first), Mac::from_u64(first + 1))
}

/// Pairs joined by memif: the receiver serves the socket in `folder`, so it must be ready first.
///
/// A frame has to fit one buffer: `frame_bytes` is the largest frame with its FCS.
pub fn memif_pair(index: usize, folder: &Path, frame_bytes: u32) -> PairDevices {
    let (tx_mac, rx_mac) = local_macs(index);
    let buffer = frame_bytes.next_multiple_of(64).max(MEMIF_BUFFER_BYTES);
    let socket = folder.join(format!("m{index}.sock"));
    let device = |role: &str, mac: Mac| {
        format!(
            "vdev:net_memif0,role={role},id=0,socket={},socket-abstract=no,mac={mac},bsize={buffer},rsize=10",
            socket.display()
        )
    };
    PairDevices { tx: device("client", tx_mac), rx: device("server", rx_mac), macs: Some((tx_mac, rx_mac)) }
}

/// The user's devices, one of each for every pair; none given is none.
pub fn named_pairs(tx: &[String], rx: &[String], pairs: usize) -> Result<Option<Vec<PairDevices>>, LabError> {
    const TX: &str = "--tx-device";
    const RX: &str = "--rx-device";
    match (tx.is_empty(), rx.is_empty()) {
        (true, true) => return Ok(None),
        (false, true) => return Err(LabError::OneEnd { given: TX, missing: RX }),
        (true, false) => return Err(LabError::OneEnd { given: RX, missing: TX }),
        (false, false) => {}
    }
    for (flag, given) in [(TX, tx.len()), (RX, rx.len())] {
        if given != pairs {
            return Err(LabError::DeviceCount { flag, given, pairs });
        }
    }
    let read = |texts: &[String]| texts.iter().map(|t| t.parse()).collect::<Result<Vec<Device>, _>>();
    let (tx, rx) = (read(tx)?, read(rx)?);
    refuse_twins(&tx, &rx)?;
    let pair =
        |(tx, rx): (&Device, &Device)| PairDevices { tx: tx.to_string(), rx: rx.to_string(), macs: None };
    Ok(Some(tx.iter().zip(&rx).map(pair).collect()))
}

/// One port can't be two ends: both would take each other's frames.
fn refuse_twins(tx: &[Device], rx: &[Device]) -> Result<(), LabError> {
    let ends = |role: &'static str, devices: &[Device]| {
        let named = |(i, device): (usize, &Device)| (format!("{role}{i}"), device.clone());
        devices.iter().enumerate().map(named).collect::<Vec<_>>()
    };
    let mut taken: HashMap<String, (String, Device)> = HashMap::new();
    for (pod, device) in ends("tx", tx).into_iter().chain(ends("rx", rx)) {
        let Some(port) = port_of(&device) else { continue };
        let end = format!("{device} of {pod}");
        if let Some((first_pod, first)) = taken.insert(port, (pod, device)) {
            return Err(LabError::SameDevice { first: format!("{first} of {first_pod}"), second: end });
        }
    }
    Ok(())
}

/// What two notations of one port have in common; none for virtual devices, which each process has for itself.
fn port_of(device: &Device) -> Option<String> {
    match device {
        Device::Pci(address) => Some(format!("pci {address}")),
        Device::Iface(name) | Device::Xdp(name) => Some(format!("interface {name}")),
        // net_af_packet0,iface=eth0
        Device::Vdev(arguments) => {
            let name = arguments.split(',').find_map(|a| a.strip_prefix("iface="))?;
            Some(format!("interface {name}"))
        }
        Device::Env => Some("env".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memif_devices_are_in_the_notation_and_hold_the_frame() {
        let pair = memif_pair(1, Path::new("/tmp/x"), 9000);
        assert_eq!(
            pair.rx,
            "vdev:net_memif0,role=server,id=0,socket=/tmp/x/m1.sock,socket-abstract=no,\
             mac=02:00:00:00:00:03,bsize=9024,rsize=10"
        );
        assert!(pair.tx.contains("role=client") && pair.tx.contains("mac=02:00:00:00:00:02"));
        assert!(pair.tx.parse::<Device>().is_ok());
        assert!(memif_pair(0, Path::new("/t"), 64).tx.contains("bsize=2048"));
    }

    #[test]
    fn named_devices_are_counted_and_read() {
        let veth = |n: &str| vec![format!("iface:{n}")];
        assert_eq!(named_pairs(&[], &[], 3).unwrap(), None);
        assert_eq!(named_pairs(&veth("a"), &veth("b"), 1).unwrap().unwrap()[0].rx, "iface:b");
        let said = |r: Result<_, LabError>| r.map(|_: Option<Vec<PairDevices>>| ()).unwrap_err().to_string();
        assert!(said(named_pairs(&veth("a"), &[], 1)).contains("--tx-device was given without --rx-device"));
        assert!(said(named_pairs(&veth("a"), &veth("b"), 2)).contains("given 1 times for 2 pair(s)"));
        assert!(
            said(named_pairs(&["eth0".into()], &veth("b"), 1)).contains("device `eth0` is not understood")
        );
    }

    #[test]
    fn one_port_is_not_two_ends_however_it_is_written() {
        let named = |tx: &[&str], rx: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>();
            named_pairs(&owned(tx), &owned(rx), tx.len()).map(|_| ()).map_err(|e| e.to_string())
        };
        for (one, other) in [
            ("iface:a", "iface:a"),
            ("iface:a", "xdp:a"),
            ("iface:a", "vdev:net_af_packet0,iface=a,blocksz=4096"),
            ("pci:03:00.0", "pci:0000:03:00.0"),
            ("pci:0000:0A:00.0", "pci:0000:0a:00.0"),
            ("env", "env"),
        ] {
            assert!(named(&[one], &[other]).is_err(), "{one} {other}");
            assert!(named(&[one, other], &["iface:y", "iface:z"]).is_err(), "{one} {other}");
        }
        assert_eq!(
            named(&["iface:b", "iface:a"], &["iface:c", "xdp:a"]).unwrap_err(),
            "iface:a of tx1 and xdp:a of rx1 are one port: give every end a port of its own"
        );
        // Each process has its own.
        assert_eq!(named(&["vdev:net_null0", "iface:a"], &["vdev:net_null0", "iface:b"]), Ok(()));
    }
}
