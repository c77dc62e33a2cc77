//! What pods are to be made, resolved: typed, checked, completed with defaults.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::core::v1::Toleration;
use traffic::device::Device;

use super::quantity::{Amount, Cpu, PageSize};
use crate::cluster::labels::PodRole;
use crate::lab::devices::memif_pair;

/// Where a pod's sockets are, when pairs are joined by memif.
pub const MEMIF_MOUNT: &str = "/run/memif";
/// The largest frame, with its FCS.
const FRAME_BYTES_MAX: u32 = 9600;

/// Everything about the pods that the user decides, but where they run.
#[derive(Debug, Clone)]
pub struct PodSettings {
    /// Where they live.
    pub namespace: String,
    /// How many pairs.
    pub pairs: usize,
    /// Of each pod.
    pub cpu: Cpu,
    /// Of each pod, without hugepages.
    pub memory: Amount,
    /// The device plugin's resource.
    pub resource: Option<DeviceResource>,
    /// Of each pod.
    pub hugepages: Option<Hugepages>,
    /// The container image.
    pub image: String,
    /// `IfNotPresent`, …
    pub pull_policy: &'static str,
    /// Beside the operating system.
    pub node_selector: BTreeMap<String, String>,
    /// Of both ends.
    pub tolerations: Vec<Toleration>,
    /// Multus networks, in order.
    pub networks: Vec<String>,
    /// Where `/output` is kept.
    pub output: OutputVolume,
    /// The senders'; `env` is the device plugin's.
    pub tx_device: Device,
    /// The receivers'.
    pub rx_device: Device,
    /// A folder of the node that both ends of a pair share for memif sockets.
    pub memif_dir: Option<String>,
    /// The namespace's default when not given; no pod gets its token.
    pub service_account: Option<String>,
    /// As the old pods were.
    pub privileged: bool,
    /// A device may be used without an IOMMU.
    pub allow_no_iommu: bool,
    /// Where agents show their metrics to the cluster, if they do.
    pub metrics_port: Option<u16>,
}

/// So many of a device plugin's resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceResource {
    /// `intel.com/dpdk`.
    pub name: String,
    /// At least 1.
    pub count: u32,
}

/// Memory in hugepages of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hugepages {
    /// A whole number of pages.
    pub amount: Amount,
    /// Of a page.
    pub size: PageSize,
}

/// Where a pod's runs and samples are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputVolume {
    /// A PersistentVolumeClaim, which outlives the pod.
    Claim {
        /// The storage class; the cluster's default when not given.
        class: Option<String>,
        /// Its size.
        size_gib: u32,
    },
    /// Goes with the pod.
    EmptyDir,
}

impl PodSettings {
    /// The device that the agent of this pod is to use, in the project's notation.
    pub fn device(&self, role: PodRole, pair: usize) -> String {
        if self.memif_dir.is_some() {
            // As in the local lab; buffers hold the largest frame that a profile may ask for.
            let devices = memif_pair(pair, Path::new(MEMIF_MOUNT), FRAME_BYTES_MAX);
            return match role {
                PodRole::Tx => devices.tx,
                PodRole::Rx => devices.rx,
            };
        }
        match role {
            PodRole::Tx => self.tx_device.to_string(),
            PodRole::Rx => self.rx_device.to_string(),
        }
    }

    /// Capabilities and user that the device of this end takes.
    pub fn rights(&self, role: PodRole) -> Rights {
        if self.memif_dir.is_some() {
            // The folder is root's on the node.
            return Rights { user: 0, capabilities: &["SYS_NICE"] };
        }
        let device = match role {
            PodRole::Tx => &self.tx_device,
            PodRole::Rx => &self.rx_device,
        };
        Rights::of(device, self.resource.is_some())
    }
}

/// The image's own user, without any capability.
pub const IMAGE_USER: i64 = 10001;

/// As little as a device needs. SYS_NICE is for hugepages: the runtimes' seccomp profiles bar get_mempolicy without it,
/// and DPDK takes no hugepage whose node it can't learn. Kubernetes gives added capabilities to root alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// The user in the container.
    pub user: i64,
    /// Beyond none.
    pub capabilities: &'static [&'static str],
}

impl Rights {
    fn of(device: &Device, has_resource: bool) -> Rights {
        let kernel = Rights { user: 0, capabilities: &["IPC_LOCK", "NET_ADMIN", "NET_RAW", "SYS_NICE"] };
        let xdp = Rights { user: 0, capabilities: &["BPF", "IPC_LOCK", "NET_ADMIN", "NET_RAW", "SYS_NICE"] };
        let nic = Rights { user: 0, capabilities: &["IPC_LOCK", "SYS_NICE"] };
        match device {
            Device::Iface(_) => kernel,
            Device::Xdp(_) => xdp,
            Device::Pci(_) | Device::Env => nic,
            Device::Vdev(_) => match device.vdev_driver() {
                Some("net_af_packet" | "eth_af_packet" | "net_tap" | "net_tun") => kernel,
                Some("net_af_xdp" | "eth_af_xdp") => xdp,
                _ if has_resource => nic,
                // memif, null, ring and pcap need nothing.
                _ => Rights { user: IMAGE_USER, capabilities: &[] },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(device: &str) -> Rights {
        Rights::of(&device.parse().unwrap(), false)
    }

    #[test]
    fn a_device_gets_what_it_needs_and_no_more() {
        assert_eq!(rights("env").capabilities, ["IPC_LOCK", "SYS_NICE"]);
        assert_eq!(rights("iface:eth0").capabilities, ["IPC_LOCK", "NET_ADMIN", "NET_RAW", "SYS_NICE"]);
        assert_eq!(rights("vdev:net_af_packet0,iface=eth0"), rights("iface:eth0"));
        assert_eq!(rights("xdp:eth0").capabilities, ["BPF", "IPC_LOCK", "NET_ADMIN", "NET_RAW", "SYS_NICE"]);
        assert_eq!(rights("vdev:net_null0"), Rights { user: IMAGE_USER, capabilities: &[] });
        let with_vf = Rights::of(&"vdev:net_null0".parse().unwrap(), true);
        assert_eq!(with_vf, rights("env"));
    }
}
