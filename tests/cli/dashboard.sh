#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem trend --html: what it writes and refuses, the pages in a real browser,
# and the scripts of contrib/nightly.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

# ------------------------------------------------------------- histories

small=(--set 'workloads={"fault-in":{"pages":16},"block-remove":{"pages":16}}'
	--set 'axes.policy=["spin","eagain"]' --set 'axes.vcpus=[2]')
check "a result" tdmem 0 run "$root/configs/nightly.json" -q \
	-o "$dir/r.json" "${small[@]}" --set repeat.count=3
for kind in plain hostile large; do
	check "a $kind history" status 0 "$python" \
		"$root/tests/browser/history.py" "$dir/r.json" $kind "$dir/$kind"
done

# ----------------------------------------------------------- what it writes

html() { # STATUS HISTORY ARG...
	local want=$1 history=$2
	shift 2
	tdmem "$want" trend --quiet --html "$history/pages" "$@" \
		"$history"
}
check "plain: a regression" html 3 "$dir/plain"
check "it prints as well" grep -q 'regression' "$out"
check "hostile" html 0 "$dir/hostile"
check "large: a regression" html 3 "$dir/large"
check "again, over the older one" html 3 "$dir/plain"
check "nothing is left beside" [ -z "$(find "$dir" -name '*.tmp')" ]
check "the licence of the library is there" \
	grep -q 'Permission is hereby granted' \
	"$dir/plain/pages/lib/dygraph-licence.txt"
check "a page names no other site" [ -z "$(grep -lE 'https?:|//[a-z]+\.' \
	"$dir"/plain/pages/*.html)" ]
check "every page has a policy" [ "$(grep -lc "default-src 'none'" \
	"$dir"/plain/pages/*.html | wc -l)" -eq 3 ]
check "no inner HTML in what is ours" [ -z "$(grep -lE \
	'innerHTML|outerHTML|insertAdjacent|document\.write|eval\(' \
	"$dir"/plain/pages/*.js)" ]
check "data has no markup" [ -z "$(grep -l '[<>&]' \
	"$dir"/*/pages/data/*.js)" ]
bytes=$(find "$dir/large/pages" -type f -printf '%s\n' |
	awk '{ n += $1 } END { print n }')
check "1000 nights of 4 cells: $bytes bytes" [ "$bytes" -lt 5000000 ]
first=$(stat -c %s "$dir/large/pages/data/index.js" \
	"$dir/large/pages/data/overview.js" | awk '{ n += $1 } END { print n }')
check "its first page loads $first bytes of data" [ "$first" -lt 300000 ]

# ----------------------------------------------------------- what it refuses

mkdir "$dir/mine" && echo mine >"$dir/mine/index.html"
check "a folder of somebody" refused 2 trend -q \
	--html "$dir/mine" "$dir/plain"
check "it is as it was" [ "$(cat "$dir/mine/index.html")" = mine ]
check "a file" refused 2 trend -q --html "$dir/r.json" "$dir/plain"
check "no folder above" refused 1 trend -q \
	--html "$dir/none/pages" "$dir/plain"
check "--ack and --html" refused 2 trend -q --ack 0 --why x \
	--html "$dir/pages" "$dir/plain"
check "a new folder" tdmem 3 trend -q --html "$dir/new" "$dir/plain"
mkdir "$dir/empty"
check "an empty folder" tdmem 3 trend -q --html "$dir/empty" \
	"$dir/plain"

# The same program without the chart library; all but one object is as it is.
cp -a "$(dirname "$TDMEM")" "$dir/build"
rm -f "$dir/build/bench/trend/dashboard_blobs.o"
check "built without the library" status 0 make -s -C "$root" \
	O="$dir/build" DYGRAPHS="$dir/none" "$dir/build/tdmem"
TDMEM=$dir/build/tdmem check "it says so" refused 4 trend -q --html \
	"$dir/without" "$dir/plain"
