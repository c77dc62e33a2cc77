"""The kernel's own ping: echo requests by a ping socket, whose replies the kernel has checked.

    ping.py ADDRESS COUNT TIMEOUT_S

Sends COUNT requests of different sizes, one after another, and writes as JSON how many came back whole within
TIMEOUT_S each. The kernel finds the neighbour (ARP, neighbour discovery), fills in the checksum, and hands over only
replies whose checksums are valid.
"""

import json
import socket
import struct
import sys
import time


def answered(address, count, timeout_s):
    is_v6 = ":" in address
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if is_v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
    request, reply = (128, 129) if is_v6 else (8, 0)
    whole = 0
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as ping:
        for sequence in range(count):
            payload = bytes(i % 251 for i in range(17 * sequence % 1400))
            ping.sendto(struct.pack("!BBHHH", request, 0, 0, 0, sequence) + payload, (address, 0))
            end = time.monotonic() + timeout_s
            while (left := end - time.monotonic()) > 0:
                ping.settimeout(left)
                try:
                    data, source = ping.recvfrom(65536)
                except (TimeoutError, OSError):
                    break
                kind, code, _, _, number = struct.unpack("!BBHHH", data[:8])
                if (kind, code, number, data[8:], source[0]) == (reply, 0, sequence, payload, address):
                    whole += 1
                    break
    return whole


if __name__ == "__main__":
    print(json.dumps({"answered": answered(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))}))
