#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a host may lack is taken away, one by one and all together: bound
# threads, membarrier, perf events, perf and Intel PCM.  Everything still runs
# and says what is missing.

. "$(dirname "$0")/lib.sh"

# holds FILE EXPRESSION: of the result r and all metrics of all repeats
holds() {
	"$python" - "$1" "$2" <<-'PY'
	import json, sys
	r = json.load(open(sys.argv[1]))
	all_metrics = [p["metrics"] for c in r["cells"] for p in c["repeats"]]
	env = r["environment"]
	ok = all(c["status"] == "ok" for c in r["cells"])
	sys.exit(not eval("(" + sys.argv[2] + ")"))
	PY
}

cat >"$dir/c.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "c", "backend": "threads",
		"workloads": { "fault-in": { "pages": 8 }, "track": { "pages": 8 } },
		"axes": { "policy": ["kick-first"], "vcpus": [2] },
		"repeat": { "count": 2 },
		"host": { "costs": "$root/configs/costs/spr.json" }
	}
EOF
c=$dir/c.json

if ! ${CC:-cc} -o "$dir/without" "$root/tests/tools/without.c" \
	>"$out" 2>"$err"; then
	fail "the launcher is built"
	finish
fi
"$dir/without" membarrier -- true 2>"$err"
if [ $? -eq 77 ]; then
	skip "system calls cannot be refused here: $(head -n 1 "$err")" 30
	finish
fi

# without "CALL..." ARG...: tdmem in which these system calls are refused
without() {
	local calls=$1
	shift
	# shellcheck disable=SC2086
	status 0 "$dir/without" $calls -- "$TDMEM" "$@"
}

# missing WHAT: tdmem env says "no" below that line
missing() {
	grep -F -A 1 -- "$1" "$out" | grep -q '^ *no: '
}

# ------------------------------------------------------------ bound threads

check "without binding" without sched_setaffinity run "$c" -q -o "$dir/b.json"
check "it is said" says "threads cannot be bound to CPUs"
check "it is in the result" holds "$dir/b.json" \
	'any("cannot be bound" in w for w in env["noise"]["warnings"])'
check "no strand was bound, all cells are there" holds "$dir/b.json" \
	'ok and min(m["run.unpinned"] for m in all_metrics) >= 2'
check "env without binding" without sched_setaffinity env
check "env says so" missing "strands bound to CPUs"

# -------------------------------------------------------------- membarrier

check "without membarrier" without membarrier run "$c" -q -o "$dir/m.json"
check "signals stand in" holds "$dir/m.json" \
	'env["threads"]["kick"] == "signal"'
check "and kick" holds "$dir/m.json" \
	'ok and max(m["kicks.rounds"] for m in all_metrics) > 0'
check "it is shown" tdmem 0 show "$dir/m.json"
tr -s '\n' ' ' <"$out" >"$dir/line"
check "as a signal" says "kicks: signal;" "$dir/line"
check "env without membarrier" without membarrier env
check "env says so" missing "kicks by membarrier"

# ------------------------------------------------------------- perf events

check "without perf events" without perf_event_open run "$c" -q \
	-o "$dir/p.json" --counters default
check "each counter is named" \
	[ "$(grep -c '^tdmem: counter .* is missing: refused' "$err")" -eq 7 ]
check "absent, not 0, with a reason" holds "$dir/p.json" \
	'ok and not any("counter." in k for m in all_metrics for k in m) and
	all("refused" in v["missing"] for v in env["counters"].values())'
check "env without perf events" without perf_event_open env
check "env says so" missing "kernel's own, user mode"

# ---------------------------------------------------------- other programs

# nothing ARG...: tdmem with a PATH in which no program is
nothing() {
	status 0 env "PATH=$dir" "$TDMEM" "$@"
}

check "without perf and PCM" nothing run "$c" -q -o "$dir/o.json" \
	--perf stat --pcm pcm
check "perf is said to be missing" says \
	"tdmem: perf: perf is not in PATH (package linux-perf)"
check "so is PCM" says "tdmem: pcm: pcm is not in PATH (package pcm)"
check "both are in the result" holds "$dir/o.json" \
	'ok and all("not in PATH" in c["missing"]
	for c in r["companions"].values()) and len(r["companions"]) == 2'
check "env without programs" nothing env
check "env says it of perf" missing "Linux perf"
check "env says it of PCM" missing "Intel PCM (tdmem run --pcm)"

# ------------------------------------------------------------- all together

all="membarrier sched_setaffinity perf_event_open"
workloads=$("$TDMEM" list workloads |
	sed -n 's/^  \([a-z-]*\) (tables show .*/"\1"/p' | paste -sd,)
check "without all, every workload" without "$all" run "$c" -q \
	-o "$dir/a.json" --counters default --perf stat --pcm pcm-memory \
	--set "workloads=[$workloads]" --set limits.livelock_ms=10000
check "all cells ended well" holds "$dir/a.json" \
	"ok and len(r['cells']) == len([$workloads]) > 5"
check "the result is valid" "$python" -c 'import json, sys, jsonschema
jsonschema.validate(*[json.load(open(f)) for f in sys.argv[1:]])' \
	"$dir/a.json" "$root/results/tdmem-result-1.schema.json"
check "figures of this host" without "$all" calibrate
check "but of membarrier" says "not measured: IPI, membarrier:"

finish
