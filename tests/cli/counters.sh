#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Counters and noise on the command line: in results, in the schema, refused
# where they make no sense, and missing with a word where they are forbidden.

. "$(dirname "$0")/lib.sh"

# holds FILE EXPRESSION: of the result r and the metrics m of its first repeat
holds() {
	$python - "$1" "$2" <<-'PY'
	import json, sys
	r = json.load(open(sys.argv[1]))
	m = r["cells"][0]["repeats"][0]["metrics"]
	sys.exit(not eval("(" + sys.argv[2] + ")"))
	PY
}

cat >"$dir/c.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "c", "backend": "threads",
		"workloads": { "fault-in": { "pages": 8 } },
		"axes": { "policy": ["spin"], "vcpus": [1] },
		"repeat": { "count": 2 },
		"host": { "costs": "$root/configs/costs/spr.json" }
	}
EOF
cp "$root/configs/costs/spr.json" "$dir/"
c=$dir/c.json

check "a run with counters" tdmem 0 run "$c" -q -o "$dir/a.json" \
	--counters default
keeps "its result is valid" "$dir/a.json"
check "seven are accounted for" holds "$dir/a.json" \
	'len(r["environment"]["counters"]) == 7'
check "what is not missing was counted, the rest is absent" \
	holds "$dir/a.json" 'all(("missing" in v) != ("counter." + k in m)
	for k, v in r["environment"]["counters"].items())'
check "each has a unit" holds "$dir/a.json" \
	'r["metrics"]["counter.cycles"]["unit"] == "events"'
check "the time measured is no longer than the run" holds "$dir/a.json" \
	'0 < m["run.measured"] < m["run.time"] and m["run.preempted"] >= 0'
# Another busy program on its CPU, for longer than a time slice.
first=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')
if [ -r /proc/thread-self/schedstat ]; then
	taskset -c "$first" bash -c 'while :; do :; done' &
	hog=$!
	check "a run on a CPU that is taken" tdmem 0 run "$c" -q \
		-o "$dir/h.json" --set "host.pin=\"$first\"" \
		--set workloads.fault-in.pages=5000
	kill $hog
	check "it was delayed" holds "$dir/h.json" 'm["run.delayed"] > 1e6'
else
	skip "this kernel does not count delays (CONFIG_SCHED_INFO)" 2
fi
check "the host was looked at" holds "$dir/a.json" \
	'isinstance(r["environment"]["noise"]["warnings"], list)'

check "without counters there are none" tdmem 0 run "$c" -q -o "$dir/b.json"
check "and none in the result" holds "$dir/b.json" \
	'not any("counter." in k for k in [*m, *r["metrics"]]) and
	"counters" not in r["environment"]'

check "a name that is none" tdmem 2 run "$c" -n --counters no-such-event
check "it is named" says '"no-such-event"' "$err"
check "virtual time has no CPUs" tdmem 2 run "$c" --counters cycles \
	--set backend=sim
check "and says so" says 'backend "sim" has no CPUs' "$err"
echo '{"schema": "tdmem-config/1", "name": "k", "backend": "kvm",
	"workloads": ["fault-in"], "axes": {"vcpus": [1]}}' >"$dir/k.json"
for option in "--counters cycles" "--perf stat"; do
	# shellcheck disable=SC2086
	check "a guest with $option" refused 2 run "$dir/k.json" -n $option
	check "and says so" says 'backend "kvm" does not tell when it measures'
done
check "virtual time has no noise" tdmem 0 run "$c" -q -o "$dir/s.json" \
	--set backend=sim
check "nor says anything of it" holds "$dir/s.json" \
	'"noise" not in r["environment"] and "run.preempted" not in m'

check "two sides" tdmem 0 run "$c" -q -o "$dir/d.json" --counters task-clock \
	--baseline "$TDMEM"
check "both have them" holds "$dir/d.json" \
	'{c["axes"]["side"] for c in r["cells"]} == {"base", "new"} and
	len({"counter.task-clock" in p["metrics"] for c in r["cells"]
	for p in c["repeats"]}) == 1'

check "env" tdmem 0 env
check "env says what can be counted" grep -q 'context-switches' "$out"

# As nobody, where the kernel lets nobody count what it does itself.
paranoid=$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null)
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null 2>&1 ||
	[ "${paranoid:-0}" -ne 2 ]; then
	skip "not root, or perf_event_paranoid is not 2 here"
else
	chmod 755 "$dir"
	mkdir -m 777 "$dir/u"
	cp "$TDMEM" "$dir/tdmem"
	sed -i "s|$root/configs/costs|$dir|" "$c"
	chmod 644 "$c" "$dir/spr.json"
	setpriv --reuid=65534 --clear-groups --bounding-set=-all "$dir/tdmem" \
		run "$c" -q -o "$dir/u/r.json" \
		--counters task-clock,context-switches >"$out" 2>"$err"
	check "a run as nobody" [ $? -eq 0 ]
	check "says what is missing" says \
		'context-switches is missing: refused' "$err"
	check "and what is user mode only" holds "$dir/u/r.json" \
		'r["environment"]["counters"]["task-clock"]["user_only"] and
		"counter.context-switches" not in m'
fi

finish
