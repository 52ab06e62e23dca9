#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every workload with every policy on real CPUs under the thread sanitizer:
# no data race, no lock held wrongly, and every cell ends.  The program is
# built into build/thread.  TDMEM_SOAK: seconds for which to go on, with other
# seeds and up to twice as many vCPUs as there are CPUs.

set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
config=$root/tests/cli/threads_tsan.json
program=$root/build/thread/tdmem
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0
soak=${TDMEM_SOAK:-0}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

skip() { # why
	echo "skipped: $1"
	skipped=$((skipped + 1))
	finish
}

build() {
	env -u MAKEFLAGS -u MFLAGS -u O make -C "$root" -j "$(nproc)" \
		SANITIZE=thread CC=clang build/thread/tdmem >"$dir/make" 2>&1
}

# The sanitizer's memory layout needs less randomness than some kernels give.
wrap=
can_run() {
	"$program" --version >"$dir/out" 2>&1 && return
	wrap="setarch -R"
	$wrap "$program" --version >"$dir/out" 2>&1
}

# races SEED SET... : one run of the whole config
races() {
	local seed=$1
	shift
	TSAN_OPTIONS="exitcode=66 log_path=$dir/tsan second_deadlock_stack=1" \
		timeout 600 $wrap "$program" run "$config" -q --set "seed=$seed" \
		"$@" -o "$dir/result.json" >"$dir/out" 2>&1
}

report() { # what
	failed=$((failed + 1))
	echo "failed: $1"
	cat "$dir"/tsan.* "$dir/out" 2>/dev/null | head -n 60
	rm -f "$dir"/tsan.*
}

# Cells that did not run to an end of their own: the limits are far away.
unfinished() {
	grep -oE '"status": ?"(timeout|failed|unsupported)"' "$dir/result.json" |
		wc -l
}

once() { # seed, then what to set
	if ! races "$@" || compgen -G "$dir/tsan.*" >/dev/null; then
		report "seed $*: the sanitizer found something"
	else
		passed=$((passed + 1))
	fi
	[ -e "$dir/result.json" ] || return
	if [ "$(unfinished)" -gt 0 ]; then
		report "seed $*: $(unfinished) cells did not end"
	else
		passed=$((passed + 1))
	fi
	rm -f "$dir/result.json"
}

command -v clang >/dev/null || skip "clang is not installed"
if ! build; then
	report "the build with the thread sanitizer"
	tail -n 20 "$dir/make"
	finish
fi
can_run || skip "the thread sanitizer does not run here: $(head -n 1 "$dir/out")"
once 1
seed=2
more=$((2 * $(nproc)))
while [ "$SECONDS" -lt "$soak" ]; do
	once "$seed" --set "axes.vcpus=[$((seed % more + 1))]"
	seed=$((seed + 1))
done
finish
