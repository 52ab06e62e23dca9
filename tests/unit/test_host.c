/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM on the model: what comes in goes out again, what it costs when nobody
 * contends, and that a bugged VM ends the run.
 */
#include <errno.h>

#include "tests/unit/test_host_rig.h"

enum { PAGES = 1024 };

static gpa_t page_at(u64 n)
{
	return GPA(n << 12);
}

/* ------------------------------------------- nothing of the TD is left */

/** No page of the VM belongs to a TD any more. */
static void assert_all_free(struct rig *rig, const struct kvm_vm *vm)
{
	for (u64 a = vm->extent; a < vm->extent_end; a += 4096) {
		struct tdx_show_pamt show;

		tdx_show_pamt(rig->module, HPA(a), LEVEL_4K, &show);
		assert_string_equal(show.type, "NDA");
		assert_int_equal(show.raw_lock & 0x7fff, 0);
		if (a & ((2ull << 20) - 1))
			continue;
		tdx_show_pamt(rig->module, HPA(a), LEVEL_2M, &show);
		assert_string_equal(show.type, "NDA");
	}
}

static void touch_all(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], index - 1);
	enum tdx_level level = rig->config.max_level;
	u64 step = LEVEL_PAGES(level), each = PAGES / rig->config.vcpus;
	u64 first = (index - 1) * each;

	rig->result[index] = kvm_vcpu_start(t, vcpu);
	for (u64 i = first; i < first + each; i += step) {
		tdx_status status;

		rig->result[index] |=
			kvm_guest_accept(vcpu, page_at(i), level, &status);
		rig->value[index] += status != TDX_SUCCESS;
		rig->result[index] |= kvm_guest_touch(vcpu, page_at(i));
	}
	/* Convert a part to shared and back. */
	rig->result[index] |=
		kvm_guest_map_gpa(vcpu, page_at(first), 512, false);
	rig->result[index] |=
		kvm_guest_map_gpa(vcpu, page_at(first), 512, true);
	kvm_vcpu_finish(vcpu);
	line_xadd32(t->strand, &rig->step.line, &rig->step.value, 1);
}

static void wait_vcpus(struct rig *rig, struct kvm_thread *t)
{
	u32 seen;

	while ((seen = line_load32(t->strand, &rig->step.line,
				   &rig->step.value)) < rig->config.vcpus)
		line_wait(t->strand, &rig->step.line, &rig->step.value, seen,
			  false);
}

static void punch_then_tear_down(struct rig *rig, struct kvm_thread *t,
				 u32 index)
{
	wait_vcpus(rig, t);
	rig->result[index] = kvm_punch_hole(t, rig->vm[0], page_at(512), 512);
	rig->result[index] |= kvm_teardown(
		t, rig->vm[0], (enum teardown_order)rig->value[0], 0, 1);
}

static void run_round_trip(struct rig *rig, enum teardown_order order)
{
	rig->strands = 3;
	rig->role[0] = punch_then_tear_down;
	rig->role[1] = rig->role[2] = touch_all;
	rig->value[0] = order;
	rig_must_be_done(rig);
	for (u32 i = 0; i < rig->strands; i++)
		assert_int_equal(rig->result[i], 0);
	assert_int_equal(rig->value[1] + rig->value[2], 0);
	assert_false(kvm_vm_bugged(rig->vm[0]));
	assert_true(rig->vm[0]->reclaimed);
	assert_all_free(rig, rig->vm[0]);
	rig_free(rig);
}

static void round_trip(const char *policy, enum tdx_level level,
		       enum teardown_order order)
{
	struct rig *rig = rig_new(policy, 2, PAGES);

	rig->config.max_level = level;
	run_round_trip(rig, order);
}

static void test_five_levels(void **state)
{
	struct rig *rig = rig_new("kick-once", 2, PAGES);

	(void)state;
	rig->config.params.gpaw = 52;
	run_round_trip(rig, TEARDOWN_RUNNABLE);
}

