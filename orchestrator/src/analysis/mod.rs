//! What results amount to together: repeats of one measurement, their spread, and one set of them against another.

pub mod compare;
pub mod environment;
pub mod groups;
pub mod metric;
pub mod spread;

pub use groups::{Group, groups};
pub use metric::Metric;
pub use spread::Spread;
