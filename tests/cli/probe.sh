#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem run --probe in the rig: what it counts against what the guest counts,
# each way of it, and a kernel that has none of the functions.

. "$(dirname "$0")/lib.sh"

quick=$root/configs/quick.json
check "a model has no kernel" tdmem 2 run "$quick" --probe kvm
check "what has one is named" grep -qF 'expected backend=kvm' "$err"
check "env says what can be used" tdmem 0 env
check "env: of both tables" grep -qE '^  seamcall +(by|cannot run: )' "$out"

cp "$root/configs/costs/spr.json" "$dir/spr.json"
cat >"$dir/c.json" <<-EOF
	{
		"schema": "tdmem-config/1", "name": "c", "backend": "kvm",
		"workloads": {
			"fault-in": { "pages": 256, "stuck_percent": 0 },
			"block-remove": { "pages": 8, "piece": 1 }
		},
		"axes": { "vcpus": [1, 2] },
		"repeat": { "count": 1 },
		"host": { "costs": "spr.json" },
		"limits": { "max_ms": 20000 }
	}
EOF
check "a table that is none" tdmem 2 run "$dir/c.json" --dry-run --probe kvx
check "those that are are named" grep -qF 'expected kvm or seamcall' "$err"
cat >"$dir/do" <<-'EOF'
	#!/bin/sh
	status=0
	run() { # PROBE ARG...
		how=$1
		shift
		./tdmem run c.json --probe $how "$@" -o $how.out \
			>text 2>&1 || status=1
		echo "@$how.text"
		cat text
		echo "@$how.json"
		cat $how.out
	}
	echo "@kernel.text"
	./test_probe_kernel 2>&1 || status=1
	run kvm
	run kvm:kprobes --set axes.vcpus=[2]
	few='workloads={"fault-in":{"pages":256}}'
	run kvm:none --set axes.vcpus=[2] --set "$few"
	run seamcall --set axes.vcpus=[2] --set "$few"
	exit $status
EOF
chmod 755 "$dir/do"

unit=$(dirname "$TDMEM")/tests/unit/test_probe_kernel
[ -x "$unit" ] || {
	fail "$unit is not there: make unit"
	finish
}
# With Debian's kernel, whatever another one is named for: it has BPF.
TDMEM_RIG_KERNEL='' \
	TDMEM_RIG_FILES="$TDMEM $unit $dir/spr.json $dir/c.json" \
	TDMEM_RIG_SECONDS=180 sh "$root/tests/rig/run.sh" "$dir/do" \
	>"$out" 2>"$err"
ended=$?
if [ $ended -eq 125 ] && ! grep -q 'QEMU ended' "$err"; then
	skip "$(head -n 1 "$err")"
	finish
fi
check "runs end with status 0" [ $ended -eq 0 ]
for how in kvm kvm:kprobes kvm:none seamcall; do
	for kind in text json; do
		sed -n "/^@$how.$kind\$/,/^@/{/^@/d;p}" "$out" \
			>"$dir/$how.$kind"
	done
	check "$how: holds to the schema" "$python" - "$root" \
		"$dir/$how.json" <<-'EOF'
		import json, sys, jsonschema
		schema = sys.argv[1] + "/results/tdmem-result-1.schema.json"
		jsonschema.validate(json.load(open(sys.argv[2])),
		                    json.load(open(schema)))
	EOF
done

# every HOW WORKLOAD VCPUS EXPRESSION: of m, the metrics of each repeat, h, its
# histograms, p, its member "probe", e, environment.probe, and again, the faults
# that KVM gave up, which the guest then raised a second time.
every() {
	"$python" - "$dir/$1.json" "${@:2}" <<-'EOF'
	import json, sys
	path, workload, vcpus, text = sys.argv[1:]
	doc = json.load(open(path))
	e = doc["environment"]["probe"]
	[cell] = [c for c in doc["cells"] if c["axes"] ==
	          {"workload": workload, "vcpus": int(vcpus)}]
	if cell["status"] != "ok":
	    sys.exit(cell["status"] + ": " + cell["reason"])
	for repeat in cell["repeats"]:
	    m, h, p = repeat["metrics"], repeat["histograms"], repeat.get("probe")
	    again = m.get("kvm.pf_retried", 0) + m.get("kvm.pf_spurious", 0)
	    if not eval("(" + text + ")"):
	        sys.exit(f"not so: {text}\n{m}\n{p}\n{e}")
	EOF
}

sed -n "/^@kernel.text\$/,/^@/{/^@/d;p}" "$out" >"$dir/kernel.text"
check "kprobes on functions that every kernel has" \
	grep -qE 'OK .*kprobes_see_calls_and' "$dir/kernel.text"
