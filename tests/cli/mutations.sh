#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each patch in tests/mutations breaks the model of the module or of KVM, and
# names a claim of configs/explore that must then be decided otherwise.

. "$(dirname "$0")/lib.sh"

. "$root/tests/tools/mutant.sh"

cd "$root" || exit 1
can_mutate || finish

for patch in "$root"/tests/mutations/*.patch; do
	name=$(basename "$patch" .patch)
	claim=$(sed -n 's/^# claim: //p' "$patch")
	mutant "$patch" 2>"$err" || {
		fail "$name: cannot be built"
		continue
	}
	check "$name: $claim does find it" \
		status 3 "$dir/tdmem" explore --scenario "$claim"
done

finish
