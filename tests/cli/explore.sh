#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem explore: the claims that are shipped, wrong files, drawings and
# schedules.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

cd "$root" || exit 1

# explore STATUS ARG...
explore() {
	tdmem "$1" explore "${@:2}"
}

narrow() { # no line of the output is wider than 75 columns, or empty text
	[ -s "$out" ] && ! grep -nE '.{76}' "$out"
}

# ---------------------------------------------------- what is shipped

for file in configs/explore/*.json; do
	name=$(basename "$file" .json)
	check "$name: as its file expects" explore 0 "$file"
	if grep -q '"expect": "holds"' "$file" &&
	   ! grep -q '"bounds"' "$file"; then
		check "$name: all orders were run" has "all orders were run"
	fi
	limit=()
	grep -q '"expect": "holds"' "$file" && limit=(--max-preemptions 0)
	check "$name: a drawing" explore 0 "$file" "${limit[@]}" --format mail
	check "$name: at most 75 columns" narrow
done

check "spin16: what comes again is drawn once" \
	tdmem 0 explore --scenario spin16 --format mail
check "it says how often" has "(15 more times)"
check "and each try is counted" [ "$(grep -c 'TDX_OPERAND_BUSY' "$out")" -le 4 ]
check "who does nothing has no column" [ "$(head -n 1 "$out" | tr -s ' ')" = \
	"removal vCPU 0" ]
check "who is in the guest at the beginning" \
	tdmem 0 explore --scenario track-without-kick --format mail
check "is said first" [ "$(sed -n '3s/^ *//p' "$out")" = "[in the guest]" ]
check "a call that others do not come into is one line" \
	has "TDH.MEM.TRACK -> TDX_SUCCESS"
check "the end of a module" \
	tdmem 0 explore --scenario aug-remove-bare --format mail
check "stands where it is" has "TDH.MEM.PAGE.REMOVE -> the module"

# ------------------------------------------------------------ schedules

check "a counterexample is saved" explore 0 --scenario spin16 -o "$dir/s.json"
check "it can be run again" explore 0 --replay "$dir/s.json"
cp "$out" "$dir/first"
check "and is drawn" has "SEPT_TREE"
check "again" explore 0 --replay "$dir/s.json"
check "it is the same" cmp -s "$out" "$dir/first"
check "nothing is saved when nothing is broken" explore 0 \
	--scenario demote-unblock -o "$dir/none.json"
check "and that is said" grep -q "nothing is broken" "$err"
check "there is no file" [ ! -e "$dir/none.json" ]
sed 's/"order":.*/"order":[[0,1]]}/' "$dir/s.json" | tr '\n' ' ' |
	sed 's/"order": *\[.*$/"order":[[0,1]]}/' >"$dir/short.json"
check "an order that breaks nothing is an error" explore 1 \
	--replay "$dir/short.json"
sed 's/\[0,1\]/[7,1]/' "$dir/short.json" >"$dir/strand.json"
check "a strand that there is not" explore 2 --replay "$dir/strand.json"

# ---------------------------------------------------------------- forms

check "json" explore 0 --scenario aug-remove-bare --format json
check "json says what was found" python3 - "$out" 2>"$err" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["schema"] == "tdmem-explore/1" and r["model"] is True
assert r["answer"] == "broken" and "halt" in r["why"]
steps = sum(n for _, n in r["order"])
events = r["execution"]["events"]
assert all(e["step"] <= steps for e in events)
assert [e["step"] for e in events] == sorted(e["step"] for e in events)
assert r["execution"]["strands"] == ["CPU 0", "CPU 1"]
PY
check "dot" explore 0 --scenario aug-remove-bare --format dot
check "dot is a graph" has "digraph execution {"
check "--show draws what holds" explore 0 --scenario demote-unblock --show
check "in columns" has "TDH.MEM.PAGE.DEMOTE"

# ------------------------------------------------------- expectations

sed 's/"expect": "broken"/"expect": "holds"/' \
	configs/explore/kick-once-first-try.json >"$dir/holds.json"
check "expected to hold and broken" explore 3 "$dir/holds.json"
check "expected to be broken and holds" explore 3 \
	--scenario track-without-kick --claim no-halt
check "bounds are said" explore 0 --scenario kick-once --max-executions 10
check "which one" has "met: executions"
check "and that it is bounded" has "holds within bounds"
check "no preemption" explore 0 --scenario kick-once --max-preemptions 0
check "preemptions" has "met: preemptions"
check "steps" explore 0 --scenario kick-once --max-steps 20 -c no-halt
check "cut off" has "met: steps"

# -------------------------------------------------------- wrong files

wrong() { # what, sed on a good file, what the message has
	sed "$2" configs/explore/kick-once.json >"$dir/wrong.json"
	check "wrong: $1" refused 2 explore "$dir/wrong.json"
	check "wrong: $1: says so" says "$3" "$err"
}

wrong "schema" 's|tdmem-claim/1|tdmem-claim/9|' 'schema'
wrong "policy" 's|"policy": "kick-once"|"policy": "kick-twice"|' 'policy'
wrong "operation" 's|punch 0|pinch 0|' 'did you mean "punch"'
wrong "operand" 's|punch 0|punch x|' 'expected "punch GFN [PAGES]"'
wrong "too many operands" 's|punch 0|punch 0 1 2|' 'punch GFN'
wrong "a vCPU's operation" 's|punch 0|accept 0|' 'strands[0].do[0]'
wrong "a host's operation" 's|"do": \["accept 1"\]|"do": ["punch 1"]|' 'do[0]'
wrong "only in setup" 's|"do": \["accept 1"\]|"do": ["out"]|' 'only in "setup"'
wrong "claim" 's|"no-halt"|"no-halts"|' 'did you mean "no-halt"'
wrong "status" 's|"no-halt"|"never:TDX_BUSY"|' 'status'
wrong "call" 's|max-tries:TDH.MEM.TRACK=2|max-tries:TDH.MEM.TRUCK=2|' 'TRACK'
wrong "tries" 's|TDH.MEM.TRACK=2|TDH.MEM.TRACK=0|' 'max-tries:CALL=N'
wrong "expectation" 's|"expect": "holds"|"expect": "maybe"|' 'expect'
wrong "pages" 's|"pages": 8|"pages": 0|' 'pages'
wrong "a member" 's|"pages": 8|"pages": 8, "page": 1|' 'page'
wrong "setup that fails" 's|"setup": \["prefault 0"\]|"setup": ["punch 100"]|' \
	'setup'
check "no such file" explore 2 "$dir/not-there.json"
check "no such scenario" explore 2 --scenario not-there
check "nothing to do" explore 2
check "two things to do" explore 2 --scenario kick-once "$dir/wrong.json"

finish
