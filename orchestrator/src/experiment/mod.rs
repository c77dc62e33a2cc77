//! Many trials: profiles × pairs, resumable.
//!
//! The way: [`matrix`] (which profiles, for which pairs) → [`scan`] (what of it is done, by the results folder alone) →
//! [`plan`] (what is left, how long it takes) → [`run`] (trial by trial, with [`retry`] of what failed) → [`show`].
//! What is known of an experiment is its results and, beside them, [`folder`]: a lock and a journal of failures.

pub mod asked;
pub mod backup;
pub mod blame;
pub mod error;
pub mod events;
pub mod folder;
pub mod matrix;
pub mod plan;
pub mod retry;
pub mod run;
pub mod scan;
pub mod show;

pub use error::ExperimentError;
