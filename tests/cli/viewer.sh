#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Traces in the trace viewer of Chrome, in a real browser.  Distributions build
# their browsers without chrome://tracing, so its source is needed: CATAPULT
# names a checkout of https://github.com/catapult-project/catapult.

. "$(dirname "$0")/lib.sh"

convert=${CATAPULT:-}/tracing/bin/trace2html
if [ ! -f "$convert" ]; then
	skip "Chrome's trace viewer: CATAPULT names no checkout of catapult"
	finish
fi
if ! "$python" -c 'import selenium' 2>/dev/null ||
	[ ! -x /usr/bin/chromium ] || [ ! -x /usr/bin/chromedriver ]; then
	skip "no selenium, chromium or chromedriver"
	finish
fi
cd "$root" || exit 1
check "a trace" tdmem 0 timeline configs/quick.json -o "$dir/cell.json" \
	--cell workload=block-remove --cell policy=kick-once --cell vcpus=8
check "an order" tdmem 0 explore --scenario spin16 -o "$dir/order.json"
check "its trace" tdmem 0 explore --replay "$dir/order.json" --timeline \
	-o "$dir/spin16.json"
for trace in cell spin16; do
	check "$trace: a page" status 0 "${PYTHON3:-python3}" "$convert" \
		"$dir/$trace.json" --output "$dir/$trace.html"
done
"$python" tests/browser/viewer.py "$dir/cell.json" "$dir/cell.html" \
	"$dir/spin16.json" "$dir/spin16.html" >"$out" 2>"$err"
check "in the browser" [ $? -eq 0 ]
grep '^failed' "$out"
read -r ok _ bad _ < <(tail -n 1 "$out")
passed=$((passed + ${ok:-0})) failed=$((failed + ${bad:-1}))

finish
