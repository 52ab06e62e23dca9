#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
How often `tdmem compare` is wrong about runs on real CPUs.

A trial is one run of two sides, interleaved, on the backend `threads`, and
one comparison of them.  Trials come in pairs: in the first the sides are
alike, so that any change that is called is a false alarm; in the second each
page clear of the new side takes longer, and the change must be found.

The clears that are made longer are the 512 of an ACCEPT of 2M.  The base
side's cost table says that they cost nothing, so that a clear is 64 direct
stores and takes what it takes; the trial before says how long that is here
and now.  The new side's table says so much more, which the machine waits out.

Exit status: 0 within what is allowed, 3 not, 1 a trial could not be made.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
COSTS = os.path.join(ROOT, "configs/costs/spr.json")

ALARMS_ALLOWED = 0.05
FOUND_LEAST = 0.90
CLEAR = "tdg_mem_page_accept.latency p50"
CLEARS = 512  # of 4K in an ACCEPT of 2M
CHANGES = ("better", "worse", "changed")
# Lock words of an ACCEPT: the least that a table may say is these, too.
WORDS = 3


def config(args, costs):
    return {
        "schema": "tdmem-config/1", "name": "aa-trials",
        "backend": args.backend,
        "workloads": {"fault-in": {"pages": args.pages, "stuck_percent": 0}},
        "axes": {"policy": ["kick-once"], "page_size": ["4k", "2m"],
                 "vcpus": [1, 2]},
        "repeat": {"count": args.repeats, "warmup": args.warmup},
        "host": {"costs": costs},
    }


class Table:
    """The cost table, with another ACCEPT of 2M."""

    def __init__(self):
        with open(COSTS) as f:
            self.root = json.load(f)
        self.entry = {e["name"]: e for e in self.root["entries"]}

    def ns(self, name, column="typ"):
        unit = {"ns": 1, "us": 1e3}[self.entry[name]["unit"]]
        return self.entry[name][column] * unit

    def write(self, path, clears_ns):
        """The 512 clears of an ACCEPT take at least so long."""
        accept = dict(self.entry["accept_2m"], unit="ns", mark="assumption",
                      source="aa_trials.py: a fixed part and 512 clears")
        for column in "low", "typ", "high":
            accept[column] = round(self.ns("tdcall", column) + clears_ns +
                                   WORDS * self.ns("line_local", column), 3)
        entries = [accept if e["name"] == "accept_2m" else e
                   for e in self.root["entries"]]
        with open(path, "w") as f:
            json.dump(dict(self.root, entries=entries), f)


def write_json(path, root):
    with open(path, "w") as f:
        json.dump(root, f)


def tdmem(args, *words):
    done = subprocess.run([args.tdmem, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("aa_trials: %s: exit status %d: %s" % (
            words[0], done.returncode, done.stderr.strip()[:300]))
    return done.stdout


def compared(args, folder, seed, new_costs):
    """One run of two sides, compared: what `tdmem compare` says of each."""
    result = os.path.join(folder, "result.json")
    path = os.path.join(folder, "config.json")
    tdmem(args, "run", path, "--baseline", path, "-q", "-o", result,
          "--set", "seed=%d" % seed, "--set-new", "host.costs=" + new_costs)
    document = json.loads(tdmem(args, "compare", "--format", "json", result))
    return [{"metric": group["about"]["name"],
             "page_size": row["axes"]["page_size"],
             "vcpus": row["axes"]["vcpus"],
             "base": row["sides"][0]["median"], **change}
            for group in document["groups"] for row in group["rows"]
            for change in row["changes"]]


def clears(rows):
    """The ACCEPTs of 2M, of which 512 clears are the most, by vCPUs."""
    return {r["vcpus"]: r for r in rows
            if r["metric"] == CLEAR and r["page_size"] == "2m"}


def tell(args, number, what, rows):
    """A line for each trial: what was called, and the longer clear."""
    called = ["%s, %s, %d vCPUs: %s %+.1f %%" % (
        r["metric"], r["page_size"], r["vcpus"], r["verdict"],
        100 * r["ratio"]) for r in rows if r["verdict"] in CHANGES]
    took = ", ".join("%.1f us %+.1f %%" % (r["base"] / 1e3, 100 * r["ratio"])
                     for r in clears(rows).values())
    print("%3d %-6s ACCEPT of 2M: %s; %s" % (
        number, what, took, "; ".join(called) or "no change"),
        file=sys.stderr, flush=True)


def make_trials(args, folder):
    """Trials with an alarm; those that found the longer clear, by vCPUs."""
    table = Table()
    base, longer = (os.path.join(folder, f) for f in ("base.json",
                                                      "longer.json"))
    # On virtual time nothing is real, so that the table must say it.
    least = 0 if args.backend == "threads" else CLEARS * table.ns("clear_4k")
    table.write(base, least)
    write_json(os.path.join(folder, "config.json"), config(args, base))
    alarms, found, comparisons = 0, {1: 0, 2: 0}, 0
    for number in range(1, args.trials + 1):
        rows = compared(args, folder, 2 * number, base)
        tell(args, number, "alike", rows)
        comparisons = len(rows)
        alarms += any(r["verdict"] in CHANGES for r in rows)
        # The faster one: no clear gets longer than it is meant to.
        took = min(r["base"] for r in clears(rows).values())
        table.write(longer, (took - table.ns("tdcall")) *
                    (1 + args.longer / 100))
        rows = compared(args, folder, 2 * number + 1, longer)
        tell(args, number, "longer", rows)
        for vcpus in found:
            # Anything of that cell, as an alarm is anything.
            found[vcpus] += any(
                r["verdict"] == "worse" and r["vcpus"] == vcpus and
                r["page_size"] == "2m" for r in rows)
    return alarms, found, comparisons


def report(what, count, trials, bound, good):
    print("%-34s %3d of %d trials (%s): %s" % (
        what, count, trials, bound, "ok" if good else "off"))
    return good


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    p.add_argument("tdmem", help="the program")
    p.add_argument("--trials", type=int, default=100,
                   help="of each kind [100]")
    p.add_argument("--longer", type=float, default=10, metavar="PERCENT",
                   help="page clears of the second kind [10]")
    p.add_argument("--repeats", type=int, default=40,
                   help="of each cell and side [40]")
    p.add_argument("--warmup", type=int, default=2, help="rounds [2]")
    p.add_argument("--pages", type=int, default=16,
                   help="of each vCPU in a repeat [16]")
    p.add_argument("--backend", choices=("threads", "sim"), default="threads",
                   help="sim: the same on virtual time [threads]")
    return p.parse_args()


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        alarms, found, comparisons = make_trials(args, folder)
    print("%d comparisons a trial, %d repeats a side, backend %s" % (
        comparisons, args.repeats, args.backend))
    good = report("alike: a change is called", alarms, args.trials,
                  "at most %.0f %%" % (100 * ALARMS_ALLOWED),
                  alarms <= ALARMS_ALLOWED * args.trials)
    for vcpus, count in found.items():
        good &= report("clear +%g %%: found with %d vCPU%s" % (
            args.longer, vcpus, "s" if vcpus > 1 else ""), count, args.trials,
            "at least %.0f %%" % (100 * FOUND_LEAST),
            count >= FOUND_LEAST * args.trials)
    return 0 if good else 3


sys.exit(main())
