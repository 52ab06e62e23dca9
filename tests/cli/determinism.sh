#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The cells of a result are a function of config and seed: the same bytes
# twice in a row, with one job and two, and from the gcc and the clang build.
# TDMEM and TDMEM_CLANG name the two programs.

. "$(dirname "$0")/lib.sh"

cells() { # program jobs name [option...]
	status 0 "$1" run "$root/tests/cli/determinism.json" --jobs "$2" \
		-o "$dir/$3.json" "${@:4}" || return 1
	sed -n '/"cells"/,$p' "$dir/$3.json" >"$dir/$3.cells"
	[ -s "$dir/$3.cells" ]
}

same() { # program jobs name
	cells "$1" "$2" "$3" && cmp "$dir/first.cells" "$dir/$3.cells"
}

cells "$TDMEM" 1 first || { fail "a run"; finish; }
check "the same cells a second time" same "$TDMEM" 1 again
check "the same cells with two jobs" same "$TDMEM" 2 jobs
if [ -x "${TDMEM_CLANG:-}" ]; then
	check "the same cells from the clang build" same "$TDMEM_CLANG" 2 clang
else
	skip "there is no clang build to compare with"
fi
# A different seed must not give the same bytes: else nothing was compared.
differs() {
	cells "$TDMEM" 1 seed --set seed=2 &&
		! cmp -s "$dir/first.cells" "$dir/seed.cells"
}
check "other cells from another seed" differs

finish
