/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs for each point of a table, all alike: what differs is in `setup`.
 */
#include "kvm/probe/program.h"

SEC("raw_tp/kvm_page_fault")
int fault_exits(void *ctx)
{
	(void)ctx;
	return fault_exit();
}

#define POINT(n)                                                               \
	SEC("fentry") int enter_##n(void *ctx)                                 \
	{                                                                      \
		return enter(ctx, n);                                          \
	}                                                                      \
	SEC("fexit") int leave_##n(void *ctx)                                  \
	{                                                                      \
		return leave(ctx, n);                                          \
	}

/* clang-format off */
POINT(0) POINT(1) POINT(2) POINT(3) POINT(4) POINT(5) POINT(6) POINT(7)
POINT(8) POINT(9) POINT(10) POINT(11) POINT(12) POINT(13) POINT(14) POINT(15)
POINT(16) POINT(17) POINT(18) POINT(19) POINT(20) POINT(21) POINT(22)
POINT(23) POINT(24) POINT(25) POINT(26) POINT(27) POINT(28) POINT(29)
POINT(30) POINT(31)

char gpl[] SEC("license") = "GPL";
/* clang-format on */
