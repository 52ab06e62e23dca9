#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/tools/aa_trials.py, of which `make trials` is a long run: that it
# counts what it says.  On virtual time its counts are the same each time; on
# real CPUs nothing is asserted of them.

. "$(dirname "$0")/lib.sh"

trials() { # the exit statuses that are right, then options
	local right=$1
	shift
	timeout 120 $python "$root/tests/tools/aa_trials.py" \
		"$TDMEM" "$@" >"$out" 2>"$err" </dev/null
	[[ " $right " == *" $? "* ]]
}

tells() { # PATTERN: a line of the report
	grep -qE "^$1" "$out"
}

check "clears that are longer" trials 0 --backend sim --trials 2
check "no alarm" tells "alike: .* 0 of 2 trials .*: ok$"
check "found, 1 vCPU" tells "clear \+10 %: .* 1 vCPU +2 of 2 trials .*: ok$"
check "found, 2 vCPUs" tells "clear \+10 %: .* 2 vCPUs +2 of 2 trials .*: ok$"
check "both page sizes, both counts of vCPUs" tells "36 comparisons a trial"
check "by as much as they are" [ "$(grep -c \
	'longer ACCEPT of 2M: .* us +10.0 %, .* us +10.0 %;' "$err")" -eq 2 ]
check "clears that are not longer" trials 3 --backend sim --trials 1 --longer 0
check "not found" tells "clear \+0 %: .* 1 vCPU +0 of 1 trials .*: off$"
check "real CPUs" trials "0 3" --trials 1 --repeats 6 --warmup 0 --pages 2
check "a run of sides that are alike" grep -qE "alike +ACCEPT of 2M: [0-9]" \
	"$err"
check "a run with longer clears" grep -qE "longer ACCEPT of 2M: [0-9]" "$err"
check "a program that fails" trials 1 --backend sim --trials 1 --repeats 0
check "says what failed" grep -q "aa_trials: run: exit status 2: .*repeat" \
	"$err"

finish
