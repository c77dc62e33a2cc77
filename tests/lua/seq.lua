-- A sequence of 20 slots, four more than Pktgen has, sent in turn; the last ones by seq with all arguments.
require "Pktgen"
for slot = 0, 17 do
    pktgen.seqTable(slot, "0", {
        eth_dst_addr = "02:00:00:00:00:02", eth_src_addr = "02:00:00:00:00:01",
        ip_dst_addr = "10.2.0." .. (slot + 1), ip_src_addr = "10.1.0." .. (slot + 1),
        sport = 1000 + slot, dport = 2000 + slot, ethType = "ipv4", ipProto = slot % 2 == 0 and "udp" or "tcp",
        vlanid = 5, pktSize = 64 + slot, tos = slot,
    })
end
pktgen.seq(18, "0", "02:00:00:00:00:02", "02:00:00:00:00:01", "10.2.0.19", "10.1.0.19", 1018, 2018, "ipv4", "udp", 1, 82)
pktgen.seq(19, "0", "02:00:00:00:00:02", "02:00:00:00:00:01", "10.2.0.20", "10.1.0.20", 1019, 2019, "ipv4", "tcp", 1, 83, 0)
pktgen.seq_tcp_flags(19, "0", "syn")
pktgen.set("0", "seq_cnt", 20)
pktgen.set("0", "rate", 0.1)
pktgen.set("0", "count", 100)
pktgen.start("0")
pktgen.delay(300)
