#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two sides in one run: configs that differ, configs that may not, programs
# that are a tdmem and programs that only say so.  TDMEM and TDMEM_CLANG name
# two programs.

. "$(dirname "$0")/lib.sh"

config=$root/tests/cli/repeats.json
small=(--set 'axes.vcpus=[1,4]' --set 'repeat={"count":3,"warmup":1}')

# run NAME ARG...: the result is $dir/NAME.json
run() {
	local name=$1
	shift
	timeout 300 "$TDMEM" run "$config" "${small[@]}" \
		-o "$dir/$name.json" --quiet "$@" >"$out" 2>"$err"
}

cells_of() { # name
	sed -n '/"cells"/,$p' "$dir/$1.json"
}

same_cells() { # name, name
	cmp <(cells_of "$1") <(cells_of "$2")
}

# result NAME, python statements on r
result() {
	$python - "$dir/$1.json" "$2" <<'PY'
import json
import sys
r = json.load(open(sys.argv[1]))
exec(sys.argv[2])
PY
}

# bad WHAT STATUS TEXT ARG...: no result, one line with the text
bad() {
	local what=$1 status=$2 text=$3
	shift 3
	run bad "$@"
	check "$what: exit status $status" [ $? -eq "$status" ]
	check "$what: one line" [ "$(wc -l <"$err")" -eq 1 ]
	check "$what: says \"$text\"" grep -qF -- "$text" "$err"
	check "$what: no result" [ ! -e "$dir/bad.json" ]
	rm -f "$dir"/bad.json*
}

# ---------------------------------------------------------------- a config

check "the same config" run same --baseline "$config"
check "the same config: two sides of each cell, no difference" result same '
assert r["baseline"]["differences"] == []
assert r["baseline"]["config"] == r["config"]
assert r["baseline"]["costs"] == r["costs"]
axes = [c["axes"] for c in r["cells"]]
assert len(axes) == 16 and all(list(a)[-1] == "side" for a in axes)
assert [a["side"] for a in axes] == ["base", "new"] * 8
seeds = [x["seed"] for c in r["cells"] for x in c["repeats"]]
assert len(seeds) == 64 and len(set(seeds)) == 64
'
check "another number of jobs" run jobs --baseline "$config" --jobs 5
check "another number of jobs: the same bytes" same_cells same jobs

check "one value differs" run high --baseline "$config" \
	--set-new host.column=high
check "one value differs: it is named" result high '
assert r["baseline"]["differences"] == [
    {"path": "host.column", "base": "typ", "new": "high"}]
assert r["config"]["host"]["column"] == "high"
assert "column" not in r["baseline"]["config"]["host"]
'
check "one value differs: the base does not change" $python - "$dir" <<'PY'
import json
import sys
same, high = (json.load(open(f"{sys.argv[1]}/{n}.json"))["cells"]
              for n in ("same", "high"))
for a, b in zip(same, high):
    assert a["axes"] == b["axes"]
    assert (a == b) == (a["axes"]["side"] == "base"), a["axes"]
PY
check "the other side" run low --baseline "$config" \
	--set-baseline host.column=high --set-baseline seed=9 \
	--set-new workloads.fault-in.pages=25
check "the other side: all are named" result low '
assert sorted((d["path"], d["base"], d["new"])
              for d in r["baseline"]["differences"]) == [
    ("host.column", "high", "typ"), ("seed", 9, 5),
    ("workloads.fault-in.pages", 24, 25)]
'
$python - "$root" "$dir" <<'PY'
import json
import sys
t = json.load(open(sys.argv[1] + "/configs/costs/spr.json"))
e = next(e for e in t["entries"] if e["typ"] > 0)
e["typ"] = (e["typ"] + e["high"]) / 2
json.dump(t, open(sys.argv[2] + "/costs.json", "w"))
open(sys.argv[2] + "/entry", "w").write(e["name"])
PY
check "a cost differs" run costs --baseline "$config" \
	--set-new "host.costs=$dir/costs.json"
check "a cost differs: its entry is named" result costs '
paths = [d["path"] for d in r["baseline"]["differences"]]
name = open(sys.argv[1].replace("costs.json", "entry")).read()
assert paths == ["host.costs", "costs." + name + ".typ"], paths
'
check "the rule is the config's" run rule --baseline "$config" \
	--set-new repeat.count=2 --set-baseline repeat.count=7
