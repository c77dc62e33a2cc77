"""Damages npz files as `how` says, by numpy: damage.py HOW FILE."""

import sys

import numpy

how, path = sys.argv[1:]
if how == "truncate":
    data = open(path, "rb").read()
    open(path, "wb").write(data[: len(data) * 2 // 3])
    sys.exit()
with numpy.load(path) as archive:
    arrays = {key: archive[key] for key in archive}
if how == "nan":
    arrays["mbits_tx"] = numpy.append(arrays["mbits_tx"][:-1], numpy.nan)
elif how == "backwards":
    arrays["rx_packets"] = arrays["rx_packets"][::-1].copy()
elif how == "hole":
    arrays["sample_unix_ns"][-1] += 60_000_000_000
elif how == "no-key":
    del arrays["rx_pps"]
elif how == "strings":
    arrays["rx_pps"] = arrays["rx_pps"].astype(str)
numpy.savez(path, **arrays)
