//! The ways to an agent: a loopback port of this machine, or [`crate::lab::kube`]'s port-forward through a cluster.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Any two-way byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A stream that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;
/// An answer that is being looked for.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Silence> + Send + 'a>>;

/// Why an agent does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// It may be back: worth waiting so long since it was last heard.
    Passing {
        /// What is known; empty where nothing is.
        why: String,
        /// How long.
        patience: Duration,
    },
    /// It will never answer again, and why.
    Final(String),
}

/// Opens streams to one agent.
pub trait Connect: fmt::Debug + Send + Sync {
    /// Opens a stream; the caller bounds the time.
    fn connect(&self) -> Opening<'_>;
    /// The place, for messages.
    fn place(&self) -> String;
    /// Asked while nobody answers there: what is known about that.
    fn silence(&self) -> Asking<'_>;
}

/// An agent on a loopback port of this machine.
#[derive(Debug, Clone, Copy)]
pub struct TcpAgent(pub SocketAddr);

impl TcpAgent {
    /// Nothing lies between, so it is overloaded or gone.
    const PATIENCE: Duration = Duration::from_secs(15);
}

impl Connect for TcpAgent {
    fn connect(&self) -> Opening<'_> {
        Box::pin(async {
            let stream = TcpStream::connect(self.0).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn place(&self) -> String {
        self.0.to_string()
    }

    fn silence(&self) -> Asking<'_> {
        Box::pin(async { Silence::Passing { why: String::new(), patience: TcpAgent::PATIENCE } })
    }
}
