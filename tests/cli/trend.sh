#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem trend: usage, the formats, known changes of a history of real results,
# acknowledging, and what is left out.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

nights=$dir/nights

# trend STATUS ARG...: its exit status
trend() {
	tdmem "$1" trend "${@:2}"
}

says_not() { # as says
	! says "$@"
}

history() { # ARG...: of tests/tools/make_history.py
	$python "$root/tests/tools/make_history.py" "$@" "$dir/result.json" \
		"$nights"
	# So that the index takes them: it waits until files are a second old.
	find "$nights" -name '*.json' -exec touch -d 2026-01-01 {} +
}

"$TDMEM" run "$root/tests/cli/determinism.json" -q \
	--set 'workloads=["block-remove"]' \
	--set 'axes={"policy":["spin","eagain"],"vcpus":[2,4]}' \
	--set repeat.count=3 -o "$dir/result.json" >/dev/null || exit 1

check "no folder" refused 2 trend
check "no such format" refused 2 trend --format xml "$dir"
check "--ack alone" refused 2 trend --ack 0123456789ab "$dir"
check "--why alone" refused 2 trend --why x "$dir"
check "--ack without a reason" refused 2 trend --ack 0123456789ab \
	--why '' "$dir"
check "--material is no number" refused 2 trend --material 1x "$dir"
check "--segment too small" refused 2 trend --segment 1 "$dir"
check "--cell is no condition" refused 2 trend --cell vcpus "$dir"
check "a folder that is not there" trend 1 "$dir/none"
check "a file is no folder" refused 2 trend "$dir/result.json"
mkdir "$dir/empty"
check "an empty folder is no error" trend 0 "$dir/empty"
check "an empty folder has no results" says "no results" "$out"

history --runs 40 --noise 0.01 --outliers 0.02 --seed 3 \
	--step 15:1.15:policy=spin --step 28:0.85:policy=eagain,vcpus=4

check "a regression is status 3" trend 3 "$nights"
check "it is named" says "policy=eagain vcpus=4: removal.rate" "$out"
check "the run is named" says "night-0028.json, commit 00000000001d" "$out"
check "model output is marked" says "model output" "$out"
check "nothing on stderr" test ! -s "$err"
check "there is an index" test -s "$nights/.tdmem-index"
cp "$out" "$dir/first"
check "the same from the index" trend 3 "$nights"
check "the same from the index: text" cmp -s "$out" "$dir/first"
check "the same without index" trend 3 --no-index --jobs 1 "$nights"
check "the same without index: text" cmp -s "$out" "$dir/first"
printf 'tdmem-index/1\nrubbish\n' >"$nights/.tdmem-index"
check "a broken index is no trouble" trend 3 "$nights"
check "a broken index: text" cmp -s "$out" "$dir/first"

# The other direction, for other cells, at the other place.
check "filtered: no regression" trend 0 --cell policy=spin "$nights"
check "filtered: improvements" says "0 regressions, 6 improvements" "$out"
check "filtered by metric" trend 3 -m '*.rate' "$nights"
check "filtered by metric: one" says "1 regression, 2 improvements" "$out"
check "no such cell" refused 2 trend --cell policy=none "$nights"
check "no such metric" refused 2 trend --metric kicks.rounds "$nights"
check "material" trend 0 --material 30 "$nights"
check "before it nothing" trend 0 --since 2026-02-05 "$nights"

check "JSON" trend 3 --format json "$nights"
check "JSON: counts and places" $python - "$out" <<'PY'
import json, sys
with open(sys.argv[1]) as f:
    t = json.load(f)
changes = [(s, c) for s in t["series"] for c in s["changes"]]
assert len(t["runs"]) == 40 and len(t["series"]) == 12, len(t["series"])
assert t["open_regressions"] == 3
assert len(changes) == 9, len(changes)
for s, c in changes:
    spin = s["axes"]["policy"] == "spin"
    assert c["kind"] == ("improved" if spin else "regressed")
    assert abs(c["run"] - (15 if spin else 28)) <= 3, c
    assert abs(c["ratio"] - ((1.15 if spin else 0.85) if s["metric"].endswith(
        ".rate") else 1 / (1.15 if spin else 0.85)) + 1) < 0.03, c
PY
keeps "JSON: its schema" "$out"

