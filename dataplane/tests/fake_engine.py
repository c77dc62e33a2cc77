#!/usr/bin/env python3
"""An engine that sends nothing: it speaks the pipe protocol, and can be made to misbehave as no real engine can.

The device says how: vdev:net_fake0,mode=MODE,samples=N. Modes: run (default), crash, fail, hang, late, mute, flood, gap.
"""
import json
import os
import select
import signal
import sys
import time

signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def say(event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def log(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def sample(n):
    core = dict(cpu=1, tx_packets=10 * n, tx_bytes=600 * n, unsent_packets=0, bursts=n, idle_polls=0,
                rx_packets=0, rx_bytes=0)
    port = dict(ipackets=0, opackets=10 * n, ibytes=0, obytes=600 * n, imissed=0, ierrors=0, oerrors=0, rx_nombuf=0)
    account = dict(received=10 * n, lost=1, reordered=0, duplicated=0, invalid=0, too_late=0, flows_seen=7,
                   foreign_arp=0, foreign_ipv4=0, foreign_ipv6=0, foreign_other=0)
    latency = dict(clock="tsc", count=n, rejected=0, min_ns=100, mean_ns=200.0, p50_ns=200, p90_ns=300, p99_ns=400,
                   p99_9_ns=500, p99_99_ns=600, max_ns=700, jitter_ns=10.0)
    return dict(n=n, unix_ns=time.time_ns(), elapsed_ns=n * 1000, cores=[core, core], port=port, account=account,
                latency=latency, xstats={'rx_q0_packets': 10 * n, 'a "quoted" \\ name': 1} if n else {},
                streams=[dict(stream=s, expected=5 * n, received=5 * n, lost=s, reordered=0, duplicated=0) for s in (0, 1)])


def ready(spec):
    clock = dict(name="tsc", hz=1, boot_id="b", invariant=True)
    return dict(pid=os.getpid(), dpdk_version="none", device=spec["device"], port_name="net_fake0", driver="net_fake",
                mac="02:00:00:00:00:01", link_up=True, link_mbps=10000, numa_node=-1, main_cpu=0, worker_cpus=[1],
                queues=[0, 1], descriptors=[0, 1024], requested_pps=1000.0, flows=1, stamped=True, clock=clock,
                memory="none", startup_ms=1, warnings=[])


class Commands:
    """Lines on standard input; its end is no command."""

    def __init__(self):
        self.is_open = True

    def next(self, limit_s):
        """The next command, or None when time is up."""
        if not self.is_open:
            time.sleep(limit_s if limit_s is not None else 3600)
            return None
        if not select.select([0], [], [], limit_s)[0]:
            return None
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(0, 1)
            if not byte:
                self.is_open = False
                return None
            line += byte
        return json.loads(line)


def read_spec():
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1)
    return json.loads(line)


def main():
    spec = read_spec()
    options = dict(part.split("=", 1) for part in spec["device"].split(",")[1:])
    mode, count = options.get("mode", "run"), int(options.get("samples", "1000000"))
    commands = Commands()
    log("EAL: this is a fake")
    if mode == "mute":
        time.sleep(3600)
    if mode == "fail":
        say({"failed": {"error": "device net_fake0 is broken on purpose: choose another"}})
        sys.exit(1)
    if mode == "late":
        # Commands are read when there is something to do with them.
        select.select([0], [], [])
    say({"ready": ready(spec)})
    command = None
    while command is None:
        command = commands.next(None)
    if command == "start":
        say({"started": {"unix_ns": time.time_ns()}})
    n = 0
    if mode == "flood":
        print("this is no event")
        print("x" * (5 * 1024 * 1024))
        for _ in range(10 * 1024):
            log("y" * 1024)
    while command != "stop" and n < count:
        say({"sample": sample(n)})
        n += 1
        if mode == "gap" and n == 2:
            say({"sample": sample(17)})
        command = None if mode == "flood" else commands.next(spec["sample_interval_ms"] / 1000)
    if mode == "crash":
        log("driver: about to fall")
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "hang":
        time.sleep(3600)
    say({"done": dict(ended="stopped" if command == "stop" else "complete", totals=sample(n), effective_ns=n * 1000,
                      mbufs_missing=0, tx_shards=[dict(shard=s, stream=s, sent=3 * n) for s in (0, 1)])})


main()
