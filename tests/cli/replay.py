# SPDX-License-Identifier: GPL-2.0-only
"""Checks of tdmem explore --replay.  Usage: replay.py PROGRAM ROOT DIR"""

import collections
import json
import os
import re
import subprocess
import sys

from checks import check, finish, skip
from debugger import gdb, why_no_gdb
from trace_events import Trace

tdmem, root, folder = sys.argv[1:]
ORDER = folder + "/order.json"

# Broken when all is over, so that a whole removal and its kicks are there.
WHOLE = {
    "schema": "tdmem-claim/1", "name": "\x1b[31mwhole", "policy": "kick-once",
    "pages": 8, "setup": ["prefault 0"],
    "strands": [
        {"name": 'a "removal"', "do": ["punch 0"]},
        {"vcpu": 0, "setup": ["accept 0"], "do": ["accept 4000"]},
    ],
    "claims": ["every-fault-ends"], "expect": "broken",
}


def run(*arguments):
    return subprocess.run([tdmem, "explore", *arguments], timeout=120,
                          capture_output=True, text=True)


def order_of(claim):
    """Find what breaks it; the answer, with ORDER written."""
    done = run(claim, "--format", "json", "-o", ORDER)
    check(done.returncode == 0, f"{claim}: {done.stderr}")
    return json.loads(done.stdout)


def check_timeline(claim):
    """Does the timeline have what the answer's events say?"""
    answer = order_of(claim)
    events = answer["execution"]["events"]
    kinds = collections.Counter(e["kind"] for e in events)
    done = run("--replay", ORDER, "--timeline")
    trace = Trace(done.stdout)
    what = answer["claim"]
    check(done.returncode == 0 and not done.stderr, f"{what}: {done.stderr}")
    check(not trace.wrong, f"{what}: {trace.wrong[:3]}")
    check([trace.names[t] for t in sorted(trace.names)]
          == answer["execution"]["strands"], f"{what}: {trace.names}")
    begun = sorted((e["strand"] + 1, e["step"], e["name"])
                   for e in events if e["kind"] == "call")
    shown = sorted([(t, b, n) for t, n, _, b, _ in trace.calls]
                   + [(t, b, n) for t, n, b, _, cut in trace.spans
                      if n.startswith("TD") and cut])
    check(begun == shown, f"{what}: calls are not those of the events")
    check(len(trace.calls) == kinds["status"], f"{what}: calls that ended")
    check(sum(n == "guest" for _, n, *_ in trace.spans) == kinds["entered"],
          f"{what}: stays in the guest")
    check(len(trace.sent) == kinds["kick"], f"{what}: kicks")
    check(trace.facts["status"] == "broken"
          and trace.facts["reason"] == answer["why"]
          and trace.facts["steps"] == sum(n for _, n in answer["order"])
          and trace.facts["model_output"] is True
          and "model output" in trace.title, f"{what}: facts")
    return trace, kinds


for name in sorted(os.listdir(root + "/configs/explore")):
    path = f"{root}/configs/explore/{name}"
    with open(path) as f:
        if json.load(f)["expect"] == "broken":
            check_timeline(path)
with open(folder + "/whole.json", "w") as f:
    json.dump(WHOLE, f)
trace, kinds = check_timeline(folder + "/whole.json")
check(kinds["kick"] > 0 and kinds["kicked"] > 0, "no kick is shown")
check({"removal", "kick"} <= {n for _, n, *_ in trace.spans},
      "no removal or kick is shown")

# ------------------------------------------------------------ text and files

text = run("--replay", ORDER, "--timeline", "--format", "text").stdout
mail = run("--replay", ORDER, "--timeline", "--format", "mail").stdout
check(text.startswith("tdmem, model output: ") and "\x1b" not in text
      and "a step is 1 us" in text and "ended: broken" in text, text[:300])
check(re.sub(r"\s", "", text) == re.sub(r"\s", "", mail)
      and max(map(len, mail.splitlines())) <= 75, "mail is not text")
out = folder + "/trace.json"
done = run("--replay", ORDER, "--timeline", "-o", out)
with open(out) as f:
    check(done.stdout == "" and f.read()
          == run("--replay", ORDER, "--timeline").stdout, "not the same bytes")
for arguments, said in (
        (["--replay", ORDER, "-o", out], "-o with --replay"),
        (["--scenario", "spin16", "--timeline"], "--timeline"),
        (["--replay", ORDER, "--timeline", "--format", "dot"], "dot")):
    done = run(*arguments)
    check(done.returncode == 2 and said in done.stderr
          and done.stderr.count("\n") == 1, f"{arguments}: {done.stderr}")
done = run("--replay", ORDER, "--timeline", "-o", folder + "/none/t.json")
check(done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr)

# ---------------------------------------------------------------- a debugger

reason = why_no_gdb()
if reason:
    skip("a replay in gdb: " + reason)
else:
    answer = order_of(root + "/configs/explore/spin16.json")
    tries = sum(e["kind"] == "call" and e["name"] == "TDH.MEM.RANGE.BLOCK"
                for e in answer["execution"]["events"])
    done = gdb(["break tdh_mem_range_block", "ignore 1 100000", "run",
                "info breakpoints"], [tdmem, "explore", "--replay", ORDER])
    hits = re.search(r"already hit (\d+) times", done.stdout)
    check(hits and int(hits[1]) == tries == 17,
          f"stops at {tries} calls: {done.stdout[-300:]} {done.stderr}")
    done = gdb(["break tdh_mem_range_block", "run", "backtrace"],
               [tdmem, "explore", "--replay", ORDER])
    # Files: which functions have a frame is the compiler's choice.
    check("at model/host/zap.c:" in done.stdout
          and "at bench/explore/world.c:" in done.stdout,
          f"the stack of a strand: {done.stdout[-900:]}")

finish()
