//! One process a kernel interface. DPDK's af_packet would let several in, and each would get copies of the
//! others' frames.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use traffic::device::Device;

use super::error::EngineError;

/// Held as long as the device is used. The kernel drops it with the process, however that ends.
#[derive(Debug)]
pub struct DeviceLock {
    _name: Option<UnixListener>,
}

impl DeviceLock {
    /// Takes the name of an interface in the abstract socket namespace, which belongs to the network
    /// namespace as the interface does. Other devices are held by their drivers.
    pub fn take(device: &Device) -> Result<DeviceLock, EngineError> {
        let (Device::Iface(name) | Device::Xdp(name)) = device else { return Ok(DeviceLock { _name: None }) };
        let taken = SocketAddr::from_abstract_name(format!("dpdk-k8s-bench/{name}"))
            .and_then(|address| UnixListener::bind_addr(&address));
        match taken {
            Ok(listener) => Ok(DeviceLock { _name: Some(listener) }),
            Err(source) => Err(EngineError::DeviceInUse { device: device.to_string(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_one_user_whatever_driver() {
        let name = format!("t{}", std::process::id());
        let first = DeviceLock::take(&Device::Iface(name.clone())).unwrap();
        let error = DeviceLock::take(&Device::Xdp(name.clone())).unwrap_err().to_string();
        assert!(error.contains(&name) && error.contains("in use"), "{error}");
        drop(first);
        assert!(DeviceLock::take(&Device::Iface(name)).is_ok());
    }
}
