/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each retry policy claims, and what is wrong with those that were
 * dropped, as counts on the model.
 */
#include <errno.h>

#include "tests/unit/test_host_rig.h"

enum { PAGES = 2048, STORM = 24, REMOVED = 64 };

static gpa_t page_at(u64 n)
{
	return GPA(n << 12);
}

static const enum tdx_call removals[] = {TDH_MEM_RANGE_BLOCK, TDH_MEM_TRACK,
					 TDH_MEM_PAGE_REMOVE};

/* ------------------------------------------------- the zero-step storm */

static bool stopped(struct rig *rig, struct kvm_thread *t)
{
	return line_load32(t->strand, &rig->stop.line, &rig->stop.value);
}

static void sleep_a_little(struct kvm_thread *t, struct rig *rig)
{
	spend(t->strand, 50 * PS_PER_NS);
	stopped(rig, t);
}

/** A vCPU that faults at one instruction, on a page of its own. */
static void stuck(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], index - 1);
	gpa_t gpa = page_at(PAGES - index);
	int ret = kvm_vcpu_start(t, vcpu);

	for (u32 i = 0; !ret && !stopped(rig, t); i++) {
		ret = kvm_guest_stuck(vcpu, gpa);
		if (i == 8)
			line_xadd32(t->strand, &rig->step.line,
				    &rig->step.value, 1);
	}
	rig->result[index] = ret;
	rig->value[index] = tdx_zero_step_listed(rig->module, vcpu->tdvpr);
	kvm_vcpu_finish(vcpu);
}

/** The same with a pause between two faults. */
static void stuck_and_pause(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 0);
	gpa_t gpa = page_at(PAGES - 1);
	int ret = kvm_vcpu_start(t, vcpu);

	for (u32 i = 0; !ret && i < 20; i++) {
		ret = kvm_guest_stuck(vcpu, gpa);
		if (!ret)
			ret = kvm_guest_spin(vcpu, 5 * PS_PER_US);
	}
	rig->result[index] = ret;
	rig->value[index] = tdx_zero_step_listed(rig->module, vcpu->tdvpr);
	kvm_vcpu_finish(vcpu);
}

/* Nobody resolves the fault, however long it takes to the next. */
static void test_a_pause_resolves_nothing(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->strands = 1;
	rig->role[0] = stuck_and_pause;
	rig_must_be_done(rig);
	assert_int_equal(rig->result[0], 0);
	assert_int_equal(rig->value[0], 1);
	assert_int_equal(rig->seen[0].calls[TDH_MEM_PAGE_AUG], 0);
	assert_true(rig->seen[0].calls[TDH_VP_ENTER] >= 20);
	assert_true(rig->thread[0].spent_ps[WHERE_IDLE] >= 100 * PS_PER_US);
	rig_free(rig);
}

static void wait_storm(struct rig *rig, struct kvm_thread *t)
{
	u32 seen;

	while ((seen = line_load32(t->strand, &rig->step.line,
				   &rig->step.value)) < rig->config.vcpus)
		line_wait(t->strand, &rig->step.line, &rig->step.value, seen,
			  false);
}

/** Add pages before the storm, take them away in it. */
static void remove_in_storm(struct rig *rig, struct kvm_thread *t, u32 index)
{
	rig->result[index] = kvm_pre_fault(t, rig->vm[0], page_at(0), REMOVED);
	wait_storm(rig, t);
	for (u64 i = 0; i < REMOVED && !rig->result[index]; i++)
		rig->result[index] =
			kvm_punch_hole(t, rig->vm[0], page_at(i), 1);
	flag_set(t->strand, &rig->stop, 1);
}

static struct rig *storm(const char *policy, u32 vcpus)
{
	struct rig *rig = rig_new(policy, vcpus, PAGES);

	rig->strands = vcpus + 1;
	rig->jitter = 0.05;
	rig->role[0] = remove_in_storm;
	for (u32 i = 1; i <= vcpus; i++)
		rig->role[i] = stuck;
	return rig;
}

static u64 removals_busy(const struct rig *rig)
{
	u64 sum = 0;

	for (u32 i = 0; i < 3; i++)
		sum += rig->seen[0].busy[removals[i]];
	return sum;
}