static void test_round_trip(void **state)
{
	static const enum tdx_level levels[] = {LEVEL_4K, LEVEL_2M};

	(void)state;
	for (const struct retry_policy *p = retry_policies; p->name; p++) {
		for (u32 i = 0; i < 2; i++) {
			round_trip(p->name, levels[i], TEARDOWN_RUNNABLE);
			round_trip(p->name, levels[i], TEARDOWN_EARLY);
		}
	}
}

/* ----------------------------------------------------- a part of 2M */

static void map_2m(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 0);
	tdx_status status;

	kvm_vcpu_start(t, vcpu);
	rig->result[index] =
		kvm_guest_accept(vcpu, page_at(0), LEVEL_2M, &status);
	/* The first page, some in the middle, the last one. */
	rig->result[index] |= kvm_guest_map_gpa(vcpu, page_at(0), 1, false);
	rig->result[index] |= kvm_guest_map_gpa(vcpu, page_at(9), 2, false);
	rig->result[index] |= kvm_guest_map_gpa(vcpu, page_at(511), 1, false);
	/* The others are what they were: no fault, no ACCEPT needed. */
	rig->value[index] = rig->seen[index].ops[KVM_OP_FAULT];
	for (u64 i = 11; i < 511; i++)
		rig->result[index] |= kvm_guest_touch(vcpu, page_at(i));
	rig->value[index] -= rig->seen[index].ops[KVM_OP_FAULT];
	kvm_vcpu_finish(vcpu);
	flag_set(t->strand, &rig->step, 1);
}

static void tear_down_after(struct rig *rig, struct kvm_thread *t, u32 index)
{
	flag_wait(t->strand, &rig->step, 0);
	rig->result[index] =
		kvm_teardown(t, rig->vm[0], TEARDOWN_RUNNABLE, 0, 1);
}

static void test_part_of_2m(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->config.max_level = LEVEL_2M;
	rig->strands = 2;
	rig->role[0] = tear_down_after;
	rig->role[1] = map_2m;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0] | rig->result[1], 0);
	assert_int_equal(rig->value[1], 0);
	assert_int_equal(rig->seen[1].calls[TDH_MEM_PAGE_DEMOTE], 1);
	assert_int_equal(rig->seen[1].ops[KVM_OP_REMOVAL], 4);
	assert_int_equal(rig->seen[0].ops[KVM_OP_REMOVAL], 508);
	assert_all_free(rig, rig->vm[0]);
	rig_free(rig);
}

/* ------------------------------------------- several threads, two VMs */

static void tear_down_one(struct rig *rig, struct kvm_thread *t, u32 index)
{
	u32 vm = index / 2;

	if (vm >= rig->vms)
		return;
	if (index % 2 == 0)
		rig->result[index] =
			kvm_pre_fault(t, rig->vm[vm], page_at(0), PAGES);
	if (index % 2 == 0)
		line_xadd32(t->strand, &rig->step.line, &rig->step.value, 1);
	while (line_load32(t->strand, &rig->step.line, &rig->step.value) < 2)
		line_wait(t->strand, &rig->step.line, &rig->step.value,
			  rig->step.value, false);
	rig->result[index] |=
		kvm_teardown(t, rig->vm[vm], TEARDOWN_EARLY, index % 2, 2);
}

static void test_shared_teardown_of_two(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->vms = 2;
	rig->strands = 4;
	for (u32 i = 0; i < 4; i++)
		rig->role[i] = tear_down_one;
	rig_must_be_done(rig);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(rig->result[i], 0);
	assert_all_free(rig, rig->vm[0]);
	assert_all_free(rig, rig->vm[1]);
	/* Both of a pair did their part of the pages. */
	for (u32 i = 0; i < 4; i++)
		assert_true(rig->seen[i].ops[KVM_OP_RECLAIM] >= PAGES / 2);
	rig_free(rig);
}

/* ----------------------------------------------- build and who races it */

static void build_alone(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vm *vm = rig->vm[0];

	rig->result[index] = kvm_init_mem_region(t, vm, page_at(0), 64, true);
	rig->result[index] |= kvm_finalize(t, vm);
}

