#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line: usage, bad input, interruption.  Each bad input must give
# its exit status and exactly one line that names the file, the place and what
# was expected.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

# bad NAME TEXT...: a run exits 2 with one line that holds each TEXT
bad() {
	local file=$1 text
	shift
	tdmem 2 run "$file" -o "$dir/never.json" || return 1
	one_line || return 1
	[ ! -s "$out" ] && [ ! -e "$dir/never.json" ] || return 1
	for text in "${file##*/}" "$@"; do
		grep -qF -- "$text" "$err" || {
			echo "    not in the line: $text"
			return 1
		}
	done
}

# The smallest good config, changed by a jq-like python expression.
make_config() { # name, python statements on c
	/usr/bin/python3 - "$root" "$dir/$1" "$2" <<'PY'
import json
import sys
c = {
    "schema": "tdmem-config/1", "name": "t", "backend": "sim",
    "workloads": {"fault-in": {"pages": 8}},
    "axes": {"policy": ["eagain", "kick-once"], "vcpus": [1, 2]},
    "repeat": {"count": 2},
    "host": {"topology": "pack:1 core:8 pu:1",
             "costs": sys.argv[1] + "/configs/costs/spr.json",
             "column": "typ", "jitter": 0.05},
    "seed": 7}
exec(sys.argv[3])
json.dump(c, open(sys.argv[2], "w"))
PY
}

# ------------------------------------------------------------------ usage

check "--help" tdmem 0 --help
check "--help goes to stdout" [ -s "$out" ]
check "--help says nothing on stderr" [ ! -s "$err" ]
check "--version" tdmem 0 --version
check "--version names the program" grep -q '^tdmem ' "$out"
tdmem 0 --help
check "--help: one column of summaries" [ "$(sed -n 's/^  tdmem //p' "$out" |
	awk '{ match($0, /   */); print RSTART + RLENGTH }' |
	sort -u | wc -l)" -eq 1 ]
check "--help: 80 columns" [ "$(wc -L <"$out")" -le 80 ]
commands=$(sed -n 's/^  tdmem \([a-z]*\) .*/\1/p' "$out")
check "--help has the commands" [ "$(echo "$commands" | wc -l)" -ge 13 ]
for c in $commands; do
	check "$c --help" tdmem 0 "$c" --help
	check "$c --help goes to stdout" [ -s "$out" ]
	check "$c --help: 80 columns" [ "$(wc -L <"$out")" -le 80 ]
	check "$c --help: no blank lines together" \
		[ "$(cat -s "$out" | wc -l)" -eq "$(wc -l <"$out")" ]
done
for args in "" "nonsense" "--nonsense" "run" "run --nonsense x" "show" \
	"run a b" "list nonsense" "run x --jobs 0" "run x --jobs many"; do
	# shellcheck disable=SC2086
	check "usage: tdmem $args" tdmem 2 $args
	check "usage: tdmem $args: one line" one_line
	check "usage: tdmem $args: points to help" grep -q -- --help "$err"
	check "usage: tdmem $args: no document" [ ! -s "$out" ]
done

# -------------------------------------------------------------- documents

for what in workloads policies backends metrics costs; do
	check "list $what" tdmem 0 list $what
	check "list $what prints" [ -s "$out" ]
	widest=$(wc -L <"$out")
	check "list $what: 80 columns, not $widest" [ "$widest" -le 80 ]
done
check "list" tdmem 0 list
for w in build fault-in accept track block-remove convert reclaim zero-step \
	churn prefault; do
	tdmem 0 list workloads
	check "list workloads has $w" grep -qE "^ *$w( |$)" "$out"
done
check "env" tdmem 0 env
check "env names the backend" grep -q sim "$out"
"$TDMEM" list metrics >/dev/full 2>"$err"
check "a full disk is a failure" [ $? -eq 1 ]
check "a full disk is told" one_line

# -------------------------------------------------------------- good runs

make_config good.json ''
check "dry run" tdmem 0 run "$dir/good.json" --dry-run -o "$dir/dry.json"
check "dry run prints the cells" [ "$(grep -c kick-once "$out")" -ge 2 ]
check "dry run writes nothing" [ ! -e "$dir/dry.json" ]
check "run" tdmem 0 run "$dir/good.json" -o "$dir/good-result.json"
check "run: last line is the result" \
	[ "$(tail -n 1 "$out")" = "result: $dir/good-result.json" ]
check "run: marked as model output" grep -qi 'model output' "$out"
check "no colour without a terminal" \
	bash -c "! grep -q $'\\033' '$out' '$err'"
