#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The backend kvm in the rig: real VMs with each kind of memory, what it
# refuses, a guest that does not end, a machine without KVM.

. "$(dirname "$0")/lib.sh"

$python "$root/tests/cli/kvm.py" "$TDMEM" "$root" "$dir"
