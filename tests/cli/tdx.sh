#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The backend tdx where there is no TD: why not, and what a config can say of
# it.  What it does with one is tested by tests/unit/test_td.c.

. "$(dirname "$0")/lib.sh"

config=$root/configs/tdx-first.json

check "env knows the backend" tdmem 0 env
check "env says of it whether it runs here" \
	grep -A1 -E '^  tdx ' "$out" -q
why=$(grep -A1 -E '^  tdx ' "$out" | tail -n 1)
check "a config of it can be looked at anywhere" tdmem 0 run "$config" --dry-run
check "so can the one for SEAMCALLs" tdmem 0 run \
	"$root/configs/tdx-costs.json" --dry-run
check "its cells have no policy" \
	refused 2 run "$config" --set 'axes.policy=["spin"]' --dry-run
check "nor a kind of memory" \
	refused 2 run "$config" --set host.memory=anonymous --dry-run

case $why in
*"runs here"*)
	skip "this host has TDX: why it can't run is not said" 3 ;;
*)
	check "a run ends with status 4" refused 4 run "$config" -o "$dir/r"
	check "with what env says" says "${why#*cannot run: }" "$err"
	check "and leaves no result" [ ! -e "$dir/r" ] ;;
esac
finish
