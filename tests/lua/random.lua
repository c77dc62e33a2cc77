-- Random bits: the low byte of the source address, one bit of the TOS set, and every source port.
require "Pktgen"
pktgen.set_mac("0", "src", "02:00:00:00:00:01")
pktgen.set_mac("0", "dst", "02:00:00:00:00:02")
pktgen.set_ipaddr("0", "src", "10.7.0.0/24")
pktgen.set_ipaddr("0", "dst", "10.8.0.1")
pktgen.set_proto("0", "udp")
pktgen.rnd("0", 0, 26, "........ ........ ........ XX_XX_XX_XX")
pktgen.rnd("0", 1, 14, "........_1......._........_........")
pktgen.rnd_s_pt("0", "on")
local list = pktgen.rnd_list("0")[0]
print(list[0].offset, list[0].mask, list[1].offset, list[1].mask)
pktgen.set("0", "rate", 0.5)
pktgen.set("0", "count", 2000)
pktgen.start("0")
pktgen.delay(500)
