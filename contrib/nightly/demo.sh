#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A history to look at: 60 nights of two modelled hosts, one of them noisy,
# with two changes that are known.  From night 21 on KVM's part of a removal
# costs 20 % more, from night 41 on an ACCEPT costs 20 % less.  Everything is
# made by running the model, the same each time.
# Usage: demo.sh TDMEM OUT [NIGHTS]

set -eu

tdmem=$1
out=$2
nights=${3:-60}
root=$(cd "$(dirname "$0")/../.." && pwd)
first=1767319200 # 2026-01-02 02:00 UTC
worse=21 better=41

# Nothing goes but an earlier demonstration.
if [ -e "$out" ] && [ ! -e "$out/costs/quiet-0.json" ]; then
	echo "demo.sh: $out: expected a new folder or an older demonstration" >&2
	exit 2
fi
rm -rf "$out/history" "$out/costs"
mkdir -p "$out/history/quiet" "$out/history/noisy" "$out/costs"

# costs NAME FILE [SED-SCRIPT]...: a cost table with other figures
costs() {
	name=$1 file=$out/costs/$2.json
	shift 2
	sed -e "s/\"name\": \"Sapphire Rapids[^\"]*\"/\"name\": \"$name\"/" \
		"$@" "$root/configs/costs/spr.json" >"$file"
}
removal='/"name": "remove_software"/s/"typ": 3000/"typ": 3600/'
accept='/"name": "accept_4k"/s/"typ": 2000/"typ": 1600/'
for host in quiet noisy; do
	costs "$host host" "$host-0"
	costs "$host host" "$host-1" -e "$removal"
	costs "$host host" "$host-2" -e "$removal" -e "$accept"
	# A pattern that meets nothing would make a demonstration of nothing.
	if cmp -s "$out/costs/$host-0.json" "$out/costs/$host-1.json" ||
		cmp -s "$out/costs/$host-1.json" "$out/costs/$host-2.json"
	then
		echo "demo.sh: configs/costs/spr.json has other figures" >&2
		exit 1
	fi
done

# night HOST JITTER N
night() {
	step=0
	[ "$3" -lt "$worse" ] || step=1
	[ "$3" -lt "$better" ] || step=2
	SOURCE_DATE_EPOCH=$((first + ($3 - 1) * 86400)) \
		"$tdmem" run "$root/configs/nightly.json" --quiet \
		--output "$out/history/$1/$(printf 'night-%03d' "$3").json" \
		--tag "commit=$(printf '%s %s' "$3" "$step" | sha1sum |
			cut -c 1-12)" \
		--set 'workloads={"fault-in":{},"block-remove":{}}' \
		--set workloads.fault-in.pages=64 \
		--set workloads.block-remove.pages=64 \
		--set 'axes.vcpus=[1,8]' --set "seed=$3" \
		--set "host.jitter=$2" \
		--set "host.costs=$out/costs/$1-$step.json" >/dev/null
}
n=1
while [ "$n" -le "$nights" ]; do
	night quiet 0.05 "$n"
	night noisy 0.5 "$n"
	[ ! -t 2 ] || printf '\r%s of %s nights ' "$n" "$nights" >&2
	n=$((n + 1))
done
[ ! -t 2 ] || printf '\n' >&2

status=0
"$tdmem" trend --format mail --html "$out/pages" "$out/history" || status=$?
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || exit "$status"
echo "pages: $out/pages/index.html"
