#!/usr/bin/env python3
"""Scores what `arki-agent replay` raised against truth.csv. Standard library only.

    score.py TRUTH.csv EVENTS.ndjson

caught    an event on the failing series (swap and memory stand for each other), after the onset and at least min(30 min, a
          third of onset..fail) before the failure
lead      from the first such event to the failure, median
ETA       |raised_at + eta_seconds - fail| / lead of that event; within a quarter, as a share of all failures
holds     the share of those events whose eta_low..eta_high contains the failure
false     events outside onset..fail + 30 min, per host and week
"""
import csv
import json
import statistics
import sys
from collections import defaultdict

ALIAS = {"swap.used_percent": "memory.used_percent", "memory.used_percent": "swap.used_percent"}
WEEKS = 10 / 7


def main(truth_path, events_path):
    events = defaultdict(list)
    for line in open(events_path):
        if line.strip():
            event = json.loads(line)
            events[event["host"]].append(event)
    hosts = defaultdict(list)
    for row in csv.DictReader(open(truth_path)):
        failures = hosts[row["host"], row["kind"]]
        if row["fail"]:
            failures.append((row["series"], float(row["onset"]), float(row["fail"])))
    kinds = defaultdict(lambda: {"failures": 0, "lead": [], "error": [], "holds": [], "false": 0, "hosts": 0})
    for (host, kind), failures in hosts.items():
        k = kinds[kind]
        mine = sorted(events[host], key=lambda e: e["raised_at"])
        k["hosts"] += 1
        k["failures"] += len(failures)
        k["false"] += sum(not any(a <= e["raised_at"] <= f + 1800 for _, a, f in failures) for e in mine)
        for series, onset, fail in failures:
            need = fail - min(1800, (fail - onset) / 3)
            hits = [e for e in mine if onset <= e["raised_at"] <= need and e["series"] in (series, ALIAS.get(series))]
            if not hits:
                continue
            k["lead"].append(fail - hits[0]["raised_at"])
            own = next((e for e in hits if e["series"] == series and e["eta_seconds"] is not None), None)
            if own is None:
                k["error"].append(1.0)
                continue
            left = fail - own["raised_at"]
            k["error"].append(abs(own["eta_seconds"] - left) / left)
            k["holds"].append(own["eta_low"] <= left <= own["eta_high"])
    print(f"{'kind':30} caught  lead (min)  ETA  false")
    for kind, k in kinds.items():
        print(f"{kind:30} {figures(k)}")
    every = lambda key: [x for k in kinds.values() for x in k[key]]
    total = sum(k["failures"] for k in kinds.values())
    weeks = WEEKS * sum(k["hosts"] for k in kinds.values())
    print(json.dumps({
        "failures": total, "recall": share(len(every("lead")), total),
        "median_lead_min": round(statistics.median(every("lead")) / 60, 1) if every("lead") else None,
        "eta_within_25pct": share(sum(e <= .25 for e in every("error")), total),
        "interval_holds": share(sum(every("holds")), len(every("holds"))),
        "false_per_host_week": share(sum(k["false"] for k in kinds.values()), weeks),
    }))


def share(part, whole):
    return round(part / whole, 3) if whole else None


def figures(k):
    if not k["failures"]:
        return f"{'-':>6}  {'':10}  {'':3}  {k['false']:5}"
    lead = f"{statistics.median(k['lead']) / 60:10.0f}" if k["lead"] else " " * 10
    right = sum(e <= .25 for e in k["error"])
    return f"{len(k['lead']):>3}/{k['failures']:<2}  {lead}  {right:3}  {k['false']:5}"


if __name__ == "__main__":
    main(*sys.argv[1:3])
