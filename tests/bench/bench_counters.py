#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What counting costs what is counted: fault-in on real CPUs with and without
`--counters`, in pairs of one repeat each with the same seed, in an order that
is drawn for each pair.  Printed is the median with counters over the median
without them, of the repeats' rates and of their median latencies, with a 95 %
interval (bootstrap over pairs); one JSON object a line.  TDMEM names the
program.

usage: bench_counters.py [PAIRS [LIST]]
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

TDMEM = os.environ.get("TDMEM", "./tdmem")
PAIRS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
LIST = sys.argv[2] if len(sys.argv) > 2 else "default"
WARMUP = 3  # pairs
PAGES = 512
RESAMPLES = 2000
SUB_BITS = 9  # of a histogram's buckets, see "buckets" of any result


def config(vcpus):
    return {
        "schema": "tdmem-config/1", "name": "counters", "backend": "threads",
        "workloads": {"fault-in": {"pages": PAGES}},
        "axes": {"policy": ["spin"], "vcpus": [vcpus]},
        "repeat": {"count": WARMUP + PAIRS},
        "host": {"costs": os.path.abspath("configs/costs/spr.json")},
    }


def bucket_ns(index):
    shift = index >> SUB_BITS
    if shift <= 1:
        return index
    return (index - ((shift - 1) << SUB_BITS)) << (shift - 1)


def median_ns(hist):
    """Of the values of a histogram: the middle of its bucket."""
    left = hist["count"] / 2
    for index, n in hist["buckets"]:
        left -= n
        if left <= 0:
            return (bucket_ns(index) + bucket_ns(index + 1)) / 2
    raise ValueError("more values than buckets hold")


def repeat(path, number, counters):
    """Rate and median latency of one repeat, and what was counted in it."""
    line = subprocess.run(
        [TDMEM, "run", path, "--one", "0:%d" % number, *counters],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    data = json.loads(line)["data"]
    if data["status"] != "ok":
        sys.exit("a repeat ended as " + data["status"])
    counted = [m for m in data["metrics"] if m.startswith("counter.")]
    return (data["metrics"]["fault.rate"],
            median_ns(data["histograms"]["fault.latency"]), counted)


def ratio(pairs):
    on, off = zip(*pairs)
    return statistics.median(on) / statistics.median(off)


def interval(pairs, rng):
    found = sorted(ratio(rng.choices(pairs, k=len(pairs)))
                   for _ in range(RESAMPLES))
    return found[int(RESAMPLES * 0.025)], found[int(RESAMPLES * 0.975)]


def measure(vcpus, rng, path):
    with open(path, "w") as f:
        json.dump(config(vcpus), f)
    pairs = []
    for number in range(WARMUP + PAIRS):
        kinds = [("on", ["--counters", LIST]), ("off", [])]
        rng.shuffle(kinds)
        got = {name: repeat(path, number, args) for name, args in kinds}
        if number >= WARMUP:
            pairs.append((got["on"], got["off"]))
    return pairs


def main():
    rng = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="tdmem-bench-") as folder:
        for vcpus in range(1, min(2, len(os.sched_getaffinity(0))) + 1):
            pairs = measure(vcpus, rng, folder + "/c.json")
            for i, what in enumerate(("rate", "p50")):
                values = [(on[i], off[i]) for on, off in pairs]
                low, high = interval(values, rng)
                print(json.dumps({
                    "name": "counters.fault-in.%d-vcpus.%s" % (vcpus, what),
                    "unit": "ratio", "value": round(ratio(values), 4),
                    "low": round(low, 4), "high": round(high, 4),
                    "pairs": PAIRS, "counted": len(pairs[0][0][2])}),
                    flush=True)


main()
