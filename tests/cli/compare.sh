#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem compare: usage, where it writes, gates and their exit status, and
# whether rankings and changes survive other costs.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

cd "$dir" || exit 1

# compare STATUS ARG...: its exit status
compare() {
	tdmem "$1" compare "${@:2}"
}

# refuses STATUS TEXT ARG...
refuses() {
	refused "$1" compare "${@:3}" && says "$2"
}

# reads: python statements that must hold; d is the JSON document
reads() {
	/usr/bin/python3 - "$out" 2>"$err" <<PY
import json, sys
d = json.load(open(sys.argv[1]))
$1
PY
}

# edit FROM TO STATEMENTS: a result (r) that is changed by hand
edit() {
	/usr/bin/python3 - "$1" "$2" <<PY
import json, sys
r = json.load(open(sys.argv[1]))
$3
json.dump(r, open(sys.argv[2], "w"))
PY
}

run() { # RESULT ARG...
	local result=$1
	shift
	"$TDMEM" run "$root/tests/cli/robust.json" -q -o "$result" "$@" \
		>/dev/null 2>"$err"
}

nightly=$root/configs/gates/nightly.json
strict=$root/configs/gates/strict.json
run a.json && run b.json --set seed=2 && run high.json --set host.column=high \
	--set seed=3 && run few.json --set repeat.count=3 --set host.column=high
check "there are results" [ -s few.json ]

# ------------------------------------------------------------------- usage

check "--help" compare 0 --help
widest=$(wc -L <"$out")
check "--help: 80 columns, not $widest" [ "$widest" -le 80 ]
check "no result" refuses 2 "expected BASE NEW"
check "one result" refuses 2 "--by AXIS" a.json
check "unknown form" refuses 2 'unknown form "xml"' -f xml a.json b.json
check "--by and two results" refuses 2 "--by takes one" --by policy a.json \
	b.json
check "an axis that there is not" refuses 2 policies --by policies a.json
check "--base without --by" refuses 2 "--base needs --by" --base a a.json \
	b.json
check "a base that there is not" refuses 2 spin --by policy --base spin a.json
check "labels of some" refuses 2 "--label" -l x a.json b.json
check "--cell without a value" refuses 2 AXIS=VALUE -c policy a.json b.json
check "--alpha 0" refuses 2 "--alpha" --alpha 0 a.json b.json
check "--alpha nan" refuses 2 "not within" --alpha nan a.json b.json
check "--threshold words" refuses 2 "no number" -t 3% a.json b.json
check "--threshold -1" refuses 2 "not within" --threshold=-1 a.json b.json
check "--confidence 1" refuses 2 "--confidence" --confidence 1 a.json b.json
check "--strict alone" refuses 2 "needs --gate" --strict a.json b.json
check "no such file" refuses 2 none.json a.json none.json
check "not a result" refuses 2 "$nightly" a.json "$nightly"
check "no such metric" refuses 2 "tdmem list metrics" -m 'none.*' a.json b.json
edit a.json newer.json 'r["schema"] = "tdmem-result/2"'
check "a newer result" refuses 2 "newer tdmem" a.json newer.json

# --------------------------------------------------------- where it writes

cp a.json copy.json
check "-o on a result" refuses 2 "one of the results" -o b.json a.json b.json
check "-o on the base by another name" refuses 2 "one of the results" \
	-o ./a.json a.json b.json
check "the base is untouched" cmp -s a.json copy.json
check "-o" compare 0 -f mail -o mail.txt a.json b.json
check "-o: nothing on stdout" [ ! -s "$out" ]
check "-o: nothing else is left" [ ! -e mail.txt.tmp ]
"$TDMEM" compare a.json b.json >/dev/full 2>"$err"
check "a full disk is a failure" [ $? -eq 1 ]
check "no colour in a file" compare 0 -a a.json high.json
check "no colour: no escape" bash -c "! grep -q $'\033' '$out'"

# Every form, with names that need quotes; six operands.
for form in text mail lkp mmtests markdown json; do
	check "$form: six results" compare 0 -f "$form" -l "it's" -l 'a b' \
		-l c -l d -l e -l f a.json b.json a.json b.json a.json b.json
done
check "json: its command makes the same again" reads '
import os, subprocess
line = d["command"].replace("tdmem", os.environ["TDMEM"], 1)
again = subprocess.run(["bash", "-c", line], capture_output=True).stdout
assert again == open(sys.argv[1], "rb").read()
assert len(d["sides"]) == 6 and d["sides"][0]["label"] == "it" + chr(39) + "s"
'

# ------------------------------------------------------------------- gates

check "other seeds pass" compare 0 -g "$nightly" a.json b.json
check "pass: said so" has 'gate "nightly": PASS: 0 failed'
check "the same passes the strict gate" compare 0 -g "$strict" a.json copy.json
check "few repeats are undecided to the strict gate" compare 3 -g "$strict" \
	--strict a.json copy.json
