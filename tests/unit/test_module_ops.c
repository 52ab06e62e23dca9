/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The atomic operations of each call, in order, as counted in the module's
 * own code: kind of operation and word, on failure paths too.
 */
#include "tests/unit/module_kit.h"

/* Words with a brace: of the control pages, or of the page at hand. */
#define TDR_IN	   "xadd16 P1g[ctl]; xadd16 P2m[ctl]; xadd16 P4k[TDR]; "
#define TDR_OUT	   "xadd16 P4k[TDR]; xadd16 P2m[ctl]; xadd16 P1g[ctl]"
#define TDR_EX	   "xadd16 P1g[ctl]; xadd16 P2m[ctl]; cmpxchg16 P4k[TDR]; "
#define TDR_UNEX   "and16 P4k[TDR]; xadd16 P2m[ctl]; xadd16 P1g[ctl]"
#define OP_STATE   "xadd16 tdcs.op_state_lock; "
#define TREE	   "xadd16 tdcs.sept_tree_lock; "
#define TREE_EX	   "cmpxchg16 tdcs.sept_tree_lock; "
#define TREE_UNEX  "xchg16 tdcs.sept_tree_lock; "
#define ENTRY	   "bts64 SEPTE; btr64 SEPTE; "
#define STORE	   "store64 SEPTE; "
#define UNLOCK	   "btr64 SEPTE; "
#define TRACKED	   "read128 tdcs.epoch+refcounts(16B); "
#define CHILD	   "xadd64 tdr.chldcnt; "
#define PAGE_IN	   "xadd16 P1g[page]; xadd16 P2m[page]; cmpxchg16 P4k[page]; "
#define PAGE_OUT   "and16 P4k[page]; xadd16 P2m[page]; xadd16 P1g[page]; "
#define SHARED_IN  TDR_IN OP_STATE TREE
#define SHARED_OUT TREE OP_STATE TDR_OUT
#define EX_IN	   TDR_IN OP_STATE TREE_EX
#define EX_OUT	   TREE_UNEX OP_STATE TDR_OUT
#define VCPU_IN                                                                \
	"xadd16 P1g[ctl]; xadd16 P2m[ctl]; xadd16 P4k[TDVPR]; "                \
	"xadd16 P4k[TDR]; " OP_STATE "cmpxchg32 tdvps.assoc_lpid; "
#define EPOCH(n)                                                               \
	"xadd16 tdcs.epoch_lock; xadd16 tdcs.refcount[" #n "]; "               \
	"xadd16 tdcs.epoch_lock; "
#define VCPU_OUT                                                               \
	"xadd16 P4k[TDR]; xadd16 P4k[TDVPR]; xadd16 P2m[ctl]; "                \
	"xadd16 P1g[ctl]"

#define BLOCKING   EX_IN ENTRY STORE UNLOCK EX_OUT
#define UNBLOCKING EX_IN ENTRY TRACKED STORE EX_OUT
#define TRACKING                                                               \
	TDR_IN OP_STATE                                                        \
		"cmpxchg16 tdcs.epoch_lock; xchg16 tdcs.epoch_lock; " OP_STATE \
			TDR_OUT

/* ------------------------------------------------------------- scenarios */

static const gpa_t at = {0};
static struct tdx_out out;
static struct td_exit left;

/* The call under test comes next. */
#define MARK(k) ((k)->nops = 0)
#define TDR	kit_tdr(0)

static void with_tree(struct kit *k, enum tdx_level level)
{
	kit_tree(&k->lp, 0, at, level, 0);
}

static void with_page(struct kit *k, enum tdx_level level)
{
	with_tree(k, level);
	kit_aug(&k->lp, 0, at, level, kit_page(0));
}

static void with_tracked(struct kit *k, enum tdx_level level)
{
	with_page(k, level);
	kit_block(&k->lp, 0, at, level);
}

static tdx_status sept_add(struct kit *k)
{
	with_tree(k, LEVEL_2M);
	MARK(k);
	return tdh_mem_sept_add(&k->lp, TDR, at, LEVEL_2M, kit_sept_page(9),
				&out);
}

