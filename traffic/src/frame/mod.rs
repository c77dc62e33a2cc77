//! Frames as bytes: a template written once, and the patches that tell one frame from the next.

mod build;
pub mod checksum;
pub mod describe;
pub mod headers;
mod layout;
pub mod moving;
pub mod nic;
pub mod patch;
pub mod sums;
pub mod template;
pub mod word;

pub use layout::Layout;
pub use nic::{NicFrame, Transport};
pub use patch::{Covered, Patch, Width};
pub use template::{Check, Template, flows};
