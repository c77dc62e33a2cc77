-- Single packets: every setting of the template, a count, and what it leaves in the counters.
require "Pktgen"
pktgen.set_mac("0", "src", "02:00:00:00:00:01")
pktgen.set_mac("0", "dst", "02:00:00:00:00:02")
pktgen.set_ipaddr("0", "src", "10.0.0.1/24")
pktgen.set_ipaddr("0", "dst", "10.0.0.2")
pktgen.set_proto("0", "udp")
pktgen.set("0", "sport", 4321)
pktgen.set("0", "dport", 8765)
pktgen.set("0", "ttl", 17)
pktgen.tos("0", 184)
pktgen.set("0", "size", 100)
pktgen.userPattern("0", "wxyz")
pktgen.set("0", "rate", "0.1")
pktgen.set("0", "count", 40)
pktgen.start("0")
while pktgen.isSending("0")[0] == "y" do pktgen.delay(5) end
pktgen.delay(200)
local s = pktgen.portStats("0", "port")[0]
printf("sent %d frames %d bytes\n", s.opackets, s.obytes)
