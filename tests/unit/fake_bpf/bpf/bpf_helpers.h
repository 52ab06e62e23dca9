/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In place of libbpf's header of that name, for a test that runs the probe's
 * BPF program as a part of itself: maps are arrays, helpers are functions.
 */
#ifndef TDMEM_FAKE_BPF_HELPERS_H
#define TDMEM_FAKE_BPF_HELPERS_H

#include <linux/bpf.h>

#define SEC(name)
#define __noinline	    __attribute__((noinline))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value) *name

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_get_ns_current_pid_tgid(__u64 dev, __u64 ino,
				 struct bpf_pidns_info *info, __u32 size);
__u64 bpf_ktime_get_ns(void);
long bpf_get_func_arg(void *ctx, __u32 n, __u64 *value);
long bpf_get_func_ret(void *ctx, __u64 *value);

#endif
