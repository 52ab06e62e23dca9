/* SPDX-License-Identifier: GPL-2.0-only */
/* vCPUs inside: TDCALLs, TD exits, host priority, zero-step. */
#include "tests/unit/module_kit.h"

#define TDR	      kit_tdr(0)
#define BIG	      GPA(0x200000)
#define HP_TIMEOUT_PS PS_PER_S

static struct td_exit left;
static tdx_status status;

/* A TD of two vCPUs with one pending page at GPA 0, vCPU 0 inside. */
static struct kit *pending_page(enum tdx_level level)
{
	struct kit *k = kit_create(NULL);

	kit_td(&k->lp, 0, 2);
	kit_tree(&k->lp, 0, GPA(0), level, 0);
	kit_aug(&k->lp, 0, GPA(0), level, kit_page(0));
	kit_enter(&k->lp, 0, 0);
	return k;
}

static enum tdg_end accept(struct kit *k, gpa_t gpa, enum tdx_level level)
{
	return tdg_mem_page_accept(&k->lp, gpa, level, &status, &left);
}

static void an_accept_moves_on_or_stays(void **state)
{
	struct kit *k = pending_page(LEVEL_4K);

	(void)state;
	td_set_rip(&k->lp, 0x1000);
	assert_int_equal(accept(k, GPA(0), LEVEL_4K), TDG_RETURNED);
	assert_int_equal(td_rip(&k->lp), 0x1004);
	/* nothing there: out, and the same instruction runs again */
	assert_int_equal(accept(k, GPA(0x1000), LEVEL_4K), TDG_EXITED);
	assert_int_equal(left.rax, EXIT_EPT_VIOLATION);
	assert_int_equal(left.rdx, 1);
	assert_null(k->lp.inside);
	kit_enter(&k->lp, 0, 0);
	assert_int_equal(td_rip(&k->lp), 0x1004);
	assert_int_equal(accept(k, GPA(0), LEVEL_2M), TDG_RETURNED);
	assert_int_equal(status, TDX_PAGE_SIZE_MISMATCH + LEVEL_2M);
	kit_exit(&k->lp);
	kit_check(k);
	kit_destroy(k);
}

static void a_big_accept_is_done_in_pieces(void **state)
{
	struct kit *k = pending_page(LEVEL_2M);
	struct tdx_show_sept show;
	u32 rounds = 0;

	(void)state;
	for (;;) {
		k->interrupt_after = 10;
		if (accept(k, GPA(0), LEVEL_2M) == TDG_RETURNED)
			break;
		rounds++;
		tdx_show_sept(k->m, TDR, GPA(0), LEVEL_2M, &show);
		assert_int_equal(show.accept_counter, 11 * rounds);
		assert_false(show.el);
		assert_int_equal(td_rip(&k->lp), 0);
	}
	OK(status);
	assert_int_equal(rounds, (ENTRIES - 1) / 11);
	assert_string_equal(kit_state(k, 0, GPA(0), LEVEL_2M), "MAPPED");
	kit_exit(&k->lp);
	kit_destroy(k);
}

/* A host that lost once and does not come back. */
static void leave_priority(struct kit *k)
{
	const struct tdx_ref entry = {.what = TDX_SEPT_ENTRY, .tdr = TDR};
	struct tdx_out out;

	OK(tdx_ref_lock(&k->lp, &entry, true));
	assert_int_equal(
		tdh_mem_range_block(&k->other, TDR, GPA(0), LEVEL_4K, &out),
		TDX_OPERAND_BUSY + OPERAND_RCX);
	OK(tdx_ref_unlock(&k->lp, &entry, true));
}

