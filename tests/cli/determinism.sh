#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The cells of a result are a function of config and seed: the same bytes
# twice in a row, with one job and two, and from the gcc and the clang build.
# TDMEM and TDMEM_CLANG name the two programs.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0 skipped=0

cells() { # program jobs name
	"$1" run "$root/tests/cli/determinism.json" --jobs "$2" \
		-o "$dir/$3.json" >/dev/null 2>"$dir/$3.err" ||
		{ cat "$dir/$3.err"; return 1; }
	sed -n '/"cells"/,$p' "$dir/$3.json" >"$dir/$3.cells"
	[ -s "$dir/$3.cells" ]
}

same() { # program jobs name what
	if cells "$1" "$2" "$3" && cmp "$dir/first.cells" "$dir/$3.cells"; then
		passed=$((passed + 1))
	else
		echo "not the same cells: $4"
		failed=$((failed + 1))
	fi
}

cells "$TDMEM" 1 first || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
same "$TDMEM" 1 again "a second run"
same "$TDMEM" 2 jobs "with two jobs"
if [ -x "${TDMEM_CLANG:-}" ]; then
	same "$TDMEM_CLANG" 2 clang "from the clang build"
else
	echo "skipped: there is no clang build to compare with"
	skipped=$((skipped + 1))
fi
# A different seed must not give the same bytes: else nothing was compared.
if "$TDMEM" run "$root/tests/cli/determinism.json" --set seed=2 \
	-o "$dir/seed.json" >/dev/null 2>&1 &&
	sed -n '/"cells"/,$p' "$dir/seed.json" >"$dir/seed.cells" &&
	! cmp -s "$dir/first.cells" "$dir/seed.cells"; then
	passed=$((passed + 1))
else
	echo "another seed gives the same cells"
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