static void test_build(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->leave_unfinalized = true;
	rig->strands = 1;
	rig->role[0] = build_alone;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0], 0);
	assert_int_equal(rig->seen[0].calls[TDH_MEM_PAGE_ADD], 64);
	assert_int_equal(rig->seen[0].calls[TDH_MR_EXTEND], 64 * 16);
	assert_int_equal(rig->seen[0].ops[KVM_OP_BUILD], 64);
	rig_free(rig);
}

static void build_until_done(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vm *vm = rig->vm[0];
	int ret;

	while ((ret = kvm_init_mem_region(t, vm, page_at(0), 64, true)) ==
	       -EBUSY)
		rig->value[index]++;
	while (!ret && (ret = kvm_finalize(t, vm)) == -EBUSY)
		;
	rig->result[index] = ret;
	flag_set(t->strand, &rig->stop, 1);
}

static void ioctls(struct rig *rig, struct kvm_thread *t, u32 index)
{
	while (!line_load32(t->strand, &rig->stop.line, &rig->stop.value)) {
		int ret = kvm_vcpu_ioctl(t, rig->vm[0], 0);

		if (ret == -EBUSY)
			rig->value[index]++;
		else if (ret)
			rig->result[index] = ret;
	}
}

static void test_build_raced(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->leave_unfinalized = true;
	rig->strands = 2;
	rig->jitter = 0.05;
	rig->role[0] = build_until_done;
	rig->role[1] = ioctls;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0], 0);
	assert_int_equal(rig->result[1], 0);
	/* Both lose now and then, and nothing is added or measured twice. */
	assert_true(rig->value[0] + rig->value[1] > 0);
	assert_int_equal(rig->seen[0].calls[TDH_MEM_PAGE_ADD] -
				 rig->seen[0].busy[TDH_MEM_PAGE_ADD],
			 64);
	assert_int_equal(rig->seen[0].calls[TDH_MR_EXTEND] -
				 rig->seen[0].busy[TDH_MR_EXTEND],
			 64 * 16);
	/* A page that was busy on the way is one, with all of its tries. */
	assert_int_equal(rig->seen[0].ops[KVM_OP_BUILD], 64);
	assert_int_equal(rig->seen[0].op_tries[KVM_OP_BUILD],
			 64 + rig->value[0]);
	assert_true(rig->value[0] > 0);
	rig_free(rig);
}

/* --------------------------------------------- sums without contention */

static void accept_all(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 0);
	tdx_status status;
	u64 begin;

	rig->result[index] = kvm_vcpu_start(t, vcpu);
	/* The first page of each table brings SEPT.ADDs. */
	rig->result[index] |=
		kvm_guest_accept(vcpu, page_at(0), LEVEL_4K, &status);
	begin = now(t->strand);
	for (u64 i = 1; i < 512; i++)
		rig->result[index] |=
			kvm_guest_accept(vcpu, page_at(i), LEVEL_4K, &status);
	rig->value[index] = (now(t->strand) - begin) / 511 / PS_PER_NS;
	kvm_vcpu_finish(vcpu);
	flag_set(t->strand, &rig->step, 1);
}

static void remove_and_tear_down(struct rig *rig, struct kvm_thread *t,
				 u32 index)
{
	flag_wait(t->strand, &rig->step, 0);
	rig->result[index] = kvm_punch_hole(t, rig->vm[0], page_at(0), 256);
	rig->result[index] |= kvm_teardown(t, rig->vm[0], TEARDOWN_EARLY, 0, 1);
}