check "and writes nothing" [ ! -e "$dir/without" ]

# ------------------------------------------------------------------ browser

if "$python" -c 'import selenium' 2>/dev/null && [ -x /usr/bin/chromium ] &&
	[ -x /usr/bin/chromedriver ]; then
	PYTHONPATH=$root/tests/browser PYTHONDONTWRITEBYTECODE=1 timeout 500 \
		"$python" "$root/tests/browser/dashboard.py" "$dir" \
		>"$dir/browser" 2>"$err"
	check "the browser's tests end" [ $? -eq 0 ]
	ok=$(grep -c '^ok ' "$dir/browser")
	want=$(grep -c '^def test_' "$root/tests/browser/dashboard.py")
	check "each of the $want tests in the browser told" [ "$want" -eq \
		"$(grep -cE '^(not )?ok ' "$dir/browser")" ]
	grep '^not ok ' "$dir/browser" | sed 's/^not ok /failed: in a browser: /'
	passed=$((passed + ok))
	failed=$((failed + $(grep -c '^not ok ' "$dir/browser")))
else
	skip "pages in a browser: no selenium, chromium or chromedriver"
fi

# ------------------------------------------------------------------ nightly

# night SECONDS JITTER...: one night of the script
night() {
	local seconds=$1 history=$dir/nightly
	shift
	TDMEM=$TDMEM TDMEM_CONFIG=$root/configs/nightly.json \
		TDMEM_HISTORY=$history TDMEM_COMMIT=abc$seconds \
		TDMEM_MAIL_COMMAND="cat >>'$dir/mails'" \
		TDMEM_RUN_OPTIONS="--set repeat.count=2 --set axes.vcpus=[2]
			--set axes.policy=[\"spin\"] --set seed=$seconds
			--set workloads=[\"track\"] $*" \
		SOURCE_DATE_EPOCH=$((1767225600 + seconds * 86400)) \
		timeout 100 sh "$root/contrib/nightly/nightly.sh" >"$out" 2>"$err"
}
for i in 1 2 3 4 5 6 7; do
	night $i || break
done
check "seven nights without a change" [ "$i" -eq 7 ]
check "no mail yet" [ ! -e "$dir/mails" ]
sed '/"name": "mem_track"/s/"typ": 2200/"typ": 3000/' \
	"$root/configs/costs/spr.json" >"$dir/slow.json"
check "the costs differ" [ "$(cmp "$dir/slow.json" \
	"$root/configs/costs/spr.json" | wc -l)" -eq 1 ]
for i in 8 9 10 11 12 13 14; do
	night $i --set host.costs="$dir/slow.json"
	got=$?
done
check "seven slower nights: a regression" [ "$got" -eq 3 ]
check "the result, the pages and what is new are told" \
	[ "$(grep -cE '^(result|pages|new changes): ' "$out")" -eq 3 ]
check "the result has the time and the commit" \
	grep -q '"time":"2026-01-15T00:00:00Z".*"commit":"abc14"' \
	"$dir"/nightly/20260115T000000Z.json
check "a mail was sent" grep -q 'regressed' "$dir/mails"
mails=$(wc -c <"$dir/mails")
night 15 --set host.costs="$dir/slow.json"
check "still a regression" [ $? -eq 3 ]
check "what was told is not told again" [ "$mails" -eq "$(wc -c \
	<"$dir/mails")" ]
night 15
check "the same second twice is refused" [ $? -eq 1 ]
check "a run that fails is told" bash -c '! grep -q "^result" "$1"' - "$out"
check "the demonstration" status 0 sh "$root/contrib/nightly/demo.sh" \
	"$TDMEM" "$dir/demo" 3
check "it names its page" [ -s "$(sed -n 's/^pages: //p' "$out")" ]
check "it spares what is not its own" status 2 sh \
	"$root/contrib/nightly/demo.sh" "$TDMEM" "$dir/mine" 3

finish
