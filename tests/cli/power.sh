#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How often `tdmem compare` is wrong, measured on the model with its jitter:
# results that differ in their seeds only (false alarms), and results in which
# one cost is 3 % higher (changes that are missed).  Seeds are fixed, so the
# counts are the same each time.  False alarms are promised in 5 % of the
# comparisons; 66 pairs of 12 results depend on each other, so that twice as
# many are allowed here.

. "$(dirname "$0")/lib.sh"

/usr/bin/python3 - "$TDMEM" "$root" "$dir" <<'PY'
import itertools
import json
import subprocess
import sys

from checks import check, finish

tdmem, root, folder = sys.argv[1:]
REPEATS = 10


def run(name, seed, costs):
    path = "%s/%s.json" % (folder, name)
    subprocess.run(
        [tdmem, "run", root + "/configs/quick.json", "-q", "-o", path,
         "--set", "axes.vcpus=[1,4]", "--set", 'axes.policy=["kick-once"]',
         "--set", "repeat.count=%d" % REPEATS, "--set", "seed=%d" % seed,
         "--set", "host.costs=" + costs],
        check=True, stdout=subprocess.DEVNULL)
    return path


def compare(base, new):
    text = subprocess.run([tdmem, "compare", "--format", "json", base, new],
                          check=True, stdout=subprocess.PIPE).stdout
    return json.loads(text)


def called(document):
    """(metric, verdict) of everything that is called a change."""
    return [(group["about"]["metric"], change["verdict"])
            for group in document["groups"] for row in group["rows"]
            for change in row["changes"]
            if change["verdict"] in ("better", "worse", "changed")]


shipped = root + "/configs/costs/spr.json"
base = [run("base%d" % i, 1000 + i, shipped) for i in range(12)]

pairs = list(itertools.combinations(base, 2))
alarms = sum(bool(called(compare(a, b))) for a, b in pairs)
check(alarms <= 0.10 * len(pairs),
      "A/A: %d of %d comparisons with a false alarm" % (alarms, len(pairs)))

for cost in "page_aug", "mem_track", "page_remove":
    with open(shipped) as f:
        table = json.load(f)
    for entry in table["entries"]:
        if entry["name"] == cost:
            entry["typ"] *= 1.03
            entry["high"] = max(entry["high"], entry["typ"])
    raised = "%s/%s-costs.json" % (folder, cost)
    with open(raised, "w") as f:
        json.dump(table, f)
    found = wrong = 0
    for i, path in enumerate(base[:10]):
        got = called(compare(path, run("new", 2000 + i, raised)))
        found += ("tdh_%s.latency" % (cost if cost.startswith("mem_")
                                      else "mem_" + cost), "worse") in got
        wrong += any(verdict == "better" for _, verdict in got)
    check(found == 10,
          "%s +3 %%: found in %d of 10" % (cost, found))
    check(wrong == 0, "%s +3 %%: nothing became better" % cost)

finish()
PY
