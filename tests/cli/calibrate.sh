#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem calibrate on the command line: the table that it writes is one that
# runs take, what was not measured is said.  No figure is looked at.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0
out=$dir/out err=$dir/err
python=/usr/bin/python3
first=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')

check() { # what, then a command that must succeed
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $what"
		head -n 5 "$err" "$out" | cut -c 1-200 | sed 's/^/    /'
	fi
}

run() { # STATUS ARG...
	local want=$1 got
	shift
	timeout 100 "$TDMEM" "$@" >"$out" 2>"$err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] && return
	echo "    exit status $got, not $want: tdmem $*"
	return 1
}

says() { # TEXT: the program has said so
	grep -qF -- "$1" "$out" "$err"
}

table=$dir/here.json
check "a table" run 0 calibrate -o "$table"
check "what was measured" says "lock word"
check "where" says "Measured on this host"
check "the VM exit, or why not" grep -qE "^  (not measured: )?VM exit" "$out"
check "a table for lists" run 0 list costs "$table"
check "clears are measured" grep -qE "clear_4k .* measured" "$out"
check "calls are not" grep -qE "page_aug .* assumption" "$out"
cp "$table" "$dir/kept.json"
check "sim takes it" run 0 run tests/cli/sums.json \
	--set host.costs="$table" -q -o "$dir/r.json"
check "the result says that it was measured" grep -qF "tdmem calibrate: " \
	"$dir/r.json"
check "one CPU" env TASKSET="$first" bash -c \
	'timeout 100 taskset -c $TASKSET "$TDMEM" calibrate >"$0" 2>&1' "$out"
check "says what is missing" says "one CPU only"
check "again, on top of it" run 0 calibrate -b "$table" -o "$dir/2.json"

check "no such format" run 2 calibrate --format xml
check "no such base" run 2 calibrate -b "$dir/none.json" -o "$dir/x.json"
check "nothing was written" [ ! -e "$dir/x.json" ]

if $python -c 'import jsonschema' 2>/dev/null; then
	check "JSON" run 0 calibrate --format json
	check "its schema accepts it" $python - "$out" <<-'PY'
	import json, sys, jsonschema
	doc = json.load(open(sys.argv[1]))
	schema = json.load(open("results/tdmem-calibration-1.schema.json"))
	jsonschema.validate(doc, schema)
	for p in doc["primitives"]:
	    assert (p["median"] is None) == (p["why"] != ""), p
	    assert p["median"] is None or p["low"] <= p["median"] <= p["high"]
	PY
else
	echo "skipped: python3-jsonschema is not installed"
	skipped=2
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
