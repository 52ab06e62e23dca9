#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hold every claim that is shipped, and what tdmem explore prints and writes,
# to their schemas with a validator that is not ours (python3-jsonschema);
# and what the schema of claims refuses to the program.

. "$(dirname "$0")/lib.sh"

if ! $python -c 'import jsonschema' 2>/dev/null; then
	skip "python3-jsonschema is not installed"
	finish
fi
cd "$root" || exit 1
$python - "$TDMEM" "$dir" <<'PY'
import copy
import glob
import json
import re
import subprocess
import sys

from checks import check, finish
from schemas import errors, keeps, load

tdmem, folder = sys.argv[1:]
def explore(*arguments):
    done = subprocess.run([tdmem, "explore", *arguments], timeout=120,
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


# ----------------------------------------------------------------- shipped

claims = {path: load(path) for path in glob.glob("configs/explore/*.json")}
check(len(claims) >= 17, "the claims are not there")
for path, claim in sorted(claims.items()):
    keeps(claim, path, "claim")
    # The form does not depend on how far the search gets.
    _, out, err = explore(path, "--max-preemptions", "1", "--format", "json",
                          "--show", "-o", folder + "/order.json")
    answer = json.loads(out)
    keeps(answer, f"the answer to {path}", "explore")
    if answer["answer"] != "broken":
        continue
    keeps(load(folder + "/order.json"), f"the order of {path}", "schedule")
    status, out, err = explore("--replay", folder + "/order.json",
                               "--format", "json")
    replayed = json.loads(out)
    keeps(replayed, f"the replay of {path}", "explore")
    check(status == (0 if claim["expect"] == "broken" else 3)
          and replayed["answer"] == "replayed"
          and replayed["execution"] == answer["execution"],
          f"the replay of {path} is not what was found: {err}")
kick = "configs/explore/kick-once.json"
_, out, _ = explore(kick, "--max-executions", "5", "--format", "json")
keeps(json.loads(out), "an answer without a drawing", "explore")
_, out, _ = explore("configs/explore/spin16.json", "--policy", "spin16",
                    "--claim", "vm-not-bugged", "-o", folder + "/other.json")
other = load(folder + "/other.json")
keeps(other, "an order with a policy and claims", "schedule")
check(other["policy"] == "spin16" and other["claims"] == ["vm-not-bugged"],
      "policy and claims of an order")

# ----------------------------------------- every word of the document exists

with open("docs/explore.md") as f:
    document = f.read()
for table, vcpu in (("host thread", False), ("vCPU", True)):
    rows = re.search(r"Operations of a %s:\n\n(.*?)\n\n" % table, document,
                     re.S)[1]
    for row in rows.splitlines()[2:]:
        left = row.split("|")[1]
        for name in re.findall(r"`([A-Za-z][\w.-]*)", left):
            if name in ("GFN", "LEVEL"):
                continue
            operands = " 0 1" if "LEVEL [NUMBER]" in left or \
                "GFN LEVEL" in left and name.startswith("TDH") else " 0"
            if name in ("leave", "run", "out", "TDH.MEM.TRACK"):
                operands = ""
            strand = {"do": [], "setup": [name + operands]}
            if vcpu:
                strand["vcpu"] = 0
            claim = dict(claims[kick], setup=[], strands=[strand])
            keeps(claim, f"the operation {name}", "claim")
rows = re.search(r"\| claim \| meaning \|\n\|---\|---\|\n(.*?)\n\n", document,
                 re.S)[1]
for name in re.findall(r"^\| `([a-z-]+)`", rows, re.M):
    keeps(dict(claims[kick], claims=[name]), f"the claim {name}", "claim")

# ------------------------------- what the schema refuses the program does too


def change(path, value):
    claim = copy.deepcopy(claims[kick])
    at = claim
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return claim


WRONG = [(("schema",), "tdmem-claim/2"), (("name",), None),
         (("policy",), 1), (("policy",), {"fault": "spin"}),
         (("pages",), 0), (("pages",), 4097), (("strands",), []),
         (("strands",), claims[kick]["strands"] * 3), (("claims",), []),
         (("claims",), ["no-halts"]), (("claims",), ["max-tries:X=0"]),
         (("expect",), "maybe"), (("futile",), -1), (("page",), 1),
         (("bounds",), {"second": 1}), (("bounds",), {"seconds": 0}),
         (("strands", 0, "do"), ["accept 0"]),
         (("strands", 1, "do"), ["punch 0"]),
         (("strands", 1, "do"), ["out"]), (("strands", 0, "do"), None),
         (("strands", 0, "do"), ["punch 0 1 2"]),
         (("strands", 0, "do"), ["punch x"]),
         (("strands", 0, "do"), ["punch 0"] * 17),
         (("strands", 1, "vcpu"), 4), (("strands", 0, "name"), "x" * 17),
         (("setup",), ["touch 0"])]
for path, value in WRONG:
    claim = change(path, value)
    what = f"{'.'.join(map(str, path))} {str(value)[:60]}"
    check(errors(claim, "claim"), f"the schema does not refuse {what}")
    with open(folder + "/wrong.json", "w") as f:
        json.dump(claim, f)
    status, _, err = explore(folder + "/wrong.json")
    check(status == 2 and err.count("\n") == 1,
          f"the program does not refuse {what}: {status} {err}")
order = load(folder + "/other.json")
for wrong in (dict(order, order=[]), dict(order, order=[[0]]),
              dict(order, order=[[4, 1]]), dict(order, order=[[0, 0]]),
              dict(order, schema="tdmem-schedule/2"), dict(order, extra=1),
              dict(order, policy=1), dict(order, claims="no-halt")):
    check(errors(wrong, "schedule"), f"no schedule: {str(wrong)[:80]}")
    with open(folder + "/wrong.json", "w") as f:
        json.dump(wrong, f)
    status, _, err = explore("--replay", folder + "/wrong.json")
    check(status == 2 and err.count("\n") == 1,
          f"the program does not refuse {str(wrong)[:80]}: {status} {err}")
for member in ("schema", "answer", "execution", "why", "complete"):
    broken = dict(answer) if answer["answer"] == "broken" else None
    if broken:
        del broken[member]
        check(errors(broken, "explore"), "an answer without " + member)
check(answer["answer"] == "broken", "the last answer is not a broken one")

finish()
PY
