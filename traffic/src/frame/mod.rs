//! Frames as bytes: a template written once, and the patches that tell one frame from the next.

pub mod checksum;
pub mod headers;
pub mod step;
pub mod sums;
pub mod template;

pub use template::{Patch, Template, Width};
