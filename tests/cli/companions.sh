#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# perf and Intel PCM beside a run: switched on while repeats measure, read into
# the result, and no loss to the run when they fail.

. "$(dirname "$0")/lib.sh"

# holds FILE EXPRESSION: of the result r and its companions' perf and pcm
holds() {
	"$python" - "$1" "$2" <<-'PY'
	import json, sys
	r = json.load(open(sys.argv[1]))
	c = r.get("companions", {})
	perf, pcm = c.get("perf"), c.get("pcm")
	events = {e["event"]: e for e in (perf or {}).get("events", [])}
	sys.exit(not eval("(" + sys.argv[2] + ")"))
	PY
}

valid() { # FILE
	"$python" - "$root/results/tdmem-result-1.schema.json" "$1" <<-'PY'
	import json, sys, jsonschema
	jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))
	PY
}

cat >"$dir/c.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "c", "backend": "threads",
		"workloads": { "fault-in": { "pages": 32 }, "block-remove": { "pages": 8 } },
		"axes": { "policy": ["spin"], "vcpus": [1] },
		"repeat": { "count": 3, "warmup": 2 },
		"host": { "costs": "$root/configs/costs/spr.json" }
	}
EOF
c=$dir/c.json
mkdir "$dir/bin"

# program NAME: what is on stdin, first in PATH
program() {
	cat >"$dir/bin/$1"
	chmod 755 "$dir/bin/$1"
}

# -------------------------------------------------------------------- perf

real_perf() {
	# How many page faults has the whole program?
	perf stat -x ';' -e page-faults -o "$dir/outer" -- "$TDMEM" run "$c" \
		-q -o "$dir/s.json" --perf "stat -e page-faults,task-clock" \
		>"$out" 2>"$err"
	check "perf stat" [ $? -eq 0 ]
	check "its result is valid" valid "$dir/s.json"
	check "on for each repeat that is no warm-up" holds "$dir/s.json" \
		'perf["windows"] == 6'
	check "it counted" holds "$dir/s.json" \
		'events["task-clock"]["value"] > 0 and
		events["task-clock"]["unit"].startswith("ms")'
	outer=$(sed -n 's/;.*page-faults.*//p' "$dir/outer")
	check "the set-up is not in it" holds "$dir/s.json" \
		"events['page-faults']['value'] < ${outer:-0} / 5"
	check "what it wrote is beside the result" \
		[ -s "$dir/s.perf.csv" ]
	check "and named" holds "$dir/s.json" 'perf["file"] == "s.perf.csv"'
	check "it is shown" tdmem 0 show "$dir/s.json"
	check "with its figures" has "perf stat, of all threads of the run"

	check "perf record" tdmem 0 run "$c" -q -o "$dir/p.json" \
		--perf "record -e task-clock -c 10000"
	check "on as often" holds "$dir/p.json" 'perf["windows"] == 6'
	check "what it recorded is whole" status 0 perf script -F time,event \
		-i "$dir/p.perf.data"
	check "samples of the run" has task-clock
}

if ! command -v perf >/dev/null; then
	skip "perf is not installed" 13
elif ! perf stat -e task-clock true >/dev/null 2>&1; then
	skip "perf cannot count here" 13
else
	real_perf
fi

program perf <<-'EOF'
	#!/bin/sh
	printf 'Error:\nno perf for you\n' >&2
	exit 1
EOF
run_fake() { # RESULT ARG...: with the fake programs
	local result=$1
	shift
	PATH=$dir/bin:$PATH tdmem 0 run "$c" -q -o "$result" "$@"
}
check "perf fails at once" run_fake "$dir/f.json" --perf stat
check "it is said" says "tdmem: perf: it ended early: no perf for you"
check "it is in the result" holds "$dir/f.json" \
	'perf["missing"] == "it ended early: no perf for you"'
check "whose repeats are all there" holds "$dir/f.json" \
	'all(len(c["repeats"]) == 5 for c in r["cells"])'
check "which is valid" valid "$dir/f.json"
check "no file is left" [ ! -e "$dir/f.perf.csv" ]

# It answers twice, then it is gone: in the middle of the second repeat.
program perf <<-'EOF'
	#!/bin/bash
	while [ "$1" != --control ]; do shift; done
	fd=${2##*,}
	for i in 1 2 3 4; do
		read -r -u "$fd" command || exit
		printf 'ack\n\0' >&"$fd"
	done
	echo 'killed by a test' >&2
EOF
check "perf dies in the middle" run_fake "$dir/m.json" --perf record
check "it is in the result" holds "$dir/m.json" \
	'perf["missing"] == "it ended early: killed by a test"'
check "whose repeats are all there" holds "$dir/m.json" \
	'all(len(c["repeats"]) == 5 for c in r["cells"])'

check "virtual time" refused 2 run "$c" --set backend=sim --perf stat
check "says what it takes" says "--perf: the backend \"sim\" has no CPUs"
check "two sides" refused 2 run "$c" --baseline "$c" --perf stat
check "no such mode" refused 2 run "$c" --perf trace
check "one repeat" refused 2 run "$c" --one 0:0 --perf stat
mkdir "$dir/d.perf.csv"
check "no file may be written" tdmem 1 run "$c" -o "$dir/d.json" --perf stat
check "it is named" says "d.perf.csv: cannot be written: not a regular file"
check "nothing is left" [ "$(echo "$dir"/d.*)" = "$dir/d.perf.csv" ]

# --------------------------------------------------------------------- PCM

# As the program does: heads, the other program, one row when that has ended.
program pcm-memory <<-'EOF'
	#!/bin/bash
	[ "$2 $3" = "-nc --" ] || exit 1
	file=${1#-csv=}
	shift 3
	echo "counting" >&2
	{
		echo ",,SKT0,SKT0,System,System,System"
		echo "Date,Time,Mem Read (MB/s),Mem Write (MB/s),Read,Write,Memory"
	} >"$file"
	"$@"
	echo "2026-01-31,12:00:00.123, 1500.50, 700.25, 1500.50, 700.25, 2200.75" >>"$file"
EOF
check "pcm-memory" run_fake "$dir/g.json" --pcm pcm-memory
check "its result is valid" valid "$dir/g.json"
check "memory bandwidth" holds "$dir/g.json" \
	'pcm["read_bytes_per_s"] == 1500.5e6 and
	pcm["write_bytes_per_s"] == 700.25e6 and len(pcm["figures"]) == 5 and
	pcm["seconds"] > 0 and "missing" not in pcm'
check "it is shown" tdmem 0 show "$dir/g.json"
tr -s '\n' ' ' <"$out" >"$dir/line"
check "in MB/s" says "memory read 1500.5 MB/s, written 700.2 MB/s" "$dir/line"

program pcm <<-'EOF'
	#!/bin/bash
	shift 3
	"$@"
EOF
check "pcm that writes nothing" run_fake "$dir/h.json" --pcm pcm
check "it is said" says "tdmem: pcm: it wrote nothing"
check "no such program of it" refused 2 run "$c" --pcm pcm-tsx

if ! command -v pcm >/dev/null; then
	skip "pcm is not installed" 3
else
	check "the real pcm" tdmem 0 run "$c" -q -o "$dir/r.json" --pcm pcm
	check "its result is valid" valid "$dir/r.json"
	check "figures, or a reason" holds "$dir/r.json" \
		'("missing" in pcm) != (len(pcm.get("figures", [])) > 5)'
fi

finish
