/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every status of the module that this model can give is given somewhere: in
 * the expectations of a module script, or here by calls that scripts do not
 * have.  Those that it cannot give are listed with the reason.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

struct known {
	tdx_status code;   /* without operand */
	const char *where; /* NULL: a script; "call": below; else why not */
};

#define CALL "call"

static const struct known known[] = {
	{TDX_SUCCESS, NULL},
	{TDX_NON_RECOVERABLE_VCPU, "no error of the guest is modelled"},
	{TDX_NON_RECOVERABLE_TD, "no error of the guest is modelled"},
	{TDX_INTERRUPTED_RESUMABLE, NULL},
	{TDX_INTERRUPTED_RESTARTABLE, NULL},
	{0x6000000500000000, "TD memory is always accessible"},
	{0xE000000700000000, "no single-step defence"},
	{TDX_OPERAND_INVALID, NULL},
	{TDX_OPERAND_ADDR_RANGE_ERROR, NULL},
	{TDX_OPERAND_BUSY, NULL},
	{TDX_PREVIOUS_TLB_EPOCH_BUSY, NULL},
	{0x8000020200000000, "no calls to set up or update the module"},
	{0x8000020300000000, "entropy does not run out"},
	{TDX_OPERAND_BUSY_HOST_PRIORITY, NULL},
	{TDX_HOST_PRIORITY_BUSY_TIMEOUT, NULL},
	{TDX_PAGE_METADATA_INCORRECT, NULL},
	{TDX_TD_ASSOCIATED_PAGES_EXIST, NULL},
	{0xC000050500000000, "the module is always ready"},
	{0xC000050600000000, "the module is never shut down"},
	{TDX_TD_FATAL, "nothing makes a TD fatal"},
	{0xC000060500000000, "no MEM.RD and MEM.WR"},
	{TDX_TDCS_NOT_ALLOCATED, CALL},
	{TDX_LIFECYCLE_STATE_INCORRECT, NULL},
	{TDX_OP_STATE_INCORRECT, NULL},
	{TDX_NO_VCPUS, CALL},
	{TDX_TDCX_NUM_INCORRECT, CALL},
	{TDX_VCPU_STATE_INCORRECT, NULL},
	{TDX_VCPU_ASSOCIATED, NULL},
	{TDX_VCPU_NOT_ASSOCIATED, NULL},
	{0xC000070600000000, "the TSC never goes back"},
	{TDX_KEY_GENERATION_FAILED, "key generation never fails"},
	{TDX_TD_KEYS_NOT_CONFIGURED, NULL},
	{TDX_KEY_CONFIGURED, CALL},
	{TDX_WBCACHE_NOT_COMPLETE, NULL},
	{TDX_HKID_NOT_FREE, CALL},
	{TDX_NO_HKID_READY_TO_WBCACHE, NULL},
	{TDX_WBCACHE_RESUME_ERROR, NULL},
	{TDX_FLUSHVP_NOT_DONE, NULL},
	{0xC000090100000000, "no CPUID limit"},
	{0xC000092000000000, "no MSRs of the host"},
	{0xC000092100000000, "no MSRs of the host"},
	{TDX_EPT_WALK_FAILED, NULL},
	{TDX_EPT_ENTRY_NOT_PRESENT, CALL},
	{TDX_GPA_RANGE_NOT_BLOCKED, NULL},
	{TDX_GPA_RANGE_ALREADY_BLOCKED, NULL},
	{TDX_TLB_TRACKING_NOT_DONE, NULL},
	{TDX_EPT_INVALID_PROMOTE_CONDITIONS, NULL},
	{TDX_PAGE_ALREADY_ACCEPTED, NULL},
	{TDX_PAGE_SIZE_MISMATCH, NULL},
	{TDX_EPT_ENTRY_STATE_INCORRECT, NULL},
	{TDX_EPT_PAGE_NOT_FREE, NULL},
	{0xC0000B0F00000000, "no L2 VMs"},
	{0xC0000B1000000000, "no L2 VMs"},
	{0xC0000B1200000000, "no L2 VMs"},
};

#define NR_KNOWN (sizeof(known) / sizeof(*known))

static void mark(bool *seen, const json_t *expect)
{
	const json_t *status = json_object_get(expect, "status");
	u64 value;
	size_t i;

	if (!json_is_string(status) ||
	    !script_hex(json_string_value(status), &value))
		return;
	/* Exit reasons in the low half are no statuses. */
	if (!(value & TDX_STATUS_MASK) && value)
		return;
	for (i = 0; i < NR_KNOWN; i++) {
		if (known[i].code == (value & TDX_STATUS_MASK))
			seen[i] = true;
	}
}

static void mark_file(bool *seen, const char *path)
{
	FILE *in = fopen(path, "r");
	size_t size = 0;
	char *line = NULL;

	assert_non_null(in);
	while (getline(&line, &size, in) > 0) {
		json_t *json = json_loads(line, 0, NULL);

		assert_non_null(json);
		mark(seen, json_object_get(json, "expect"));
		json_decref(json);
	}
	free(line);
	fclose(in);
}

