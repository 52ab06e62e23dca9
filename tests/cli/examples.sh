#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every command line of the documents, the manual pages and --help is run.
# TDMEM names the program.

. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$root/tests/cli/examples.py" "$TDMEM" "$root" "$dir"
