//! What two live runs may not share.

use traffic::device::Device;

use crate::inventory::devices::env_addresses;

/// The device in a form that is equal exactly when the device is: `03:00.0` and `0000:03:00.0`, `iface:` and
/// `xdp:` of one interface, `env` and the address that it stands for.
pub fn device_key(device: &str) -> String {
    match device.parse::<Device>() {
        Ok(Device::Iface(name) | Device::Xdp(name)) => format!("iface:{name}"),
        Ok(Device::Env) => match env_addresses(std::env::vars()).into_iter().next() {
            Some((_, address)) => format!("pci:{address}"),
            None => device.to_owned(),
        },
        Ok(device) => device.to_string(),
        Err(_) => device.to_owned(),
    }
}
