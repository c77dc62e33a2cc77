//! Whether nodes, pods and this machine can do what a trial will ask of them, before traffic is paid for.
//!
//! Facts in, checks out: [`ends`] judges what the agents say of one pod each, [`machines`] what pods of one machine do
//! to each other, [`pairs`] the two ends of a pair, [`nodes`] and [`kubelet`] what the API server says of nodes. All of
//! that is pure; [`cluster`] and [`local`] ask, [`trial`] stops a trial that can't succeed.

pub mod amounts;
pub mod check;
pub mod cluster;
pub mod configz;
pub mod cpus;
pub mod demand;
pub mod device;
pub mod ends;
pub mod facts;
pub mod gather;
pub mod kubelet;
pub mod local;
pub mod machines;
pub mod memory;
pub mod need;
pub mod nodes;
pub mod pairs;
pub mod pods;
pub mod port;
pub mod rights;
pub mod table;
pub mod trial;
pub mod vfio;

pub use check::{Check, Level};
