/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM counts of a VM and its vCPUs (KVM_GET_STATS_FD), over the measured
 * part of a run.
 */
#ifndef TDMEM_KVM_STATS_H
#define TDMEM_KVM_STATS_H

#include <stdbool.h>

#include "bench/backend.h"
#include "kvm/vmm.h"

struct kvm_stats;

/** NULL where this KVM has none, or without memory. */
struct kvm_stats *kvm_stats_open(const struct vmm *vm);
/** Close what keeps the VM alive; what was read stays. */
void kvm_stats_leave(struct kvm_stats *stats);
void kvm_stats_free(struct kvm_stats *stats);

/**
 * Somebody begins or ends to measure: the first begin and the last end count.
 * Not by two threads at once.
 */
void kvm_stats_read(struct kvm_stats *stats, bool begin);

/** Set the metrics "kvm.*"; nothing when nobody measured. */
void kvm_stats_metrics(const struct kvm_stats *stats, struct sample *sample);

#endif
