-- A throughput search by bisection over two ports: port 0 sends, port 1 counts. A rate above 0.03 % counts as lost, so that
-- the search has something to find where nothing is ever lost.
require "Pktgen"
local limit = 0.03
local low, high = 0.0, 0.1
pktgen.set("0", "size", 512)
pktgen.set_proto("0", "udp")
local frames = 0
for step = 1, 3 do
    local rate = (low + high) / 2
    pktgen.clr()
    pktgen.set("0", "rate", rate)
    pktgen.start("0")
    pktgen.delay(100)
    pktgen.stop("0")
    local sent = pktgen.portStats("0", "port")[0].opackets
    local came = pktgen.portStats("1", "port")[1].ipackets
    assert(sent > 0 and came == sent, "a pair loses nothing: " .. sent .. " " .. came)
    frames = frames + sent
    if rate <= limit then low = rate else high = rate end
end
pktgen.clr()
assert(pktgen.portStats("0", "port")[0].opackets == 0, "cleared")
printf("found %.4f after %d frames\n", low, frames)