static void test_sums(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);
	struct seen *host = &rig->seen[0];

	(void)state;
	rig->strands = 2;
	rig->role[0] = remove_and_tear_down;
	rig->role[1] = accept_all;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0] | rig->result[1], 0);
	assert_int_equal(host->ops[KVM_OP_REMOVAL], 256);
	print_message(
		"accept fault %llu ns, removal %llu ns, reclaim %llu ns\n",
		(unsigned long long)rig->value[1],
		(unsigned long long)(host->op_ps[KVM_OP_REMOVAL] / 256 /
				     PS_PER_NS),
		(unsigned long long)(host->op_ps[KVM_OP_RECLAIM] /
				     host->ops[KVM_OP_RECLAIM] / PS_PER_NS));
	assert_within(rig->value[1], 6400, 9600);
	assert_within(host->op_ps[KVM_OP_REMOVAL] / 256 / PS_PER_NS, 12240,
		      22080);
	assert_within(host->op_ps[KVM_OP_RECLAIM] / host->ops[KVM_OP_RECLAIM] /
			      PS_PER_NS,
		      3840, 6120);
	rig_free(rig);
}

/* ------------------------------------------------- kicks and epochs */

static void spin_inside(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], index - 1);

	rig->result[index] = kvm_vcpu_start(t, vcpu);
	line_xadd32(t->strand, &rig->step.line, &rig->step.value, 1);
	rig->result[index] |=
		kvm_guest_wait(vcpu, &rig->stop.line, &rig->stop.value, 0);
	kvm_vcpu_finish(vcpu);
}

static void track_twice(struct rig *rig, struct kvm_thread *t, u32 index)
{
	hpa_t tdr = vm_tdr(rig->vm[0]);

	wait_vcpus(rig, t);
	rig->result[index] = tdh_mem_track(&t->lp, tdr) != TDX_SUCCESS;
	rig->value[index] = tdh_mem_track(&t->lp, tdr);
	/* A kick in between is what makes the next one succeed. */
	kick_all(t, rig->vm[0]);
	rig->result[index] |= tdh_mem_track(&t->lp, tdr) != TDX_SUCCESS;
	flag_set(t->strand, &rig->stop, 1);
}

static void test_second_track(void **state)
{
	struct rig *rig = rig_new("kick-once", 3, PAGES);

	(void)state;
	rig->strands = 4;
	rig->role[0] = track_twice;
	for (u32 i = 1; i < 4; i++)
		rig->role[i] = spin_inside;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0], 0);
	assert_true(rig->value[0] == TDX_PREVIOUS_TLB_EPOCH_BUSY);
	assert_int_equal(rig->thread[0].ipis_sent, 3);
	assert_int_equal(rig->thread[0].kicks_sent, 1);
	for (u32 i = 1; i < 4; i++)
		assert_int_equal(rig->thread[i].kicked, 1);
	rig_free(rig);
}

/* ------------------------------------- everything at once, one range */

enum { STRESS_VCPUS = 6, STRESS_PAGES = 64, STRESS_ROUNDS = 300 };

static void stress_vcpu(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], index - 1);
	int ret = kvm_vcpu_start(t, vcpu);

	for (u32 i = 0; i < STRESS_ROUNDS && !ret; i++) {
		gpa_t gpa = page_at(strand_random(t->strand) % STRESS_PAGES);
		tdx_status status;

		if (kvm_guest_touch(vcpu, gpa) == 1)
			ret = kvm_guest_accept(vcpu, gpa, LEVEL_4K, &status);
		if (!ret && i % 16 == 0)
			ret = kvm_guest_leave(vcpu);
		if (!ret && i % 32 == 7)
			ret = kvm_guest_map_gpa(vcpu, gpa, 1, i & 32);
	}
	rig->result[index] = ret;
	kvm_vcpu_finish(vcpu);
	line_xadd32(t->strand, &rig->step.line, &rig->step.value, 1);
}

static void stress_host(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vm *vm = rig->vm[0];
	int ret = 0;

	while (!ret && line_load32(t->strand, &rig->step.line,
				   &rig->step.value) < STRESS_VCPUS) {
		u64 page = strand_random(t->strand) % STRESS_PAGES;

		if (index)
			ret = kvm_track_range(t, vm, page_at(page), 2);
		else
			ret = kvm_punch_hole(t, vm, page_at(page), 3);
		spend(t->strand, 20 * PS_PER_US);
	}
	rig->result[index] = ret;
	if (!ret)
		rig->result[index] = kvm_teardown(t, vm, TEARDOWN_RUNNABLE,
						  index ? 1 : 0, 2);
}

