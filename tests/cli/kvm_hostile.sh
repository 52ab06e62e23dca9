#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Guests that do what no agent does, in the rig: each attack by itself, 200
# guests at random, faults and exits.  In one machine, since it takes longer
# to start than they do.

. "$(dirname "$0")/lib.sh"

guests=200
unit=$(dirname "$TDMEM")/tests/unit
for test in test_kvm_hostile test_kvm_faults test_kvm_pending; do
	[ -x "$unit/$test" ] || {
		fail "$unit/$test is not there: make unit"
		finish
	}
done

cat >"$dir/do" <<-EOF
	#!/bin/sh
	for test in test_kvm_hostile test_kvm_faults test_kvm_pending; do
		echo "@\$test"
		./\$test 2>&1
		echo "status \$?"
	done
	echo "@random"
	./test_kvm_hostile $guests 2>&1
	echo "status \$?"
EOF
chmod 755 "$dir/do"
TDMEM_RIG_FILES="$unit/test_kvm_hostile $unit/test_kvm_faults
	$unit/test_kvm_pending" \
	TDMEM_RIG_SECONDS=300 sh "$root/tests/rig/run.sh" "$dir/do" \
	>"$out" 2>"$err"
got=$?
if [ $got -eq 125 ] && ! says "QEMU ended" "$err"; then
	skip "$(head -n 1 "$err")" 9
	finish
fi
check "the rig ends" [ $got -eq 0 ]

part() { # NAME: what the rig printed of it
	sed -n "/^@$1\$/,/^@/{/^@/d;p}" "$out" >"$dir/$1"
	grep -E 'ERROR|LINE|FAILED' "$dir/$1" >"$dir/why"
	if grep -qxF "status 0" "$dir/$1"; then
		pass
	else
		fail "$1 ends with status 0" "$dir/why"
	fi
}
for test in test_kvm_hostile test_kvm_faults test_kvm_pending; do
	part $test
	check "$test ran on a VM" \
		[ "$(grep -c skipped: "$dir/$test")" -eq 0 ]
done
part random
check "each of $guests guests has a status" \
	[ "$(grep -cE '^[0-9]+ (ok|timeout|failed|vm-bugged) ' "$dir/random")" \
	-eq $guests ]
finish
