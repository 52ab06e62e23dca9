#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The backend kvm in the rig: results of real VMs, what it refuses, a guest
# that does not end, a machine without KVM.

. "$(dirname "$0")/lib.sh"

cp "$root/configs/costs/spr.json" "$dir/spr.json"
cat >"$dir/c.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "c", "backend": "kvm",
		"workloads": {
			"fault-in": { "pages": 512, "stuck_percent": 0 },
			"block-remove": { "pages": 128, "piece": 1 },
			"reclaim": { "pages": 64 },
			"accept": {}
		},
		"axes": { "vcpus": [1, 2] },
		"repeat": { "count": 1 },
		"host": { "costs": "spr.json" },
		"limits": { "max_ms": 20000 }
	}
EOF
# Spins until it is told to stop, which nobody does within the limit.
cat >"$dir/slow.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "slow", "backend": "kvm",
		"workloads": { "block-remove": { "pages": 1000000 } },
		"axes": { "vcpus": [1] },
		"repeat": { "count": 1 },
		"host": { "costs": "spr.json" },
		"limits": { "max_ms": 500 }
	}
EOF
cat >"$dir/do" <<-'EOF'
	#!/bin/sh
	status=0
	./tdmem run c.json -o c.out >/dev/null 2>&1 || status=1
	echo "@c"
	cat c.out
	echo "@slow"
	./tdmem run slow.json -o slow.out >/dev/null 2>&1 || status=2
	cat slow.out
	echo "@none"
	rm /dev/kvm
	./tdmem run c.json -o none.out 2>&1
	echo "status $?"
	exit $status
EOF
chmod 755 "$dir/do"

TDMEM_RIG_FILES="$TDMEM $dir/spr.json $dir/c.json $dir/slow.json" \
	TDMEM_RIG_SECONDS=80 sh "$root/tests/rig/run.sh" "$dir/do" \
	>"$out" 2>"$err"
status=$?
if [ $status -eq 125 ] && ! grep -q 'QEMU ended' "$err"; then
	skip "$(head -n 1 "$err")"
	finish
fi
check "runs end with status 0" [ $status -eq 0 ]

part() { # NAME: what the rig printed of it
	sed -n "/^@$1\$/,/^@/{/^@/d;p}" "$out"
}
part c >"$dir/c.result"
part slow >"$dir/slow.result"
part none >"$dir/none"

for name in c slow; do
	keeps "$name keeps to its schema" "$dir/$name.result"
done

cell() { # FILE WORKLOAD VCPUS EXPRESSION of c, the cell, and m, its metrics
	$python - "$@" <<-'EOF'
	import json, sys
	path, workload, vcpus, text = sys.argv[1:]
	doc = json.load(open(path))
	if doc["workloads"][workload]["modelled"]:
	    sys.exit("marked as model output")
	for c in doc["cells"]:
	    if c["axes"] == {"workload": workload, "vcpus": int(vcpus)}:
	        m = c["repeats"][0]["metrics"]
	        sys.exit(not eval(text))
	sys.exit("no such cell")
	EOF
}

for vcpus in 1 2; do
	check "fault-in, $vcpus vCPUs: each page is counted once" \
		cell "$dir/c.result" fault-in $vcpus \
		"m['fault.count'] == 512 * $vcpus and c['status'] == 'ok'"
	check "fault-in, $vcpus vCPUs: KVM counted as many" \
		cell "$dir/c.result" fault-in $vcpus \
		"m['kvm.pf_fixed'] == m['fault.count']"
	check "block-remove, $vcpus vCPUs: each page is removed" \
		cell "$dir/c.result" block-remove $vcpus \
		"m['removal.count'] == 128 and c['status'] == 'ok'"
	check "reclaim, $vcpus vCPUs: one VM is torn down" \
		cell "$dir/c.result" reclaim $vcpus \
		"m['teardown.count'] == 1 and c['status'] == 'ok'"
	check "accept, $vcpus vCPUs: not in an ordinary VM" \
		cell "$dir/c.result" accept $vcpus \
		"c['status'] == 'unsupported' and 'accept' in c['reason']"
done
check "a guest that does not end: timeout" \
	cell "$dir/slow.result" block-remove 1 "c['status'] == 'timeout'"
check "without /dev/kvm: exit status 4" grep -qxF "status 4" "$dir/none"
check "without /dev/kvm: what is missing" \
	grep -qF "cannot run here: no /dev/kvm" "$dir/none"

finish
