//! What is said to an agent, over any byte stream that leads to one.

pub mod both;
pub mod client;
pub mod connect;
pub mod error;
pub mod follow;
pub mod pool;

pub use client::AgentClient;
pub use connect::TcpAgent;
pub use error::AgentError;
