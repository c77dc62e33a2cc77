-- The old system's sampler: figures of each tenth of a second into a file, while the port sends.
require "Pktgen"
pktgen.set("0", "rate", 1)
pktgen.set_proto("0", "udp")
pktgen.start("0")
local file = assert(io.open("stats.csv", "w"))
file:write("n,opackets,ipackets\n")
local last = 0
for n = 1, 5 do
    pktgen.delay(100)
    local s = pktgen.portStats("0", "port")[0]
    assert(s.opackets > last, "counters stand still during a delay")
    last = s.opackets
    file:write(string.format("%d,%d,%d\n", n, s.opackets, s.ipackets))
end
file:close()
prints("portStats", pktgen.portStats("0", "rate"))
pktgen.stop(0)
