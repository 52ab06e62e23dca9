#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's interface as the program has it, against the newest headers of
# the kernel that can be had: tests/unit/test_uapi.c compiled with them.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

check() { # what, then a command that must succeed
	local what=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $what"
		sed 's/^/    /' "$dir/out"
	fi
}

headers=$(sh "$root/tests/rig/newer.sh" linux-libc-dev \
	"${TDMEM_RIG_DIR:-$root/build/rig}" sid trixie-backports 2>"$dir/why")
if [ -z "$headers" ]; then
	echo "skipped: no newest headers of Linux: $(head -n 1 "$dir/why")"
	skipped=1
	finish
fi
include=$headers/usr/include
echo "linux-libc-dev $(cat "$headers/version")"

check "it compiles with the newest headers" \
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I"$root" \
	-isystem "$include" -isystem "$include/x86_64-linux-gnu" \
	-DTDMEM_UAPI_WHOSE -o "$dir/test" "$root/tests/unit/test_uapi.c" -lcmocka
check "numbers, sizes and offsets are the kernel's" "$dir/test"
cp "$dir/out" "$dir/said"
check "they are of the headers, not the program's own" \
	grep -qF "TDs: of <asm/kvm.h>" "$dir/said"
finish
