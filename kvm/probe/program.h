/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs in the kernel at entry and exit of the functions of a table, for
 * threads that have a seat and while they measure.
 */
#ifndef TDMEM_KVM_PROBE_PROGRAM_H
#define TDMEM_KVM_PROBE_PROGRAM_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "kvm/probe/account.h"

/*
 * Set before the program is loaded, and alone in its section; then constant,
 * but not so that a compiler knows it.
 */
#ifdef __bpf__
#define SET_BY_LOADER const volatile
#else
#define SET_BY_LOADER
#endif
SET_BY_LOADER struct probe_setup setup SEC(PROBE_SETUP_SECTION);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);   /* number of a thread */
	__type(value, __u32); /* its seat */
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_seat);
} seats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_slot);
} slots SEC(".maps");

static __always_inline __u32 *find_seat(void)
{
	struct bpf_pidns_info id = {};
	__u32 tid;

	if (bpf_get_ns_current_pid_tgid(setup.pid_dev, setup.pid_ino, &id,
					sizeof(id)))
		return 0;
	tid = id.pid;
	return bpf_map_lookup_elem(&threads, &tid);
}

static __always_inline __u32 kind_of(void *ctx, __u32 split)
{
	__u64 arg = 0;

	if (split != SPLIT_NOT)
		bpf_get_func_arg(ctx, probe_split_arg(split), &arg);
	return probe_kind(split, arg);
}

/* Not inline: the programs of all points call one copy. */
static __noinline int enter(void *ctx, __u32 point)
{
	__u32 *index = find_seat();
	struct probe_seat *seat;

	if (!index || point >= PROBE_POINTS)
		return 0;
	seat = bpf_map_lookup_elem(&seats, index);
	if (!seat || !seat->measuring)
		return 0;
	seat->entered[point].slot = *index * (__u64)setup.slots_of_seat +
				    setup.rule[point].first_slot +
				    kind_of(ctx, setup.rule[point].split);
	seat->entered[point].ns = bpf_ktime_get_ns();
	return 0;
}

/* At the tracepoint kvm_page_fault, which each exit passes once. */
static __noinline int fault_exit(void)
{
	__u32 *index = find_seat();
	struct probe_seat *seat = 0;

	if (index)
		seat = bpf_map_lookup_elem(&seats, index);
	if (seat && seat->measuring)
		seat->exits++;
	return 0;
}

static __noinline int leave(void *ctx, __u32 point)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 *index = find_seat(), at;
	struct probe_seat *seat;
	struct probe_slot *slot;
	__u64 value = 0;

	if (!index || point >= PROBE_POINTS)
		return 0;
	seat = bpf_map_lookup_elem(&seats, index);
	if (!seat || !seat->entered[point].ns)
		return 0;
	at = (__u32)seat->entered[point].slot;
	slot = bpf_map_lookup_elem(&slots, &at);
	if (!slot)
		return 0;
	hist_record(&slot->hist, now - seat->entered[point].ns);
	seat->entered[point].ns = 0;
	if (setup.rule[point].returns == RETURNS_NOTHING)
		return 0;
	bpf_get_func_ret(ctx, &value);
	take_result(seat, point, setup.rule[point].returns, slot, value);
	return 0;
}

#endif
