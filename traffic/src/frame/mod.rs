//! Frames as bytes: a template written once, and the patches that tell one frame from the next.

pub mod checksum;
pub mod headers;
pub mod template;

pub use template::{Patch, Template, Width};
