-- Latency from port 0 to port 1, read while frames come, and sampled into a file.
require "Pktgen"
pktgen.set("0", "rate", 0.05)
pktgen.set("0", "size", 128)
pktgen.set_proto("0", "udp")
pktgen.latency("1", "on")
pktgen.latsampler_params("1", "simple", 1000, 50, "samples/latency.txt")
pktgen.latsampler("1", "on")
pktgen.start("0")
pktgen.delay(300)
local early = pktgen.pktStats("1")[1].latency
pktgen.delay(400)
local later = pktgen.pktStats("1")[1].latency
assert(later.num_pkts > early.num_pkts, "the figures stand still")
pktgen.stop("0")
pktgen.latsampler("1", "off")
local l = pktgen.pktStats("1")[1].latency
assert(l.min_us > 0 and l.min_us <= l.p50_us and l.p50_us <= l.p99_us and l.p99_us <= l.max_us)
assert(l.num_pkts == pktgen.portStats("0", "port")[0].opackets, "each frame has its time")
local lines = 0
for _ in io.lines("samples/latency.txt") do lines = lines + 1 end
print("samples", lines - 1)
