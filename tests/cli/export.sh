#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem export: usage, where it writes, and that other programs' parsers read
# what it writes, with the values of the result.  TDMEM names the program.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
out=$dir/out err=$dir/err result=$dir/r.json

check() { # what, then a command that must succeed
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $what"
		head -n 3 "$err" | cut -c 1-300 | sed 's/^/    /'
	fi
}

# export_to STATUS ARG...: its exit status
export_to() {
	local want=$1 got
	shift
	timeout 60 "$TDMEM" export "$@" >"$out" 2>"$err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || { echo "    exit status $got"; return 1; }
}

# refused ARG...: exit status 2, one line, nothing on stdout
refused() {
	export_to 2 "$@" && [ "$(wc -l <"$err")" -eq 1 ] && [ ! -s "$out" ]
}

# reads: python statements that must hold; r is the result, text what came out
reads() {
	/usr/bin/python3 - "$result" "$out" "$root" 2>"$err" <<PY
import csv, io, json, re, sys
r = json.load(open(sys.argv[1]))
text = open(sys.argv[2], newline="").read()
$1
PY
}

# One vCPU count is more than the topology has: cells without a value.
"$TDMEM" run "$root/tests/cli/determinism.json" \
	--set 'workloads=["fault-in","track"]' --set 'axes.policy=["spin",
	{"fault":"eagain","removal":"kick-first"}]' \
	--set 'axes.vcpus=[1,2,1024]' --set repeat.count=2 \
	-o "$result" >/dev/null 2>"$err"
check "there is a result" [ -s "$result" ]
check "it has unsupported cells" grep -q '"status":"unsupported"' "$result"

# ------------------------------------------------------------------- usage

check "--help" export_to 0 --help
widest=$(wc -L <"$out")
check "--help: 80 columns, not $widest" [ "$widest" -le 80 ]
check "no format" refused "$result"
check "unknown format" refused -f nonsense "$result"
check "no result" refused -f csv
check "two results" refused -f csv "$result" "$result"
check "no such file" refused -f csv "$dir/none.json"
check "not a result" refused -f csv "$root/configs/quick.json"
check "unknown metric" refused -f csv -m nonsense "$result"
check "--cell without a value" refused -f csv -c policy "$result"
check "--cell without an axis" refused -f csv -c =spin "$result"
check "--cell that none has" refused -f csv -c policy=nonsense "$result"
check "a hostile metric" refused -f csv -m $'a\nb\033[2J' "$result"
check "an empty --format" refused -f "" "$result"

# --------------------------------------------------------- where it writes

cp "$result" "$dir/copy.json"
check "-o on the result is refused" refused -f csv -o "$result" "$result"
check "the result is untouched" cmp -s "$result" "$dir/copy.json"
check "-o" export_to 0 -f csv -o "$dir/x.csv" "$result"
check "-o: nothing on stdout" [ ! -s "$out" ]
check "-o: nothing else is left" [ ! -e "$dir/x.csv.tmp" ]
check "to stdout" export_to 0 -f csv "$result"
check "the same to stdout" cmp -s "$out" "$dir/x.csv"
check "-o on a device" export_to 1 -f csv -o /dev/null "$result"
"$TDMEM" export -f csv "$result" >/dev/full 2>"$err"
check "a full disk is a failure" [ $? -eq 1 ]
check "a full disk is told" [ "$(wc -l <"$err")" -eq 1 ]
head -c 60000 "$result" >"$dir/cut.json"
check "half a result: no half document" refused -f csv "$dir/cut.json"

# --------------------------------------------------------------------- csv

export_to 0 -f csv "$result"
check "csv: every value, once" reads '
rows = list(csv.DictReader(io.StringIO(text), strict=True))
seen = {}
for row in rows:
    assert None not in row and None not in row.values()
    key = (row["workload"], row["policy"], row["vcpus"], row["repeat"],
           row["metric"])
    assert key not in seen or not row["metric"], key
    seen[key] = row
n = 0
for cell in r["cells"]:
    axes = cell["axes"]
    policy = axes["policy"]
    if not isinstance(policy, str):
        policy = json.dumps(policy, separators=(",", ":"))
    for i, repeat in enumerate(cell["repeats"]):
        at = (axes["workload"], policy, str(axes["vcpus"]), str(i + 1))
        for name, value in repeat["metrics"].items():
            row = seen[at + (name,)]
            assert float(row["value"]) == value
            assert row["unit"] == r["metrics"][name]["unit"]
            assert row["seed"] == str(repeat["seed"])
            n += 1
        for name, h in repeat["histograms"].items():
            assert int(seen[at + (name + ".max",)]["value"]) == h["max"]
            assert int(seen[at + (name + ".count",)]["value"]) == h["count"]
            for q in "p50", "p90", "p99", "p99.9":
                v = int(seen[at + (name + "." + q,)]["value"])
                assert h["min"] <= v <= h["max"]
            n += 6
assert n == len([row for row in rows if row["metric"]]) > 100
assert {row["model"] for row in rows} == {"true"}
for cell in r["cells"]:
    assert any(row["vcpus"] == str(cell["axes"]["vcpus"]) for row in rows)
'
export_to 0 -f csv -m track.rate -c workload=track -c vcpus=1 "$result"
check "csv: selected" reads '
rows = list(csv.DictReader(io.StringIO(text), strict=True))
assert rows and {x["metric"] for x in rows} == {"track.rate"}
assert {(x["workload"], x["vcpus"]) for x in rows} == {("track", "1")}
'

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
