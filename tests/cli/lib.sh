# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# What the scripts of this folder have in common; each begins with
#
#	. "$(dirname "$0")/lib.sh"
#
# and ends with finish.  TDMEM names the program, the default is the one that
# make builds.  What a script finds here:
#
#	root, dir	the repository; a folder that is removed at the end
#	out, err	what the last command of status said
#	python		the python that Debian's packages are for; the modules
#			of tests/tools can be imported

set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TDMEM=${TDMEM:-$root/build/tdmem}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
out=$dir/out err=$dir/err
python=/usr/bin/python3
export PYTHONPATH=$root/tests/tools PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0 skipped=0

pass() {
	passed=$((passed + 1))
}

# fail WHAT [FILE...]: the last lines of the files, or what was said last
fail() {
	local what=$1
	shift
	[ $# -gt 0 ] || set -- "$err" "$out"
	failed=$((failed + 1))
	echo "failed: $what"
	tail -q -n 5 "$@" 2>/dev/null | cut -c 1-300 | sed 's/^/    /'
}

# check WHAT COMMAND...: which must succeed
check() {
	local what=$1
	shift
	if "$@"; then pass; else fail "$what"; fi
}

# skip WHY [CHECKS]: how many are not made, default 1
skip() {
	skipped=$((skipped + ${2:-1}))
	echo "skipped: $1"
}

# keeps WHAT FILE: a check that a JSON document keeps to its schema
keeps() {
	if $python -c 'import jsonschema' 2>/dev/null; then
		check "$1" $python "$root/tests/tools/schemas.py" "$2"
	else
		skip "$1: python3-jsonschema is not installed"
	fi
}

# The end of a script, with the line that tests/run.sh reads.
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# counted FILE: what a part in Python said, which ended with checks.finish()
counted() {
	local p f s
	sed '$d' "$1"
	read -r p _ f _ s _ <<<"$(tail -n 1 "$1" |
		grep -xE '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' ||
		echo 0 passed, 1 failed, 0 skipped)"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# status WANT COMMAND...: what it says is in $out and $err
status() {
	local want=$1 got
	shift
	timeout 300 "$@" >"$out" 2>"$err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] && return
	echo "    exit status $got, not $want: $*" | cut -c 1-300
	return 1
}

# tdmem STATUS ARG...
tdmem() {
	local want=$1
	shift
	status "$want" "$TDMEM" "$@"
}

# What was said last is one line, and no long one.
one_line() {
	[ "$(wc -l <"$err")" -eq 1 ] && [ "$(wc -c <"$err")" -lt 800 ]
}

# refused STATUS ARG...: tdmem says why in one line, and prints nothing
refused() {
	tdmem "$@" && one_line && [ ! -s "$out" ]
}

# says TEXT [FILE...]: in one of the files, or in what was said last
says() {
	local text=$1
	shift
	[ $# -gt 0 ] || set -- "$out" "$err"
	grep -qF -- "$text" "$@"
}

# has TEXT: in the document that was printed last
has() {
	says "$1" "$out"
}
