/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must be in the guest's memory when the scripts have ended, by what they
 * did to it; the agent has looked (guest-agent/image/check.c).
 */
#ifndef TDMEM_KVM_CHECK_H
#define TDMEM_KVM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-agent/image/mailbox.h"

struct scenario;
struct page_rules;

/**
 * Of a scenario that kvm_cell_fits(); td: pages must be accepted.  The caller
 * frees them.  NULL: no memory.
 */
struct page_rules *page_rules_new(const struct scenario *s, bool td);
void page_rules_free(struct page_rules *rules);

/**
 * Is what a vCPU has seen what it must have seen?  If not, `why` says what is
 * wrong.  `seen` may be anything.
 */
bool page_rules_hold(const struct page_rules *rules, uint32_t vcpu,
		     const struct agent_check *seen, char *why, size_t size);

#endif