check "the rule is the config's: on both sides" result rule '
assert all(len(c["repeats"]) == 3 for c in r["cells"])
assert r["baseline"]["config"]["repeat"] == r["config"]["repeat"]
'
check "show" bash -c "'$TDMEM' show '$dir/high.json' >'$dir/shown'"
check "show has both sides" [ "$(grep -cE '^fault-in, side "(base|new)"' \
	"$dir/shown")" -eq 2 ]
check "show names the difference" \
	grep -qF 'host.column: base "typ", new "high"' "$dir/shown"
"$TDMEM" run "$config" --baseline "$config" --set-new seed=8 --dry-run \
	>"$dir/plan"
check "--dry-run has both sides" [ "$(grep -c 'side base$' "$dir/plan")" -eq 12 ]
check "--dry-run names the difference" \
	grep -qx 'seed: base 5, new 8' "$dir/plan"

# In the journal's order each round holds each cell once, the sides mixed.
"$TDMEM" run "$config" "${small[@]}" --baseline "$config" --jobs 1 \
	--set repeat.count=400 -o "$dir/order.json" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 2000); do
	[ "$(cat "$dir/order.json.journal" 2>/dev/null | wc -l)" -gt 100 ] &&
		break
	sleep 0.01
done
kill -KILL $pid
wait $pid 2>/dev/null
check "rounds: each cell once, sides mixed, no order twice" \
	$python - "$dir/order.json.journal" <<'PY'
import json
import sys
lines = open(sys.argv[1]).read().split("\n")[1:-1]
items = [json.loads(line) for line in lines]
rounds = [items[i:i + 16] for i in range(0, len(items) - 15, 16)]
assert len(rounds) >= 6
orders = [tuple(i["cell"] for i in r) for r in rounds]
for number, r in enumerate(rounds):
    assert all(i["repeat"] == number for i in r)
    assert sorted(i["cell"] for i in r) == list(range(16))
    sides = [i["cell"] % 2 for i in r]
    assert sides != sorted(sides) and sides != sorted(sides)[::-1]
assert len(set(orders)) == len(orders)
PY

# -------------------------------------------------------- what may not be

bad "other workloads" 2 'workloads[1]: the baseline has track' \
	--baseline "$config" --set-new 'workloads=["fault-in"]'
bad "another value" 2 'axes.vcpus[1]: the config has another value' \
	--baseline "$config" --set-new 'axes.vcpus=[1,5]'
bad "more values" 2 'axes.policy: the baseline has 2 values, the config 1' \
	--baseline "$config" --set-new 'axes.policy=["spin"]'
bad "one more axis" 2 'axes: the baseline has 2 axes, the config 3' \
	--baseline "$config" --set 'workloads=["fault-in"]' \
	--set-new 'axes.pages=[1,2]'
bad "a bad base" 2 'host.jitter: 7 is above 0.5' --baseline "$config" \
	--set-baseline host.jitter=7
bad "no such base" 2 'cannot be opened' --baseline "$dir/nothing"
bad "a folder" 2 'directory' --baseline "$dir"
bad "--set-new alone" 2 'need --baseline' --set-new seed=1
bad "--set-baseline alone" 2 'need --baseline' --set-baseline seed=1

# -------------------------------------------------------------- a program

cp "$TDMEM" "$dir/old-tdmem"
check "a program" run program --baseline "$dir/old-tdmem"
check "a program: the same bytes as of its config" same_cells same program
check "a program: the result names it" result program '
b = r["baseline"]
assert b["binary"].endswith("/old-tdmem") and b["version"]
assert b["differences"] == [] and b["config"] == r["config"]
'
if [ -x "${TDMEM_CLANG:-}" ]; then
	check "the clang build" run clang --baseline "$TDMEM_CLANG" --jobs 2
	check "the clang build: the same bytes" same_cells same clang
else
	skip "there is no clang build to be a baseline" 2
fi
check "a program with values of its own" run own \
	--baseline "$dir/old-tdmem" --set-baseline host.column=high
