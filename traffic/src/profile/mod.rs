//! What the user says: streams, sizes, rates and a stop rule. A file (TOML, JSON, YAML) or an imported Lua
//! script.
//!
//! A file becomes a [`Profile`] in three steps: one of the `*_nodes` modules turns its text into a tree whose
//! nodes know their lines; `read` walks the tree into the [`model`]; [`check`] says what is wrong with the
//! result. Every step collects faults, so that a user sees all of them at once ([`load`]).

pub mod check;
pub mod field;
mod json_nodes;
pub mod load;
pub mod model;
mod node;
mod read;
mod reader;
pub mod render;
pub mod schema;
mod suggest;
mod toml_nodes;
mod yaml_nodes;

pub use field::{Field, Range};
pub use load::{Format, LoadError, load_file, load_str};
pub use model::{Ethernet, Ipv4, Payload, Ports, Profile, Stop, Stream, Transport};
