-- A rate, and then a size, that change while port 0 sends.
require "Pktgen"
pktgen.set("0", "size", 512)
pktgen.set_proto("0", "udp")
local rates = {}
pktgen.set("0", "rate", 0.01)
pktgen.start("0")
for step, rate in ipairs({ 0.01, 0.1 }) do
    pktgen.set("0", "rate", rate)
    pktgen.delay(1100)
    rates[step] = pktgen.portStats("0", "rate")[0].pkts_tx
end
assert(pktgen.portStats("1", "port")[1].ipackets > 0 and pktgen.isSending("0")[0] == "y")
pktgen.set("0", "size", 256)
pktgen.delay(300)
pktgen.stop("0")
local out, back = pktgen.portStats("0", "port")[0], pktgen.portStats("1", "port")[1]
assert(out.opackets == back.ipackets and out.obytes == back.ibytes, "frames of both sizes arrive")
assert(out.obytes > 252 * out.opackets and out.obytes < 508 * out.opackets, "both sizes were sent")
assert(pktgen.isSending("0")[0] == "n")
pktgen.delay(100)
assert(pktgen.portStats("0", "port")[0].opackets == out.opackets, "a stopped port sends")
print("rates", rates[1], rates[2])
