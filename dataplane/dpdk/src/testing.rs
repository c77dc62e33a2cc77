//! EAL for tests: no hugepages, no files, nothing shared with another process.

use crate::config::{EalConfig, Memory};
use crate::eal::{Eal, EalError};

/// Settings that work on any machine, beside any other process.
pub fn config(vdevs: &[&str]) -> EalConfig {
    EalConfig {
        program: "test".to_owned(),
        memory: Memory::NoHuge { mib: 256 },
        file_prefix: Some(format!("test-{}", std::process::id())),
        vdevs: vdevs.iter().map(|vdev| (*vdev).to_owned()).collect(),
        ..EalConfig::default()
    }
}

/// EAL with these virtual devices. nextest gives each test a process of its own, and so an EAL of its own.
pub fn eal(vdevs: &[&str]) -> Result<Eal, EalError> {
    Eal::init(&config(vdevs))
}
