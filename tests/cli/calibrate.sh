#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem calibrate on the command line: the table that it writes is one that
# runs take, what was not measured is said.  No figure is looked at.

. "$(dirname "$0")/lib.sh"

cd "$root" || exit 1
first=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')

table=$dir/here.json
check "a table" tdmem 0 calibrate -o "$table"
check "what was measured" says "lock word"
check "where" says "Measured on this host"
check "the VM exit, or why not" grep -qE "^  (not measured: )?VM exit" "$out"
check "a table for lists" tdmem 0 list costs "$table"
check "clears are measured" grep -qE "clear_4k .* measured" "$out"
check "calls are not" grep -qE "page_aug .* assumption" "$out"
cp "$table" "$dir/kept.json"
check "sim takes it" tdmem 0 run tests/cli/sums.json \
	--set host.costs="$table" -q -o "$dir/r.json"
check "the result says that it was measured" grep -qF "tdmem calibrate: " \
	"$dir/r.json"
check "one CPU" env TASKSET="$first" bash -c \
	'timeout 100 taskset -c $TASKSET "$TDMEM" calibrate >"$0" 2>&1' "$out"
check "says what is missing" says "one CPU only"
check "again, on top of it" tdmem 0 calibrate -b "$table" -o "$dir/2.json"

check "no such format" tdmem 2 calibrate --format xml
check "no such base" tdmem 2 calibrate -b "$dir/none.json" -o "$dir/x.json"
check "nothing was written" [ ! -e "$dir/x.json" ]

check "JSON" tdmem 0 calibrate --format json
keeps "JSON keeps to its schema" "$out"
check "what was not measured has a reason" $python - "$out" <<-'PY'
	import json, sys
	for p in json.load(open(sys.argv[1]))["primitives"]:
	    assert (p["median"] is None) == (p["why"] != ""), p
	    assert p["median"] is None or p["low"] <= p["median"] <= p["high"]
PY

finish