check "kprobes, more calls than fit into a buffer" \
	grep -qE 'OK .*kprobes_count_what_they_miss' "$dir/kernel.text"
check "kprobes: a function that one thread cannot watch is missing" \
	grep -qE 'OK .*watched_on_all_threads_is_missing' "$dir/kernel.text"

if every kvm fault-in 1 'e["by"] == "bpf"' 2>/dev/null; then
	check "bpf on functions that every kernel has" \
		grep -qE 'OK .*bpf_sees_calls_and' "$dir/kernel.text"
	for n in 1 2; do
		check "bpf, $n vCPUs: KVM maps what the guest touches" \
			every kvm fault-in $n \
			"m['fault.count'] == 256 * $n == m['kvm.pf_fixed'] ==
			p['kvm_tdp_mmu_map']['RET_PF_FIXED'] and
			256 * $n <= m['kvm_tdp_mmu_map.calls'] <=
			256 * $n + again and m['kvm_tdp_mmu_map.calls'] ==
			h['kvm_tdp_mmu_map.latency']['count']"
		check "bpf, $n vCPUs: each fault is handled once" \
			every kvm fault-in $n \
			"m['kvm_mmu_page_fault.calls'] == 256 * $n + again ==
			m['faults.exits'] and m['faults.local_retries'] == 0
			and m['probe.missed'] == 0 and
			h['kvm_mmu_page_fault.latency']['min'] >
			h['kvm_tdp_mmu_map.latency']['min']"
		check "bpf, $n vCPUs: nothing but faults is measured" \
			every kvm fault-in $n "m['kicks.rounds'] == 0 and
			m['kvm_unmap_gfn_range.calls'] == 0 and
			m['kvm_arch_destroy_vm.calls'] == 0"
		check "bpf, $n vCPUs: each removal is a range taken away" \
			every kvm block-remove $n \
			"m['removal.count'] == 8 == m['kvm_unmap_gfn_range.calls']"
		check "bpf, $n vCPUs: what the probe costs" \
			every kvm fault-in $n "abs((m['probe.rate_without'] /
			m['fault.rate'] - 1) * 100 - m['probe.overhead']) < 0.01"
	done
	check "bpf: each function is there, or why not" every kvm fault-in 1 \
		'len(e["functions"]) == 13 and all("missing" in v or
		(v.get("as") or f) for f, v in e["functions"].items())'
	check "bpf: the overhead is printed" \
		grep -q "at 2 vCPUs, probe: without it the rate is" \
		"$dir/kvm.text"
	check "seamcall: no TDX here, each call is missing" \
		every seamcall fault-in 2 \
		'sum("not in this kernel" in v.get("missing", "")
		for f, v in e["functions"].items() if f[:4] == "tdh_") == 25'
	check "seamcall: and named" \
		grep -q "not in this kernel.* tdh_mem_page_aug, " \
		"$dir/seamcall.text"
	check "seamcall: what is there is counted" \
		every seamcall fault-in 2 \
		'm["kvm_mmu_page_fault.calls"] == 512 + again and
		m["kicks.rounds"] == 0 and "calls.total" not in m'
elif grep -q "built without libbpf" "$dir/kvm.text"; then
	skip "this program was built without libbpf or clang" 14
else
	fail "bpf is not used" "$dir/kvm.text"
fi

check "kprobes: the same calls" every kvm:kprobes fault-in 2 \
	"e['by'] == 'kprobes' and m['probe.missed'] == 0 and
	m['fault.count'] == 512 in p['kvm_tdp_mmu_map'].values() and
	512 <= m['kvm_tdp_mmu_map.calls'] <= 512 + again"
check "kprobes: and their times" every kvm:kprobes fault-in 2 \
	"h['kvm_tdp_mmu_map.latency']['count'] == m['kvm_tdp_mmu_map.calls'] and
	h['kvm_mmu_page_fault.latency']['min'] >
	h['kvm_tdp_mmu_map.latency']['min'] > 0"
check "kprobes: and removals" every kvm:kprobes block-remove 2 \
	"m['kvm_unmap_gfn_range.calls'] == m['removal.count'] == 8"
check "none: nothing is counted, and nothing runs twice" \
	every kvm:none fault-in 2 'e["by"] == "none" and p is None and
	"kvm_tdp_mmu_map.calls" not in m and "probe.overhead" not in m and
	m["fault.count"] == 512'
check "none: it is said" grep -q "nothing is counted: asked for none" \
	"$dir/kvm:none.text"
finish