static void host_priority_times_out(void **state)
{
	struct kit *k = pending_page(LEVEL_4K);

	(void)state;
	leave_priority(k);
	assert_int_equal(accept(k, GPA(0), LEVEL_4K), TDG_RETURNED);
	assert_int_equal(status, TDX_OPERAND_BUSY + OPERAND_RCX);
	k->s.clock += HP_TIMEOUT_PS - PS_PER_MS;
	assert_int_equal(accept(k, GPA(0), LEVEL_4K), TDG_RETURNED);
	k->s.clock += PS_PER_MS;
	assert_int_equal(accept(k, GPA(0), LEVEL_4K), TDG_EXITED);
	assert_int_equal(left.rax, TDX_HOST_PRIORITY_BUSY_TIMEOUT);
	assert_int_equal(status, TDX_OPERAND_BUSY + OPERAND_RCX);
	kit_check(k);
	kit_destroy(k);
}

static void any_other_tdcall_starts_the_time_again(void **state)
{
	struct kit *k = pending_page(LEVEL_4K);

	(void)state;
	leave_priority(k);
	accept(k, GPA(0), LEVEL_4K);
	td_internal_exit(&k->lp);
	k->s.clock += HP_TIMEOUT_PS;
	assert_int_equal(accept(k, GPA(0), LEVEL_4K), TDG_RETURNED);
	k->s.clock += HP_TIMEOUT_PS;
	assert_int_equal(accept(k, GPA(0), LEVEL_4K), TDG_EXITED);
	kit_destroy(k);
}

static void attributes_need_a_page(void **state)
{
	struct kit *k = pending_page(LEVEL_4K);
	struct lp *lp = &k->lp;

	(void)state;
	assert_int_equal(tdg_mem_page_attr_rd(lp, GPA(0), &status, &left),
			 TDG_RETURNED);
	OK(status);
	assert_int_equal(tdg_mem_page_attr_wr(lp, GPA(0), 1, &status, &left),
			 TDG_RETURNED);
	assert_int_equal(status, TDX_OPERAND_INVALID + OPERAND_RDX);
	assert_int_equal(tdg_mem_page_attr_wr(lp, GPA(0), 0, &status, &left),
			 TDG_RETURNED);
	OK(status);
	/* 2M asked for, 4K there */
	assert_int_equal(
		tdg_mem_page_attr_wr(lp, GPA(LEVEL_2M), 0, &status, &left),
		TDG_RETURNED);
	assert_int_equal(status, TDX_PAGE_SIZE_MISMATCH + LEVEL_2M);
	assert_int_equal(
		tdg_mem_page_attr_rd(lp, GPA(1ull << 47), &status, &left),
		TDG_RETURNED);
	assert_int_equal(status, TDX_OPERAND_INVALID + OPERAND_RCX);
	assert_int_equal(
		tdg_mem_page_attr_wr(lp, GPA(0x1000), 0, &status, &left),
		TDG_EXITED);
	kit_enter(lp, 0, 0);
	assert_int_equal(tdg_mem_page_attr_rd(lp, GPA(0x1000), &status, &left),
			 TDG_EXITED);
	kit_check(k);
	kit_destroy(k);
}

/* ------------------------------------------------------------- zero-step */

static void fault(struct kit *k, u64 gpa, u64 rip)
{
	kit_enter(&k->lp, 0, 0);
	td_set_rip(&k->lp, rip);
	assert_true(td_ept_violation(&k->lp, GPA(gpa), &left));
}

/* A TD whose vCPU 0 has faulted so often at one instruction. */
static struct kit *suspect(const struct td_params *params, int faults)
{
	struct kit *k = kit_create(NULL);

	kit_td_begin(&k->lp, 0, params);
	kit_vcpu(&k->lp, 0, 0);
	kit_vcpu(&k->lp, 0, 1);
	OK(tdh_mr_finalize(&k->lp, TDR));
	kit_tree(&k->lp, 0, GPA(0), LEVEL_4K, 0);
	while (faults--)
		fault(k, 0x5008, 0x1000);
	return k;
}

static u32 listed(struct kit *k)
{
	return tdx_zero_step_listed(k->m, KIT_TDVPR(0, 0));
}

static tdx_status enter(struct kit *k)
{
	return tdh_vp_enter(&k->lp, KIT_TDVPR(0, 0), &left);
}

