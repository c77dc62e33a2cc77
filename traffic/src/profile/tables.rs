//! The keys of each header's table, with what is taken where one is left out.

use super::check::Checker;
use super::field::Field;
use super::header::{Arp, Ethernet, Gre, Gtpu, Icmp, Ipv4, Ipv6, Mpls, Ports, Tcp, Vlan, Vxlan};
use super::keys::{Setting, header};
use super::reader::{Reader, Table};
use super::render::Text;

header!(Ethernet, "a table with src and dst", { src, dst });
header!(Vlan, "a list of tables with id", { id, priority = Field::zero(), dei = false, tpid = None });
header!(Mpls, "a list of tables with label", { label, tc = Field::zero(), ttl = Ipv4::default_ttl() });
header!(Ipv4, "a table with src and dst", {
    src, dst, ttl = Ipv4::default_ttl(), tos = Field::zero(), id = Field::zero(), df = false,
});
header!(Ipv6, "a table with src and dst", {
    src, dst, hop_limit = Ipv4::default_ttl(), traffic_class = Field::zero(), flow_label = Field::zero(),
});
header!(Ports, "a table with src and dst", { src, dst });
header!(Tcp, "a table with src and dst", {
    src, dst,
    seq = Tcp::default_seq(), ack = Tcp::default_ack(),
    flags = Tcp::default_flags(), window = Tcp::default_window(),
});
header!(Icmp, "a table with echo, id and seq", { echo, id = Field::zero(), seq = Field::zero() });
header!(Arp, "a table with sender_mac, sender_ip and target_ip", {
    op = Arp::default_op(), sender_mac, sender_ip, target_mac = Field::zero(), target_ip,
});
header!(Gre, "a table, which may have a key", { key });
header!(Vxlan, "a table with vni", { vni });
header!(Gtpu, "a table with teid", { teid });
