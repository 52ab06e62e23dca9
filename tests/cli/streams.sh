#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where things go and what happens when they cannot: streams that are closed
# or full, terminals, results that must not be touched, journals of other
# runs.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

config=$root/tests/cli/determinism.json
small=(--set 'workloads=["fault-in"]' --set 'axes.policy=["spin"]'
	--set 'axes.vcpus=[1,2]' --set repeat.count=1)

run() {
	"$TDMEM" run "$config" "${small[@]}" "$@"
}

# ---------------------------------------------------------------- streams

for command in --help --version list env "run --help"; do
	# shellcheck disable=SC2086
	"$TDMEM" $command >&- 2>"$err"
	check "$command, stdout closed: exit status 1" [ $? -eq 1 ]
	check "$command, stdout closed: one line" \
		[ "$(wc -l <"$err")" -eq 1 ]
	# shellcheck disable=SC2086
	"$TDMEM" $command >/dev/full 2>/dev/null
	check "$command, stdout full: exit status 1" [ $? -eq 1 ]
done
{ sleep 0.2; "$TDMEM" list metrics; echo $? >"$dir/status"; } 2>"$err" |
	true
check "a reader that goes away: exit status 1, no signal" \
	[ "$(cat "$dir/status")" -eq 1 ]
"$TDMEM" nonsense 2>&-
check "stderr closed" [ $? -eq 2 ]

run -o "$dir/closed.json" >&- 2>/dev/null
check "run, stdout closed: failed" [ $? -eq 1 ]
check "run, stdout closed: the result is whole all the same" \
	tdmem 0 show "$dir/closed.json"

# A result that cannot be finished: the file size limit is a full disk.
(
	ulimit -f 8
	run -o "$dir/full.json" >/dev/null 2>"$err"
)
check "no room for the result: exit status 1" [ $? -eq 1 ]
check "no room for the result: told" grep -qF "full.json" "$err"
check "no room for the result: no half result" [ ! -e "$dir/full.json" ]

# --------------------------------------------------------------- terminal

run -o "$dir/r.json" >/dev/null 2>&1
if script -qec true /dev/null >/dev/null 2>&1; then
	script -qec "'$TDMEM' show '$dir/r.json'" /dev/null >"$dir/tty"
	check "a terminal gets colours" grep -q $'\033\\[1m' "$dir/tty"
	NO_COLOR=1 script -qec "'$TDMEM' show '$dir/r.json'" /dev/null \
		>"$dir/tty"
	check "NO_COLOR is honoured" \
		bash -c "! grep -q $'\\033' '$dir/tty'"
else
	skip "colours on a terminal: script(1) is missing or gets no \
pseudo-terminal"
fi

# ---------------------------------------------- what must not be touched

check "-o on a device" tdmem 1 run "$config" "${small[@]}" \
	-o /dev/null
check "the device is still one" [ -c /dev/null ]
mkdir "$dir/folder"
check "-o on a folder" tdmem 1 run "$config" "${small[@]}" \
	-o "$dir/folder"
mkdir "$dir/cwd"
(cd "$dir/cwd" && run --quiet >"$out" 2>&1 &&
	run --quiet >>"$out" 2>&1)
check "two runs, two results by default" \
	[ "$(ls "$dir"/cwd/results/*.json | wc -l)" -eq 2 ]
check "--quiet prints the path only" [ "$(grep -cv '^result: ' "$out")" \
	-eq 0 ]
check "no journal is left" [ -z "$(ls "$dir"/cwd/results/*.journal \
	2>/dev/null)" ]
check "nothing else is left" [ "$(ls "$dir/cwd/results" | wc -l)" -eq 2 ]

# --------------------------------------------------------------- journals

check "--resume needs -o" tdmem 2 run "$config" --resume
check "--resume without a journal" tdmem 1 run "$config" \
	"${small[@]}" --resume -o "$dir/none.json"
check "--resume without a journal leaves nothing" \
	[ -z "$(ls "$dir"/none* 2>/dev/null)" ]

# A run that is killed leaves its journal and no result.
"$TDMEM" run "$config" --set repeat.count=20 -o "$dir/killed.json" \
	>/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
	[ "$(cat "$dir"/killed.json.journal 2>/dev/null | wc -l)" -ge 3 ] &&
		break
	sleep 0.05
done
kill -KILL $pid
wait $pid 2>/dev/null
check "killed: the journal is there" [ -s "$dir/killed.json.journal" ]
check "killed: no half result" [ ! -e "$dir/killed.json" ]
check "killed: a new run does not take its place" tdmem 1 \
	run "$config" --set repeat.count=20 -o "$dir/killed.json"
check "killed: another config does not go on from it" tdmem 2 \
	run "$config" --set repeat.count=19 --resume \
	-o "$dir/killed.json"
check "killed: another seed does not go on from it" tdmem 2 \
	run "$config" --set repeat.count=20 --set seed=3 --resume \
	-o "$dir/killed.json"
check "killed: the same config goes on from it" tdmem 0 \
	run "$config" --set repeat.count=20 --resume --quiet \
	-o "$dir/killed.json"
check "killed: then nothing is left but the result" \
	[ "$(ls "$dir"/killed.json*)" = "$dir/killed.json" ]

# Two signals that are there together: the second one ends it at once.
"$TDMEM" run "$config" --set repeat.count=500 -o "$dir/two.json" \
	>/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
	[ "$(cat "$dir"/two.json.journal 2>/dev/null | wc -l)" -ge 2 ] && break
	sleep 0.05
done
kill -STOP $pid
kill -INT $pid
kill -TERM $pid
kill -CONT $pid
wait $pid 2>/dev/null
check "the second signal ends it at once" [ $? -gt 128 ]
check "the second signal: the journal is there" [ -s "$dir/two.json.journal" ]

finish