static tdx_status aug_4k(struct kit *k)
{
	with_tree(k, LEVEL_4K);
	MARK(k);
	return tdh_mem_page_aug(&k->lp, TDR, at, LEVEL_4K, kit_page(0), &out);
}

static tdx_status aug_2m(struct kit *k)
{
	with_tree(k, LEVEL_2M);
	MARK(k);
	return tdh_mem_page_aug(&k->lp, TDR, at, LEVEL_2M, kit_page(0), &out);
}

static tdx_status page_add(struct kit *k)
{
	const struct td_params params = {.gpaw = 48};

	kit_td_begin(&k->lp, 1, &params);
	kit_tree(&k->lp, 1, at, LEVEL_4K, 0);
	MARK(k);
	return tdh_mem_page_add(&k->lp, kit_tdr(1), at, kit_page(0),
				HPA(0x20000000), &out);
}

static tdx_status accept(struct kit *k, enum tdx_level level)
{
	tdx_status status;

	with_page(k, level);
	kit_enter(&k->lp, 0, 0);
	MARK(k);
	assert_int_equal(tdg_mem_page_accept(&k->lp, at, level, &status, &left),
			 TDG_RETURNED);
	return status;
}

static tdx_status accept_4k(struct kit *k)
{
	return accept(k, LEVEL_4K);
}

static tdx_status accept_2m(struct kit *k)
{
	return accept(k, LEVEL_2M);
}

static tdx_status block(struct kit *k, enum tdx_level level)
{
	with_page(k, LEVEL_4K);
	MARK(k);
	return tdh_mem_range_block(&k->lp, TDR, at, level, &out);
}

static tdx_status block_4k(struct kit *k)
{
	return block(k, LEVEL_4K);
}

static tdx_status block_sept_page(struct kit *k)
{
	return block(k, LEVEL_2M);
}

static tdx_status block_2m(struct kit *k)
{
	with_page(k, LEVEL_2M);
	MARK(k);
	return tdh_mem_range_block(&k->lp, TDR, at, LEVEL_2M, &out);
}

static tdx_status unblock(struct kit *k, enum tdx_level level)
{
	with_tracked(k, level);
	MARK(k);
	return tdh_mem_range_unblock(&k->lp, TDR, at, level, &out);
}

static tdx_status unblock_4k(struct kit *k)
{
	return unblock(k, LEVEL_4K);
}

static tdx_status unblock_2m(struct kit *k)
{
	return unblock(k, LEVEL_2M);
}

static tdx_status page_remove(struct kit *k, enum tdx_level level)
{
	with_tracked(k, level);
	MARK(k);
	return tdh_mem_page_remove(&k->lp, TDR, at, level, &out);
}

static tdx_status remove_4k(struct kit *k)
{
	return page_remove(k, LEVEL_4K);
}

static tdx_status remove_2m(struct kit *k)
{
	return page_remove(k, LEVEL_2M);
}

static tdx_status track(struct kit *k)
{
	MARK(k);
	return tdh_mem_track(&k->lp, TDR);
}

static tdx_status sept_remove(struct kit *k)
{
	with_tree(k, LEVEL_4K);
	kit_block(&k->lp, 0, at, LEVEL_2M);
	MARK(k);
	return tdh_mem_sept_remove(&k->lp, TDR, at, LEVEL_2M, &out);
}

static tdx_status demote(struct kit *k)
{
	with_tracked(k, LEVEL_2M);
	MARK(k);
	return tdh_mem_page_demote(&k->lp, TDR, at, LEVEL_2M, kit_sept_page(9),
				   &out);
}

static tdx_status promote(struct kit *k)
{
	OK(demote(k));
	kit_block(&k->lp, 0, at, LEVEL_2M);
	MARK(k);
	return tdh_mem_page_promote(&k->lp, TDR, at, LEVEL_2M, &out);
}