static u32 most_tries(const struct rig *rig)
{
	u32 most = 0;

	for (u32 i = 0; i < 3; i++)
		if (rig->seen[0].max_tries[removals[i]] > most)
			most = rig->seen[0].max_tries[removals[i]];
	return most;
}

static void assert_removed(struct rig *rig)
{
	assert_int_equal(rig->result[0], 0);
	assert_false(kvm_vm_bugged(rig->vm[0]));
	assert_int_equal(rig->seen[0].ops[KVM_OP_REMOVAL], REMOVED);
}

static void test_storm_is_one(void **state)
{
	struct rig *rig = storm("kick-once", STORM);

	(void)state;
	rig_must_be_done(rig);
	for (u32 i = 1; i <= STORM; i++) {
		assert_int_equal(rig->result[i], 0);
		assert_int_equal(rig->value[i], 1);
	}
	assert_true(rig_busy(rig, TDH_VP_ENTER) > 0);
	rig_free(rig);
}

static void test_kick_once_needs_no_third_try(void **state)
{
	struct rig *rig = storm("kick-once", STORM);

	(void)state;
	rig_must_be_done(rig);
	assert_removed(rig);
	assert_true(removals_busy(rig) > 0);
	assert_int_equal(most_tries(rig), 2);
	/* One kick after each TRACK, one more for each BUSY. */
	assert_int_equal(rig->thread[0].kicks_sent,
			 REMOVED + removals_busy(rig));
	rig_free(rig);
}

static void test_kick_first_is_never_busy(void **state)
{
	struct rig *rig = storm("kick-first", STORM);

	(void)state;
	rig_must_be_done(rig);
	assert_removed(rig);
	assert_int_equal(removals_busy(rig), 0);
	assert_int_equal(rig->thread[0].kicks_sent, 2 * REMOVED);
	/* Its price: everybody is kept out for every page. */
	assert_true(rig->thread[1].spent_ps[WHERE_KEPT_OUT] > 0);
	rig_free(rig);
}

static void test_kick_hold_kicks_on_the_second_busy(void **state)
{
	struct rig *rig = storm("kick-hold", STORM);

	(void)state;
	rig_must_be_done(rig);
	assert_removed(rig);
	assert_true(removals_busy(rig) > 0);
	assert_int_equal(most_tries(rig), 3);
	assert_true(rig->thread[0].kicks_sent > REMOVED);
	assert_true(rig->thread[0].kicks_sent < 2 * REMOVED + 1);
	rig_free(rig);
}

static void test_spin_wastes_calls(void **state)
{
	struct rig *spin = storm("spin", STORM);
	struct rig *kick = storm("kick-once", STORM);

	(void)state;
	rig_must_be_done(spin);
	rig_must_be_done(kick);
	assert_removed(spin);
	assert_true(most_tries(spin) > 2);
	assert_true(removals_busy(spin) > 2 * removals_busy(kick));
	assert_int_equal(spin->thread[0].kicks_sent, REMOVED);
	assert_true(spin->thread[0].spent_ps[WHERE_BUSY] >
		    kick->thread[0].spent_ps[WHERE_BUSY]);
	rig_free(spin);
	rig_free(kick);
}

static void test_eagain_removal_begins_again(void **state)
{
	/* With twice as many it may not come to an end: see the next. */
	struct rig *rig = storm("eagain", STORM / 2);

	(void)state;
	rig_must_be_done(rig);
	assert_removed(rig);
	assert_true(removals_busy(rig) > 0);
	/* Each call is made once, each BUSY is one more attempt. */
	assert_int_equal(most_tries(rig), 1);
	assert_int_equal(rig->seen[0].op_tries[KVM_OP_REMOVAL],
			 REMOVED + removals_busy(rig));
	/* A page whose REMOVE was busy is tracked again, and is one page. */
	assert_true(rig->seen[0].busy[TDH_MEM_PAGE_REMOVE] > 0);
	assert_int_equal(rig->seen[0].ops[KVM_OP_TRACK], REMOVED);
	rig_free(rig);
}

/*
 * Not kicking, TRACK loses to those who enter; it is not the tree lock that
 * the storm takes away but the epoch lock.
 */
static void test_without_kicks_track_starves(void **state)
{
	struct rig *spin = storm("spin", STORM);
	struct seen *seen = &spin->seen[0];

	(void)state;
	rig_must_be_done(spin);
	assert_removed(spin);
	assert_true(seen->max_tries[TDH_MEM_TRACK] >
		    seen->max_tries[TDH_MEM_RANGE_BLOCK]);
	assert_true(seen->busy[TDH_MEM_TRACK] > REMOVED);
	rig_free(spin);
}