static void add_and_accept(struct kit *k, gpa_t gpa)
{
	kit_aug(&k->other, 0, gpa, LEVEL_4K, kit_page(gpa.v >> 12));
	kit_enter(&k->other, 0, 1);
	kit_accept(&k->other, gpa, LEVEL_4K);
	kit_exit(&k->other);
}

static void the_seventh_fault_lists_the_address(void **state)
{
	const struct td_params params = {.gpaw = 48};
	struct kit *k = suspect(&params, 6);

	(void)state;
	assert_int_equal(listed(k), 0);
	fault(k, 0x5008, 0x1000);
	assert_int_equal(listed(k), 1);
	assert_int_equal(enter(k), EXIT_EPT_VIOLATION);
	assert_int_equal(left.r8, 0x5000);
	kit_check(k);
	add_and_accept(k, GPA(0x5000));
	OK(enter(k));
	assert_false(left.inject_ve);
	td_set_rip(&k->lp, 0x2000);
	td_internal_exit(&k->lp);
	assert_int_equal(listed(k), 0);
	kit_exit(&k->lp);
	kit_check(k);
	kit_destroy(k);
}

static void the_list_ends_at_32(void **state)
{
	const struct td_params params = {.gpaw = 48};
	struct kit *k = suspect(&params, 6);
	u64 i;

	(void)state;
	for (i = 0; i < 40; i++) {
		/* there, so that the filter lets the vCPU in again */
		add_and_accept(k, GPA(0x10000 + (i << 12)));
		fault(k, 0x10000 + (i << 12), 0x1000);
	}
	assert_int_equal(listed(k), EPF_LIST);
	kit_destroy(k);
}

static void a_td_can_ask_to_be_told(void **state)
{
	const struct td_params params = {.gpaw = 48, .notify_ept_faults = true};
	struct kit *k = suspect(&params, 7);

	(void)state;
	assert_int_equal(enter(k), EXIT_EPT_VIOLATION);
	assert_false(left.inject_ve);
	add_and_accept(k, GPA(0x5000));
	OK(enter(k));
	assert_true(left.inject_ve);
	kit_exit(&k->lp);
	/* the last exit was no fault: nothing to tell */
	OK(enter(k));
	assert_false(left.inject_ve);
	kit_exit(&k->lp);
	kit_destroy(k);
}

static void a_pending_page_is_told_by_ve_or_exit(void **state)
{
	const struct td_params no_ve = {.gpaw = 48, .pending_ve_disable = true};
	struct kit *k = pending_page(LEVEL_4K);

	(void)state;
	assert_false(td_ept_violation(&k->lp, GPA(0), &left));
	assert_non_null(k->lp.inside);
	kit_exit(&k->lp);
	kit_destroy(k);

	k = suspect(&no_ve, 0);
	kit_aug(&k->lp, 0, GPA(0), LEVEL_4K, kit_page(0));
	fault(k, 0, 0x1000);
	assert_int_equal(left.rdx, 6);
	kit_destroy(k);
}

/* ------------------------------------------------------------ VP.ENTER */

static void one_vcpu_is_on_one_lp(void **state)
{
	struct kit *k = pending_page(LEVEL_4K);
	hpa_t vp = KIT_TDVPR(0, 0);
	u64 value;

	(void)state;
	assert_int_equal(tdh_vp_enter(&k->other, vp, &left),
			 TDX_VCPU_STATE_INCORRECT);
	assert_int_equal(tdh_vp_rd(&k->other, vp, 0, &value),
			 TDX_VCPU_STATE_INCORRECT);
	assert_int_equal(tdh_vp_flush(&k->other, vp),
			 TDX_OPERAND_BUSY + OPERAND_RCX);
	td_vmcall_exit(&k->lp, &left);
	assert_int_equal(left.rax, EXIT_TDVMCALL);
	assert_int_equal(tdh_vp_enter(&k->other, vp, &left),
			 TDX_VCPU_ASSOCIATED);
	assert_int_equal(tdh_vp_flush(&k->other, vp), TDX_VCPU_NOT_ASSOCIATED);
	OK(tdh_vp_flush(&k->lp, vp));
	OK(tdh_vp_enter(&k->other, vp, &left));
	assert_int_equal(td_rip(&k->other), 4);
	kit_exit(&k->other);
	kit_check(k);
	kit_destroy(k);
}

