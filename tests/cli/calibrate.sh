#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem calibrate on the command line: the table that it writes is one that
# runs take, what was not measured is said.  No figure of this host is looked
# at; of SEAMCALLs the model's are, in a result that says it is of a TDX host.

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

modelled=$dir/sim.json calls=$dir/calls.json
check "a result to make one of a TDX host of" tdmem 0 run \
	configs/tdx-costs.json --set backend=sim --set repeat.count=6 \
	--set 'axes={"policy":["eagain"],"vcpus":[1]}' \
	--set workloads.fault-in.pages=64 --set workloads.reclaim.pages=64 \
	--set workloads.block-remove.pages=64 -q -o "$modelled"
check "SEAMCALLs of the model are refused" \
	refused 2 calibrate -s "$modelled" -o "$dir/x.json"
check "with the backend that it takes" says 'config.backend: expected "tdx"'
$python - "$modelled" "$calls" <<-'PY'
	import json, sys
	d = json.load(open(sys.argv[1]))
	d["config"]["backend"] = "tdx"
	for axes in [d["config"]["axes"]] + [c["axes"] for c in d["cells"]]:
	    del axes["policy"]
	for w in d["workloads"].values():
	    w.update(modelled=False, real_cpus=True)
	d["environment"]["probe"] = {"table": "seamcall", "by": "bpf",
	                             "functions": {"tdh_mem_page_aug": {}}}
	d["environment"]["time"] = "2026-01-31T12:00:00Z"
	json.dump(d, open(sys.argv[2], "w"))
PY
keeps "the result keeps to the schema" "$calls"
check "it is not written over" refused 2 calibrate -s "$calls" -o "$calls"
check "nor is anything written" [ ! -e "$dir/x.json" ]
check "SEAMCALLs of a result" tdmem 0 calibrate --seamcalls "$calls" \
	-o "$dir/tdx.json" --format json
keeps "with them JSON keeps to its schema" "$out"
check "they are those of the model" $python - "$out" "$dir/tdx.json" \
	configs/costs/spr.json <<-'PY'
	import json, sys
	said, table, base = (json.load(open(p)) for p in sys.argv[1:])
	assert said["seamcalls"]["time"] == "2026-01-31T12:00:00Z"
	flush = [p for p in said["primitives"] if p["entry"] == "flush_4k"]
	table, base = ({e["name"]: e for e in t["entries"]}
	               for t in (table, base))
	calls = {p["entry"]: p for p in said["primitives"]
	         if p["name"].startswith("tdh_")}
	assert len(calls) == 9, calls
	for name, call in calls.items():
	    entry, want = table[name], base[name]["typ"]
	    if "flush" in call["help"]:
	        want -= flush[0]["median"]
	    assert entry["mark"] == "measured", entry
	    assert "2026-01-31T12:00:00Z" in entry["source"], entry
	    assert abs(entry["typ"] / want - 1) < 0.1, (entry, want)
	assert {n for n in calls if "flush" in calls[n]["help"]} == {
	    "sept_add", "page_add", "page_aug"}, calls
	for name in ("cache_wb", "td_enter", "page_promote", "accept_4k"):
	    assert table[name]["mark"] == base[name]["mark"], name
PY
check "sim takes that table" tdmem 0 run tests/cli/sums.json \
	--set host.costs="$dir/tdx.json" -q -o "$dir/r.json"

finish
