/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDMEM_KVM_FACTS_H
#define TDMEM_KVM_FACTS_H

#include <jansson.h>

#include "kvm/memory.h"

/**
 * What a result says of the VMs that it was made with, and of the KVM below
 * them.  The caller owns it.  NULL: no memory.
 */
json_t *kvm_facts(const struct memory_kind *kind);

#endif
