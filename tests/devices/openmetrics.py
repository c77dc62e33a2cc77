#!/usr/bin/env python3
"""Reads OpenMetrics text on standard input by Prometheus' own parser, and by the rules that promtool checks.

Prints a JSON object of what it read: family → {"type", "unit", "samples": [[name, labels, value], …]}.
"""
import json
import re
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

families, faults = {}, []
for family in text_string_to_metric_families(sys.stdin.read()):
    if not re.fullmatch(r"dpdkbench_[a-z][a-z0-9_]*", family.name):
        faults.append(f"{family.name}: not snake_case, or without the program's prefix")
    if not family.documentation.endswith("."):
        faults.append(f"{family.name}: its help is no sentence: {family.documentation!r}")
    if re.search(r"_(total|count|sum|bucket|info)$", family.name):
        faults.append(f"{family.name}: ends with a suffix that samples have")
    if family.unit and not family.name.endswith("_" + family.unit):
        faults.append(f"{family.name}: its unit {family.unit} does not stand last")
    if re.search(r"_(ns|ms|us|milliseconds|kilobytes|percent)(_|$)", family.name):
        faults.append(f"{family.name}: no base unit")
    if family.type == "counter" and not family.unit:
        faults.append(f"{family.name}: a counter of what?")
    seen = set()
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        if key in seen:
            faults.append(f"{sample.name}: {sample.labels} twice")
        seen.add(key)
    samples = [[sample.name, sample.labels, sample.value] for sample in family.samples]
    families[family.name] = {"type": family.type, "unit": family.unit, "samples": samples}

if faults:
    sys.exit("\n".join(faults))
print(json.dumps(families))
