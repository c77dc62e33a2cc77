//! One forwarded port as a byte stream: the channels of `v4.channel.k8s.io`, data on 0 and the kubelet's complaint on 1.
//!
//! kube's own `portforward` gives each WebSocket a read buffer of 128 KiB; with 1,000 agents that is most of the memory
//! (`bench/scale`: 398 MiB at 500 pairs with it). The handshake is kube's, what is spoken after it is short.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::core::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex, split};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::cluster::Cluster;

/// What a stream holds at most of each direction, and what a WebSocket reads at once.
const BUFFER_BYTES: usize = 8 << 10;
const DATA: u8 = 0;
const ERROR: u8 = 1;

/// Opens `port` of a pod.
pub async fn open(cluster: &Cluster, pod: &str, port: u16) -> Result<Forwarded, kube::Error> {
    let url = Pod::url_path(&(), Some(&cluster.namespace));
    let request = Request::new(url).portforward(pod, &[port]).map_err(kube::Error::BuildRequest)?;
    let raw = cluster.client.connect(request).await?.into_stream().into_inner();
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES);
    let socket = WebSocketStream::from_raw_socket(raw, Role::Client, Some(config)).await;
    let (ours, theirs) = duplex(BUFFER_BYTES);
    let complaint = Complaint::default();
    let task = tokio::spawn(carry(socket, theirs, complaint.clone()));
    Ok(Forwarded { data: ours, complaint, carrier: task })
}

/// What the kubelet says of a port that can't be used.
type Complaint = Arc<Mutex<Option<String>>>;

/// One forwarded port.
#[derive(Debug)]
pub struct Forwarded {
    data: DuplexStream,
    complaint: Complaint,
    carrier: JoinHandle<()>,
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// Carries bytes both ways until one side ends; the other one then sees its end too.
async fn carry<S>(socket: S, pipe: DuplexStream, complaint: Complaint)
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error>,
{
    let (mut sink, mut stream) = socket.split();
    let (mut from_us, mut to_us) = split(pipe);
    let mut is_begun = [false; 2];
    let mut buffer = vec![0; BUFFER_BYTES];
    buffer[0] = DATA;
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let Some((channel @ (&DATA | &ERROR), bytes)) = bytes.split_first() else { continue };
                    // Each channel begins with the port's number.
                    if !std::mem::replace(&mut is_begun[usize::from(*channel)], true) {
                        continue;
                    }
                    if *channel == ERROR {
                        let said = String::from_utf8_lossy(bytes).trim().to_owned();
                        *complaint.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
                        return;
                    }
                    if to_us.write_all(bytes).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            read = from_us.read(&mut buffer[1..]) => match read {
                Ok(0) | Err(_) => return,
                Ok(n) => {
                    let message = Message::binary(buffer[..=n].to_vec());
                    if sink.send(message).await.is_err() {
                        return;
                    }
                }
            },
        }
    }
}

impl AsyncRead for Forwarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.data).poll_read(context, buffer);
        if matches!(polled, Poll::Ready(Ok(()))) && buffer.filled().len() == before {
            let said = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(said) = said {
                return Poll::Ready(Err(io::Error::other(said)));
            }
        }
        polled
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.data).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.data).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.data).poll_shutdown(context)
    }
}
