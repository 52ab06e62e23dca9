#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How often cells are repeated: until the interval is narrow, worked out again
# from the result's own values; the same bytes whatever happens on the way;
# warm-ups that nothing is computed from; tags, and text from outside that
# tries to be more than text.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

config=$root/tests/cli/repeats.json

# run NAME ARG...: the result is $dir/NAME.json
run() {
	local name=$1
	shift
	timeout 300 "$TDMEM" run "$config" -o "$dir/$name.json" --quiet "$@" \
		>"$out" 2>"$err"
}

cells_of() { # name
	sed -n '/"cells"/,$p' "$dir/$1.json"
}

same_cells() { # name, name
	cmp <(cells_of "$1") <(cells_of "$2")
}

# ------------------------------------------------------------------- rule

check "an adaptive run" run first --jobs 1
check "another number of jobs" run jobs --jobs 3
check "another number of jobs: the same bytes" same_cells first jobs

cat >"$dir/rule.py" <<'PY'
"""The rule, from what the result says and nothing else."""
import json
import math
import sys

r = json.load(open(sys.argv[1]))
rule = r["config"]["repeat"]


def narrow(values):
    v = sorted(values)
    n = len(v)
    # the k-th values from both ends; binomial with a half
    for k in range(n // 2, 0, -1):
        outside = sum(math.comb(n, i) for i in range(k)) / 2 ** n
        if 1 - 2 * outside >= 0.95:
            median = (v[(n - 1) // 2] + v[n // 2]) / 2
            return v[n - k] - v[k - 1] <= rule["ci_width"] * median
    return False


counts = set()
for c in r["cells"]:
    warm = [x for x in c["repeats"] if x.get("warmup")]
    rest = [x for x in c["repeats"] if not x.get("warmup")]
    assert len(warm) == rule["warmup"], len(warm)
    assert all("warmup" not in x or x["warmup"] is True for x in c["repeats"])
    assert c["repeats"][:len(warm)] == warm, "warm-ups come first"
    seeds = [x["seed"] for x in c["repeats"]]
    assert len(set(seeds)) == len(seeds), "a seed twice"
    name = r["workloads"][c["axes"]["workload"]]["operation"] + ".rate"
    rates = [x["metrics"][name] for x in rest]
    n = rule["min"]
    while n < rule["max"] and not narrow(rates[:n]):
        n += 1
    assert n == len(rates), (c["axes"], n, len(rates))
    counts.add(n)
assert len(counts) > 2, counts
assert max(counts) <= rule["max"] and min(counts) >= 6, counts
assert r["partial"] is False
PY
check "the counts are those of the rule" $python "$dir/rule.py" \
	"$dir/first.json"

check "without warm-ups" run cold --set repeat.warmup=0
cat >"$dir/cold.py" <<'PY'
import json
import sys

warm, cold = (json.load(open(p))["cells"] for p in sys.argv[1:])
for a, b in zip(warm, cold):
    assert [x for x in a["repeats"] if not x.get("warmup")] == b["repeats"]
PY
check "warm-ups change no other repeat" $python "$dir/cold.py" \
	"$dir/first.json" "$dir/cold.json"
"$TDMEM" show "$dir/first.json" | grep -v '^repeats: ' >"$dir/warm.txt"
"$TDMEM" show "$dir/cold.json" | grep -v '^repeats: ' >"$dir/cold.txt"
check "warm-ups are not in show" cmp <(sed 's/20[0-9TZ:-]*//' "$dir/warm.txt") \
	<(sed 's/20[0-9TZ:-]*//' "$dir/cold.txt")
check "show says that the number varies" \
	bash -c "'$TDMEM' show '$dir/first.json' |
		grep -qE '12 cells, [0-9]+-[0-9]+ repeats'"

check "no time: the minimum" run hurry --set repeat.time_s=0.000001
check "no time: the minimum, and not partial" $python -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert all(len(c["repeats"]) == 6 for c in r["cells"])
assert not r["partial"]' "$dir/hurry.json"

"$TDMEM" run "$config" --dry-run >"$dir/plan"
check "--dry-run: cells, repeats and rounds" grep -qF \
	'12 cells, 4 to 16 repeats of each in 6 to 18 rounds, 2 of them warm-up' \
	"$dir/plan"
check "--dry-run: the target" grep -qF '1.5 %' "$dir/plan"

# A cell that does not end ok is done at the minimum, and is no zero.
check "a cell that is stuck" run stuck --set limits.max_ms=0.01
check "a cell that is stuck: the minimum" $python -c '
import json, sys
r = json.load(open(sys.argv[1]))
bad = [c for c in r["cells"] if c["status"] != "ok"]
assert bad and all(len(c["repeats"]) == 6 and c["reason"] for c in bad)' \
	"$dir/stuck.json"

# ---------------------------------------------------------- interruptions

interrupted() { # signal, lines of the journal to wait for
	rm -f "$dir"/part*
	"$TDMEM" run "$config" "${more[@]}" -o "$dir/part.json" --quiet \
		>"$out" 2>"$err" &
	local pid=$!
	for _ in $(seq 2000); do
		[ "$(cat "$dir/part.json.journal" 2>/dev/null | wc -l)" -ge \
			"$2" ] && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.005
	done
	kill -"$1" $pid 2>/dev/null
	wait $pid 2>/dev/null
}

more=(--set workloads.fault-in.pages=1500 --set 'axes.vcpus=[1,6,8]' --jobs 2)
check "a long run" run long "${more[@]}"
stopped=0
for lines in 2 10 30 60; do
	interrupted INT $lines
	status=$?
	[ -e "$dir/part.json.journal" ] && stopped=$((stopped + 1))
	[ $status -eq 0 ] || check "INT after $lines: exit status 1" \
		[ $status -eq 1 ]
	[ ! -e "$dir/part.json.journal" ] || check \
		"INT after $lines: what the journal has is in the result" \
		$python - "$dir/part.json" <<'PY'
import json
import sys
r = json.load(open(sys.argv[1]))
lines = [json.loads(x) for x in open(sys.argv[1] + ".journal")][1:]
assert r["partial"]
assert sum(len(c["repeats"]) for c in r["cells"]) == len(lines) > 0
assert all(c["repeats"] for c in r["cells"])
PY
	[ ! -e "$dir/part.json.journal" ] ||
		check "INT after $lines: show" \
			"$TDMEM" show "$dir/part.json" >/dev/null
	[ ! -e "$dir/part.json.journal" ] || check \
		"INT after $lines: --resume" run part "${more[@]}" --resume
	check "INT after $lines: the same bytes" same_cells long part
done
check "one of them at least was interrupted" [ $stopped -ge 1 ]
interrupted KILL 20
check "KILL: --resume" run part "${more[@]}" --resume
check "KILL: the same bytes" same_cells long part

interrupted KILL 20
sed -i '1s/tdmem-journal.2/tdmem-journal\/1/' "$dir/part.json.journal"
run part "${more[@]}" --resume
check "an old journal: exit status 2" [ $? -eq 2 ]
check "an old journal: one line" [ "$(wc -l <"$err")" -eq 1 ]
check "an old journal: says so" grep -q 'older version' "$err"
sed -i '1s/tdmem-journal.1/tdmem-journal\/2/' "$dir/part.json.journal"
sed -n 2p "$dir/part.json.journal" >"$dir/line"
for edit in 's/"cell":[0-9]*/"cell":99999/' 's/"repeat":[0-9]*/"repeat":99/' \
	''; do
	cp "$dir/part.json.journal" "$dir/kept"
	sed "$edit" "$dir/line" >>"$dir/part.json.journal"
	run part "${more[@]}" --resume
	check "a strange line ($edit): exit status 2" [ $? -eq 2 ]
	check "a strange line ($edit): one line" \
		[ "$(wc -l <"$err")" -eq 1 ]
	check "a strange line ($edit): no result" [ ! -e "$dir/part.json" ]
	mv "$dir/kept" "$dir/part.json.journal"
done

# ------------------------------------------------------------------- tags

small=(--set 'axes.vcpus=[1]' --set repeat.max=6 --set repeat.warmup=0)
check "tags" run tags "${small[@]}" --tag commit=1a2b3c --tag a.b-c_9= \
	--tag "x=a=b"
check "tags are in the environment" $python -c '
import json, sys
assert json.load(open(sys.argv[1]))["environment"]["tags"] == {
    "commit": "1a2b3c", "a.b-c_9": "", "x": "a=b"}' "$dir/tags.json"
check "no tags by default" $python -c '
import json, sys
assert "tags" not in json.load(open(sys.argv[1]))["environment"]' \
	"$dir/first.json"
long=$(printf 'k%.0s' $(seq 41))
for tag in "" = =x Key=1 "a b=1" nothing "$long=1" $'a\n=1' "ä=1"; do
	run bad "${small[@]}" --tag "$tag"
	check "--tag '$tag': exit status 2" [ $? -eq 2 ]
	check "--tag '$tag': one line" [ "$(wc -l <"$err")" -eq 1 ]
done
run bad "${small[@]}" --tag a=1 --tag a=2
check "a tag twice" [ $? -eq 2 ]
check "a bad tag leaves nothing" [ -z "$(ls "$dir"/bad* 2>/dev/null)" ]

# ------------------------------------------------------- one repeat alone

"$TDMEM" run "$config" --one 3:2 >"$dir/one" 2>"$err"
check "--one: exit status" [ $? -eq 0 ]
check "--one is the repeat of the run" $python - "$dir" <<'PY'
import json
import sys
line = open(sys.argv[1] + "/one").read()
assert line.count("\n") == 1 and line.endswith("\n")
one = json.loads(line)
assert (one["cell"], one["repeat"]) == (3, 2)
cell = json.load(open(sys.argv[1] + "/first.json"))["cells"][3]
assert one["data"] == cell["repeats"][2]
PY
for one in "" 1 1: :1 a:b 1:2:3 1:2:old -1:0 12:0 0:18 1:2x " 1:2" \
	99999999999999999999:0; do
	"$TDMEM" run "$config" --one "$one" >"$out" 2>"$err"
	check "--one '$one': exit status 2" [ $? -eq 2 ]
	check "--one '$one': one line" [ "$(wc -l <"$err")" -eq 1 ]
	check "--one '$one': nothing else" [ ! -s "$out" ]
done
for option in "-o x" "--dry-run" "--baseline $config"; do
	# shellcheck disable=SC2086
	"$TDMEM" run "$config" --one 0:0 $option >"$out" 2>"$err"
	check "--one with $option: exit status 2" [ $? -eq 2 ]
done

# --------------------------------------------------------------- hostility

# The config with everything in its own folder, and little to do.
$python - "$config" "$root" "$dir" <<'PY'
import json
import sys
c = json.load(open(sys.argv[1]))
c["host"]["costs"] = sys.argv[2] + "/configs/costs/spr.json"
c["axes"] = {"policy": ["eagain"], "vcpus": [1]}
c["repeat"] = {"count": 1, "warmup": 1}
json.dump(c, open(sys.argv[3] + "/repeats.json", "w"))
PY
$python - "$dir" >"$dir/hostile" <<'PY'
"""Texts that try to be more, wherever a config or an argument takes any."""
import json
import os
import subprocess
import sys

from checks import check, finish

here = sys.argv[1].encode()
tdmem = os.environb[b"TDMEM"]
texts = [b'"', b"\\", b"a\nb", b"\x1b[31mred", b"\x7f", b"\t", b"'; rm x",
         b'","x":"', b"\xff\xfe", b"\xc3\xa4", b"%s%n", b"\xe2\x80\xae",
         b"a" * 3000]
config = json.load(open(here + b"/repeats.json"))


def control(data):
    return any(c < 0x20 and c != 0x0a or c == 0x7f for c in data)


def run(path, *more):
    return subprocess.run([tdmem, b"run", path, *more], capture_output=True,
                          timeout=100)


def refused(got, what):
    check(got.returncode == 2, what + ": exit status %d" % got.returncode)
    check(got.stderr.count(b"\n") == 1 and not control(got.stderr),
          what + ": one harmless line")
    check(not got.stdout, what + ": nothing on stdout")


for text in texts:
    name = repr(text[:20])
    # as the value of a tag, in the path of the result, in its cost table's
    folder = here + b"/" + text.replace(b"/", b"_")[:100]
    os.makedirs(folder, exist_ok=True)
    result = folder + b"/r.json"
    got = run(here + b"/repeats.json", b"-o", result, b"--tag", b"t=" + text)
    check(got.returncode == 0, name + ": exit status")
    check(not control(got.stdout), name + ": harmless output")
    check(got.stdout.splitlines()[-1].startswith(b"result: "),
          name + ": the last line is the path")
    document = json.loads(open(result, "rb").read().decode("utf-8"))
    tag = document["environment"]["tags"]["t"]
    try:
        check(tag == text.decode("utf-8"), name + ": the tag is the text")
    except UnicodeDecodeError:
        check("\\xff" in tag, name + ": the tag has its bytes")
    show = subprocess.run([tdmem, b"show", result], capture_output=True)
    check(show.returncode == 0 and not control(show.stdout), name + ": show")
    for place in b"name", b"host.topology", b"host.costs", b"host.column", \
            b"axes.policy[0]", b"workloads", b"axes." + text[:40], b"backend":
        refused(run(here + b"/repeats.json", b"--set", place + b"=" + text),
                "--set %s=%s" % (place, name))
    refused(run(here + b"/repeats.json", b"--one", text), "--one " + name)
    refused(run(here + b"/nowhere" + text[:100]), "config " + name)
    refused(run(here + b"/repeats.json", b"--baseline", b"/nowhere/" + text),
            "--baseline " + name)
    if text.isascii():
        for change in ("key", lambda c, t: c.__setitem__(t, 1)), \
                ("knob", lambda c, t: c["workloads"]["track"].
                 __setitem__(t, 1)), \
                ("axis", lambda c, t: c["axes"].__setitem__(t, [1])), \
                ("repeat", lambda c, t: c["repeat"].__setitem__(t, 1)):
            broken = json.loads(json.dumps(config))
            change[1](broken, text.decode())
            json.dump(broken, open(here + b"/broken.json", "w"))
            refused(run(here + b"/broken.json"), change[0] + " " + name)

# A cost table at a path of that kind, whose name is one as well.
odd = here + b"/odd\x1b[31m\"\n.json"
table = json.load(open(config["host"]["costs"]))
table["name"] = table["description"] = "\x1b[31m\"\n\\ \u202e"
json.dump(table, open(odd, "w"))
config["host"]["costs"] = odd.decode()
json.dump(config, open(here + b"/odd-config.json", "w"))
got = run(here + b"/odd-config.json", b"-o", here + b"/odd-result.json")
check(got.returncode == 0, "odd cost table: " + repr(got.stderr))
check(not control(got.stdout), "odd cost table: harmless output")
document = json.load(open(here + b"/odd-result.json"))
check(document["costs"]["path"] == odd.decode(), "odd cost table: its path")
check(document["costs"]["table"]["name"] == table["name"],
      "odd cost table: its name")
got = run(here + b"/odd-config.json", b"--baseline", here + b"/repeats.json",
          b"-o", here + b"/odd-sides.json")
check(got.returncode == 0, "odd side: " + repr(got.stderr))
check(not control(got.stdout), "odd side: harmless output")
json.load(open(here + b"/odd-sides.json"))
finish()
PY
counted "$dir/hostile"

finish
