#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Orders that tdmem explore found, run again: as a timeline, and in a debugger.

. "$(dirname "$0")/lib.sh"

$python "$root/tests/cli/replay.py" "$TDMEM" "$root" "$dir"
