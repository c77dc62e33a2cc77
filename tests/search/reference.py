#!/usr/bin/env python3
"""The draft's reference implementation (PyPI: MLRsearch) on the devices of orchestrator/src/search/simulated.rs.

Reads {"min", "max", "goals": [{…}], "cases": [{"device", "limit", "share", "seed"}]} on standard input; prints, for each case,
{"seconds", "trials", "lower": [a load or null for each goal]}.
"""
import json
import math
import sys

from MLRsearch import AbstractMeasurer, Config, MeasurementResult, MultipleLossRatioSearch, SearchGoal


class Simulated(AbstractMeasurer):
    def __init__(self, case):
        self.case, self.seed, self.seconds, self.trials = case, case["seed"], 0.0, 0

    def random(self):
        self.seed = (self.seed * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.seed >> 11) / 2**53

    def measure(self, intended_duration, intended_load):
        self.trials += 1
        self.seconds += intended_duration
        random, limit, share = self.random(), self.case["limit"], self.case["share"]
        borne = {
            "limit": min(intended_load, limit),
            "noisy": min(intended_load, limit * (1 + share * (2 * random - 1))),
            "floor": min(intended_load, limit) * (1 - share),
            "cliff": 0.0 if intended_load > limit else intended_load,
        }[self.case["device"]]
        offered = math.floor(intended_load * intended_duration)
        received = min(max(math.floor(borne * intended_duration), 0), offered)
        return MeasurementResult(
            intended_duration=intended_duration, intended_load=intended_load, offered_count=offered,
            forwarding_count=received)


given = json.load(sys.stdin)
goals = [SearchGoal(**dict(goal, fail_fast=False)) for goal in given["goals"]]
answers = []
for case in given["cases"]:
    config = Config()
    config.goals = goals
    config.min_load, config.max_load = 1.0, given["max"]
    config.min_load = given["min"]
    config.search_duration_max, config.warmup_duration = 1e6, 1.0
    device = Simulated(case)
    results = MultipleLossRatioSearch(config=config).search(device, debug=lambda text: None)
    lower = [results[goal].relevant_lower_bound for goal in goals]
    answers.append(dict(seconds=device.seconds, trials=device.trials, lower=[b and float(b) for b in lower]))
print(json.dumps(answers))
