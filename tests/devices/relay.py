"""A relay between two interfaces that drops, doubles and delays exactly the frames it is told to.

    relay.py IN OUT [WHAT:PERIOD:FROM:TO ...]

WHAT is drop, double or late (sent behind the frame that follows). A rule holds for frames whose sequence number, read
from the mark at the frame's end, modulo PERIOD is at least FROM and below TO; the first rule that holds is applied.
Says "relaying" when it does. A line with a number on standard input ends it when so many frames have come, or when
none has come for a while; it then writes its count as JSON.
"""

import json
import select
import socket
import sys
import time

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 64 << 20
# How long frames may stay away before the relay no longer waits for them.
QUIET_S = 5.0
MARK_BYTES = 18
SEQUENCE_AT = 6


def raw_socket(interface):
    """A packet socket that is open on one interface only."""
    # Protocol 0 receives nothing until bind names the interface, so no other interface's frame slips in.
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    raw.bind((interface, ETH_P_ALL))
    return raw


def sequence(frame):
    """The sequence number of the mark, which stands at an even place."""
    at = ((len(frame) - MARK_BYTES) & ~1) + SEQUENCE_AT
    return int.from_bytes(frame[at : at + 6], "little")


def parse(rule):
    what, *numbers = rule.split(":")
    return (what, *map(int, numbers))


class Relay:
    def __init__(self, out, rules):
        self.out, self.rules = out, rules
        self.held, self.came, self.went = None, 0, 0

    def send(self, frame):
        self.out.send(frame)
        self.went += 1

    def verdict(self, frame):
        number = sequence(frame)
        for what, period, first, end in self.rules:
            if first <= number % period < end:
                return what
        return "pass"

    def frame(self, frame):
        self.came += 1
        verdict = self.verdict(frame)
        if verdict == "drop":
            return
        if verdict == "late" and self.held is None:
            self.held = frame
            return
        self.send(frame)
        if verdict == "double":
            self.send(frame)
        self.release()

    def release(self):
        if self.held is not None:
            late, self.held = self.held, None
            self.send(late)


def main():
    incoming, outgoing = raw_socket(sys.argv[1]), raw_socket(sys.argv[2])
    relay = Relay(outgoing, [parse(rule) for rule in sys.argv[3:]])
    print("relaying", flush=True)
    expected, last = None, time.monotonic()
    watched = [incoming, sys.stdin]
    while True:
        ready, _, _ = select.select(watched, [], [], 0.1)
        if incoming in ready:
            frame, address = incoming.recvfrom(65536)
            if address[2] != socket.PACKET_OUTGOING:
                relay.frame(frame)
                last = time.monotonic()
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            expected, last = int(line), time.monotonic()
            watched = [incoming]
        if expected is not None and (relay.came >= expected or time.monotonic() - last > QUIET_S):
            relay.release()
            print(json.dumps({"came": relay.came, "went": relay.went}), flush=True)
            return


main()
