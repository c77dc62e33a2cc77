//! Addresses of this network namespace's interfaces, which only the kernel itself tells.

use nix::ifaddrs::{InterfaceAddress, getifaddrs};

/// Interface and address with its prefix; none of them where the kernel does not say.
pub fn of_this_namespace() -> Vec<(String, String)> {
    let Ok(all) = getifaddrs() else { return Vec::new() };
    all.filter_map(|one| Some((one.interface_name.clone(), cidr(&one)?))).collect()
}

fn cidr(one: &InterfaceAddress) -> Option<String> {
    let (address, mask) = (one.address.as_ref()?, one.netmask.as_ref());
    if let Some(v4) = address.as_sockaddr_in() {
        let bits = mask.and_then(|mask| mask.as_sockaddr_in()).map(|mask| mask.ip().to_bits().count_ones());
        return Some(format!("{}/{}", v4.ip(), bits.unwrap_or(32)));
    }
    let v6 = address.as_sockaddr_in6()?;
    let bits = mask.and_then(|mask| mask.as_sockaddr_in6()).map(|mask| mask.ip().to_bits().count_ones());
    Some(format!("{}/{}", v6.ip(), bits.unwrap_or(128)))
}
