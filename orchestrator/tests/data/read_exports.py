"""Reads a folder of all exports with the programs that they are for: csv and pyarrow, prometheus_client, snappi.
Fails where one of them can't, or where Parquet says something else than CSV; prints what they hold as JSON."""

import csv
import json
import pathlib
import sys

import pyarrow.parquet
import snappi
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def typed(kind, cell):
    if cell == "":
        return None
    return {"string": str, "int64": int, "double": float, "bool": lambda c: c == "true"}[kind](cell)


def table(folder, name):
    parquet = pyarrow.parquet.read_table(folder / f"{name}.parquet")
    with open(folder / f"{name}.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == parquet.column_names, (list(lines[0]), parquet.column_names)
    kinds = {field.name: str(field.type) for field in parquet.schema}
    rows = parquet.to_pylist()
    assert [{k: typed(kinds[k], v) for k, v in line.items()} for line in lines] == rows
    meta = pyarrow.parquet.read_metadata(folder / f"{name}.parquet").row_group(0).column(0)
    return {"kinds": kinds, "rows": rows, "compression": meta.compression}


def loose(value):
    if isinstance(value, dict):
        return {key: loose(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [loose(inner) for inner in value]
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def main():
    folder = pathlib.Path(sys.argv[1])
    found = {name: table(folder, name) for name in ("trials", "samples", "cores")}
    families = list(text_string_to_metric_families((folder / "figures.om").read_text()))
    found["openmetrics"] = {
        family.name: {"type": family.type, "unit": family.unit, "samples": [[s.labels, s.value] for s in family.samples]}
        for family in families
    }
    flows, ports = (folder / "otg.json").read_text().splitlines()
    read = lambda line: snappi.snappi.MetricsResponse().deserialize(line)
    # What the client does not know it refuses.
    found["flows"] = json.loads(read(flows).serialize())
    found["ports"] = json.loads(read(ports).serialize())
    # The whole text, nothing dropped. The client writes 64-bit counters as strings, as protobuf's JSON does.
    assert loose(found["flows"]) == loose(json.loads(flows)), found["flows"]
    assert loose(found["ports"]) == loose(json.loads(ports)), found["ports"]
    print(json.dumps(found))


main()
