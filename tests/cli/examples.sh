#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Every command line of the documents, the manual pages and --help is run.
# TDMEM names the program.

set -u

: "${TDMEM:?names the program}"
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

/usr/bin/python3 "$root/tests/cli/examples.py" "$TDMEM" "$root" "$dir"