static tdx_status wbinvd(struct kit *k)
{
	MARK(k);
	return tdh_phymem_page_wbinvd(&k->lp,
				      tdx_hpa_with_hkid(k->m, kit_page(0), 33));
}

static void flushed(struct kit *k)
{
	OK(tdh_mng_vpflushdone(&k->lp, TDR));
}

static void written_back(struct kit *k)
{
	flushed(k);
	OK(tdh_phymem_cache_wb(&k->lp, 0));
}

static tdx_status reclaim(struct kit *k, enum tdx_level level)
{
	with_page(k, level);
	written_back(k);
	OK(tdh_mng_key_freeid(&k->lp, TDR));
	MARK(k);
	return tdh_phymem_page_reclaim(&k->lp, kit_page(0), &out);
}

static tdx_status reclaim_4k(struct kit *k)
{
	return reclaim(k, LEVEL_4K);
}

static tdx_status reclaim_2m(struct kit *k)
{
	return reclaim(k, LEVEL_2M);
}

static tdx_status cache_wb(struct kit *k)
{
	flushed(k);
	MARK(k);
	return tdh_phymem_cache_wb(&k->lp, 0);
}

static tdx_status vpflushdone(struct kit *k)
{
	MARK(k);
	return tdh_mng_vpflushdone(&k->lp, TDR);
}

static tdx_status freeid(struct kit *k)
{
	written_back(k);
	MARK(k);
	return tdh_mng_key_freeid(&k->lp, TDR);
}

static tdx_status vp_flush(struct kit *k)
{
	kit_enter(&k->lp, 0, 0);
	kit_exit(&k->lp);
	MARK(k);
	return tdh_vp_flush(&k->lp, KIT_TDVPR(0, 0));
}

static tdx_status enter(struct kit *k)
{
	MARK(k);
	return tdh_vp_enter(&k->lp, KIT_TDVPR(0, 0), &left);
}

static tdx_status enter_again(struct kit *k)
{
	OK(enter(k));
	kit_exit(&k->lp);
	return enter(k);
}

static tdx_status enter_after_track(struct kit *k)
{
	OK(enter(k));
	kit_exit(&k->lp);
	OK(tdh_mem_track(&k->lp, TDR));
	return enter(k);
}

/* Seven faults at one instruction. */
static void suspected(struct kit *k)
{
	int i;

	with_tree(k, LEVEL_4K);
	for (i = 0; i < 7; i++) {
		OK(enter(k));
		td_set_rip(&k->lp, 0x1000);
		assert_true(td_ept_violation(&k->lp, at, &left));
	}
	assert_int_equal(tdx_zero_step_listed(k->m, KIT_TDVPR(0, 0)), 1);
}

static tdx_status enter_filtered(struct kit *k)
{
	tdx_status status;

	suspected(k);
	kit_aug(&k->lp, 0, at, LEVEL_4K, kit_page(0));
	kit_enter(&k->other, 0, 1);
	assert_int_equal(
		tdg_mem_page_accept(&k->other, at, LEVEL_4K, &status, &left),
		TDG_RETURNED);
	kit_exit(&k->other);
	return enter(k);
}

static tdx_status enter_faked(struct kit *k)
{
	suspected(k);
	return enter(k);
}

static void hold(struct kit *k, enum tdx_object what)
{
	const struct tdx_ref ref = {.what = what, .tdr = TDR, .gpa = at};

	OK(tdx_ref_lock(&k->lp, &ref, true));
}

static tdx_status enter_tree_busy(struct kit *k)
{
	suspected(k);
	hold(k, TDX_SEPT_TREE);
	return enter(k);
}

static tdx_status exit_by_interrupt(struct kit *k)
{
	OK(enter(k));
	MARK(k);
	td_interrupt_exit(&k->lp, &left);
	return left.rax;
}

static tdx_status exit_by_violation(struct kit *k)
{
	OK(enter(k));
	MARK(k);
	assert_true(td_ept_violation(&k->lp, at, &left));
	return left.rax;
}

static tdx_status pending_violation(struct kit *k)
{
	with_page(k, LEVEL_4K);
	OK(enter(k));
	MARK(k);
	assert_false(td_ept_violation(&k->lp, at, &left));
	return TDX_SUCCESS;
}

