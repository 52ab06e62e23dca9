#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hold every config of the repository and a fresh result to their schemas
# with a validator that is not ours (python3-jsonschema).

. "$(dirname "$0")/lib.sh"

if ! $python -c 'import jsonschema' 2>/dev/null; then
	skip "python3-jsonschema is not installed"
	finish
fi
"$TDMEM" run "$root/tests/cli/determinism.json" --set axes.vcpus=[2] \
	--set repeat.count=1 -o "$dir/result.json" >/dev/null || exit 1
cp "$TDMEM" "$dir/program" || exit 1
for base in "$root/tests/cli/repeats.json" "$dir/program"; do
	"$TDMEM" run "$root/tests/cli/repeats.json" --baseline "$base" \
		--set axes.vcpus=[2] --set-new host.column=low --tag a.b=c \
		-o "$dir/sides-${base##*/}" >/dev/null || exit 1
done
$python - "$root" "$dir/result.json" <<'PY'
import copy
import glob
import sys

from checks import check, finish
from schemas import keeps, load, valid

root, result = sys.argv[1:]

for path in sorted(glob.glob(root + "/configs/*.json")
                   + glob.glob(root + "/tests/cli/*.json")):
    document = load(path)
    if document.get("schema") == "tdmem-config/1":
        keeps(document, path, "config")
document = load(result)
keeps(document, "a fresh result", "result")
for path in glob.glob(result.replace("result.json", "sides-*")):
    sides = load(path)
    keeps(sides, path, "result")
    check(any("warmup" in r for c in sides["cells"] for r in c["repeats"]),
          path + " has a warm-up")
    for broken in ({"baseline": {}}, {"baseline": {"config": {}}}):
        check(not valid(dict(sides, **broken), "result"), "a bad baseline")
    sides["environment"]["tags"] = {"A b": "c"}
    check(not valid(sides, "result"), "a bad tag")
for rule in ({"count": 1, "min": 1}, {"ci_width": 2}, {"warmup": -1}):
    broken = load(root + "/configs/quick.json")
    broken["repeat"] = rule
    check(not valid(broken, "config"), "repeat %s" % rule)
for path in sorted(glob.glob(root + "/results/sample-*.json")):
    keeps(load(path), path, "result")

# The schemas must be able to say no.
for member in "schema", "metrics", "cells", "costs", "environment":
    broken = copy.deepcopy(document)
    del broken[member]
    check(not valid(broken, "result"), "a result without " + member)
broken = copy.deepcopy(document)
broken["cells"][0]["status"] = "fine"
check(not valid(broken, "result"), "a cell with an unknown status")
broken = load(root + "/configs/quick.json")
broken["surprise"] = 1
check(not valid(broken, "config"), "a config with an unknown key")

gates = [load(p) for p in glob.glob(root + "/configs/gates/*.json")]
for path, value in (("metric", ""), ("action", "chek"), ("material", -1),
                    ("fails", "up"), ("cell", {"vcpus": [1]}), ("x", 1)):
    broken = copy.deepcopy(gates[0])
    broken["rules"][1][path] = value
    check(not valid(broken, "gate"), "a gate with a wrong " + path)
broken = copy.deepcopy(gates[0])
broken["rules"] = [{"metric": "x", "action": "ignore", "material": 1}]
check(not valid(broken, "gate"), "a gate that ignores by how much")

finish()
PY
