#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make a history of results out of one: a night each, with known changes.

Usage: make_history.py [OPTION]... RESULT DIR

The rates and latencies of the workloads' operations are multiplied by noise
(lognormal, with outliers) and by the steps; everything else is the result's.
The same files from the same seed.
"""

import argparse
import datetime
import json
import math
import os
import random

SUB_BITS = 9


def value_of(index):
    shift = index >> SUB_BITS
    if shift <= 1:
        return index
    return (index - ((shift - 1) << SUB_BITS)) << (shift - 1)


def index_of(value):
    extra = max(value.bit_length() - SUB_BITS - 1, 0)
    return (value >> extra) + (extra << SUB_BITS)


def scaled_hist(hist, factor):
    """A latency histogram with all values multiplied."""
    buckets = {}
    for index, count in hist["buckets"]:
        to = index_of(int(value_of(index) * factor))
        buckets[to] = buckets.get(to, 0) + count
    hist = dict(hist, buckets=[[i, buckets[i]] for i in sorted(buckets)])
    for key in ("min", "max", "sum"):
        if key in hist:
            hist[key] = int(hist[key] * factor)
    return hist


def scaled_cell(cell, operation, noise, factor):
    """A slower cell (factor below 1) has lower rates and longer latencies."""
    for repeat in cell["repeats"]:
        speed = factor * noise()
        rate, latency = operation + ".rate", operation + ".latency"
        if rate in repeat["metrics"]:
            repeat["metrics"][rate] *= speed
        if latency in repeat["histograms"]:
            repeat["histograms"][latency] = scaled_hist(
                repeat["histograms"][latency], 1 / speed)
    return cell


class Step:
    """RUN:FACTOR[:AXIS=VALUE[,AXIS=VALUE]...]"""

    def __init__(self, text):
        run, factor, *axes = text.split(":")
        self.run, self.factor = int(run), float(factor)
        self.axes = [a.split("=") for a in axes[0].split(",")] if axes else []

    def holds(self, run, axes):
        return run >= self.run and all(
            str(axes.get(k)) == v for k, v in self.axes)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("result")
    p.add_argument("dir")
    p.add_argument("--runs", type=int, default=60)
    p.add_argument("--start", default="2026-01-01T02:00:00Z")
    p.add_argument("--step", type=Step, action="append", default=[],
                   metavar="RUN:FACTOR[:AXIS=VALUE,...]")
    p.add_argument("--noise", type=float, default=0,
                   help="standard deviation of a repeat, a share")
    p.add_argument("--outliers", type=float, default=0,
                   help="share of repeats that are 5 to 10 deviations slower")
    p.add_argument("--bad", action="append", default=[], type=Step,
                   metavar="RUN:0[:AXIS=VALUE,...]",
                   help="cells that are livelocked from a run on")
    p.add_argument("--host", help="the environment's host")
    p.add_argument("--config", help="the config's name")
    p.add_argument("--measured", action="store_true",
                   help="say that it is no model output")
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def noise_of(args, rng):
    def noise():
        s = 0.5
        mean = math.exp(s * s / 2)
        deviation = mean * math.sqrt(math.exp(s * s) - 1)
        x = (math.exp(s * rng.gauss(0, 1)) - mean) / deviation
        if rng.random() < args.outliers:
            x = 5 + 5 * rng.random()
        return 1 / (1 + args.noise * max(x, -3))

    return noise


def changed_top(line, args, run, start):
    """The environment of that night."""
    key, rest = line.split(b": ", 1)
    env = json.loads(rest.rstrip(b",\n"))
    at = start + datetime.timedelta(days=run)
    env["time"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    env.setdefault("tags", {})["commit"] = f"{run + 1:012x}"
    if args.host:
        env["host"] = args.host
    return key + b": " + json.dumps(env).encode() + b",\n"


def changed_cell(line, operations, args, run, rng):
    steps = [s for s in args.step if run >= s.run]
    bad = [s for s in args.bad if run >= s.run]
    if not (args.noise or steps or bad):
        return line
    text = line.rstrip(b"\n")
    comma = text.endswith(b",")
    cell = json.loads(text.rstrip(b","))
    axes = cell["axes"]
    factor = math.prod(s.factor for s in steps if s.holds(run, axes))
    if args.noise or factor != 1:
        cell = scaled_cell(cell, operations[axes["workload"]],
                           noise_of(args, rng), factor)
    if any(s.holds(run, axes) for s in bad):
        cell.update(status="livelock", reason="nothing was done any more")
        for repeat in cell["repeats"]:
            repeat["status"] = "livelock"
    return (json.dumps(cell, separators=(",", ":")).encode() +
            (b",\n" if comma else b"\n"))


def main():
    args = arguments()
    with open(args.result, "rb") as f:
        lines = f.readlines()
    top = json.loads(b"".join(
        line for line in lines if not line.startswith(b'{"axes"')))
    operations = {k: w["operation"] for k, w in top["workloads"].items()}
    start = datetime.datetime.strptime(args.start, "%Y-%m-%dT%H:%M:%SZ")
    rng = random.Random(args.seed)
    os.makedirs(args.dir, exist_ok=True)
    for run in range(args.runs):
        out = []
        for line in lines:
            if line.startswith(b'"environment"'):
                line = changed_top(line, args, run, start)
            elif line.startswith(b'"config"') and args.config:
                config = dict(top["config"], name=args.config)
                line = b'"config": ' + json.dumps(config).encode() + b",\n"
            elif line.startswith(b'"workloads"') and args.measured:
                line = line.replace(b'"modelled":true', b'"modelled":false')
            elif line.startswith(b'{"axes"'):
                line = changed_cell(line, operations, args, run, rng)
            out.append(line)
        name = f"night-{run:04d}.json"
        with open(os.path.join(args.dir, name), "wb") as f:
            f.writelines(out)


main()