static tdx_status aug_tree_busy(struct kit *k)
{
	with_tree(k, LEVEL_4K);
	hold(k, TDX_SEPT_TREE);
	MARK(k);
	return tdh_mem_page_aug(&k->lp, TDR, at, LEVEL_4K, kit_page(0), &out);
}

static tdx_status aug_entry_busy(struct kit *k)
{
	with_tree(k, LEVEL_4K);
	hold(k, TDX_SEPT_ENTRY);
	MARK(k);
	return tdh_mem_page_aug(&k->lp, TDR, at, LEVEL_4K, kit_page(0), &out);
}

static tdx_status track_previous_busy(struct kit *k)
{
	kit_enter(&k->other, 0, 1);
	OK(tdh_mem_track(&k->lp, TDR));
	return track(k);
}

/* ----------------------------------------------------------------- table */

static const struct row {
	const char *name;
	tdx_status (*run)(struct kit *k);
	tdx_status status;
	u32 locked; /* instructions; stores of entries do not count */
	const char *ops;
} rows[] = {
	{"SEPT.ADD", sept_add, 0, 20,
	 SHARED_IN ENTRY PAGE_IN CHILD STORE UNLOCK PAGE_OUT SHARED_OUT},
	{"PAGE.AUG 4K", aug_4k, 0, 19,
	 SHARED_IN ENTRY PAGE_IN STORE CHILD PAGE_OUT SHARED_OUT},
	{"PAGE.AUG 2M", aug_2m, 0, 18,
	 SHARED_IN ENTRY
	 "xadd16 P1g[page]; xadd16 P2m[page]; cmpxchg16 P2m[page]; " STORE CHILD
	 "and16 P2m[page]; xadd16 P1g[page]; " SHARED_OUT},
	{"PAGE.ADD", page_add, 0, 12, TDR_EX PAGE_IN STORE PAGE_OUT TDR_UNEX},
	{"ACCEPT 4K", accept_4k, 0, 2,
	 "bts64 SEPTE; store64 SEPTE; btr64 SEPTE"},
	{"ACCEPT 2M", accept_2m, 0, 2,
	 "bts64 SEPTE; store64 SEPTE; btr64 SEPTE"},
	{"RANGE.BLOCK 4K", block_4k, 0, 13, BLOCKING},
	{"RANGE.UNBLOCK 4K", unblock_4k, 0, 13, UNBLOCKING},
	{"PAGE.REMOVE 4K", remove_4k, 0, 16,
	 SHARED_IN ENTRY "cmpxchg16 P4k[page]; " TRACKED STORE CHILD
			 "and16 P4k[page]; " SHARED_OUT},
	{"RANGE.BLOCK 2M", block_2m, 0, 13, BLOCKING},
	{"RANGE.UNBLOCK 2M", unblock_2m, 0, 13, UNBLOCKING},
	{"PAGE.REMOVE 2M", remove_2m, 0, 16,
	 SHARED_IN ENTRY "cmpxchg16 P2m[page]; " TRACKED STORE CHILD
			 "and16 P2m[page]; " SHARED_OUT},
	{"RANGE.BLOCK (SEPT page)", block_sept_page, 0, 13, BLOCKING},
	{"MEM.TRACK", track, 0, 10, TRACKING},
	{"SEPT.REMOVE", sept_remove, 0, 16,
	 EX_IN ENTRY "cmpxchg16 P4k[page]; " TRACKED STORE CHILD
		     "and16 P4k[page]; " EX_OUT},
	{"PAGE.PROMOTE to 2M", promote, 0, 1043,
	 SHARED_IN ENTRY "cmpxchg16 P4k[page]; " TRACKED
			 "512x{bts64 SEPTE; btr64 SEPTE}; cmpxchg16 P2m[page]; "
			 "and16 P2m[page]; " STORE CHILD
			 "and16 P4k[page]; " UNLOCK SHARED_OUT},
	{"PAGE.DEMOTE 2M", demote, 0, 23,
	 SHARED_IN ENTRY TRACKED PAGE_IN
	 "cmpxchg16 P2m[page]; and16 P2m[page]; " STORE CHILD PAGE_OUT UNLOCK
		 SHARED_OUT},
	{"PHYMEM.PAGE.WBINVD", wbinvd, 0, 6,
	 "xadd16 P1g[page]; xadd16 P2m[page]; xadd16 P4k[page]; "
	 "xadd16 P4k[page]; xadd16 P2m[page]; xadd16 P1g[page]"},
	{"PHYMEM.PAGE.RECLAIM 4K", reclaim_4k, 0, 9,
	 PAGE_IN "xadd16 P4k[TDR]; " CHILD "xadd16 P4k[TDR]; "
		 "and16 P4k[page]; xadd16 P2m[page]; xadd16 P1g[page]"},
	{"PHYMEM.PAGE.RECLAIM 2M", reclaim_2m, 0, 8,
	 "xadd16 P1g[page]; xadd16 P2m[page]; cmpxchg16 P2m[page]; "
	 "xadd16 P4k[TDR]; " CHILD "xadd16 P4k[TDR]; and16 P2m[page]; "
	 "xadd16 P1g[page]"},
	{"PHYMEM.CACHE.WB", cache_wb, 0, 5,
	 "cmpxchg8 wbt.entry_lock; xadd16 kot.lock; btr32 kot.entry; "
	 "xadd16 kot.lock; cmpxchg8 wbt.entry_lock"},
	{"MNG.VPFLUSHDONE", vpflushdone, 0, 8,
	 TDR_EX "cmpxchg16 kot.lock; xchg16 kot.lock; " TDR_UNEX},
	{"MNG.KEY.FREEID", freeid, 0, 8,
	 TDR_EX "cmpxchg16 kot.lock; xchg16 kot.lock; " TDR_UNEX},
	{"VP.FLUSH", vp_flush, 0, 9,
	 "xadd16 P1g[ctl]; xadd16 P2m[ctl]; cmpxchg16 P4k[TDVPR]; "
	 "xadd16 P4k[TDR]; xadd32 tdcs.num_assoc_vcpus; xadd16 P4k[TDR]; "
	 "and16 P4k[TDVPR]; xadd16 P2m[ctl]; xadd16 P1g[ctl]"},
	{"VP.ENTER, new association", enter, 0, 11,
	 VCPU_IN
	 "xadd32 tdcs.num_assoc_vcpus; " EPOCH(1) "xadd16 tdcs.op_state_lock"},
	{"VP.ENTER, same vCPU again", enter_again, 0, 10,
	 VCPU_IN EPOCH(1) "xadd16 tdcs.op_state_lock"},
	{"VP.ENTER after a TRACK", enter_after_track, 0, 10,
	 VCPU_IN EPOCH(0) "xadd16 tdcs.op_state_lock"},
	{"VP.ENTER, zero-step passes", enter_filtered, 0, 12,
	 VCPU_IN EPOCH(1) TREE_EX OP_STATE "xchg16 tdcs.sept_tree_lock"},
	{"VP.ENTER, zero-step fault", enter_faked, 0x30, 17,
	 VCPU_IN EPOCH(1) TREE_EX TREE_UNEX
	 "xadd16 tdcs.refcount[1]; " OP_STATE VCPU_OUT},
	{"VP.ENTER, tree busy", enter_tree_busy, 0x8000020000000092, 16,
	 VCPU_IN EPOCH(1) TREE_EX
	 "xadd16 tdcs.refcount[1]; " OP_STATE VCPU_OUT},
	{"TD exit, interrupt", exit_by_interrupt, 0x1, 5,
	 "xadd16 tdcs.refcount[1]; " VCPU_OUT},
	{"TD exit, EPT violation", exit_by_violation, 0x30, 5,
	 "xadd16 tdcs.refcount[1]; " VCPU_OUT},
	{"EPT violation on PENDING", pending_violation, 0, 0, ""},
	{"PAGE.AUG 4K, tree held", aug_tree_busy, 0x8000020000000092, 9,
	 TDR_IN OP_STATE TREE OP_STATE TDR_OUT},
	{"PAGE.AUG 4K, entry held", aug_entry_busy, 0x8000020000000001, 12,
	 SHARED_IN "bts64 SEPTE; bts64 SEPTE; " SHARED_OUT},
	{"TRACK, previous epoch busy", track_previous_busy, 0x8000020100000000,
	 10, TRACKING},
};

