#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rig itself: a kernel with a real /dev/kvm, and a program's words, output
# and exit status there and back.

set -u

rig=$(cd "$(dirname "$0")/../rig" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0

check() { # what, then a command that must succeed
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $what"
		tail -n 5 "$dir/out" "$dir/err" | cut -c 1-200 | sed 's/^/    /'
	fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

"${CC:-cc}" -O2 -o "$dir/self" "$rig/self.c" || {
	echo "failed: self.c does not build"
	failed=1
	finish
}
sh "$rig/run.sh" "$dir/self" one "it's \$HOME" \
	>"$dir/out" 2>"$dir/err"
status=$?
if [ $status -eq 125 ] && ! grep -q 'QEMU ended' "$dir/err"; then
	echo "skipped: $(head -n 1 "$dir/err")"
	skipped=1
	finish
fi
check "KVM_GET_API_VERSION is the exit status" [ $status -eq 12 ]
check "words arrive as they are" grep -qxF "[it's \$HOME]" "$dir/out"

TDMEM_RIG_KERNEL=$dir/none sh "$rig/run.sh" "$dir/self" >"$dir/out" \
	2>"$dir/err"
check "no kernel: status 125" [ $? -eq 125 ]
check "no kernel: which" grep -q "rig: cannot read $dir/none" "$dir/err"
finish
