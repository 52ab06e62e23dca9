#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The backend threads on the command line: what results of it say of
# themselves, which CPUs it takes, what cannot be done with it.

. "$(dirname "$0")/lib.sh"

first=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')

holds() { # FILE TEXT
	tr -d ' \n' <"$1" | grep -qF -- "$2"
}

cat >"$dir/c.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "c", "backend": "threads",
		"workloads": { "fault-in": { "pages": 8 } },
		"axes": { "policy": ["spin", "kick-once"], "vcpus": [1] },
		"repeat": { "count": 2 },
		"host": { "costs": "$root/configs/costs/spr.json" }
	}
EOF

a=$dir/a.json b=$dir/b.json
check "a run" tdmem 0 run "$dir/c.json" -o "$a"
check "marked as the model's" says "MODEL OUTPUT, not a measurement (backend \
threads, real contention)"
check "what is not real" says "waited out, not executed"
check "the result: model output" holds "$a" '"modelled":true'
check "the result: of this host" holds "$a" '"real_cpus":true'
check "the result: real time" holds "$a" '"run.time":'
check "no virtual time in it" bash -c \
	"! grep -qE '\"repeats\".*run.virtual_time' '$a'"
check "a run on one CPU" tdmem 0 run "$dir/c.json" \
	--set "host.pin=\"$first\"" --set axes.vcpus='[1,3]' --jobs 4 -o "$b"
check "more strands than CPUs" holds "$b" \
	'"oversubscribed:3threadson1CPU"'
check "a picture of it and of a cell with a CPU of its own" tdmem 0 plot "$b" \
	-o "$dir/plot"
check "leaves it out" bash -c "cat '$dir'/plot/*.gp | grep -q \
	'oversubscribed, left out'"
check "with --oversubscribed" tdmem 0 plot "$b" -o "$dir/over" --oversubscribed
check "it is there" bash -c "! cat '$dir'/over/*.gp | grep -q 'left out'"
kick=$("$TDMEM" env | sed -n 's/.*kicks: \([a-z]*\).*/\1/p')
check "the result: how it kicks" holds "$a" "\"kick\":\"$kick\""
check "the result: its clock" bash -c "tr -d ' \n' <'$a' | grep -qE \
	'\"clock_hz\":[1-9][0-9]{7,},\"clock_read_ns\":[0-9.]+,'"
check "it is shown" tdmem 0 show "$a"
check "kicks are shown" bash -c "tr -s ' \n' ' ' <'$out' | grep -q \
	'is taken off latencies; kicks: $kick; page clears: '"
check "not bound" tdmem 0 run "$dir/c.json" --set host.pin=none -q \
	-o "$dir/n.json"
check "who is not bound is kicked by a signal" holds "$dir/n.json" \
	'"kick":"signal"'
check "strands not bound are counted" holds "$dir/n.json" '"run.unpinned":1'
check "bound strands are not" holds "$a" '"run.unpinned":0'

check "a CPU that is not there" tdmem 2 run "$dir/c.json" \
	--set host.pin=0-70000 -o "$dir/x.json"
check "says where" says "c.json: host.pin: there is no CPU"
check "no list" tdmem 2 run "$dir/c.json" --set host.pin=x -o "$dir/x.json"
check "says what was expected" says 'expected CPUs such as "0,2,4-7"'
check "nothing was written" [ ! -e "$dir/x.json" ]

check "a comparison" tdmem 0 compare --format json "$a" "$a"
check "the host counts" holds "$out" '"name":"kernel"'
check "the costs count" holds "$out" '"name":"costs"'
check "no modelled host" bash -c "! grep -q '\"name\": *\"jitter\"' '$out'"
check "no other column" tdmem 4 compare --robust "$a" "$a"
check "says why" says "real time cannot be computed again"

check "env" tdmem 0 env
check "env: how it is done" grep -qE 'clock: .*kicks: .*flushes: ' "$out"

# An endless cell (no limits, far too many pages) ends when told to.
"$TDMEM" run "$dir/c.json" --set workloads.fault-in.pages=65536 \
	--set repeat.count=100000 -q -o "$dir/i.json" >"$out" 2>"$err" &
pid=$!
sleep 1
kill -INT "$pid"
wait "$pid"
check "interrupted" [ $? -eq 1 ]
check "says so" says "interrupted"

finish
