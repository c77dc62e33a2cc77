-- The frames of a capture, twice over and a half.
require "Pktgen"
pktgen.pcap("0", "on")
pktgen.set("0", "rate", 0.1)
pktgen.set("0", "count", 800)
pktgen.start("0")
pktgen.delay(400)
