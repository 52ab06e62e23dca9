#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What each policy is said to do shows in the numbers of a result, with the
# shipped cost table: kick-once never needs a third try, spin under zero-step
# wastes calls, spin16 can end with the VM bugged and that is told.  Why it is
# so is tested with scenes of their own by tests/unit/test_policies.c.
# And the published sums come out when nothing contends, within 20 %.

. "$(dirname "$0")/lib.sh"

run() { # name
	"$TDMEM" run "$root/tests/cli/$1.json" \
		--set "host.costs=\"$root/configs/costs/spr.json\"" \
		-o "$dir/$1.json" >/dev/null
}

run claims && run sums && "$TDMEM" show "$dir/claims.json" >"$dir/shown" || {
	fail "runs and their tables"
	finish
}
/usr/bin/python3 - "$dir/claims.json" "$dir/shown" "$dir/sums.json" <<'PY'
import json
import sys

from checks import check, finish

result = json.load(open(sys.argv[1]))
shown = open(sys.argv[2]).read()


def cells(policy, workload=None):
    found = [c for c in result["cells"] if c["axes"]["policy"] == policy
             and workload in (None, c["axes"]["workload"])]
    assert found
    return found


def values(cells, metric):
    return [r["metrics"].get(metric, 0) for c in cells for r in c["repeats"]]


def most(cells, histogram):
    return max(r["histograms"][histogram]["max"] for c in cells
               for r in c["repeats"] if histogram in r["histograms"])


removal = ("tdh_mem_range_block", "tdh_mem_track", "tdh_mem_page_remove")

kick_once = cells("kick-once")
check(all(c["status"] == "ok" for c in kick_once), "kick-once ends ok")
for call in removal:
    check(most(cells("kick-once", "block-remove"), call + ".retries") <= 2,
          "kick-once: at most two tries of " + call)
    # It does meet BUSY elsewhere, or nothing has been shown.
check(max(most(cells("spin", "block-remove"), c + ".retries")
          for c in removal) > 2, "spin: more than two tries of a removal")
check(max(values(kick_once, "calls.busy")) > 0, "kick-once meets BUSY")

stormy = [c for c in cells("spin", "zero-step") if c["axes"]["vcpus"] == 16]
check(min(values(stormy, "calls.busy_per_1000")) > 100,
      "spin under zero-step: more than a tenth of the calls is BUSY")
check(min(values(stormy, "time.busy")) > 5,
      "spin under zero-step: more than 5 % of the vCPUs' time is wasted")
check(min(values(stormy, "zero_step.refused")) > 0,
      "zero-step: entries are refused")

bugged = [c for c in cells("spin16") if c["status"] == "vm-bugged"]
check(bugged, "spin16: a VM is bugged")
check(all("TDX_OPERAND_BUSY" in c["reason"] for c in bugged),
      "spin16: the reason is told")
check("bugged" in shown and "TDX_OPERAND_BUSY" in shown,
      "show prints that it is bugged, and why")

sums = json.load(open(sys.argv[3]))


def typical(workload, histogram):
    """Smallest value of the bucket that most values are in, in us."""
    cell, = [c for c in sums["cells"] if c["axes"]["workload"] == workload]
    h = cell["repeats"][0]["histograms"][histogram]
    index = max(h["buckets"], key=lambda b: b[1])[0]
    shift = max((index >> 9) - 1, 0)
    return ((index - (shift << 9)) << shift) / 1000


for workload, histogram, low, high in (
        ("fault-in", "fault.latency", 8, 8),
        ("block-remove", "removal.latency", 15.3, 18.4),
        ("reclaim", "reclaim.latency", 4.8, 5.1)):
    us = typical(workload, histogram)
    check(low * 0.8 <= us <= high * 1.2,
          "%s of %s: %.2f us, published %g to %g" % (histogram, workload, us,
                                                     low, high))

finish()
PY
