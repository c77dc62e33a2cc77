//! `…/portforward` over a WebSocket: channels 2i for the data and 2i + 1 for the errors of port i; the first two bytes
//! of each are the port.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep_until};

use crate::faults::Suffers;
use crate::state::{Fake, PodAgent};

const AGENT_PORT: u16 = 8480;
const BUFFER_BYTES: usize = 64 << 10;
const FAR: Duration = Duration::from_secs(86_400);

fn closed() -> Message {
    Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: "".into() }))
}

/// Ports of the query.
pub fn ports(query: &str) -> Vec<u16> {
    query.split(',').filter_map(|port| port.trim().parse().ok()).collect()
}

/// Serves one WebSocket until either end has gone, or something cut it.
pub async fn serve(fake: Fake, pod: Value, ports: Vec<u16>, mut socket: WebSocket) {
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
    for (channel, port) in ports.iter().flat_map(|p| [p, p]).enumerate() {
        let [low, high] = port.to_le_bytes();
        let first = Bytes::from(vec![channel as u8, low, high]);
        if socket.send(Message::Binary(first)).await.is_err() {
            return;
        }
    }
    let agent = fake.agent(text("uid"));
    // Several ports on one socket are for somebody with more than one agent.
    let Some(port) = ports.first().copied() else { return };
    let Some(agent) = agent.filter(|_| port == AGENT_PORT) else {
        let why = format!(
            "error forwarding port {port} to pod 0123456789abcdef, uid : failed to execute portforward in network \
             namespace \"/var/run/netns/cni-{uid}\": failed to connect to localhost:{port} inside namespace \
             \"0123456789abcdef\", IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address \
             localhost: no suitable address",
            uid = text("uid"),
        );
        let mut bytes = vec![1];
        bytes.extend(why.into_bytes());
        if socket.send(Message::Binary(bytes.into())).await.is_ok() {
            let _ = socket.send(closed()).await;
        }
        return;
    };
    let suffers = fake.faults.of_stream(text("name"));
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    bridge(&fake, &agent, node, socket, suffers).await;
}

/// The agent's end of a stream, served in this process.
fn dial(agent: &PodAgent) -> DuplexStream {
    let (near, far) = tokio::io::duplex(BUFFER_BYTES);
    let service = TowerToHyperService::new(agent.router.clone());
    let mut cuts = agent.cuts.subscribe();
    tokio::spawn(async move {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::select! {
            // How it ended matters to nobody here.
            _ = connection => {}
            _ = cuts.changed() => {}
        }
    });
    near
}

async fn bridge(fake: &Fake, agent: &PodAgent, node: &str, mut socket: WebSocket, suffers: Option<Suffers>) {
    let mut stream = dial(agent);
    let mut cuts = agent.cuts.subscribe();
    let mut outages = fake.outages.subscribe();
    let mut lost = fake.lost.subscribe();
    let mut was_lost = false;
    let (cut_bytes, cut_at, stall_bytes) = match suffers {
        Some(Suffers::Cut { after_bytes, after_ms }) => {
            (after_bytes, Duration::from_millis(after_ms).min(FAR), u64::MAX)
        }
        Some(Suffers::Stall { after_bytes }) => (u64::MAX, FAR, after_bytes),
        None => (u64::MAX, FAR, u64::MAX),
    };
    let cut_at = Instant::now() + cut_at;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut brought = 0_u64;
    loop {
        let is_lost = lost.borrow().contains(node);
        if was_lost && !is_lost {
            return;
        }
        was_lost = is_lost;
        let is_stalled = is_lost || brought >= stall_bytes;
        tokio::select! {
            message = socket.recv(), if !is_lost => match message {
                Some(Ok(Message::Binary(data))) if data.first() == Some(&0) => {
                    if stream.write_all(&data[1..]).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            read = stream.read(&mut buffer), if !is_stalled => {
                let Ok(n @ 1..) = read else {
                    // The pod has closed its end.
                    let _ = socket.send(closed()).await;
                    return;
                };
                let room = usize::try_from(cut_bytes.min(stall_bytes) - brought).unwrap_or(usize::MAX);
                let n = n.min(room);
                let mut frame = vec![0];
                frame.extend_from_slice(&buffer[..n]);
                if socket.send(Message::Binary(frame.into())).await.is_err() {
                    return;
                }
                brought += n as u64;
                if brought >= cut_bytes {
                    return;
                }
            }
            () = sleep_until(cut_at) => return,
            _ = cuts.changed() => return,
            _ = outages.changed() => return,
            _ = lost.changed() => {}
        }
    }
}
