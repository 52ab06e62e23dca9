#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run test programs and sum up.  A unit test is a cmocka program (TAP), a
# script prints a last line "N passed, N failed, N skipped".  A program that
# crashes, runs into the time limit or tests nothing counts as one failure.
# What failed is said where it happens and once more at the end.
# Usage: run.sh PROGRAM...

set -u

limit=${TDMEM_TEST_TIMEOUT:-600}
passed=0 failed=0 skipped=0
log=$(mktemp)
failures=$(mktemp)
trap 'rm -f "$log" "$failures"' EXIT

count() { # pattern
	grep -cE "$1" "$log"
}

for test in "$@"; do
	timeout "$limit" env CMOCKA_MESSAGE_OUTPUT=TAP "$test" >"$log" 2>&1
	status=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" |
		tail -n 1)
	if [ -n "$last" ]; then
		# shellcheck disable=SC2086
		set -- $last "$@"
		p=$1 f=$3 s=$5
		shift 6
	else
		# cmocka's TAP has skipped tests as "not ok".
		s=$(count '^(not )?ok .*# SKIP')
		p=$(($(count '^ok ') - $(count '^ok .*# SKIP')))
		f=$(($(count '^not ok ') - $(count '^not ok .*# SKIP')))
	fi
	if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((p + s)) -eq 0 ]; }
	then
		echo "$test: exit status $status" >>"$log"
		f=1
	fi
	if [ "$f" -ne 0 ]; then
		{
			printf 'FAIL %s (%s of %s, exit status %s)\n' \
				"$test" "$f" "$((p + f))" "$status"
			grep -vE '^ok |^#? ?ok|^1\.\.|# SKIP' "$log" |
				tail -n 60 | sed 's/^/    /'
		} | tee -a "$failures"
	else
		printf 'ok   %s (%s passed, %s skipped)\n' "$test" "$p" "$s"
	fi
	[ "$s" -eq 0 ] || grep -iE 'skip' "$log" | grep -vE '^[0-9]+ passed, ' |
		sed 's/^not ok [0-9]* # SKIP/skipped:/; s/^/    /'
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

[ "$failed" -eq 0 ] || {
	echo
	cat "$failures"
}
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