check "dearer calls fail" compare 3 -g "$nightly" a.json high.json
check "fail: named" grep -qE \
	'^FAIL fault-in, .*policy kick-first, .*: fault.rate$' "$out"
check "fail: numbers" grep -qE -e \
	'k/s -> [0-9.]+k/s, -[0-9.]+% \[-[0-9.]+%, -[0-9.]+%\], p [0-9.e-]+' \
	"$out"
check "fail: the limit" has "more than 3% worse"
check "fail: why" has "  why: "
check "fail: the last line" bash -c \
	"grep -q '^gate \"nightly\": FAIL' '$out'"
check "model output is marked" has "(model output)"
check "the other way round is better" compare 0 -g "$nightly" high.json a.json
check "unless any change fails" compare 3 -g "$strict" high.json a.json
check "too few repeats" compare 0 -g "$nightly" few.json few.json
compare 0 -g "$nightly" --across costs a.json few.json
check "too few repeats: undecided" has UNDECIDED
check "too few repeats: how many" grep -q "of each are needed" "$out"
check "--strict" compare 3 -g "$nightly" --strict --across costs a.json \
	few.json
check "json: valid, and the same verdict" compare 3 -f json -g "$nightly" \
	a.json high.json
check "json: the numbers" reads '
g = d["gate"]
assert g["verdict"] == "fail" and g["failed"] == len(
    [x for x in g["changes"] if x["verdict"] == "fail"]) > 3
assert all(x["modelled"] for x in g["changes"])
for x in g["changes"]:
    assert abs(x["new"] / x["base"] - 1 - x["change"]) < 1e-9
    assert x["low"] <= x["change"] <= x["high"] or "latency" in x["metric"]
    assert 0 < x["p"] <= 1 and x["why"]
'
check "lkp: a document" compare 3 -f lkp -g "$nightly" a.json high.json
check "lkp: the verdict is not in it" bash -c "! grep -q FAIL '$out'"
check "lkp: but on stderr" grep -q '^gate "nightly": FAIL' "$err"
check "metrics of a gate are compared" bash -c \
	"'$TDMEM' compare -a -g '$nightly' a.json b.json | grep -q kicks.rounds"

edit a.json lost.json '
cell = next(c for c in r["cells"] if c["axes"]["policy"] == "kick-first"
            and c["axes"]["workload"] == "track")
cell["status"], cell["reason"] = "livelock", "nothing was done"'
check "a cell that livelocks fails" compare 3 -g "$nightly" a.json lost.json
check "it is named" has "the cell was ok, and now is livelock"
check "once" [ "$(grep -c '^FAIL' "$out")" -eq 1 ]
check "and was bad before: passes" compare 0 -g "$nightly" lost.json a.json
edit a.json lost.json '
r["cells"] = [c for c in r["cells"] if c["axes"]["workload"] != "track"]'
check "cells that are missing fail" compare 3 -g "$nightly" a.json lost.json
check "missing: each one" [ "$(grep -c '^FAIL' "$out")" -eq 2 ]

gate() { # the rules of gate.json
	echo '{"schema":"tdmem-gate/1","name":"g","rules":['"$1"']}' >gate.json
}
gate '{"metric":"*.rate","action":"ignore"},
	{"metric":"own.*","action":"check"}'
check "what is ignored does not fail" compare 3 -g gate.json a.json high.json
check "what is ignored is not named" bash -c "! grep -q '^FAIL.*rate' '$out'"
gate '{"metric":"own.rate","action":"check","workload":"tr*",
	"cell":{"policy":"spin*"}}'
compare 3 -g gate.json a.json high.json
check "only what the rule is about" [ "$(grep -c '^FAIL' "$out")" -eq 1 ]
gate '{"metric":"teardown.*","action":"check"}'
check "a gate that checks nothing" refuses 2 "checks nothing" -g gate.json \
	a.json b.json
gate '{"metric":"own.rate","action":"check","materiel":1}'
check "an unknown key" refuses 2 "gate.json: rules[0].materiel" -g gate.json \
	a.json b.json
echo '{' >gate.json
check "half a gate" refuses 2 "gate.json: line" -g gate.json a.json b.json
check "no gate" refuses 2 "none.json" -g none.json a.json b.json
check "a config is no gate" refuses 2 "$root/configs/quick.json" -g \
	"$root/configs/quick.json" a.json b.json

