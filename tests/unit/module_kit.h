/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine of one strand for the tests of the module, and TDs built by
 * calls.  Operations are recorded, halts are caught, interrupts are counted.
 */
#ifndef TDMEM_TEST_MODULE_KIT_H
#define TDMEM_TEST_MODULE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/module/inspect.h"
#include "model/module/td.h"

#define GIB (1ull << 30)

/* Control pages in the first GiB, pages of the tests in the second. */
#define KIT_BASE  (4 * GIB)
#define KIT_PAGES (5 * GIB)
#define KIT_SIZE  (4 * GIB)

enum { KIT_OPS = 4096 };

struct kit_op {
	const void *word;
	enum line_op op;
};

struct kit {
	struct strand s; /* must be first */
	struct tdx_module *m;
	struct lp lp, other;
	struct kit_op ops[KIT_OPS];
	u32 nops;
	u64 spent;
	int interrupt_after; /* checks that see nothing yet; -1: never any */
	bool catching;	     /* halts come back to `halted` */
	jmp_buf halted;
	char why[200];
	/* called before an operation, NULL: nothing */
	void (*point)(struct kit *k, u32 n);
};

static inline struct kit *kit_of(struct strand *s)
{
	return (struct kit *)s;
}

static inline void kit_order(struct strand *s, struct line *line,
			     const void *word, enum line_op op)
{
	struct kit *k = kit_of(s);

	(void)line;
	if (k->point)
		k->point(k, k->nops);
	k->ops[k->nops++ % KIT_OPS] = (struct kit_op){word, op};
}

static inline void kit_spend(struct strand *s, u64 ps, enum work work)
{
	(void)work;
	kit_of(s)->spent += ps;
	s->clock += ps;
}

static inline bool kit_interrupted(struct strand *s)
{
	struct kit *k = kit_of(s);

	if (k->interrupt_after < 0)
		return false;
	if (k->interrupt_after)
		return k->interrupt_after--, false;
	return true;
}

static inline __attribute__((noreturn)) void kit_halt(struct strand *s,
						      const char *why)
{
	struct kit *k = kit_of(s);

	snprintf(k->why, sizeof(k->why), "%s", why);
	if (!k->catching)
		fail_msg("halt: %s", why);
	longjmp(k->halted, 1);
}

static inline u64 kit_now(struct strand *s)
{
	return s->clock;
}

static const struct machine_ops kit_machine_ops = {
	.now = kit_now,
	.order = kit_order,
	.spend = kit_spend,
	.interrupted = kit_interrupted,
	.halt = kit_halt,
};

/* Do `statement`; *halted tells whether it halted. */
#define KIT_CATCH(k, halted_, statement)                                       \
	do {                                                                   \
		(k)->catching = true;                                          \
		*(halted_) = setjmp((k)->halted) != 0;                         \
		if (!*(halted_)) {                                             \
			statement;                                             \
		}                                                              \
		(k)->catching = false;                                         \
	} while (0)

static inline struct kit *kit_create(const struct tdx_costs *costs)
{
	static const struct tdx_costs free_of_charge;
	struct kit *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->s.ops = &kit_machine_ops;
	k->interrupt_after = -1;
	k->m = tdx_module_create(&tdx_platform_default,
				 costs ? costs : &free_of_charge);
	assert_non_null(k->m);
	assert_int_equal(tdx_module_add_tdmr(k->m, HPA(KIT_BASE), KIT_SIZE), 0);
	lp_init(&k->lp, k->m, &k->s, 0, 0);
	lp_init(&k->other, k->m, &k->s, 1, 0);
	return k;
}

static inline void kit_destroy(struct kit *k)
{
	tdx_module_destroy(k->m);
	free(k);
}

/* --------------------------------------------------------------- layout */

static inline hpa_t kit_tdr(unsigned td)
{
	return HPA(KIT_BASE + td * 0x1000000ull);
}

static inline hpa_t kit_tdcs(unsigned td, unsigned page)
{
	return HPA(kit_tdr(td).v + (1 + page) * 4096ull);
}

static inline hpa_t kit_tdvps(unsigned td, unsigned vcpu, unsigned page)
{
	return HPA(kit_tdr(td).v + (vcpu + 1) * 0x200000ull + page * 4096ull);
}

#define KIT_TDVPR(td, vcpu) kit_tdvps(td, vcpu, 0)

/* Page `n` of the tests; S-EPT pages lie in another 2 MiB than data. */
static inline hpa_t kit_page(u64 n)
{
	return HPA(KIT_PAGES + n * 4096);
}