# Acknowledging, one by one, until none is open.
ids() {
	trend "$1" --format json "$nights" && $python -c '
import json, sys
for s in json.load(open(sys.argv[1]))["series"]:
    for c in s["changes"]:
        if c["kind"] == "regressed" and not c["acknowledged"]:
            print(c["id"])' "$out"
}
check "an unknown id" refused 2 trend --ack 0123456789ab --why x "$nights"
check "nothing is written then" test ! -e "$nights/tdmem-acks.json"
ids 3 >"$dir/ids"
check "three ids" test "$(wc -l <"$dir/ids")" -eq 3
while read -r id; do
	check "acknowledge $id" trend 0 --ack "$id" --why 'known: "x"' "$nights"
done <"$dir/ids"
check "none is open" trend 0 "$nights"
check "they are shown as such" says 'acknowledged: known: "x"' "$out"
check "nothing is left out" test ! -s "$err"
check "elsewhere they are open" trend 3 --acks "$dir/acks.json" "$nights"
check "mail: none" trend 0 --format mail "$nights"
check "mail: counted" says "0 regressions, 6 improvements; 3 ack" "$out"
check "mail: not listed" says_not 'known: "x"' "$out"
keeps "acknowledgements: their schema" "$nights/tdmem-acks.json"
check "acknowledgements: in order" $python - "$nights/tdmem-acks.json" <<'PY'
import json, sys
acks = json.load(open(sys.argv[1]))["acks"]
assert len(acks) == 3
keys = [(a["time"], a["id"]) for a in acks]
assert keys == sorted(keys)
PY

# More nights of the same: still acknowledged.
history --runs 55 --noise 0.01 --outliers 0.02 --seed 3 \
	--step 15:1.15:policy=spin --step 28:0.85:policy=eagain,vcpus=4
check "later runs" trend 0 "$nights"
# And then something new.
history --runs 55 --noise 0.01 --outliers 0.02 --seed 3 \
	--step 15:1.15:policy=spin --step 28:0.85:policy=eagain,vcpus=4 \
	--bad 53:0:policy=spin,vcpus=2
touch -d 2026-01-02 "$nights"/night-005[34].json
check "a livelock" trend 3 "$nights"
check "a livelock is named" says "-> livelock" "$out"
check "a livelock is no number" says "1 regression, 6 improvements" "$out"

# Names of any kind, in a mail of 75 columns.
evil=$($python -c 'print("x" * 200 + "\u001b[31m<script>" + "\u00e9\u4e2d" * 40)')
$python "$root/tests/tools/make_history.py" --runs 20 --noise 0.01 \
	--measured --host "$evil" --config "$evil" --step 10:0.5 \
	"$dir/result.json" "$dir/evil"
check "names of any kind" trend 3 --format mail "$dir/evil"
check "mail: 75 columns" test "$(wc -L <"$out")" -le 75
check "mail: ASCII" bash -c "! LC_ALL=C grep -q '[^ -~]' '$out'"
check "measured is marked" says "measured" "$out"
check "text: 79 columns" trend 3 "$dir/evil"
check "text: 79 columns, indeed" \
	test "$(LC_ALL=C.UTF-8 wc -L <"$out")" -le 79

# What is no result.
echo '{"schema": "tdmem-config/1"}' >"$dir/evil/config.json"
echo 'no JSON' >"$dir/evil/broken.json"
head -c 5000 "$dir/evil/night-0001.json" >"$dir/evil/cut.json"
ln -s night-0000.json "$dir/evil/latest.json"
ln -s . "$dir/evil/loop"
ln -s none "$dir/evil/dangling.json"
mkdir "$dir/evil/below"
mv "$dir/evil/night-0003.json" "$dir/evil/below"
check "rubbish is no error" trend 3 --format json "$dir/evil"
check "rubbish is counted" says "6 files left out in all" "$err"
check "rubbish is listed" $python -c '
import json, sys
t = json.load(open(sys.argv[1]))
assert len(t["skipped"]) == 6 and len(t["runs"]) == 20' "$out"
if [ "$(id -u)" -ne 0 ]; then
	chmod 000 "$dir/evil/below"
	check "a folder that cannot be read" trend 3 "$dir/evil"
	check "a folder that cannot be read is told" says "below" "$err"
	chmod 700 "$dir/evil/below"
else
	skip "root can read every folder"
fi

check "-o" trend 3 -o "$dir/document" "$nights"
check "-o: not to stdout" test ! -s "$out"
check "-o: the document" says "regressed: 1" "$dir/document"

finish
