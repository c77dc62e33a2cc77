//! The IOMMU and VFIO: what stands between a PCI device and user space.

use traffic::wire::Iommu;

use super::rights::may_open;
use super::sources::{Sources, names};

/// Of this host and container.
pub fn iommu(sources: &Sources) -> Iommu {
    Iommu {
        groups: u32::try_from(names(&sources.path("sys/kernel/iommu_groups")).len()).unwrap_or(u32::MAX),
        vfio: may_open(sources, "dev/vfio/vfio"),
        no_iommu: sources.text("sys/module/vfio/parameters/enable_unsafe_noiommu_mode").as_deref()
            == Some("Y"),
    }
}

/// The names that a group's device file may have: with an IOMMU, and without.
pub fn group_files(group: &str) -> [String; 2] {
    [format!("dev/vfio/{group}"), format!("dev/vfio/noiommu-{group}")]
}

/// Whether a group's device file is here and may be opened.
pub fn is_group_usable(sources: &Sources, group: &str) -> bool {
    group_files(group).iter().any(|file| may_open(sources, file))
}
