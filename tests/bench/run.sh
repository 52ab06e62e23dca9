#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the benchmarks of the program itself; each prints one JSON object a line.
# The whole is one JSON document.  Usage: run.sh PROGRAM...

set -eu

echo '{"schema": "tdmem-bench/1", "results": ['
for bench in "$@"; do
	"$bench" | while IFS= read -r line; do
		printf '  %s\n' "$line"
	done
done | sed '$!s/$/,/'
echo ']}'
