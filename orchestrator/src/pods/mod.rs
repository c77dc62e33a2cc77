//! Pods of pairs: what they look like, where they go, and their coming and going in a cluster.
//!
//! The way: [`settings`] and [`placement`] → [`objects`] (from [`manifest`], or a user's [`template`]) → [`create`]
//! ([`apply`], then [`wait`], with [`reasons`] for what does not come up).

pub mod apply;
pub mod create;
pub mod delete;
pub mod files;
#[cfg(test)]
mod fixtures;
pub mod list;
pub mod manifest;
pub mod objects;
pub mod placeholders;
pub mod placement;
pub mod progress;
pub mod quantity;
pub mod rbac;
pub mod reasons;
pub mod rows;
pub mod settings;
pub mod template;
pub mod unschedulable;
pub mod wait;
pub mod watch;