/* ------------------------------------------------------------ comparison */

static bool is_lock_of(struct kit *k, const void *word, hpa_t hpa,
		       enum tdx_level size)
{
	struct pamt_ref ref = pamt_peek(k->m, hpa, size);

	return ref.entry && word == &ref.entry->lock;
}

/* Which page's entry this word is in, or NULL: neither of the control's. */
static const char *owner_of(struct kit *k, const void *word)
{
	unsigned td, vcpu;

	for (td = 0; td < 2; td++) {
		if (is_lock_of(k, word, kit_tdr(td), LEVEL_4K))
			return "[TDR]";
		if (is_lock_of(k, word, kit_tdr(td), LEVEL_2M) ||
		    is_lock_of(k, word, kit_tdr(td), LEVEL_1G))
			return "[ctl]";
		for (vcpu = 0; vcpu < 2; vcpu++) {
			if (is_lock_of(k, word, KIT_TDVPR(td, vcpu), LEVEL_4K))
				return "[TDVPR]";
			if (is_lock_of(k, word, KIT_TDVPR(td, vcpu), LEVEL_2M))
				return "[ctl]";
		}
	}
	return "[page]";
}

static void print_op(struct kit *k, const struct kit_op *op, char *to,
		     size_t size)
{
	static const char *const pamt[][2] = {
		{"pamt1g", "P1g"}, {"pamt2m", "P2m"}, {"pamt4k", "P4k"}};
	const char *name = tdx_word_name(k->m, op->word);
	const char *owner = "";
	unsigned i;

	for (i = 0; i < 3; i++)
		if (!strcmp(name, pamt[i][0])) {
			owner = owner_of(k, op->word);
			name = pamt[i][1];
		}
	if (!strcmp(name, "sept-entry"))
		name = "SEPTE";
	snprintf(to, size, "%s %s%s", line_op_name(op->op), name, owner);
}

