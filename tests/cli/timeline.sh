#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Timelines: are they what the trace event format asks for, do they say the
# same as the metrics of the same run, and can they be relied on?  TDMEM names
# the program.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

/usr/bin/python3 "$root/tests/cli/timeline.py" "$TDMEM" "$root" "$dir"