static void stress(const char *policy)
{
	struct rig *rig = rig_new(policy, STRESS_VCPUS, PAGES);

	rig->jitter = 0.1;
	/* local-retry everywhere: eagain ends in zero-step, for ever. */
	rig->config.policy.fault = fault_policy_find("local-retry");
	rig->strands = STRESS_VCPUS + 2;
	rig->role[0] = rig->role[STRESS_VCPUS + 1] = stress_host;
	for (u32 i = 1; i <= STRESS_VCPUS; i++)
		rig->role[i] = stress_vcpu;
	rig_must_be_done(rig);
	assert_string_equal(kvm_vm_bug(rig->vm[0]), "");
	for (u32 i = 0; i < rig->strands; i++)
		assert_int_equal(rig->result[i], 0);
	assert_all_free(rig, rig->vm[0]);
	rig_free(rig);
}

static void test_stress(void **state)
{
	(void)state;
	for (const struct retry_policy *p = retry_policies; p->name; p++) {
		/* spin16 takes a busy entry, which ACCEPT makes, for a bug. */
		if (strcmp(p->name, "spin16"))
			stress(p->name);
	}
}

/* ---------------------------------------------------- a VM that is dead */

static void touch_pending(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 0);

	kvm_vcpu_start(t, vcpu);
	rig->result[index] = kvm_guest_touch(vcpu, page_at(0));
	kvm_vcpu_finish(vcpu);
}

static void nothing(struct rig *rig, struct kvm_thread *t, u32 index)
{
	(void)rig;
	(void)t;
	(void)index;
}

static void test_unaccepted_with_ve_disabled(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->config.params.pending_ve_disable = true;
	rig->strands = 2;
	rig->role[0] = nothing;
	rig->role[1] = touch_pending;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[1], -EIO);
	assert_true(kvm_vm_bugged(rig->vm[0]));
	rig_free(rig);
}

static void bug_it(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vm *vm = rig->vm[0];

	wait_vcpus(rig, t);
	rig->result[index] =
		vm_bug(t, vm, "TDH.MEM.TRACK", TDX_PREVIOUS_TLB_EPOCH_BUSY);
	rig->value[index] =
		kvm_punch_hole(t, vm, page_at(0), 8) == -EIO &&
		kvm_pre_fault(t, vm, page_at(0), 8) == -EIO &&
		kvm_vcpu_ioctl(t, vm, 0) == -EIO &&
		kvm_teardown(t, vm, TEARDOWN_RUNNABLE, 0, 1) == -EIO;
}

static void halt_inside(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], index - 1);

	kvm_vcpu_start(t, vcpu);
	line_xadd32(t->strand, &rig->step.line, &rig->step.value, 1);
	rig->result[index] =
		kvm_guest_halt(vcpu, &rig->stop.line, &rig->stop.value, 0);
	rig->value[index] = kvm_guest_touch(vcpu, page_at(0)) == -EIO;
	kvm_vcpu_finish(vcpu);
}

static void test_bugged_vm_ends(void **state)
{
	struct rig *rig = rig_new("kick-once", 2, PAGES);

	(void)state;
	rig->strands = 3;
	rig->role[0] = bug_it;
	rig->role[1] = spin_inside;
	rig->role[2] = halt_inside;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0], -EIO);
	assert_int_equal(rig->result[1], -EIO);
	assert_int_equal(rig->result[2], -EIO);
	assert_int_equal(rig->value[0], 1);
	assert_int_equal(rig->value[2], 1);
	assert_true(kvm_vm_bugged(rig->vm[0]));
	assert_non_null(
		strstr(kvm_vm_bug(rig->vm[0]), "TDX_PREVIOUS_TLB_EPOCH_BUSY"));
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_shared_teardown_of_two),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_raced),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_second_track),
		cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_part_of_2m),
		cmocka_unit_test(test_stress),
		cmocka_unit_test(test_unaccepted_with_ve_disabled),
		cmocka_unit_test(test_bugged_vm_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