check "show" tdmem 0 show "$dir/good-result.json"
cp "$out" "$dir/shown"
check "show prints units" grep -q '1/s' "$dir/shown"
check "show fits 80 columns" [ "$(wc -L <"$dir/shown")" -le 80 ]
check "--set changes the cells" tdmem 0 run "$dir/good.json" \
	--set 'axes.vcpus=[1]' --dry-run
check "--set changed them" [ "$(grep -c kick-once "$out")" -eq 1 ]
check "--set of a bad value" tdmem 2 run "$dir/good.json" \
	--set 'axes.vcpus=[0]' --dry-run
check "--set of a bad value: the path" grep -qF 'axes.vcpus[0]' "$err"
check "--set of nonsense" tdmem 2 run "$dir/good.json" --set nonsense --dry-run
check "a free combination of halves" tdmem 0 run "$dir/good.json" --set \
	'axes.policy=[{"fault":"eagain","removal":"kick-first"}]' \
	-o "$dir/free.json"
check "an existing result is not overwritten by default" \
	bash -c "cd '$dir' && mkdir -p results && '$TDMEM' run good.json >a &&
		'$TDMEM' run good.json >b && [ \$(ls results/*.json | wc -l) -eq 2 ]"

# -------------------------------------------------------------- bad input

bad_config() { # what, python statements, texts...
	local what=$1
	make_config bad.json "$2"
	shift 2
	check "bad config: $what" bad "$dir/bad.json" "$@"
}

bad_config "unknown key" 'c["axis"] = {}' axis
bad_config "unknown key below" 'c["host"]["colunm"] = "typ"' host.colunm
bad_config "wrong type" 'c["axes"]["vcpus"] = "many"' axes.vcpus
bad_config "wrong type in a list" 'c["axes"]["vcpus"][1] = "2"' 'axes.vcpus[1]'
bad_config "0 vCPUs" 'c["axes"]["vcpus"] = [1, 0]' 'axes.vcpus[1]'
bad_config "too many vCPUs" 'c["axes"]["vcpus"] = [5000]' 'axes.vcpus[0]' 1024
bad_config "duplicate axis value" 'c["axes"]["vcpus"] = [2, 1, 2]' \
	'axes.vcpus[2]'
bad_config "empty axis" 'c["axes"]["vcpus"] = []' axes.vcpus
bad_config "unknown policy" 'c["axes"]["policy"] = ["spinn"]' \
	'axes.policy[0]' spinn
bad_config "unknown half" 'c["axes"]["policy"] = [{"fault": "x"}]' \
	'axes.policy[0]'
bad_config "unknown workload" 'c["workloads"] = {"fault-out": {}}' fault-out
bad_config "unknown knob" 'c["workloads"]["fault-in"]["page"] = 1' \
	workloads.fault-in.page
bad_config "knob out of range" 'c["workloads"]["fault-in"]["pages"] = -1' \
	workloads.fault-in.pages
bad_config "unknown backend" 'c["backend"] = "magic"' backend magic
bad_config "unknown axis" 'c["axes"]["colour"] = [1]' axes.colour
bad_config "no repeats" 'c["repeat"]["count"] = 0' repeat.count
bad_config "fraction" 'c["repeat"]["count"] = 1.5' repeat.count
bad_config "jitter out of range" 'c["host"]["jitter"] = 0.7' host.jitter
bad_config "negative seed" 'c["seed"] = -1' seed
bad_config "bad column" 'c["host"]["column"] = "best"' host.column
bad_config "bad topology" 'c["host"]["topology"] = "pack:x"' host.topology
bad_config "no cost table there" 'c["host"]["costs"] = "nowhere.json"' \
	nowhere.json
bad_config "wrong schema" 'c["schema"] = "tdmem-config/9"' schema
bad_config "no schema" 'del c["schema"]' schema
bad_config "a product that is too large" \
	'c["axes"]["vcpus"] = list(range(1, 1025)); c["axes"]["pages"] = list(range(1, 1001))' \
	axes
bad_config "control characters in a name" 'c["\u001b[31m\n"] = 1' 

printf '{"schema": "tdmem-config/1", "name": "a", "name": "b"}' \
	>"$dir/double.json"
check "bad file: duplicate key" bad "$dir/double.json" name
: >"$dir/empty.json"
check "bad file: empty" bad "$dir/empty.json"
echo 'hello' >"$dir/text.json"
check "bad file: not JSON" bad "$dir/text.json"
echo '[]' >"$dir/array.json"
check "bad file: an array" bad "$dir/array.json"
printf '{"schema": "tdmem-config/1",\n"name": }\n' >"$dir/syntax.json"
check "bad file: syntax, with its line" bad "$dir/syntax.json" 2
head -c 100000000 /dev/zero | tr '\0' '[' >"$dir/brackets.json"
check "bad file: 100 MB of brackets" bad "$dir/brackets.json"
rm "$dir/brackets.json"
head -c 65536 /dev/urandom >"$dir/random.json"
check "bad file: random bytes" bad "$dir/random.json"
check "bad file: a folder" bad "$dir"
check "bad file: not there" bad "$dir/not-there.json"

bad_costs() { # what, python statements on t, texts...
	local what=$1
	/usr/bin/python3 - "$root" "$dir/costs.json" "$2" <<'PY'
import json
import sys
t = json.load(open(sys.argv[1] + "/configs/costs/spr.json"))
e = t["entries"]
exec(sys.argv[3])
json.dump(t, open(sys.argv[2], "w"))
PY
	shift 2
	make_config bad.json "c['host']['costs'] = '$dir/costs.json'"
	check "bad costs: $what" bad_cost_line "$@"
}

bad_cost_line() {
	local text
	tdmem 2 run "$dir/bad.json" -o "$dir/never.json" && one_line || return 1
	for text in costs.json "$@"; do
		grep -qF -- "$text" "$err" || {
			echo "    not in the line: $text"
			return 1
		}
	done
}

bad_costs "an entry is missing" 'del e[3]' entries
bad_costs "an entry twice" 'e.append(e[0])' entries
bad_costs "an unknown entry" 'e[0]["name"] = "tea"' 'entries[0]' tea
bad_costs "a negative cost" 'e[1]["low"] = -1' 'entries[1].low'
bad_costs "low above typ" 'e[1]["low"] = e[1]["high"] + 1' 'entries[1]'
bad_costs "an unknown mark" 'e[2]["mark"] = "guess"' 'entries[2].mark'

# --------------------------------------------------------- bad results

for f in empty text array syntax random; do
	check "show of a bad file: $f" tdmem 2 show "$dir/$f.json"
	check "show of a bad file: $f: one line" one_line
done
check "show of a config" tdmem 2 show "$dir/good.json"
head -c 3000 "$dir/good-result.json" >"$dir/cut.json"
check "show of half a result" tdmem 2 show "$dir/cut.json"

# ---------------------------------------------------- output, interruption

make_config long.json 'c["repeat"]["count"] = 2000'
SECONDS=0
check "unwritable output" tdmem 1 run "$dir/long.json" -o /proc/nope/x.json
check "unwritable output: one line" one_line
check "unwritable output: names the path" grep -qF /proc/nope/x.json "$err"
check "output into a folder that is not there" \
	tdmem 1 run "$dir/long.json" -o "$dir/no/where/x.json"

interrupt() { # signal
	"$TDMEM" run "$dir/many.json" -o "$dir/part.json" >"$out" 2>"$err" &
	local pid=$!
	for _ in $(seq 200); do
		[ "$(cat "$dir"/part*journal* 2>/dev/null | wc -l)" -ge 3 ] && break
		sleep 0.05
	done
	kill -"$1" $pid
	wait $pid
	status=$?
}

valid_partial() { # expected value of partial
	/usr/bin/python3 - "$dir/part.json" "$1" <<'PY'
import json
import sys
r = json.load(open(sys.argv[1]))
assert r["partial"] == (sys.argv[2] == "yes"), r["partial"]
assert len(r["cells"]) >= 1
assert all(len(c["repeats"]) for c in r["cells"])
print(len(r["cells"]), "cells")
PY
}

make_config many.json 'c["axes"]["vcpus"] = list(range(1, 9));
c["axes"]["pages"] = [500, 501, 502, 503, 504, 505];
del c["workloads"]["fault-in"]["pages"]; c["repeat"]["count"] = 4'
check "an uninterrupted run" tdmem 0 run "$dir/many.json" -o "$dir/whole.json"
for signal in INT TERM; do
	rm -f "$dir"/part*
	interrupt $signal
	check "SIG$signal: exit status 1, not $status" [ "$status" -eq 1 ]
	check "SIG$signal: a valid file that is partial" valid_partial yes
	check "SIG$signal: --resume" tdmem 0 run "$dir/many.json" --resume \
		-o "$dir/part.json"
	check "SIG$signal: resumed, not partial" valid_partial no
	sed -n '/"cells"/,$p' "$dir/part.json" >"$dir/part.cells"
	sed -n '/"cells"/,$p' "$dir/whole.json" >"$dir/whole.cells"
	check "SIG$signal: the same cells" \
		cmp -s "$dir/part.cells" "$dir/whole.cells"
done

finish
