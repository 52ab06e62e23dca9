#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem validate on the command line: verdicts and exit statuses, what is off
# when the cost table is, JSON that its schema accepts.

. "$(dirname "$0")/lib.sh"

cd "$root" || exit 1

check "nothing is off" tdmem 0 validate
check "marked as the model's" says "MODEL OUTPUT beside references"
check "queues" says "wait, M/D/1, cache line, rho 0.8"
check "sums" says "4K accept fault"
check "what nothing validates is said" says "nobody has published it"
check "all of the queues are clear" says "0 off, 0 unclear"
check "no line is too wide" bash -c "! grep -qE '.{80}' '$out'"
check "once" tdmem 0 validate published
cp "$out" "$dir/first"
check "again" tdmem 0 validate published
check "the same again" cmp -s "$out" "$dir/first"

# A table whose figures are wrong must be found out.
sed 's/"name": "page_remove", "unit": "ns", "low": 1200, "typ": 3000, "high": 4000/"name": "page_remove", "unit": "ns", "low": 1200, "typ": 13000, "high": 14000/' \
	configs/costs/spr.json >"$dir/wrong.json"
check "the table was changed" bash -c \
	"! cmp -s configs/costs/spr.json '$dir/wrong.json'"
check "a wrong table is off" tdmem 3 validate published \
	--costs "$dir/wrong.json"
check "says what" says "off: removed page, no vCPU inside"
check "not all of it" grep -qE "4K accept fault .* ok$" "$out"

# The CPUs are shared and nothing is asserted of figures: 3 is as good as 0.
any() {
	timeout 250 "$@" >"$out" 2>"$err" </dev/null
	case $? in 0 | 3) return 0 ;; esac
	return 1
}
first=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')
check "threads on one CPU" any taskset -c "$first" "$TDMEM" validate threads
# A figure, or that the machine is too busy for one.
compared() { # SCENARIO
	grep -qE "$1, p50 +[0-9]" "$out" || {
		grep -qE "$1 .* none$" "$out" &&
			tr -s ' \n' ' ' <"$out" | grep -qF "were undisturbed"
	}
}
check "one CPU is enough for a vCPU" compared "fault-in, 1 vCPU"
check "it is when the host thread is done" compared "accept, 1 vCPU"
check "it is when vCPUs are asleep" compared "track, 2 vCPUs asleep"
check "not for a host thread as well" grep -qE "track, 1 vCPU .* none$" "$out"
check "not for two vCPUs" grep -qE "accept, 2 vCPUs .* none$" "$out"
check "says why" bash -c "tr -s ' \n' ' ' <'$out' | grep -qF 'need as many CPUs'"
check "the others are not run" bash -c "! grep -qE 'M/M/1|DEMOTE' '$out'"

check "no such group" tdmem 2 validate publishd
check "which was meant" says 'did you mean "published"?'
check "no such format" tdmem 2 validate --format xml
check "no such table" tdmem 2 validate published --costs "$dir/none.json"

check "JSON" tdmem 3 validate published --costs "$dir/wrong.json" \
	--format json -o "$dir/v.json"
check "JSON goes to the file" [ ! -s "$out" ]
keeps "JSON keeps to its schema" "$dir/v.json"
check "each check has its verdict" $python - "$dir/v.json" <<-'PY'
	import json, sys
	doc = json.load(open(sys.argv[1]))
	assert sum(doc["verdicts"].values()) == len(doc["checks"]) > 10
	assert doc["verdicts"]["off"] > 0
PY

finish
