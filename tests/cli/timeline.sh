#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Timelines: are they what the trace event format asks for, do they say the
# same as the metrics of the same run, and can they be relied on?  TDMEM names
# the program.

. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$root/tests/cli/timeline.py" "$TDMEM" "$root" "$dir"