/* REMOVE meets a page that AUG has published but not yet typed. */
static struct lp *remover;

static void remove_before_the_count(struct kit *k, u32 n)
{
	struct tdx_out out;

	/* the 12th operation: chldcnt, right after the entry's store */
	if (n != 11)
		return;
	k->point = NULL;
	tdh_mem_page_remove(remover, TDR, GPA(0), LEVEL_4K, &out);
}

static void the_window_of_aug_halts_the_module(void **state)
{
	struct kit *k = kit_create(NULL);
	struct tdx_out out;
	bool halted;

	(void)state;
	kit_td(&k->lp, 0, 1);
	kit_tree(&k->lp, 0, GPA(0), LEVEL_4K, 0);
	k->nops = 0;
	k->point = remove_before_the_count;
	remover = &k->other;
	KIT_CATCH(k, &halted,
		  tdh_mem_page_aug(&k->lp, TDR, GPA(0), LEVEL_4K, kit_page(0),
				   &out));
	assert_true(halted);
	assert_non_null(strstr(k->why, "TDH.MEM.PAGE.REMOVE: halt 0x0003:10 "));
	kit_destroy(k);
}

/* ------------------------------------------------------------------ trace */

struct seen {
	char text[400];
};

static void saw(struct seen *s, const char *what)
{
	strncat(s->text, what, sizeof(s->text) - strlen(s->text) - 1);
	strncat(s->text, " ", sizeof(s->text) - strlen(s->text) - 1);
}

static void saw_enter(void *ctx, struct strand *s, const char *call)
{
	(void)s;
	saw(ctx, call);
}

static void saw_exit(void *ctx, struct strand *s, const char *call,
		     tdx_status st)
{
	(void)s;
	(void)call;
	saw(ctx, st ? "failed" : "done");
}

static void saw_lock(void *ctx, struct strand *s, const char *what, bool won)
{
	(void)s;
	if (!won)
		saw(ctx, what);
}

static void saw_vcpu(void *ctx, struct strand *s, bool inside)
{
	(void)s;
	saw(ctx, inside ? "in" : "out");
}

static void calls_can_be_traced(void **state)
{
	const struct tdx_ref tree = {.what = TDX_SEPT_TREE, .tdr = TDR};
	struct kit *k = kit_create(NULL);
	struct seen seen = {""};
	const struct trace trace = {
		.ctx = &seen,
		.call_enter = saw_enter,
		.call_exit = saw_exit,
		.lock = saw_lock,
		.vcpu = saw_vcpu,
	};
	struct tdx_out out;

	(void)state;
	kit_td(&k->lp, 0, 1);
	k->s.trace = &trace;
	kit_enter(&k->lp, 0, 0);
	kit_exit(&k->lp);
	OK(tdx_ref_lock(&k->lp, &tree, true));
	tdh_mem_range_block(&k->lp, TDR, GPA(0), LEVEL_4K, &out);
	assert_string_equal(seen.text, "TDH.VP.ENTER done in out "
				       "TDH.MEM.RANGE.BLOCK SEPT_TREE failed ");
	kit_destroy(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accept_moves_on_or_stays),
		cmocka_unit_test(a_big_accept_is_done_in_pieces),
		cmocka_unit_test(host_priority_times_out),
		cmocka_unit_test(any_other_tdcall_starts_the_time_again),
		cmocka_unit_test(attributes_need_a_page),
		cmocka_unit_test(the_seventh_fault_lists_the_address),
		cmocka_unit_test(the_list_ends_at_32),
		cmocka_unit_test(a_td_can_ask_to_be_told),
		cmocka_unit_test(a_pending_page_is_told_by_ve_or_exit),
		cmocka_unit_test(one_vcpu_is_on_one_lp),
		cmocka_unit_test(the_window_of_aug_halts_the_module),
		cmocka_unit_test(calls_can_be_traced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
