#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's interface as the program has it, against the newest headers of
# the kernel that can be had: tests/unit/test_uapi.c compiled with them.

. "$(dirname "$0")/lib.sh"

headers=$(sh "$root/tests/rig/newer.sh" linux-libc-dev \
	"${TDMEM_RIG_DIR:-$root/build/rig}" sid trixie-backports 2>"$err")
if [ -z "$headers" ]; then
	skip "no newest headers of Linux: $(head -n 1 "$err")"
	finish
fi
include=$headers/usr/include
echo "linux-libc-dev $(cat "$headers/version")"

check "it compiles with the newest headers" \
	status 0 "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I"$root" \
	-isystem "$include" -isystem "$include/x86_64-linux-gnu" \
	-DTDMEM_UAPI_WHOSE -o "$dir/test" "$root/tests/unit/test_uapi.c" -lcmocka
check "numbers, sizes and offsets are the kernel's" status 0 "$dir/test"
check "they are of the headers, not the program's own" \
	says "TDs: of <asm/kvm.h>"
finish