check "a program with values of its own: they are named" result own '
assert r["baseline"]["differences"] == [
    {"path": "host.column", "base": "high", "new": "typ"}]
'

# fake NAME, script: a program that says that it is a tdmem
fake() {
	{
		echo '#!/bin/bash'
		echo '[ "$1" != --version ] || { echo "tdmem 9"; exit 0; }'
		echo "$2"
	} >"$dir/$1"
	chmod +x "$dir/$1"
}

printf '#!/bin/sh\necho hello\n' >"$dir/other"
chmod +x "$dir/other"
bad "another program" 2 'expected "tdmem VERSION"' --baseline "$dir/other"
printf '\177ELF' >"$dir/broken"
chmod +x "$dir/broken"
bad "no program" 1 'cannot be run' --baseline "$dir/broken"
partial() { # what, text, script: as bad, but what is done is kept
	fake "$1" "$3"
	run bad --baseline "$dir/$1"
	check "$1: exit status 1" [ $? -eq 1 ]
	check "$1: one line" [ "$(wc -l <"$err")" -eq 1 ]
	check "$1: says \"$2\"" grep -qF -- "$2" "$err"
	[ ! -e "$dir/bad.json" ] ||
		check "$1: the result is partial" result bad 'assert r["partial"]'
	rm -f "$dir"/bad.json*
}
partial fails 'exit status 7: no luck' 'echo "no luck" >&2; exit 7'
partial dies 'ended by signal 9' 'kill -KILL $$'
partial silent 'expected one line' 'exit 0'
partial talks 'expected one line' 'echo hello'
partial endless 'printed more than' 'exec cat /dev/zero'
partial escapes 'no\x1b[31mluck' 'printf "no\033[31mluck\n" >&2; exit 1'
partial lines 'expected one line' "'$TDMEM' \"\$@\"; echo more"
partial seeds 'expected the seed' "exec '$TDMEM' \"\$1\" --set seed=99 \"\${@:2}\""
partial metrics 'unknown metric "tea.rate"' \
	"'$TDMEM' \"\$@\" | sed 's/kicks.rounds/tea.rate/'"
partial numbers 'expected a number' \
	"'$TDMEM' \"\$@\" | sed 's/\"kicks.rounds\":[0-9]*/\"kicks.rounds\":\"x\"/'"
partial buckets 'no histogram' \
	"'$TDMEM' \"\$@\" | sed 's/\"buckets\":\[\[[0-9]*/\"buckets\":[[-1/'"
partial members 'expected 5 members, not 6' \
	"'$TDMEM' \"\$@\" | sed 's/\"data\":{/\"data\":{\"more\":1,/'"
partial unmarked 'warmup: expected true' \
	"'$TDMEM' \"\$@\" | sed 's/,\"warmup\":true//'"
partial cells 'it ran cell' \
	"'$TDMEM' \"\$@\" | sed 's/\"cell\":[0-9]*/\"cell\":77/'"

# ------------------------------------------------------------ interruption

check "a program, uninterrupted" run whole --set repeat.count=12 \
	--baseline "$dir/old-tdmem" --jobs 2
interrupt() { # signal
	rm -f "$dir"/part.json*
	"$TDMEM" run "$config" "${small[@]}" --set repeat.count=12 --jobs 2 \
		--baseline "$dir/old-tdmem" -o "$dir/part.json" \
		>/dev/null 2>&1 &
	local pid=$!
	for _ in $(seq 2000); do
		[ "$(cat "$dir/part.json.journal" 2>/dev/null | wc -l)" -gt \
			20 ] && break
		sleep 0.005
	done
	kill -"$1" $pid
	wait $pid
}

interrupt INT
check "a program, INT: exit status 1" [ $? -eq 1 ]
touch -d '2001-01-01' "$dir/old-tdmem"
run part --set repeat.count=12 --baseline "$dir/old-tdmem" --resume
check "another program of that name does not go on" [ $? -eq 2 ]
interrupt TERM
check "a program, TERM: exit status 1" [ $? -eq 1 ]
check "a program: --resume" run part --set repeat.count=12 \
	--baseline "$dir/old-tdmem" --resume
check "a program: the same bytes" same_cells whole part

finish
