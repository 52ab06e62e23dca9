#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Names that do harm where they are printed as they are: in configs, results,
# file names and arguments.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$root/tests/cli/hostile.py" "$TDMEM" "$root" "$dir"
