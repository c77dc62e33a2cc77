"""Reads a folder of results as the old system's scripts did: numpy and text, nothing else, and nothing of result.json.

What is expected is what the old formats say: names of files, keys and shapes of arrays, lines of CSV and log, keys of
metadata, and the rules of `sanity` and `validate`. Prints one JSON object a pair.
Usage: old_scripts.py RESULTS PROFILE TX_WORKERS RX_WORKERS MIN_SAMPLES OPTION..."""

import json
import pathlib
import re
import sys
from datetime import datetime, timedelta, timezone

import numpy

NPZ = re.compile(
    r"(?P<expid>[0-9a-f]{8})_(?P<pod>(?:tx|rx)\d+)_(?P<role>tx|rx)_txcores_(?P<tx>[0-9,-]+)_rxcores_(?P<rx>[0-9,-]+)"
    r"_spec_(?P<profile>.+)_(?P<time>\d{8}_\d{6})\.npz"
)
RX_KEYS = "rx_pps tx_pps rx_bytes tx_bytes rx_packets tx_packets rx_errors rx_missed rx_nombuf".split()
RATE_KEYS = (
    "mbits_tx pkts_tx obytes opackets imissed oerrors rx_nombuf pkts_rx mbits_rx ipackets ibytes ierrors".split()
)
PORT_KEYS = "rx_nombuf opackets imissed ierrors ibytes oerrors obytes ipackets".split()
VALID = {"rx": "rx_pps tx_pps rx_bytes rx_packets".split(), "tx": "pkts_tx obytes opackets port_obytes".split()}
LOG = [
    r"  RX-packets: (\d+) +RX-missed: (\d+) +RX-bytes: +(\d+)",
    r"  RX-errors: (\d+)",
    r"  RX-nombuf: +(\d+)",
    r"  TX-packets: (\d+) +TX-errors: (\d+) +TX-bytes: +(\d+)",
    r"  Rx-pps: +(\d+) +Rx-bps: +(\d+)",
    r"  Tx-pps: +(\d+) +Tx-bps: +(\d+)",
]
METADATA = (
    "expid timestamp profile tx_pod rx_pod tx_node rx_node tx_mac rx_mac tx_numa rx_numa"
    " warmup_cmd_tx warmup_cmd_rx testpmd_cmd tx_cmdline rx_cmdline".split()
)
MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)


def check(truth, *what):
    if not truth:
        raise SystemExit(f"old_scripts: {what}")