/* 512 entries locked in a row: PROMOTE's children. */
static bool is_children(struct kit *k, u32 i)
{
	u32 n;

	for (n = 0; n < 1024; n++)
		if (i + n >= k->nops ||
		    k->ops[i + n].op != (n % 2 ? LINE_BTR64 : LINE_BTS64))
			return false;
	return true;
}

static void print_ops(struct kit *k, char *to, size_t size)
{
	size_t used = 0;
	u32 i;

	to[0] = 0;
	for (i = 0; i < k->nops; i++) {
		char op[80];

		if (is_children(k, i)) {
			i += 1023;
			strcpy(op, "512x{bts64 SEPTE; btr64 SEPTE}");
		} else {
			print_op(k, &k->ops[i], op, sizeof(op));
		}
		used += (size_t)snprintf(to + used, size - used, "%s%s",
					 used ? "; " : "", op);
	}
}

static void check_row(const struct row *r)
{
	struct kit *k = kit_create(NULL);
	char ops[4096];
	tdx_status status;
	u32 i, locked = 0;

	kit_td(&k->lp, 0, 2);
	status = r->run(k);
	print_ops(k, ops, sizeof(ops));
	for (i = 0; i < k->nops; i++)
		locked += k->ops[i].op != LINE_STORE64;
	if (status != r->status || locked != r->locked || strcmp(ops, r->ops))
		fail_msg("%s: status 0x%llx, %u locked instructions:\n%s\n%s",
			 r->name, (unsigned long long)status, locked, ops,
			 r->ops);
	kit_destroy(k);
}

static void each_call_operates_as_counted(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_operates_as_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
