//! The ways to an agent. A Kubernetes port-forward is one more implementation of [`Connect`].

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Any two-way byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A stream that is being opened.
pub type Opening<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Opens a stream to one agent, a new one for every request.
pub trait Connect: fmt::Debug + Send + Sync {
    /// Opens the stream; the caller bounds the time.
    fn connect(&self) -> Opening<'_>;
    /// The place, for messages.
    fn place(&self) -> String;
}

/// An agent on a loopback port of this machine.
#[derive(Debug, Clone, Copy)]
pub struct TcpAgent(pub SocketAddr);

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
}
