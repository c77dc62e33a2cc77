-- A throughput search as RFC 2544 has it: by bisection, over one port whose ring is its own way back. The ring's peer is
-- played by the search itself: a rate above 30 % counts as lost, so that the search has something to find.
require "Pktgen"
local limit = 30.0
local low, high = 0.0, 100.0
pktgen.set("0", "size", 512)
pktgen.set_proto("0", "udp")
for step = 1, 8 do
    local rate = (low + high) / 2
    pktgen.clr()
    pktgen.set("0", "rate", rate)
    pktgen.start("0")
    pktgen.delay(60)
    pktgen.stop("0")
    pktgen.delay(20)
    local s = pktgen.portStats("0", "port")[0]
    assert(s.opackets > 0 and s.ipackets == s.opackets, "a ring loses nothing: " .. s.opackets .. " " .. s.ipackets)
    if rate <= limit then low = rate else high = rate end
end
printf("found %.4f\n", low)
