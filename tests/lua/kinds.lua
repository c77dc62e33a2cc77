-- IPv6, ICMP, ARP and TCP with flags; prime sends its frames once.
require "Pktgen"
pktgen.set("0", "rate", 0.05)
pktgen.set("0", "count", 3)
pktgen.set("0", "size", 100)
pktgen.set_mac("0", "src", "02:00:00:00:00:01")
pktgen.set_mac("0", "dst", "02:00:00:00:00:02")
local function once()
    pktgen.start("0")
    pktgen.delay(100)
end
pktgen.set_tcp_flags("0", "syn,ack")
once()
pktgen.set_proto("0", "icmp")
once()
pktgen.set_type("0", "arp")
once()
pktgen.set_type("0", "ipv6")
pktgen.set_proto("0", "udp")
pktgen.set_ipaddr("0", "src", "2001:db8::1")
pktgen.set_ipaddr("0", "dst", "2001:db8::2")
once()
pktgen.set("0", "prime", 4)
pktgen.prime("0")
pktgen.delay(100)
local sizes = pktgen.portSizes("1")[1]
local kinds = pktgen.pktStats("1")[1]
printf("100 B %d, arp %d, echo %d, ip %d, ipv6 %d\n", sizes._65_127, kinds.arp_pkts, kinds.echo_pkts, kinds.ip_pkts, kinds.ipv6_pkts)
