//! Searches on real pairs: [`measure`] makes a trial of a load, [`session`] asks the machine, [`extras`] measures what
//! is told beside (latency, loss curve, bursts), [`file`] keeps all of it, [`show`] says it.

pub mod error;
pub mod extras;
pub mod file;
pub mod measure;
pub mod session;
pub mod show;

pub use error::SearchError;
pub use file::SearchFile;