/* Whether the scripts hold is test_script's business. */
static void test_scripts_give(void **state)
{
	unsigned by_script = 0, by_call = 0, not_here = 0, missing = 0;
	bool seen[NR_KNOWN] = {false};
	glob_t found;
	size_t i;

	(void)state;
	assert_int_equal(glob("tests/module/*.jsonl", 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++)
		mark_file(seen, found.gl_pathv[i]);
	globfree(&found);
	for (i = 0; i < NR_KNOWN; i++) {
		const char *where = known[i].where;

		if (where && strcmp(where, CALL)) {
			not_here++;
			assert_false(seen[i]);
			print_message("  not reachable: 0x%llx: %s\n",
				      (unsigned long long)known[i].code, where);
		} else if (where) {
			by_call++;
		} else {
			by_script++;
			missing += !seen[i];
			if (!seen[i])
				print_message(
					"no script gives 0x%llx\n",
					(unsigned long long)known[i].code);
		}
	}
	print_message("%u statuses by scripts, %u by calls, %u not reachable\n",
		      by_script, by_call, not_here);
	assert_int_equal(missing, 0);
}

/* ---------------------------------------------- what scripts do not reach */

#define BASE 0x110000000ull

static const struct td_params params = {.gpaw = 48};

struct birth {
	bool done;
};

/* A TD brought up one call at a time, with the wrong call before each. */
static void birth_job(struct lp *lp, void *arg)
{
	const hpa_t tdr = HPA(BASE), tdvpr = HPA(BASE + 0x200000);
	struct td_exit exit;
	struct tdx_out out;
	u32 i;

	assert_int_equal(tdh_mng_create(lp, tdr, 33), TDX_HKID_NOT_FREE);
	assert_int_equal(tdh_mng_create(lp, tdr, 40), 0);
	assert_int_equal(tdh_mem_track(lp, tdr), TDX_TD_KEYS_NOT_CONFIGURED);
	assert_int_equal(tdh_mng_key_config(lp, tdr), 0);
	assert_true((tdh_mng_key_config(lp, tdr) & TDX_STATUS_MASK) ==
			    TDX_KEY_CONFIGURED ||
		    tdh_mng_key_config(lp, tdr) ==
			    TDX_LIFECYCLE_STATE_INCORRECT);
	assert_int_equal(tdh_mem_track(lp, tdr), TDX_TDCS_NOT_ALLOCATED);
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		assert_int_equal(
			tdh_mng_addcx(lp, tdr, HPA(BASE + 0x1000 * (i + 1))),
			0);
	assert_int_equal(tdh_mem_track(lp, tdr), TDX_OP_STATE_INCORRECT);
	assert_int_equal(tdh_mng_init(lp, tdr, &params), 0);
	assert_int_equal(tdh_mr_finalize(lp, tdr), TDX_NO_VCPUS);
	assert_int_equal(tdh_vp_create(lp, tdr, tdvpr), 0);
	assert_int_equal(tdh_vp_init(lp, tdvpr, 0), TDX_TDCX_NUM_INCORRECT);
	assert_int_equal(tdh_mr_extend(lp, tdr, GPA(0), &out),
			 TDX_EPT_ENTRY_NOT_PRESENT | OPERAND_RCX);
	for (i = 1; i < TDX_TDVPS_PAGES; i++)
		assert_int_equal(
			tdh_vp_addcx(lp, tdvpr, HPA(tdvpr.v + 0x1000 * i)), 0);
	assert_int_equal(tdh_vp_init(lp, tdvpr, 0), 0);
	assert_int_equal(tdh_vp_enter(lp, tdvpr, &exit),
			 TDX_OP_STATE_INCORRECT);
	assert_int_equal(tdh_mr_finalize(lp, tdr), 0);
	assert_int_equal(tdh_vp_enter(lp, tdvpr, &exit), 0);
	td_interrupt_exit(lp, &exit);
	((struct birth *)arg)->done = true;
}

static void test_birth(void **state)
{
	struct birth birth = {false};
	struct scene s;

	(void)state;
	scene_open(&s);
	scene_td(&s, 0, STATE_INITIALIZED); /* takes HKID 33 */
	assert_true(world_run(&s.w, &s.w.host, birth_job, &birth));
	assert_true(birth.done);
	scene_close(&s);
}

/* MR.EXTEND wants a page that is there. */
static void test_extend(void **state)
{
	struct act extend, add;
	struct scene s;

	(void)state;
	scene_open(&s);
	scene_td(&s, 0, STATE_INITIALIZED);
	scene_tree(&s, true);
	extend = scene_act(&s, MX, 0, SCENE_CHILD, LEVEL_4K, 0);
	assert_int_equal(scene_run(&s, &extend, &s.w.host) & TDX_STATUS_MASK,
			 TDX_EPT_ENTRY_NOT_PRESENT);
	add = scene_act(&s, AD, 0, SCENE_CHILD, LEVEL_4K, 0);
	assert_int_equal(scene_run(&s, &add, &s.w.host), 0);
	assert_int_equal(scene_run(&s, &extend, &s.w.host), 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts_give),
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_extend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
