#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every workload with every policy on real CPUs under the thread sanitizer:
# no data race, no lock held wrongly, and every cell ends.  The program is
# built into build/thread.  TDMEM_SOAK: seconds for which to go on, with other
# seeds and up to twice as many vCPUs as there are CPUs.

. "$(dirname "$0")/lib.sh"

config=$root/tests/cli/threads_tsan.json
program=$root/build/thread/tdmem
soak=${TDMEM_SOAK:-0}

build() {
	env -u MAKEFLAGS -u MFLAGS -u O make -C "$root" -j "$(nproc)" \
		SANITIZE=thread CC=clang build/thread/tdmem >"$dir/make" 2>&1
}

# The sanitizer's memory layout needs less randomness than some kernels give.
wrap=
can_run() {
	"$program" --version >"$out" 2>&1 && return
	wrap="setarch -R"
	$wrap "$program" --version >"$out" 2>&1
}

# races SEED SET... : one run of the whole config
races() {
	local seed=$1
	shift
	TSAN_OPTIONS="exitcode=66 log_path=$dir/tsan second_deadlock_stack=1" \
		timeout 600 $wrap "$program" run "$config" -q --set "seed=$seed" \
		"$@" -o "$dir/result.json" >"$out" 2>&1
}

report() { # what
	fail "$1" "$out"
	cat "$dir"/tsan.* 2>/dev/null | head -n 60
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
		pass
	fi
	[ -e "$dir/result.json" ] || return
	if [ "$(unfinished)" -gt 0 ]; then
		report "seed $*: $(unfinished) cells did not end"
	else
		pass
	fi
	rm -f "$dir/result.json"
}

command -v clang >/dev/null || { skip "clang is not installed"; finish; }
if ! build; then
	report "the build with the thread sanitizer"
	tail -n 20 "$dir/make"
	finish
fi
can_run || {
	skip "the thread sanitizer does not run here: $(head -n 1 "$out")"
	finish
}
once 1
seed=2
more=$((2 * $(nproc)))
while [ "$SECONDS" -lt "$soak" ]; do
	once "$seed" --set "axes.vcpus=[$((seed % more + 1))]"
	seed=$((seed + 1))
done

finish