for gate in "$root"/configs/gates/*.json; do
	keeps "a gate keeps to its schema" "$gate"
done
compare 3 -f json --by policy --base spin-doubling --robust -g "$nightly" a.json
keeps "json keeps to its schema" "$out"
check "json has gate and rankings" reads '
assert d["gate"]["changes"] and d["robust"]["items"]
'
compare 3 -f json --robust -g "$nightly" a.json lost.json
keeps "json of lost cells keeps to its schema" "$out"
check "json has what was lost" reads '
assert d["gate"]["cells"] and d["robust"]["kind"] == "changes"
'

# ------------------------------------------------------------------- sides

run sides.json --baseline "$root/tests/cli/robust.json" \
	--set-new host.column=high
check "the sides of one result" compare 3 -g "$nightly" sides.json
check "which side" grep -q "^FAIL .*side new" "$out"

# ------------------------------------------------------------- other costs

check "rankings" compare 0 --by policy --robust a.json
check "one survives" grep -qx "fault-in, vcpus 8: survives" "$out"
check "one weakens" grep -qx "track, vcpus 8: weakens" "$out"
check "one does not survive" grep -qx "convert, vcpus 8: does not survive" \
	"$out"
cp "$out" text.txt
check "mail, gate and rankings" compare 3 --by policy --robust -f mail \
	--ascii -g "$nightly" --base spin-doubling a.json
check "mail: 75 columns, no more" [ "$(wc -L <"$out")" -le 75 ]
check "mail: no tabs, no blanks at the end, ASCII" bash -c \
	"! LC_ALL=C grep -qP '\t| \$|[^ -~]' '$out'"
check "any number of jobs" compare 0 --by policy --robust -j 1 a.json
check "the same with one job" cmp -s \
	<(sed -n '/^Does it/,$p' "$out") <(sed -n '/^Does it/,$p' text.txt)
check "rankings as JSON" compare 0 --by policy --robust -f json a.json
check "the orders are those of results with these columns" reads '
import statistics, subprocess, os
r = d["robust"]
assert (r["survive"], r["weaken"], r["reverse"]) == (1, 1, 1)
for column in "low", "typ", "high":
    subprocess.run([os.environ["TDMEM"], "run",
                    "'"$root"'/tests/cli/robust.json", "--set",
                    "host.column=" + column, "-q", "-o", column + ".col"],
                   check=True, stdout=subprocess.DEVNULL)
    cells = json.load(open(column + ".col"))["cells"]
    for item in r["items"]:
        rate = {c["axes"]["policy"]: statistics.median(
                    x["metrics"][item["metric"]] for x in c["repeats"])
                for c in cells if c["axes"]["workload"] == item["workload"]}
        places = item["columns"][column]
        want = sorted(rate, key=lambda p: -rate[p])
        if places[0]["ahead"]:
            assert [p["value"] for p in places] == want, item
            assert rate[want[0]] / rate[want[1]] > 1.01
        assert not places[-1]["ahead"]
'
check "only what --cell selects" compare 0 --by policy --robust \
	-c workload=track a.json
check "--cell: nothing else" bash -c "! grep -q '^convert, ' '$out'"
check "undecided" compare 0 --by policy --robust few.json
check "undecided: said so" has "undecided: too few repeats"
run ticks.json --set workloads.track.tick_ns=1000
run accept.json --set workloads.fault-in.accept=none
check "changes" compare 0 --robust -f json -m '*.rate' a.json ticks.json
check "changes: all columns" reads '
r = d["robust"]
assert r["kind"] == "changes" and r["unchanged"] == 10
assert [(x["axes"]["policy"], x["metric"], x["outcome"]) for x in r["items"]
        ] == [("spin-doubling", "track.rate", "weakens"),
              ("kick-first", "track.rate", "survives")]
for item in r["items"]:
    assert list(item["columns"]) == ["low", "typ", "high"]
    verdicts = {c["verdict"] for c in item["columns"].values()}
    assert (item["outcome"] == "survives") == (len(verdicts) == 1)
own = {json.dumps(row["axes"]): row["changes"][0]["ratio"]
       for g in d["groups"] if g["about"]["name"] == "track.rate"
       for row in g["rows"]}
for item in r["items"]:
    assert own[json.dumps(item["axes"])] == item["columns"]["typ"]["change"]
'
check "a change that does not survive" compare 0 --robust -m '*.rate' a.json \
	accept.json
check "it is told" grep -qx \
	'fault-in, policy spin-doubling, accept: fault.rate: does not survive' \
	"$out"
check "changes of sides" compare 0 --robust -c workload=track -m 'track.rate' \
	sides.json

edit a.json other.json 'r["tool"]["version"] = "0.0"'
check "another version" refuses 4 "made by tdmem 0.0" --by policy --robust \
	other.json
edit a.json other.json '
r["cells"][0]["repeats"][0]["metrics"]["fault.rate"] *= 1.001'
check "another build" refuses 4 "other numbers" --by policy --robust other.json
edit a.json other.json '
for w in r["workloads"].values(): w["modelled"] = False'
check "not model output" refuses 4 "not model output" --by policy --robust \
	other.json
check "two columns" refuses 2 "one column" --robust a.json high.json

finish
