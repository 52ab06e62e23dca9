/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a TD on the model of KVM: its locks, its IPIs, its packages. */
#include "tests/unit/test_host_rig.h"

enum { PAGES = 1024 };

static gpa_t page_at(u64 n)
{
	return GPA(n << 12);
}

/* ------------------------------------------------- locks of a teardown */

static void close_part(struct rig *rig, struct kvm_thread *t, u32 index)
{
	if (index == 0) {
		rig->result[index] =
			kvm_pre_fault(t, rig->vm[0], page_at(0), PAGES);
		flag_set(t->strand, &rig->step, 1);
	}
	flag_wait(t->strand, &rig->step, 0);
	rig->result[index] |=
		kvm_teardown(t, rig->vm[0], TEARDOWN_RUNNABLE, index, 2);
}

/* Files are closed under slots_lock: who waits does not wait at mmu_lock. */
static void test_closing_takes_turns(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->strands = 2;
	rig->role[0] = rig->role[1] = close_part;
	rig_must_be_done(rig);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(rig->result[i], 0);
		assert_int_equal(rig->seen[i].ops[KVM_OP_REMOVAL], PAGES / 2);
		assert_int_equal(rig->thread[i].spent_ps[WHERE_MMU_LOCK], 0);
	}
	assert_true(rig->vm[0]->reclaimed);
	rig_free(rig);
}

static void run_elsewhere(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 0);

	rig->result[index] = kvm_vcpu_start(t, vcpu);
	kvm_vcpu_finish(vcpu);
	flag_set(t->strand, &rig->step, 1);
}

static void tear_down_later(struct rig *rig, struct kvm_thread *t, u32 index)
{
	if (rig->strands > 1)
		flag_wait(t->strand, &rig->step, 0);
	rig->result[index] = kvm_teardown(t, rig->vm[0], TEARDOWN_EARLY, 0, 1);
}

/** Time of a teardown when an IPI takes a ms; the vCPU ran elsewhere. */
static u64 teardown_ps(bool elsewhere)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);
	u64 ps;

	rig->kvm.kick_base_ps = PS_PER_MS;
	rig->tdx.call_ps[TDH_PHYMEM_CACHE_WB] = 0;
	rig->strands = 1 + elsewhere;
	rig->role[0] = tear_down_later;
	rig->role[1] = run_elsewhere;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0] | rig->result[1], 0);
	assert_int_equal(rig->seen[0].calls[TDH_VP_FLUSH], 1);
	ps = rig->seen[0].op_ps[KVM_OP_TEARDOWN];
	rig_free(rig);
	return ps;
}

/* VP.FLUSH is sent to the CPU that the vCPU ran on. */
static void test_flush_is_sent(void **state)
{
	(void)state;
	assert_true(teardown_ps(false) < PS_PER_MS);
	assert_true(teardown_ps(true) > PS_PER_MS);
}

/* ------------------------------------------------------ packages */

static void count_configs(void *ctx, enum tdx_call call, tdx_status status,
			  u64 begin_ps, u64 end_ps)
{
	u64 *calls = ctx;

	(void)begin_ps;
	(void)end_ps;
	calls[call] += status == TDX_SUCCESS;
	calls[NR_TDX_CALLS] += status != TDX_SUCCESS;
}

static void make_and_tear_down(struct rig *rig, struct kvm_thread *t, u32 index)
{
	static const struct kvm_observer counts = {.call = count_configs};
	u64 calls[NR_TDX_CALLS + 1] = {0};
	struct kvm_vm *vm;

	rig->result[index] = kvm_teardown(t, rig->vm[0], TEARDOWN_EARLY, 0, 1);
	t->observer = &counts;
	t->observer_ctx = calls;
	vm = kvm_create_vm(rig->host, t, &rig->config);
	rig->result[index] |= !vm || kvm_finalize(t, vm);
	if (!rig->result[index])
		rig->result[index] = kvm_teardown(t, vm, TEARDOWN_EARLY, 0, 1);
	kvm_free_vm(vm);
	rig->value[0] = calls[TDH_MNG_KEY_CONFIG];
	rig->value[1] = calls[TDH_PHYMEM_CACHE_WB];
	/* No call is made to find something out. */
	rig->value[2] = calls[NR_TDX_CALLS];
	t->observer = NULL;
}

/* The key is configured, and the caches are written back, on each. */
static void test_packages(void **state)
{
	(void)state;
	for (u32 packages = 1; packages <= 4; packages++) {
		struct rig *rig = rig_new("kick-once", 1, PAGES);

		rig->packages = packages;
		rig->strands = 1;
		rig->role[0] = make_and_tear_down;
		rig_must_be_done(rig);
		assert_int_equal(rig->result[0], 0);
		assert_int_equal(rig->value[0], packages);
		assert_int_equal(rig->value[1], packages);
		assert_int_equal(rig->value[2], 0);
		rig_free(rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closing_takes_turns),
		cmocka_unit_test(test_flush_is_sent),
		cmocka_unit_test(test_packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
