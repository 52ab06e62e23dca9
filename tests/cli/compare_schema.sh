#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hold what compare --format json prints to its schema, with a validator that
# is not ours (python3-jsonschema), and all forms to their exit status.
# TDMEM names the program.

. "$(dirname "$0")/lib.sh"

if ! $python -c 'import jsonschema' 2>/dev/null; then
	skip "python3-jsonschema is not installed"
	finish
fi
for seed in 1 2; do
	"$TDMEM" run "$root/tests/cli/determinism.json" \
		--set axes.vcpus=[2] --set repeat.count=4 --set seed=$seed \
		-o "$dir/$seed.json" >/dev/null || exit 1
done
compare() { # form, options
	form=$1
	shift
	"$TDMEM" compare --format "$form" "$@" >"$dir/out.$form"
	echo $? >"$dir/status.$form"
}
for form in text mail lkp mmtests markdown; do
	compare $form --ascii --all "$dir/1.json" "$dir/2.json"
done
compare json "$dir/1.json" "$dir/2.json"
cp "$dir/out.json" "$dir/two.json"
compare json --ascii --by policy --gate "$root/configs/gates/strict.json" \
	"$dir/1.json"
cp "$dir/out.json" "$dir/by.json"
$python - "$root" "$dir" <<'PY'
import copy
import sys

from checks import check, finish
from schemas import keeps, load, valid

root, folder = sys.argv[1:]

for path in (root + "/tests/data/compare.json", folder + "/two.json",
             folder + "/by.json"):
    document = load(path)
    keeps(document, path)
    rows = [row for group in document["groups"] for row in group["rows"]]
    check(rows, path + " has rows")
    check(all(len(row["sides"]) == len(document["sides"]) ==
              len(row["changes"]) + 1 for row in rows), path + ": sides")

# The schema must be able to say no.
for break_it in (lambda d: d.pop("summary"),
                 lambda d: d["groups"][0]["rows"][0]["sides"][0].pop("n"),
                 lambda d: d["groups"][0]["about"].update(better=2),
                 lambda d: d.update(surprise=1)):
    broken = copy.deepcopy(document)
    break_it(broken)
    check(not valid(broken), "a broken document")

for form in "text", "mail", "lkp", "mmtests", "markdown", "json":
    with open(folder + "/status." + form) as f:
        status = int(f.read())
    check(status in ((0, 3) if form == "json" else (0,)),
          "%s: exit status %d" % (form, status))
with open(folder + "/out.mail") as f:
    lines = f.read().splitlines()
check(lines and all(len(line) <= 75 for line in lines), "width of a mail")
check(any("model output" in line for line in lines), "model output is marked")

finish()
PY
