-- Latency: measured on the port where frames come in, while they come.
require "Pktgen"
pktgen.set("0", "rate", 0.1)
pktgen.set("0", "size", 128)
pktgen.set_proto("0", "udp")
pktgen.latency("0", "on")
pktgen.jitter("0", 1)
pktgen.latsampler_params("0", "simple", 50, 10000, "samples/latency.txt")
pktgen.latsampler("0", "on")
pktgen.start("0")
pktgen.delay(100)
local early = pktgen.pktStats("0")[0].latency
pktgen.delay(200)
local later = pktgen.pktStats("0")[0].latency
assert(later.num_pkts > early.num_pkts, "the figures stand still")
pktgen.stop("0")
pktgen.latsampler("0", "off")
pktgen.delay(100)
local l = pktgen.pktStats("0")[0].latency
assert(l.min_us > 0 and l.min_us <= l.p50_us and l.p50_us <= l.p90_us and l.p90_us <= l.p99_us and l.p99_us <= l.max_us)
assert(l.num_pkts == pktgen.portStats("0", "port")[0].opackets, "each frame has its time")
assert(l.jitter_threshold == 1)
local count = 0
for line in io.lines("samples/latency.txt") do count = count + 1 end
print("samples", count - 1)
