//! What the user says: streams, sizes, rates and a stop rule. A file (TOML, JSON, YAML) or an imported Lua
//! script.
//!
//! A file becomes a [`Profile`] in three steps: one of the `*_nodes` modules turns its text into a tree whose
//! nodes know their lines; `read` walks the tree into the [`model`]; [`check`] says what is wrong with the
//! result. Every step collects faults, so that a user sees all of them at once ([`load`]).

pub mod check;
mod check_stream;
pub mod field;
pub mod header;
mod json_nodes;
mod keys;
pub mod load;
pub mod model;
mod node;
mod read;
mod read_replay;
mod read_stream;
mod reader;
pub mod render;
mod render_replay;
pub mod replay;
pub mod schema;
pub mod sizes;
pub mod stream;
mod suggest;
mod tables;
mod toml_nodes;
pub mod value;
mod yaml_nodes;

pub use field::{Field, List, Range};
pub use header::{Arp, Echo, Ethernet, Gre, Gtpu, Icmp, Inner, Ipv4, Ipv6, Mpls, Ports, Tcp, Vlan, Vxlan};
pub use load::{Format, LoadError, load_file, load_str};
pub use model::{Profile, Stop};
pub use sizes::FrameSizes;
pub use stream::{Payload, Stream};
pub use value::Value;
