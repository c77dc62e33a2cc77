//! Samples and last words of both ends → columns over time, and the verdict.

pub mod columns;
pub mod flow_books;
pub mod series;
pub mod streams;
pub mod verdict;
pub mod warnings;

pub use columns::{Column, Columns};
pub use verdict::Verdict;
