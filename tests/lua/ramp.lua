-- A rate that is changed while the port sends, and a size.
require "Pktgen"
pktgen.set("0", "size", 512)
pktgen.set_proto("0", "udp")
local sent = {}
local last = 0
pktgen.set("0", "rate", 1)
pktgen.start("0")
for step, rate in ipairs({ 1, 4, 16 }) do
    pktgen.set("0", "rate", rate)
    pktgen.delay(200)
    local now = pktgen.portStats("0", "port")[0].opackets
    sent[step], last = now - last, now
end
pktgen.stop("0")
local still = pktgen.portStats("0", "port")[0].opackets
pktgen.delay(50)
assert(pktgen.portStats("0", "port")[0].opackets == still, "a stopped port sends")
assert(pktgen.isSending("0")[0] == "n")
print("sent", sent[1], sent[2], sent[3])
