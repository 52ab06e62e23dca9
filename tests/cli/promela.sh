#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two models of one removal against one vCPU must agree: tests/promela, which
# spin checks, and the C model, which tdmem explore runs.  That all orders were
# run for the claims that are shipped is what explore.sh looks at; here a part
# of them has to do, so that all rows together take a few seconds.

. "$(dirname "$0")/lib.sh"
. "$root/tests/tools/mutant.sh"

cd "$root" || exit 1
if ! command -v spin >/dev/null; then
	skip "spin is not installed"
	finish
fi
can_mutate || finish

# What the Promela model is built with; holds or broken; the arguments of
# tdmem explore; what is done to the C model, a file of tests/mutations.
table() {
	cat <<-LIST
	KICK_ONCE NEW_PAGE | holds | --scenario kick-once
	KICK_ONCE SAME_PAGE | holds | --scenario kick-once-accept
	KICK_ONCE ZERO_STEP | holds | --scenario kick-once-zero-step
	KICK_ONCE NO_SECOND SAME_PAGE | broken | --scenario kick-once-first-try
	KICK_ONCE NO_SECOND ZERO_STEP | broken | --scenario kick-once-zero-step --claim max-tries:TDH.MEM.RANGE.BLOCK=1
	KICK_ONCE NO_KICK ZERO_STEP | broken | --scenario kick-once-zero-step | kick-missing
	KICK_ONCE NO_GATE ZERO_STEP | broken | --scenario kick-once-zero-step | gate-missing
	KICK_ONCE NO_WAIT NEW_PAGE | broken | --scenario kick-once | kick-without-waiting
	KICK_ONCE NO_TRACK_KICK NEW_PAGE | broken | --scenario kick-once | track-without-kick
	KICK_ONCE GATE_STAYS ZERO_STEP | broken | --scenario kick-once-zero-step | hold-without-end
	SPIN NEW_PAGE | holds | --scenario kick-once --policy spin --claim vm-not-bugged
	SPIN SAME_PAGE | holds | --scenario kick-once-accept --policy spin --claim vm-not-bugged
	SPIN ZERO_STEP | holds | --scenario spin16 --policy spin
	SPIN16 NEW_PAGE | holds | --scenario kick-once --policy spin16 --claim vm-not-bugged
	SPIN16 SAME_PAGE | broken | --scenario kick-once-accept --policy spin16 --claim vm-not-bugged
	SPIN16 ZERO_STEP | broken | --scenario spin16
	LIST
}

# check_model OPTION...: build what spin made and look; says holds or broken
check_model() {
	local compile=$1 errors
	shift
	(cd "$dir" && gcc -O0 -w "$compile" -o pan pan.c &&
		timeout 60 ./pan -m100000 "$@" >pan.out 2>&1)
	errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$dir/pan.out")
	if [ -z "$errors" ] || grep -q "max search depth too small" \
		"$dir/pan.out"; then
		cat "$dir/pan.out" >&2
	else
		[ "$errors" -eq 0 ] && echo holds || echo broken
	fi
}

# by_spin DEFINE...: assertions and ends that are none; then, for kick-once,
# whether all comes to an end when nobody is kept from running for ever.
by_spin() {
	local answer
	(cd "$dir" && spin -a "${@/#/-D}" "$root/tests/promela/removal.pml") \
		>&2 || return
	answer=$(check_model -DSAFETY)
	if [ "$answer $1" = "holds KICK_ONCE" ]; then
		answer=$(check_model -DNP -l -f)
	fi
	echo "$answer"
}

# by_tdmem PROGRAM ARGUMENT...
by_tdmem() {
	timeout 60 "$1" explore "${@:2}" --max-preemptions 3 --format json |
		sed -n 's/^ "answer": "\(.*\)",$/\1/p'
}

while IFS='|' read -r defines want arguments patch; do
	read -ra defines <<<"$defines"
	read -ra arguments <<<"$arguments"
	read -r want <<<"$want"
	read -r patch <<<"$patch"
	program=$TDMEM
	if [ -n "$patch" ]; then
		program=$dir/tdmem
		mutant "$root/tests/mutations/$patch.patch" 2>"$err" ||
			fail "$patch: cannot be built"
	fi
	by_spin "${defines[@]}" >"$out" 2>"$err"
	check "spin: ${defines[*]}: $want" [ "$(cat "$out")" = "$want" ]
	by_tdmem "$program" "${arguments[@]}" >"$out" 2>"$err"
	check "tdmem: ${defines[*]} $patch: $want" [ "$(cat "$out")" = "$want" ]
done < <(table)

finish
