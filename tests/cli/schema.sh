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
import json
import sys

import jsonschema

root, result = sys.argv[1:]
passed = failed = 0


def load(path):
    with open(path) as f:
        return json.load(f)


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print("failed:", what)


def valid(document, schema):
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(document))
    for e in errors[:3]:
        print("   ", list(e.absolute_path), e.message[:200])
    return not errors


configs = load(root + "/results/tdmem-config-1.schema.json")
results = load(root + "/results/tdmem-result-1.schema.json")
for schema in configs, results:
    jsonschema.Draft7Validator.check_schema(schema)
for path in sorted(glob.glob(root + "/configs/*.json")
                   + glob.glob(root + "/tests/cli/*.json")):
    document = load(path)
    if document.get("schema") == "tdmem-config/1":
        check(valid(document, configs), path)
document = load(result)
check(valid(document, results), "a fresh result")
for path in glob.glob(result.replace("result.json", "sides-*")):
    sides = load(path)
    check(valid(sides, results), path)
    check(any("warmup" in r for c in sides["cells"] for r in c["repeats"]),
          path + " has a warm-up")
    for broken in ({"baseline": {}}, {"baseline": {"config": {}}}):
        check(not valid(dict(sides, **broken), results), "a bad baseline")
    sides["environment"]["tags"] = {"A b": "c"}
    check(not valid(sides, results), "a bad tag")
for rule in ({"count": 1, "min": 1}, {"ci_width": 2}, {"warmup": -1}):
    broken = load(root + "/configs/quick.json")
    broken["repeat"] = rule
    check(not valid(broken, configs), "repeat %s" % rule)
for path in sorted(glob.glob(root + "/results/sample-*.json")):
    check(valid(load(path), results), path)

# The schemas must be able to say no.
for member in "schema", "metrics", "cells", "costs", "environment":
    broken = copy.deepcopy(document)
    del broken[member]
    check(not valid(broken, results), "a result without " + member)
broken = copy.deepcopy(document)
broken["cells"][0]["status"] = "fine"
check(not valid(broken, results), "a cell with an unknown status")
broken = load(root + "/configs/quick.json")
broken["surprise"] = 1
check(not valid(broken, configs), "a config with an unknown key")

print("%d passed, %d failed, 0 skipped" % (passed, failed))
sys.exit(failed > 0)
PY
