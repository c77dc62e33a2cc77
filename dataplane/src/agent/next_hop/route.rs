//! The route that the kernel would take, with all its rules and tables: what `ip route get` says.

use std::net::IpAddr;

use futures_util::TryStreamExt;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteType, RouteVia,
};
use rtnetlink::{Handle, RouteMessageBuilder};

use super::{Link, NextHopError, Question};

/// A way to an address.
#[derive(Debug, Default)]
pub struct Way {
    /// Index of the link that it leaves by.
    pub link: u32,
    /// The gateway.
    pub via: Option<IpAddr>,
    /// What the kernel would send from.
    pub source: Option<IpAddr>,
    /// The route's own limit.
    pub mtu: Option<u32>,
    /// The address is this host's own.
    pub is_local: bool,
}

/// Asks the kernel; by `link` alone, if given.
pub async fn ask(handle: &Handle, question: &Question, link: Option<&Link>) -> Result<Way, NextHopError> {
    if link.is_some() {
        // With a link named and no route by it the kernel takes every address for a neighbour on it. Only a look into
        // its tables tells.
        lookup(handle, question, link, RouteFlags::FibMatch).await?;
    }
    let message = lookup(handle, question, link, RouteFlags::empty()).await?;
    Ok(read(&message))
}

async fn lookup(
    handle: &Handle,
    question: &Question,
    link: Option<&Link>,
    flags: RouteFlags,
) -> Result<RouteMessage, NextHopError> {
    let to = question.to;
    let bits = if to.is_ipv4() { 32 } else { 128 };
    let mut request =
        RouteMessageBuilder::<IpAddr>::new().destination_prefix(to, bits).map_err(|e| question.kernel(e))?;
    if let Some(link) = link {
        request = request.output_interface(link.index);
    }
    let mut request = request.build();
    request.header.flags = flags;
    let none = || {
        let on = link.map_or_else(String::new, |link| format!(" by interface {}", link.name));
        NextHopError::NoRoute { to, on }
    };
    let answer = match handle.route().get(request).execute().try_next().await {
        Ok(Some(answer)) => answer,
        Ok(None) => return Err(question.kernel("it gave no route and no error")),
        // Unreachable, prohibited, or thrown away: each is an error of its own, and none is a way.
        Err(rtnetlink::Error::NetlinkError(_)) => return Err(none()),
        Err(error) => return Err(question.kernel(error)),
    };
    match answer.header.kind {
        RouteType::Unicast | RouteType::Local | RouteType::Anycast => Ok(answer),
        RouteType::Broadcast | RouteType::Multicast => Err(NextHopError::NotUnicast(to)),
        _ => Err(none()),
    }
}

fn read(message: &RouteMessage) -> Way {
    let mut way = Way { is_local: message.header.kind == RouteType::Local, ..Way::default() };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(index) => way.link = *index,
            RouteAttribute::Gateway(address) => way.via = plain(address),
            RouteAttribute::Via(RouteVia::Inet(address)) => way.via = Some(IpAddr::V4(*address)),
            RouteAttribute::Via(RouteVia::Inet6(address)) => way.via = Some(IpAddr::V6(*address)),
            RouteAttribute::PrefSource(address) => way.source = plain(address),
            RouteAttribute::Metrics(metrics) => {
                way.mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) if *mtu > 0 => Some(*mtu),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    way
}

fn plain(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}
