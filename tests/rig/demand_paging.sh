#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fault-in beside the kernel's own demand_paging_test, which is built from
# Debian's newest linux-source package: the same memory, the same vCPUs on the
# same CPUs, in turn, in one machine.  Prints the medians, and fails where
# fault-in has fewer than 0.95 of the test's pages a second: the median of the
# ratios of rounds, in each of which both run twice.
#
# TDMEM_RIG_DIR      where packages are kept and the test is built (build/rig)
# TDMEM_ROUNDS       rounds (15)
# TDMEM_HERE=1       not in the rig: on this machine's own /dev/kvm

. "$(dirname "$0")/../cli/lib.sh"

rig=${TDMEM_RIG_DIR:-$root/build/rig}
rounds=${TDMEM_ROUNDS:-15}
mib=16
mkdir -p "$rig"
rig=$(cd "$rig" && pwd)
selftests=$rig/linux/tools/testing/selftests/kvm
theirs=$selftests/demand_paging_test

# Exit status 125 as of the rig: it cannot be had, for the reason on stderr.
build() (
	dir=$rig
	. "$root/tests/rig/fetch.sh"
	if [ ! -d "$rig/source" ]; then
		update || exit 125
		name=$(newest "newer apt-cache" '^linux-source-[0-9.]+$')
		[ -n "$name" ] || no_rig "no linux-source-*"
		unpack "newer apt-get" source "$name" linux-libc-dev ||
			no_rig "cannot download $name"
	fi
	rm -rf "$rig/linux"
	mkdir "$rig/linux"
	tar -xf "$rig"/source/usr/src/linux-source-*.tar.* \
		-C "$rig/linux" --strip-components=1 --wildcards \
		'*/tools' '*/scripts/subarch.include' || exit 1
	headers="-isystem $rig/source/usr/include"
	headers="$headers $headers/x86_64-linux-gnu"
	# The part that drives devices needs headers of drivers and libuuid.
	make -s -C "$selftests" ARCH=x86 LDFLAGS=-static LIBVFIO_O= \
		LDLIBS=-lpthread KHDR_INCLUDES="$headers" "$theirs"
)

if [ ! -x "$theirs" ]; then
	build >"$out" 2>"$err"
	case $? in
	0) ;;
	125)
		skip "$(grep '^rig:' "$err" | tail -n 1)" 2
		finish
		;;
	*)
		fail "demand_paging_test cannot be built"
		finish
		;;
	esac
fi

config() { # VCPUS
	cat <<-EOF
	{
		"schema": "tdmem-config/1", "name": "pages", "backend": "kvm",
		"workloads": {
			"fault-in": {
				"pages": $((mib * 256)), "stuck_percent": 0
			}
		},
		"axes": { "vcpus": [$1] }, "repeat": { "count": 1 },
		"host": { "costs": "spr.json" }, "limits": { "max_ms": 60000 }
	}
	EOF
}
config 1 >"$dir/1.json"
config 2 >"$dir/2.json"
cp "$root/configs/costs/spr.json" "$TDMEM" "$theirs" "$dir/"

# Each is as often, and as long, before the other as behind it.
cat >"$dir/do" <<-EOF
	#!/bin/sh
	ours() {
		echo "@ours \$1"
		./tdmem run \$1.json -o r.json >log 2>&1 || cat log
		cat r.json
		echo
	}
	theirs() {
		cpus=0
		[ \$1 -eq 1 ] || cpus=0,1
		echo "@theirs \$1"
		./demand_paging_test -b ${mib}M -v \$1 -c \$cpus 2>&1
	}
	cat /proc/version
	round=0
	while [ \$round -lt $rounds ]; do
		for vcpus in 1 2; do
			ours \$vcpus
			theirs \$vcpus
			theirs \$vcpus
			ours \$vcpus
		done
		round=\$((round + 1))
	done
EOF
chmod 755 "$dir/do"
if [ "${TDMEM_HERE:-}" = 1 ]; then
	(cd "$dir" && timeout 600 ./do >"$out" 2>"$err")
	got=$?
else
	TDMEM_RIG_DIR=$rig TDMEM_RIG_SECONDS=400 \
	TDMEM_RIG_FILES="$TDMEM $theirs $dir/spr.json $dir/1.json $dir/2.json" \
		sh "$root/tests/rig/run.sh" "$dir/do" >"$out" 2>"$err"
	got=$?
fi
if [ $got -eq 125 ] && ! says "QEMU ended" "$err"; then
	skip "$(head -n 1 "$err")" 2
	finish
fi
check "all runs ended" [ $got -eq 0 ]

# The document or the text of each run, then its rate.
cat >"$dir/rates.py" <<-'EOF'
	import json, re, statistics, sys
	rates = {}
	text = open(sys.argv[1]).read()
	print(text.split("\n", 1)[0])
	for who, vcpus, what in re.findall(r"^@(\w+) (\d)\n(.*?)(?=^@|\Z)", text,
	                                   re.M | re.S):
	    if who == "ours":
	        cell = json.loads(what)["cells"][0]
	        if cell["status"] != "ok":
	            sys.exit(cell["status"] + ": " + cell["reason"])
	        repeat = cell["repeats"][0]
	        rate = repeat["metrics"]["fault.rate"]
	        if not repeat["histograms"]["fault.latency"]["count"]:
	            sys.exit("no histogram")
	    else:
	        found = re.search(r"Overall demand paging rate:\s*([0-9.]+)", what)
	        if not found:
	            sys.exit(what)
	        rate = float(found.group(1))
	    rates.setdefault(vcpus, {}).setdefault(who, []).append(rate)
	print("vCPUs runs  fault-in (range)             "
	      "demand_paging_test (range)   ratio")
	for vcpus, by in sorted(rates.items()):
	    ours, theirs = by["ours"], by["theirs"]
	    # Of rounds, so that what slows the machine down for a while slows
	    # down both: each has two runs of each.
	    ratio = statistics.median(
	        sum(ours[i:i + 2]) / sum(theirs[i:i + 2])
	        for i in range(0, len(ours), 2))
	    shown = ["%7.0f (%.0f..%.0f)" % (statistics.median(r), min(r), max(r))
	             for r in (ours, theirs)]
	    print("%5s %4d  %-28s %-28s %.3f %s" % (vcpus, len(ours), *shown, ratio,
	          "enough" if ratio >= 0.95 else "too few"))
EOF
$python "$dir/rates.py" "$out" >"$dir/table" 2>"$err"
cat "$dir/table"
for vcpus in 1 2; do
	check "$vcpus vCPUs: at least 0.95 of demand_paging_test" \
		grep -qE "^ +$vcpus .* enough$" "$dir/table"
done
finish
