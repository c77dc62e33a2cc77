"""One turn: a program sends or receives for a moment, and is measured from outside.

Two figures a turn. `wall` is packets a second. `cpu` is packets a second *of the worker's own CPU time*: what the worker
would reach alone on its CPU. They are equal on a quiet machine; on a busy one the second hardly moves, so ratios are
made of it.
"""
import json
import math
import os
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections import namedtuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
DATAPLANE = os.environ.get("DATAPLANE", str(TARGET / "release" / "dataplane"))
CPUS = sorted(os.sched_getaffinity(0))
NULL = "net_null0"
# One port whose queue leads back to itself.
RING = "net_ring0"
# A sample that we read later than this is not set beside the clock of now.
LATE_NS = 3_000_000
LIMIT_S = 60

Turn = namedtuple("Turn", "wall cpu")


class Failed(Exception):
    """A turn that gave no figure; the text says what the program said."""


def start(command, **kwargs):
    """Starts a program on all CPUs that we were given: we ourselves stay off the worker's."""
    allow = lambda: os.sched_setaffinity(0, CPUS)
    return subprocess.Popen(command, text=True, preexec_fn=allow, **kwargs)


def thread_cpu_ns(pid, thread):
    """CPU time of a thread; 0 when it is gone."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
    except (OSError, IndexError):
        return 0


def worker_of(pid):
    """The busiest thread but the first; None when no other has run."""
    try:
        threads = [t for t in os.listdir(f"/proc/{pid}/task") if int(t) != pid]
    except OSError:
        return None
    times = {t: thread_cpu_ns(pid, t) for t in threads}
    busiest = max(times, key=times.get, default=None)
    return busiest if busiest and times[busiest] else None


def worker_cpu_ns(pid):
    """CPU time of the worker; 0 when there is none (any more)."""
    worker = worker_of(pid)
    return thread_cpu_ns(pid, worker) if worker else 0


def hugepages_mib(pid):
    """What a process has mapped of hugepages."""
    smaps = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    return sum(int(kib) for kib in re.findall(r"_Hugetlb:\s+(\d+) kB", smaps)) / 1024


class Samples:
    """The samples of one `dataplane tx` or `rx`, read as they come."""

    def __init__(self, arguments, counter):
        self.counter = counter
        self.points = []  # (packets, elapsed ns, worker's CPU ns)
        self.worker = self.first_packet_s = self.huge_mib = None
        self.ready = threading.Event()
        self.started_ns = time.time_ns()
        self.errors = tempfile.TemporaryFile("w+")
        command = [DATAPLANE, *arguments, "--output", "json", "--interval-ms", "100"]
        self.process = start(command, stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if "ready" in event:
                self.ready.set()
            elif "sample" in event:
                self.take(event["sample"])
        self.ready.set()

    def take(self, sample):
        if time.time_ns() - sample["unix_ns"] > LATE_NS:
            return
        self.worker = self.worker or worker_of(self.process.pid)
        cpu = thread_cpu_ns(self.process.pid, self.worker)
        self.points.append((sample["cores"][0][self.counter], sample["elapsed_ns"], cpu))
        if self.huge_mib is None:
            self.first_packet_s = (sample["unix_ns"] - sample["elapsed_ns"] - self.started_ns) / 1e9
            self.huge_mib = hugepages_mib(self.process.pid)

    def finish(self):
        """Waits for the end; the points."""
        try:
            self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.reader.join(LIMIT_S)
        if self.process.returncode:
            self.errors.seek(0)
            raise Failed("dataplane: " + "".join(self.errors.readlines()[-3:]).strip())
        return self.points


def rate(points):
    """From the first point to the last."""
    points = [p for p in points if p[2]]
    if len(points) < 2 or points[-1][0] == points[0][0]:
        raise Failed("no two samples in time: the machine is too busy")
    packets, wall, cpu = (last - first for first, last in zip(points[0], points[-1]))
    return Turn(packets * 1e9 / wall, packets * 1e9 / cpu)


def profile(name):
    return str(ROOT / "bench" / "profiles" / f"{name}.toml")


def streams(count, frame_size=64):
    """A profile of so many streams of 100 flows by source address, each to an address and a port of its own."""

    def stream(n):
        src = {"start": "10.0.0.1", "min": "10.0.0.1", "max": "10.0.0.100", "inc": "0.0.0.1"}
        return {
            "frame_size": frame_size,
            "ethernet": {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:01:01"},
            "ipv4": {"src": src, "dst": f"10.128.{n >> 8}.{n & 255}", "ttl": 64},
            "udp": {"src": 1024, "dst": 1024 + n},
        }

    path = pathlib.Path(tempfile.gettempdir()) / f"bench-{os.getpid()}-{count}-{frame_size}.json"
    path.write_text(json.dumps({"rate": "max", "streams": [stream(n) for n in range(count)]}))
    return str(path)


def whole(seconds):
    """As `dataplane rx --duration` wants it."""
    return str(math.ceil(seconds))


def lcores(*cpus):
    return ",".join(str(cpu) for cpu in cpus)


def ours_streams(count, seconds, *options, frame_size=64):
    """As `ours_tx`, of many streams: the turn alone."""
    path = streams(count, frame_size)
    try:
        return ours_tx(path, seconds, *options)[0]
    finally:
        os.unlink(path)


def ours_tx(name, seconds, *options):
    """`dataplane tx` on net_null, of one of our profiles or a file. Also: seconds to the first packet, MiB of hugepages."""
    path = name if name.endswith(".json") else profile(name)
    samples = Samples(
        ["tx", "--device", f"vdev:{NULL}", "--profile", path, "--duration", str(seconds)]
        + ["--lcores", lcores(CPUS[0], CPUS[1]), *options],
        "tx_packets",
    )
    turn = rate(samples.finish())
    return turn, samples.first_packet_s, samples.huge_mib


def ours_rx(seconds):
    """`dataplane rx` on net_null, whose frames are all foreign."""
    samples = Samples(
        ["rx", "--device", f"vdev:{NULL}", "--profile", profile("flows_100"), "--duration", whole(seconds)]
        + ["--lcores", lcores(CPUS[0], CPUS[1])],
        "rx_packets",
    )
    return rate(samples.finish())


def ours_ring(seconds):
    """`dataplane tx --round-trip` on net_ring, which gives it back what it sends: all that came back, checked and booked."""
    samples = Samples(
        ["tx", "--device", f"vdev:{RING}", "--profile", profile("flows_100"), "--round-trip", "--duration", str(seconds)]
        + ["--lcores", lcores(CPUS[0], CPUS[1])],
        "rx_packets",
    )
    return rate(samples.finish())


def ours_reflect(seconds, swap="mac"):
    """`dataplane reflect` on net_null."""
    samples = Samples(
        ["reflect", "--device", f"vdev:{NULL}", "--swap", swap, "--duration", whole(seconds)]
        + ["--lcores", lcores(CPUS[0], CPUS[1])],
        "rx_packets",
    )
    return rate(samples.finish())


def testpmd_command(main, worker, device, *arguments):
    eal = ["dpdk-testpmd", f"--lcores=0@{main},1@{worker}", "--in-memory", "--single-file-segments", "--no-pci"]
    own = ["--stats-period=1", "--nb-cores=1", "--txd=1024", "--rxd=1024", "--burst=64", *arguments]
    return eal + [f"--vdev={device}", "--"] + own


def testpmd_ring(seconds):
    """`dpdk-testpmd` flowgen on net_ring: it sends, and frees what comes back."""
    return testpmd(seconds, "--forward-mode=flowgen", "--flowgen-flows=100", device=RING, direction=min)


def testpmd(seconds, *arguments, device=NULL, direction=max):
    """`dpdk-testpmd`: all packets (sent or received, the more of both) by all of its worker's CPU time."""
    command = testpmd_command(CPUS[0], CPUS[1], device, *arguments)
    with tempfile.TemporaryFile("w+") as log:
        process = start(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        begun = ended = cpu = 0
        limit = time.monotonic() + LIMIT_S
        while process.poll() is None and time.monotonic() < limit:
            now, used = time.monotonic(), worker_cpu_ns(process.pid)
            if used > cpu:
                cpu, ended = used, now
            if not begun and used > 1_000_000:
                begun = now - used / 1e9
            if begun and seconds and now - begun > seconds:
                process.send_signal(signal.SIGINT)
                seconds = None
            time.sleep(0.004)  # the interval of looking, not a wait
        if process.poll() is None:
            process.kill()
            process.wait()
        log.seek(0)
        text = log.read()
    totals = re.findall(r"Accumulated forward statistics.*?RX-packets: (\d+).*?TX-packets: (\d+)", text, re.S)
    packets = direction(int(n) for n in totals[-1]) if totals else 0
    if not packets or not cpu:
        raise Failed("dpdk-testpmd: " + text[-300:].strip())
    return Turn(packets / (ended - begun), packets * 1e9 / cpu)


def baseline_binary(folder):
    """Compiles bench/baseline.c against the system's DPDK."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libdpdk"], stdout=subprocess.PIPE, text=True, check=True)
    binary = str(pathlib.Path(folder) / "baseline")
    source = str(ROOT / "bench" / "baseline.c")
    subprocess.run(["cc", "-O3", source, "-o", binary, *flags.stdout.split()], check=True)
    return binary


def baseline(binary, seconds, variant):
    """The C loop; it measures itself."""
    command = [binary, f"--lcores=0@{CPUS[0]},1@{CPUS[1]}", "--in-memory", "--no-pci", f"--vdev={NULL}"]
    process = start(command + ["--", str(seconds), variant], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, errors = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failed("baseline: it did not end") from None
    if process.returncode:
        raise Failed("baseline: " + errors[-300:].strip())
    figures = json.loads(out)
    return Turn(figures["packets"] * 1e9 / figures["wall_ns"], figures["packets"] * 1e9 / figures["cpu_ns"])


def memif(role, folder):
    return f"net_memif0,role={role},id=0,socket={folder}/m.sock,socket-abstract=no"


def pair_ours(seconds, name="flows_100"):
    """`dataplane tx` → `rx` over net_memif: packets received, while both ran."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        shared = ["--profile", profile(name), "--duration"]
        device = lambda role: ["--device", "vdev:" + memif(role, folder)]
        rx = Samples(
            ["rx", *device("server"), *shared, whole(seconds + 3), "--lcores", lcores(CPUS[1], CPUS[0])], "rx_packets"
        )
        rx.ready.wait(LIMIT_S)
        tx = Samples(["tx", *device("client"), *shared, str(seconds), "--lcores", lcores(CPUS[0], CPUS[1])], "tx_packets")
        tx.finish()
        points = rx.finish()
    growing = [p for p, after in zip(points, points[1:]) if 0 < p[0] < after[0]]
    return rate(growing)._replace(cpu=None)


def nonzero_rates(log):
    """The packets a second that testpmd has printed, without seconds of silence."""
    log.seek(0)
    return [int(n) for n in re.findall(r"Rx-pps:\s+(\d+)", log.read()) if int(n)]


def pair_testpmd(seconds):
    """`dpdk-testpmd` txonly → rxonly over net_memif: packets received, by the receiver's own count a second."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder, tempfile.TemporaryFile("w+") as log:
        # Two of its own pools, 370 MiB each, would not fit into the hugepages that scripts/hugepages reserves.
        pool = "--total-num-mbufs=32768"
        commands = [
            testpmd_command(CPUS[1], CPUS[0], memif("server", folder), pool, "--forward-mode=rxonly"),
            testpmd_command(CPUS[0], CPUS[1], memif("client", folder), pool, "--forward-mode=txonly"),
        ]
        rx = start(commands[0], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        limit = time.monotonic() + LIMIT_S
        while not os.path.exists(f"{folder}/m.sock") and rx.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        tx = start(commands[1], **quiet)
        while not worker_cpu_ns(tx.pid) and tx.poll() is None and time.monotonic() < limit:
            time.sleep(0.01)
        # One more than asked: the receiver prints whole seconds, and the first one is not full.
        limit = time.monotonic() + LIMIT_S
        while len(nonzero_rates(log)) < seconds + 1 and tx.poll() is None and time.monotonic() < limit:
            time.sleep(0.1)
        # The receiver first: testpmd 22.11 crashes when its peer leaves.
        for process in (rx, tx):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
        full = nonzero_rates(log)[1:]
    if not full:
        raise Failed("dpdk-testpmd received nothing over memif for a whole second")
    return Turn(statistics.median(full), None)
