#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rig itself: a kernel with a real /dev/kvm, and a program's words, output
# and exit status there and back.

. "$(dirname "$0")/lib.sh"

rig=$root/tests/rig
"${CC:-cc}" -O2 -o "$dir/self" "$rig/self.c" || {
	fail "self.c does not build"
	finish
}
sh "$rig/run.sh" "$dir/self" one "it's \$HOME" \
	>"$out" 2>"$err"
status=$?
if [ $status -eq 125 ] && ! grep -q 'QEMU ended' "$err"; then
	skip "$(head -n 1 "$err")"
	finish
fi
check "KVM_GET_API_VERSION is the exit status" [ $status -eq 12 ]
check "words arrive as they are" grep -qxF "[it's \$HOME]" "$out"

TDMEM_RIG_KERNEL=$dir/none sh "$rig/run.sh" "$dir/self" >"$out" \
	2>"$err"
check "no kernel: status 125" [ $? -eq 125 ]
check "no kernel: which" grep -q "rig: cannot read $dir/none" "$err"

finish