static void test_spin_doubling_learns(void **state)
{
	struct rig *rig = storm("spin-doubling", STORM);

	(void)state;
	rig_must_be_done(rig);
	if (kvm_vm_bugged(rig->vm[0]))
		assert_true(most_tries(rig) == 1024);
	else
		assert_removed(rig);
	if (most_tries(rig) > 16)
		assert_true(rig->host->retry_max >= most_tries(rig));
	assert_true(rig->host->retry_max <= 1024);
	rig_free(rig);
}

/* --------------------------------------- one busy call after the other */

/** Hold the tree of VM 0 for good, as a stuck VP.ENTER would. */
static tdx_status hold_tree(struct rig *rig, struct kvm_thread *t)
{
	struct tdx_ref tree = {.what = TDX_SEPT_TREE,
			       .tdr = vm_tdr(rig->vm[0])};

	return tdx_ref_lock(&t->lp, &tree, true);
}

static void remove_against_held_tree(struct rig *rig, struct kvm_thread *t,
				     u32 index)
{
	rig->result[index] = kvm_pre_fault(t, rig->vm[0], page_at(0), 1);
	if (hold_tree(rig, t))
		machine_halt(t->strand, "the tree is not free");
	rig->result[index] |= kvm_punch_hole(t, rig->vm[0], page_at(0), 1);
}

static void bugs_after(const char *policy, u32 limit, u32 calls)
{
	struct rig *rig = rig_new(policy, 1, PAGES);

	rig->strands = 1;
	rig->config.retry_limit = limit;
	rig->role[0] = remove_against_held_tree;
	assert_int_equal(rig_run(rig), MACHINE_DONE);
	assert_int_equal(rig->result[0], -EIO);
	assert_true(kvm_vm_bugged(rig->vm[0]));
	assert_non_null(strstr(kvm_vm_bug(rig->vm[0]),
			       "TDH.MEM.RANGE.BLOCK: TDX_OPERAND_BUSY"));
	assert_int_equal(rig->seen[0].busy[TDH_MEM_RANGE_BLOCK], calls);
	rig_free(rig);
}

static void test_who_bugs_the_vm_and_when(void **state)
{
	(void)state;
	bugs_after("spin16", 0, 17);
	bugs_after("spin-doubling", 0, 1024);
	bugs_after("spin", 100, 100);
	bugs_after("kick-once", 0, 2);
	bugs_after("kick-first", 0, 1);
	bugs_after("kick-hold", 0, 3);
}

/* --------------------------------- a call that an interrupt cuts short */

/** Split a 2M page; an interrupt is pending when it comes to DEMOTE. */
static void split_interrupted(struct rig *rig, struct kvm_thread *t, u32 index)
{
	rig->result[index] = kvm_pre_fault(t, rig->vm[0], page_at(0), 512);
	interrupt(t->strand, t->strand, 0);
	rig->result[index] |= kvm_punch_hole(t, rig->vm[0], page_at(1), 1);
	flag_set(t->strand, &rig->stop, 1);
}

/** Take the tree when DEMOTE has given it up, until vCPUs are held out. */
static void tree_between(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vm *vm = rig->vm[0];
	struct tdx_ref tree = {.what = TDX_SEPT_TREE, .tdr = vm_tdr(vm)};

	while (!rig->seen[0].calls[TDH_MEM_PAGE_DEMOTE])
		sleep_a_little(t, rig);
	while (!stopped(rig, t) && tdx_ref_lock(&t->lp, &tree, true))
		spend(t->strand, 50 * PS_PER_NS);
	rig->value[index] = !stopped(rig, t);
	while (!stopped(rig, t) &&
	       !line_load32(t->strand, &vm->gate_line, &vm->gate))
		spend(t->strand, 50 * PS_PER_NS);
	if (rig->value[index])
		tdx_ref_unlock(&t->lp, &tree, true);
}

