//! Where frames to an address have to go: the route that the kernel would take, and the Ethernet address of whoever is
//! next on it. Needs no privilege: routes and neighbours are asked of the kernel by netlink, and the neighbour is made
//! known by one datagram.

mod neighbour;
mod route;

use std::net::IpAddr;
use std::time::Duration;

use futures_util::TryStreamExt;
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use rtnetlink::{Handle, MulticastGroup};
use tokio::task::JoinSet;
use tokio::time::timeout;
use traffic::wire::NextHop;

use route::Way;

/// For everything together. The kernel's own answers come at once; a neighbour has [`neighbour::ANSWER_LIMIT`].
const LIMIT: Duration = Duration::from_secs(6);

/// Why there is no next hop.
#[derive(Debug, thiserror::Error)]
pub enum NextHopError {
    /// Nobody's, or everybody's.
    #[error("{0} is no single host's address: ask for the address that frames are to arrive at")]
    NotUnicast(IpAddr),
    /// Each link has them.
    #[error("{0} is a link-local address, which every link has: say which one with interface=NAME")]
    NeedsInterface(IpAddr),
    /// As named.
    #[error("there is no interface `{name}` here: those here are {there}")]
    NoInterface {
        /// As asked.
        name: String,
        /// All of them.
        there: String,
    },
    /// The kernel knows no way.
    #[error(
        "there is no route to {to}{on}: see `ip route` in the pod; add one, or ask for an address of a network that \
         the pod is on"
    )]
    NoRoute {
        /// As asked.
        to: IpAddr,
        /// ` by interface eth0`, or nothing.
        on: String,
    },
    /// Nothing to send from.
    #[error(
        "interface {interface} has a route to {to} and no address to send from: give it one (`ip address add`)"
    )]
    NoSource {
        /// As asked.
        to: IpAddr,
        /// The route's.
        interface: String,
    },
    /// The kernel refused.
    #[error("the kernel did not tell the way to {to} ({reason}): ask again")]
    Kernel {
        /// As asked.
        to: IpAddr,
        /// In its words.
        reason: String,
    },
}

/// What is asked.
#[derive(Clone, Debug)]
struct Question {
    to: IpAddr,
    interface: Option<String>,
}

impl Question {
    fn kernel(&self, reason: impl ToString) -> NextHopError {
        NextHopError::Kernel { to: self.to, reason: reason.to_string() }
    }
}

/// A link as far as it matters here.
#[derive(Debug)]
struct Link {
    index: u32,
    name: String,
    mtu: u32,
    /// Whether frames carry Ethernet addresses that are found by asking.
    resolves: bool,
}

/// Finds the next hop on the way to `to`, by `interface` if named.
pub async fn next_hop(to: IpAddr, interface: Option<String>) -> Result<NextHop, NextHopError> {
    let to = to.to_canonical();
    let is_broadcast = to == IpAddr::V4(std::net::Ipv4Addr::BROADCAST);
    if to.is_unspecified() || to.is_multicast() || is_broadcast {
        return Err(NextHopError::NotUnicast(to));
    }
    if matches!(to, IpAddr::V6(v6) if v6.is_unicast_link_local()) && interface.is_none() {
        return Err(NextHopError::NeedsInterface(to));
    }
    let question = Question { to, interface };
    let late = question.kernel(format!("it said nothing for {} s", LIMIT.as_secs()));
    timeout(LIMIT, find(question)).await.unwrap_or(Err(late))
}

async fn find(question: Question) -> Result<NextHop, NextHopError> {
    // The group is joined before anything is asked, so that no change of the neighbour is missed.
    let (connection, handle, changes) =
        rtnetlink::new_multicast_connection(&[MulticastGroup::Neigh]).map_err(|e| question.kernel(e))?;
    // Ends with this set, and so with the answer.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let wanted = match &question.interface {
        Some(name) => Some(named_link(&handle, &question, name).await?),
        None => None,
    };
    let way = route::ask(&handle, &question, wanted.as_ref()).await?;
    let link = link(&handle, &question, way.link).await?;
    let source =
        way.source.ok_or_else(|| NextHopError::NoSource { to: question.to, interface: link.name.clone() })?;
    let found = address(&handle, changes, &question, &way, &link).await;
    let (mac, reason) = match found {
        Ok(mac) => (Some(mac), None),
        Err(reason) => (None, Some(reason)),
    };
    let mtu = way.mtu.map_or(link.mtu, |mtu| mtu.min(link.mtu));
    Ok(NextHop { interface: link.name, source, via: way.via, mac, mtu, reason })
}

async fn address(
    handle: &Handle,
    changes: neighbour::Changes,
    question: &Question,
    way: &Way,
    link: &Link,
) -> Result<traffic::mac::Mac, String> {
    if way.is_local {
        return Err(format!("{} is this host's own address: no frame to it ever leaves", question.to));
    }
    if !link.resolves {
        return Err(format!(
            "interface {} carries no Ethernet addresses (a tunnel or a point-to-point link): choose another one",
            link.name
        ));
    }
    neighbour::resolve(handle, changes, question.to, way.via.unwrap_or(question.to), link).await
}

async fn named_link(handle: &Handle, question: &Question, name: &str) -> Result<Link, NextHopError> {
    // The name is compared here: what the kernel makes of one that is no name is its own business.
    let all: Vec<LinkMessage> =
        handle.link().get().execute().try_collect().await.map_err(|e| question.kernel(e))?;
    let mut all: Vec<Link> = all.iter().map(read_link).collect();
    match all.iter().position(|link| link.name == name) {
        Some(at) => Ok(all.swap_remove(at)),
        None => {
            let there: Vec<String> = all.into_iter().map(|link| link.name).collect();
            let name = name.chars().take(64).collect();
            Err(NextHopError::NoInterface { name, there: there.join(", ") })
        }
    }
}

async fn link(handle: &Handle, question: &Question, index: u32) -> Result<Link, NextHopError> {
    let message = handle.link().get().match_index(index).execute().try_next().await;
    match message.map_err(|e| question.kernel(e))? {
        Some(message) => Ok(read_link(&message)),
        None => Err(question.kernel("its link is gone")),
    }
}

fn read_link(message: &LinkMessage) -> Link {
    let mut link = Link {
        index: message.header.index,
        name: String::new(),
        mtu: 0,
        resolves: message.header.link_layer_type == LinkLayerType::Ether
            && !message.header.flags.contains(LinkFlags::Noarp),
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            _ => {}
        }
    }
    link
}
