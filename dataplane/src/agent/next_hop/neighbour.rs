//! The Ethernet address of a neighbour: known already, or made known by a datagram for which the kernel has to ask.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use rtnetlink::Handle;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use tokio::net::UdpSocket;
use tokio::time::timeout;
use traffic::mac::Mac;

use super::Link;

/// The kernel asks three times, a second apart, then gives up.
pub const ANSWER_LIMIT: Duration = Duration::from_millis(3500);
/// RFC 863: whoever has a service there throws away what comes.
const DISCARD_PORT: u16 = 9;

/// What the kernel tells of neighbours as they change.
pub type Changes = futures_channel::mpsc::UnboundedReceiver<(
    NetlinkMessage<RouteNetlinkMessage>,
    rtnetlink::sys::SocketAddr,
)>;

/// The address of `hop`, which is next on the way to `to`; or what was asked and not answered.
pub async fn resolve(
    handle: &Handle,
    changes: Changes,
    to: IpAddr,
    hop: IpAddr,
    link: &Link,
) -> Result<Mac, String> {
    let name = &link.name;
    // For a known one, too: the kernel then makes sure of an entry that is old.
    nudge(to, name).await.map_err(|error| {
        format!("{hop} can't be asked for its address on {name}: no datagram leaves ({error})")
    })?;
    let asked = if hop.is_ipv4() { "ARP" } else { "neighbour discovery" };
    let silent = || {
        format!(
            "{hop} on {name} was asked for its address ({asked}) and did not answer: see that it is up and on the same \
             network, and that the port lets {asked} through"
        )
    };
    match timeout(ANSWER_LIMIT, answer(handle, changes, hop, link)).await {
        Ok(Ok(Some(mac))) => Ok(mac),
        Ok(Ok(None)) | Err(_) => Err(silent()),
        Ok(Err(error)) => Err(format!("the kernel's neighbours on {name} can't be read: {error}")),
    }
}

/// Sends one byte towards `to`. It gets no further than the next hop: whoever routes may not pass it on.
async fn nudge(to: IpAddr, interface: &str) -> io::Result<()> {
    let any = match to {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.bind_device(Some(interface.as_bytes()))?;
    match to {
        IpAddr::V4(_) => socket.set_ttl(1)?,
        IpAddr::V6(_) => rustix::net::sockopt::set_ipv6_unicast_hops(&socket, Some(1))?,
    }
    socket.connect((to, DISCARD_PORT)).await?;
    socket.send(&[0]).await.map(drop)
}

/// Returns once the neighbour is known, or (none) once the kernel has given up.
async fn answer(
    handle: &Handle,
    mut changes: Changes,
    hop: IpAddr,
    link: &Link,
) -> Result<Option<Mac>, rtnetlink::Error> {
    let family = if hop.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let known = handle.neighbours().get().set_address_family(family).execute();
    let known: Vec<NeighbourMessage> = known.try_collect().await?;
    // One that had failed before has been asked again: only the changes tell what comes of it.
    if let Some(Known::Answered(mac)) = known.iter().find_map(|message| read(message, hop, link)) {
        return Ok(Some(mac));
    }
    while let Some((message, _)) = changes.next().await {
        let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewNeighbour(message)) = message.payload else {
            continue;
        };
        match read(&message, hop, link) {
            Some(Known::Answered(mac)) => return Ok(Some(mac)),
            Some(Known::Failed) => return Ok(None),
            None => {}
        }
    }
    Ok(None)
}

enum Known {
    Answered(Mac),
    Failed,
}

fn read(message: &NeighbourMessage, hop: IpAddr, link: &Link) -> Option<Known> {
    let is_it = |attribute: &NeighbourAttribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => hop == *address,
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => hop == *address,
        _ => false,
    };
    if message.header.ifindex != link.index || !message.attributes.iter().any(is_it) {
        return None;
    }
    match message.header.state {
        NeighbourState::Failed => Some(Known::Failed),
        NeighbourState::Incomplete | NeighbourState::None => None,
        _ => message.attributes.iter().find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(bytes) => {
                Some(Known::Answered(Mac(bytes.as_slice().try_into().ok()?)))
            }
            _ => None,
        }),
    }
}