static inline hpa_t kit_sept_page(u64 n)
{
	return HPA(KIT_PAGES + GIB + n * 4096);
}

/* ------------------------------------------------------------------ TDs */

#define OK(call) assert_int_equal(call, TDX_SUCCESS)

/* Up to MNG.INIT. */
static inline void kit_td_begin(struct lp *lp, unsigned td,
				const struct td_params *params)
{
	unsigned i;

	OK(tdh_mng_create(lp, kit_tdr(td), 33 + td));
	OK(tdh_mng_key_config(lp, kit_tdr(td)));
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		OK(tdh_mng_addcx(lp, kit_tdr(td), kit_tdcs(td, i)));
	OK(tdh_mng_init(lp, kit_tdr(td), params));
}

/* A vCPU that is associated with no LP. */
static inline void kit_vcpu(struct lp *lp, unsigned td, unsigned vcpu)
{
	hpa_t tdvpr = KIT_TDVPR(td, vcpu);
	unsigned i;

	OK(tdh_vp_create(lp, kit_tdr(td), tdvpr));
	for (i = 1; i < TDX_TDVPS_PAGES; i++)
		OK(tdh_vp_addcx(lp, tdvpr, kit_tdvps(td, vcpu, i)));
	OK(tdh_vp_init(lp, tdvpr, 0));
	OK(tdh_vp_flush(lp, tdvpr));
}

/* An initialized TD with vCPUs; 48 bits of GPA unless told otherwise. */
static inline void kit_td_initialized(struct lp *lp, unsigned td,
				      unsigned vcpus)
{
	static const struct td_params params = {.gpaw = 48};
	unsigned i;

	kit_td_begin(lp, td, &params);
	for (i = 0; i < vcpus; i++)
		kit_vcpu(lp, td, i);
}

static inline void kit_td(struct lp *lp, unsigned td, unsigned vcpus)
{
	kit_td_initialized(lp, td, vcpus);
	OK(tdh_mr_finalize(lp, kit_tdr(td)));
}

/* S-EPT pages from the root down to the one with the entries of `level`. */
static inline void kit_tree(struct lp *lp, unsigned td, gpa_t gpa,
			    enum tdx_level level, u64 first_page)
{
	enum tdx_level l;
	struct tdx_out out;

	for (l = LEVEL_512G; l > level; l--)
		OK(tdh_mem_sept_add(lp, kit_tdr(td),
				    GPA(gpa.v & ~(LEVEL_BYTES(l) - 1)), l,
				    kit_sept_page(first_page++), &out));
}

static inline void kit_aug(struct lp *lp, unsigned td, gpa_t gpa,
			   enum tdx_level level, hpa_t page)
{
	struct tdx_out out;

	OK(tdh_mem_page_aug(lp, kit_tdr(td), gpa, level, page, &out));
}

static inline void kit_block(struct lp *lp, unsigned td, gpa_t gpa,
			     enum tdx_level level)
{
	struct tdx_out out;

	OK(tdh_mem_range_block(lp, kit_tdr(td), gpa, level, &out));
	OK(tdh_mem_track(lp, kit_tdr(td)));
}

static inline void kit_enter(struct lp *lp, unsigned td, unsigned vcpu)
{
	struct td_exit exit;

	OK(tdh_vp_enter(lp, KIT_TDVPR(td, vcpu), &exit));
}

static inline void kit_accept(struct lp *lp, gpa_t gpa, enum tdx_level level)
{
	struct td_exit exit;
	tdx_status status;

	assert_int_equal(tdg_mem_page_accept(lp, gpa, level, &status, &exit),
			 TDG_RETURNED);
	OK(status);
}

static inline void kit_exit(struct lp *lp)
{
	struct td_exit exit;

	td_interrupt_exit(lp, &exit);
	assert_int_equal(exit.rax, EXIT_EXTERNAL_INTERRUPT);
}

static inline const char *kit_state(struct kit *k, unsigned td, gpa_t gpa,
				    enum tdx_level level)
{
	struct tdx_show_sept show;

	tdx_show_sept(k->m, kit_tdr(td), gpa, level, &show);
	return show.reachable ? show.state : "UNREACHABLE";
}

static inline void kit_check(struct kit *k)
{
	char why[200] = "";

	if (!tdx_check_invariants(k->m, why, sizeof(why)))
		fail_msg("%s", why);
}

#endif