def cores(text):
    """How many cores a list names: 1-3,5 are four."""
    ends = [part.split("-") for part in text.split(",")]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def utc(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def read_npz(folder, pod, role, wanted):
    found = [(path, NPZ.fullmatch(path.name)) for path in folder.glob(f"*_{pod}_{role}_*.npz")]
    check(len(found) == 1 and found[0][1], "one npz of", pod, [p.name for p in folder.iterdir()])
    path, name = found[0]
    check(name["expid"] == folder.parent.name, "expid of", path.name, folder)
    check(name["profile"] == wanted["profile"], "profile of", path.name)
    # On a machine with fewer CPUs than workers, several share one.
    named = (cores(name["tx"]), cores(name["rx"]))
    check(all(1 <= n <= most for n, most in zip(named, wanted["workers"])), "cores of", path.name, wanted["workers"])
    with numpy.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    for key in VALID[role]:
        check(len(arrays[key]) >= wanted["min_samples"], key, "is short:", arrays[key])
    return path, name, arrays


def check_rx(arrays):
    samples = len(arrays["rx_pps"])
    for key in RX_KEYS:
        array = arrays[key]
        check(array.ndim == 1 and array.dtype == numpy.int64 and len(array) == samples, key, array.dtype, array.shape)
        check((array >= 0).all(), key, array)
    for key in RX_KEYS[2:]:
        check((numpy.diff(arrays[key]) >= 0).all(), "totals grow", key, arrays[key])
    check(arrays["rx_packets"][-1] > 0 and arrays["rx_bytes"][-1] >= 60 * arrays["rx_packets"][-1], arrays)
    return samples


def check_tx(arrays):
    samples = len(arrays["pkts_tx"])
    for key in RATE_KEYS + ["port_" + key for key in PORT_KEYS]:
        array = arrays[key]
        check(array.ndim == 1 and len(array) == samples and array.dtype.kind in "if", key, array.dtype, array.shape)
        check(numpy.isfinite(array).all() and (array >= 0).all(), key, array)
    for key in PORT_KEYS:
        check((numpy.diff(arrays["port_" + key]) >= 0).all(), "totals grow", key)
    check((arrays["pkts_tx"] == arrays["opackets"]).all(), "both are packets a second")
    # Megabits on the wire: 60 bytes become 84 with FCS, preamble and gap.
    wire = (arrays["obytes"] + 24.0 * arrays["opackets"]) * 8 / 1e6
    check(numpy.allclose(arrays["mbits_tx"], wire, rtol=1e-3, atol=1e-3), arrays["mbits_tx"], wire)
    return samples


def check_csv(path, arrays, keys, prefix, samples):
    lines = path.read_text().splitlines()
    check(len(lines) == samples, path.name, len(lines), samples)
    for row, line in enumerate(lines):
        time, *pairs = line.split(",")
        utc(time)
        values = dict(pair.split("=", 1) for pair in pairs)
        check(sorted(values) == sorted(keys), path.name, line)
        for key in keys:
            check(abs(float(values[key]) - arrays[prefix + key][row]) < 0.01, path.name, key, row)
    times = [utc(line.split(",")[0]) for line in lines]
    check(times == sorted(times), path.name, times)


def check_log(path, arrays=None):
    text = path.read_text()
    found = [[tuple(map(int, m)) if isinstance(m, tuple) else int(m) for m in re.findall(p, text)] for p in LOG]
    check(len({len(lines) for lines in found}) == 1, path.name, [len(lines) for lines in found])
    if arrays:
        check([line[0] for line in found[0]] == arrays["rx_packets"].tolist(), path.name, "RX-packets")
        check([line[2] for line in found[0]] == arrays["rx_bytes"].tolist(), path.name, "RX-bytes")
        check([line[0] for line in found[4]] == arrays["rx_pps"].tolist(), path.name, "Rx-pps")
    return len(found[0])


def check_metadata(folder, npz_time, options):
    lines = (folder / "metadata.txt").read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    check(all(len(pair) == 2 for pair in pairs), "key=value", pairs)
    values = dict(pairs)
    for key in METADATA:
        check(values.get(key), "metadata.txt has no", key)
    check(values["expid"] == folder.parent.name, values["expid"])
    check([values["tx_pod"], values["rx_pod"]] == folder.name.split("-"), "pods")
    check(MAC.fullmatch(values["tx_mac"]) and MAC.fullmatch(values["rx_mac"]), "MACs")
    int(values["tx_numa"]), int(values["rx_numa"])
    started = datetime.strptime(npz_time, "%Y%m%d_%H%M%S").replace(tzinfo=timezone.utc)
    check(abs(utc(values["timestamp"]) - started) <= timedelta(seconds=1), values["timestamp"], npz_time)
    check(timedelta(0) <= datetime.now(timezone.utc) - started < timedelta(hours=1), "UTC", started)
    for option in options:
        key, value = option.split("=", 1)
        check(values.get(key) == value, "the option", option, "is", values.get(key))
    return values


def read_pair(folder, wanted, options):
    tx_pod, rx_pod = folder.name.split("-")
    tx_path, tx_name, tx = read_npz(folder, tx_pod, "tx", wanted)
    rx_path, rx_name, rx = read_npz(folder, rx_pod, "rx", wanted)
    check(tx_name["time"] == rx_name["time"] and tx_name["tx"] == rx_name["tx"], tx_path.name, rx_path.name)
    tx_samples, rx_samples = check_tx(tx), check_rx(rx)
    check_csv(folder / f"{tx_pod}_port_stats.csv", tx, PORT_KEYS, "port_", tx_samples)
    check_csv(folder / f"{tx_pod}_port_rate_stats.csv", tx, RATE_KEYS, "", tx_samples)
    check(check_log(folder / f"{rx_pod}_stats.log", rx) == rx_samples, "a block a second")
    check(check_log(folder / f"{rx_pod}_warmup.log") >= 1, "the warm-up has a block")
    metadata = check_metadata(folder, tx_name["time"], options)
    return {
        "pair": folder.name,
        "sent": int(tx["port_opackets"][-1]),
        "received": int(rx["rx_packets"][-1]),
        "tx_samples": tx_samples,
        "rx_samples": rx_samples,
        "rx_pps_mean": float(numpy.mean(rx["rx_pps"])),
        "profile": metadata["profile"],
    }


def main():
    results, profile, tx_workers, rx_workers, min_samples, *options = sys.argv[1:]
    workers = (int(tx_workers), int(rx_workers))
    wanted = {"profile": profile, "workers": workers, "min_samples": int(min_samples)}
    for folder in sorted(pathlib.Path(results).glob("*/tx*-rx*")):
        print(json.dumps(read_pair(folder, wanted, options)))


main()
