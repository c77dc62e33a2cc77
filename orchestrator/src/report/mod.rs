//! From results to something that can be published.
//!
//! The way: [`crate::results::tree`] and [`searches`] (what is on disk) → [`model`] (every figure, once) and [`chart`]
//! (what is drawn) → one writer a format. No format computes anything.

pub mod chart;
pub mod details;
pub mod error;
pub mod figures;
pub mod markup;
pub mod model;
pub mod pdf;
pub mod row;
pub mod searches;
pub mod series;
pub mod write;
pub mod xlsx;

pub use error::ReportError;