/* It is no try: the first BUSY after it is still the first. */
static void test_an_interrupted_call_is_no_try(void **state)
{
	struct rig *rig = rig_new("kick-once", 1, PAGES);

	(void)state;
	rig->config.max_level = LEVEL_2M;
	rig->strands = 2;
	rig->role[0] = split_interrupted;
	rig->role[1] = tree_between;
	rig_must_be_done(rig);
	assert_int_equal(rig->value[1], 1);
	assert_int_equal(rig->result[0], 0);
	assert_false(kvm_vm_bugged(rig->vm[0]));
	assert_int_equal(rig->seen[0].busy[TDH_MEM_PAGE_DEMOTE], 1);
	assert_int_equal(rig->seen[0].calls[TDH_MEM_PAGE_DEMOTE], 3);
	assert_int_equal(rig->seen[0].max_tries[TDH_MEM_PAGE_DEMOTE], 3);
	rig_free(rig);
}

/** A fault against a tree that is held: what the fault halves do. */
static void fault_against_held_tree(struct rig *rig, struct kvm_thread *t,
				    u32 index)
{
	const struct sept_call c = {.call = TDH_MEM_PAGE_AUG,
				    .gpa = page_at(1),
				    .page = HPA(rig->vm[0]->data.v + 4096)};

	rig->result[index] = kvm_pre_fault(t, rig->vm[0], page_at(0), 1);
	if (hold_tree(rig, t))
		machine_halt(t->strand, "the tree is not free");
	rig->value[index] = (u64)-retry_fault(t, rig->vm[0], &c);
}

static void fault_gives(const char *policy, u32 calls, int error, bool bugged)
{
	struct rig *rig = rig_new(policy, 1, PAGES);

	rig->strands = 1;
	rig->role[0] = fault_against_held_tree;
	assert_int_equal(rig_run(rig), MACHINE_DONE);
	assert_int_equal(rig->result[0], 0);
	assert_int_equal(rig->value[0], (u64)-error);
	assert_int_equal(kvm_vm_bugged(rig->vm[0]), bugged);
	assert_int_equal(rig->seen[0].busy[TDH_MEM_PAGE_AUG], calls);
	rig_free(rig);
}

static void test_what_fault_halves_do(void **state)
{
	(void)state;
	fault_gives("spin16", 17, -EAGAIN, false);
	fault_gives("spin-doubling", 1024, -EIO, true);
	fault_gives("eagain", 1, -EAGAIN, false);
	fault_gives("kick-once", 1, -EAGAIN, false);
}

/** spin16 took BUSY on anything but the tree for a bug. */
static void fault_against_held_entry(struct rig *rig, struct kvm_thread *t,
				     u32 index)
{
	const struct sept_call c = {.call = TDH_MEM_PAGE_AUG,
				    .gpa = page_at(1),
				    .page = HPA(rig->vm[0]->data.v + 4096)};
	struct tdx_ref entry = {.what = TDX_SEPT_ENTRY,
				.tdr = vm_tdr(rig->vm[0]),
				.gpa = page_at(1)};

	rig->result[index] = kvm_pre_fault(t, rig->vm[0], page_at(0), 1);
	if (tdx_ref_lock(&t->lp, &entry, true))
		machine_halt(t->strand, "the entry is not free");
	rig->result[index] |= retry_fault(t, rig->vm[0], &c);
}

static void test_spin16_and_the_entry_lock(void **state)
{
	struct rig *rig = rig_new("spin16", 1, PAGES);

	(void)state;
	rig->strands = 1;
	rig->role[0] = fault_against_held_entry;
	assert_int_equal(rig_run(rig), MACHINE_DONE);
	assert_int_equal(rig->result[0], -EIO);
	assert_true(kvm_vm_bugged(rig->vm[0]));
	assert_int_equal(rig->seen[0].busy[TDH_MEM_PAGE_AUG], 1);
	rig_free(rig);
}

/* ------------------------------------------------ the way to zero-step */

enum { HOLE = 256, WANTED = 255 };

/** Touch one page of a range while it is being punched. */
static void touch_in_hole(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 0);

	kvm_vcpu_start(t, vcpu);
	while (!line_load32(t->strand, &rig->step.line, &rig->step.value))
		kvm_guest_wait(vcpu, &rig->step.line, &rig->step.value, 0);
	rig->result[index] = kvm_guest_touch(vcpu, page_at(WANTED));
	if (rig->result[index] == 1)
		kvm_guest_wait(vcpu, &rig->stop.line, &rig->stop.value, 0);
	rig->result[index] = kvm_guest_touch(vcpu, page_at(WANTED));
	kvm_vcpu_finish(vcpu);
}

