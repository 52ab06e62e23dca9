#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Names that do harm where they are printed as they are: in configs, results,
# file names and arguments.  TDMEM names the program.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

/usr/bin/python3 "$root/tests/cli/hostile.py" "$TDMEM" "$root" "$dir"