/** Somebody else accepts the page in the end. */
static void accept_later(struct rig *rig, struct kvm_thread *t, u32 index)
{
	struct kvm_vcpu *vcpu = kvm_vcpu(rig->vm[0], 1);
	tdx_status status;

	kvm_vcpu_start(t, vcpu);
	kvm_guest_wait(vcpu, &rig->step.line, &rig->step.value, 0);
	while (line_load32(t->strand, &rig->step.line, &rig->step.value) < 2)
		kvm_guest_wait(vcpu, &rig->step.line, &rig->step.value, 1);
	rig->result[index] =
		kvm_guest_accept(vcpu, page_at(WANTED), LEVEL_4K, &status);
	flag_set(t->strand, &rig->stop, 1);
	kvm_vcpu_finish(vcpu);
}

static void punch_under_touch(struct rig *rig, struct kvm_thread *t, u32 index)
{
	rig->result[index] = kvm_pre_fault(t, rig->vm[0], page_at(0), HOLE - 1);
	flag_set(t->strand, &rig->step, 1);
	rig->result[index] |= kvm_punch_hole(t, rig->vm[0], page_at(0), HOLE);
	rig->value[index] =
		tdx_zero_step_listed(rig->module, rig->vm[0]->vcpu[0].tdvpr);
	flag_set(t->strand, &rig->step, 2);
}

/** How many pages one vCPU had listed when the hole was done. */
static u64 listed_after_hole(const char *fault)
{
	struct rig *rig = rig_new("kick-once", 2, PAGES);
	u64 listed;

	rig->config.policy.fault = fault_policy_find(fault);
	assert_non_null(rig->config.policy.fault);
	rig->strands = 3;
	rig->role[0] = punch_under_touch;
	rig->role[1] = touch_in_hole;
	rig->role[2] = accept_later;
	rig_must_be_done(rig);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(rig->result[i], 0);
	assert_false(kvm_vm_bugged(rig->vm[0]));
	listed = rig->value[0];
	rig_free(rig);
	return listed;
}

static void test_eagain_alone_ends_in_zero_step(void **state)
{
	(void)state;
	assert_true(listed_after_hole("eagain") > 0);
	assert_int_equal(listed_after_hole("local-retry"), 0);
}

/* ---------------------------------------------------------- the tables */

static void test_names(void **state)
{
	static const char *const fault[] = {"spin", "spin16", "spin-doubling",
					    "eagain", "local-retry"};
	static const char *const removal[] = {
		"spin",	     "spin16",	   "spin-doubling", "eagain",
		"kick-once", "kick-first", "kick-hold",
	};
	u32 n = 0;

	(void)state;
	for (const struct retry_policy *p = retry_policies; p->name; p++) {
		assert_non_null(p->summary);
		assert_non_null(p->source);
		assert_string_equal(p->name, removal_policy_name(p->removal));
		n++;
	}
	assert_int_equal(n, 7);
	for (u32 i = 0; i < 5; i++)
		assert_string_equal(
			fault_policy_name(fault_policy_find(fault[i])),
			fault[i]);
	for (u32 i = 0; i < 7; i++)
		assert_string_equal(
			removal_policy_name(removal_policy_find(removal[i])),
			removal[i]);
	assert_null(fault_policy_find("kick-once"));
	assert_null(removal_policy_find("local-retry"));
	assert_null(removal_policy_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_storm_is_one),
		cmocka_unit_test(test_a_pause_resolves_nothing),
		cmocka_unit_test(test_kick_once_needs_no_third_try),
		cmocka_unit_test(test_kick_first_is_never_busy),
		cmocka_unit_test(test_kick_hold_kicks_on_the_second_busy),
		cmocka_unit_test(test_spin_wastes_calls),
		cmocka_unit_test(test_eagain_removal_begins_again),
		cmocka_unit_test(test_without_kicks_track_starves),
		cmocka_unit_test(test_spin_doubling_learns),
		cmocka_unit_test(test_who_bugs_the_vm_and_when),
		cmocka_unit_test(test_an_interrupted_call_is_no_try),
		cmocka_unit_test(test_what_fault_halves_do),
		cmocka_unit_test(test_spin16_and_the_entry_lock),
		cmocka_unit_test(test_eagain_alone_ends_in_zero_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
