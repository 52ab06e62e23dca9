/* SPDX-License-Identifier: GPL-2.0-only */
/* Cells on the sim backend: how they end, and what their samples say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "tests/unit/sim_kit.h"

static const u32 vcpu_counts[] = {1, 2, 8};

/* ------------------------------------------- every workload and policy */

/* Faults are given up and come back by way of the guest. */
static bool gives_up_faults(const struct retry_policy *policy)
{
	return !strcmp(fault_policy_name(policy->fault), "eagain");
}

/* Policies that take a BUSY too many for a bug of their own. */
static bool can_bug(const struct retry_policy *policy)
{
	return strcmp(policy->name, "spin") && strcmp(policy->name, "eagain");
}

static void check_end(const struct sample *sample,
		      const struct retry_policy *policy)
{
	switch (sample->status) {
	case CELL_OK:
		assert_string_equal(sample->reason, "");
		break;
	case CELL_VM_BUGGED:
		assert_true(can_bug(policy));
		assert_string_not_equal(sample->reason, "");
		break;
	case CELL_LIVELOCK:
		assert_true(gives_up_faults(policy));
		assert_string_not_equal(sample->reason, "");
		break;
	default:
		fail_msg("%s: %s", cell_status_name(sample->status),
			 sample->reason);
	}
}

/* How many operations a cell with default knobs has to count. */
static const struct expectation {
	const char *workload, *metric;
	const char *pages; /* knob: how many */
	const char *times; /* knob: how often; NULL: once */
	unsigned factor;   /* and how often besides */
	bool per_vcpu;
	const char *but_not; /* knob: vCPUs that don't; NULL: none */
} expectations[] = {
	{"build", "build.count", "pages", NULL, 1, false, NULL},
	{"fault-in", "fault.count", "pages", NULL, 1, true, "stuck_percent"},
	{"accept", "accept.count", "pages", NULL, 1, true, NULL},
	{"track", "track.count", "pages", NULL, 1, false, NULL},
	{"block-remove", "removal.count", "pages", NULL, 1, false, NULL},
	{"convert", "convert.count", "pages", "rounds", 2, true, NULL},
	{"convert", "fault.count", "pages", "rounds", 1, true, NULL},
	{"convert", "removal.count", "pages", "rounds", 1, true, NULL},
	{"reclaim", "removal.count", "pages", NULL, 1, true, NULL},
	{"reclaim", "teardown.count", "tds", NULL, 1, false, NULL},
	{"zero-step", "fault.count", "pages", NULL, 1, true, "attackers"},
	{"churn", "fault.count", "pages", "rounds", 1, true, NULL},
	{"churn", "removal.count", "pages", "rounds", 1, true, NULL},
	{"prefault", "prefault.count", "pages", NULL, 1, false, NULL},
};

static u32 vcpus_that_do(const struct expectation *e, struct knob_values *knobs,
			 u32 vcpus)
{
	u32 others = 0;

	if (e->but_not)
		others = (u32)knob(knobs, e->but_not);
	if (e->but_not && !strcmp(e->but_not, "stuck_percent"))
		others = vcpus * others / 100;
	return others < vcpus ? vcpus - others : 1;
}

static void check_counts(const struct kit *kit, u32 vcpus,
			 const struct sample *sample)
{
	struct knob_values knobs = {kit->workload->knobs, kit->value};
	size_t i;

	for (i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		const struct expectation *e = &expectations[i];
		int64_t n;

		if (strcmp(e->workload, kit->workload->name))
			continue;
		n = knob(&knobs, e->pages) * e->factor;
		if (e->times)
			n *= knob(&knobs, e->times);
		if (e->per_vcpu)
			n *= vcpus_that_do(e, &knobs, vcpus);
		assert_true(kit_value(sample, e->metric) == (double)n);
	}
}

static double account_sum(const struct sample *sample, const char *of)
{
	double sum = 0;
	char name[32];
	u32 w;

	for (w = 0; w < NR_WHERES; w++) {
		snprintf(name, sizeof(name), "%s.%s", of,
			 where_name((enum where)w));
		sum += kit_value(sample, name);
	}
	return sum;
}

/* All measured time is accounted for, of vCPUs and of host threads. */
static void check_time(const struct sample *sample)
{
	double vcpus = account_sum(sample, "time");
	double hosts = account_sum(sample, "host_time");

	assert_true(isnan(vcpus) || fabs(vcpus - 100) < 1e-6);
	assert_true(isnan(hosts) || fabs(hosts - 100) < 1e-6);
	assert_false(isnan(vcpus) && isnan(hosts));
}

static void every_workload_and_policy(void **state)
{
	size_t w, p, n;

	(void)state;
	for (w = 0; workloads[w]; w++) {
		struct kit kit = kit_defaults(workloads[w]);

		for (p = 0; retry_policies[p].name; p++) {
			for (n = 0; n < 3; n++) {
				struct kit_world world;
				struct sample sample;

				kit_world_init(&world, retry_policies[p].name,
					       16);
				kit_run(&kit, vcpu_counts[n], &world, &sample);
				check_end(&sample, &retry_policies[p]);
				check_time(&sample);
				if (sample.status == CELL_OK)
					check_counts(&kit, vcpu_counts[n],
						     &sample);
				sample_free(&sample);
				kit_world_free(&world);
			}
		}
	}
}

/* The three that are compared end well with every default. */
static void compared_policies_are_ok(void **state)
{
	static const char *const names[] = {"spin", "eagain", "kick-once"};
	size_t w, p;

	(void)state;
	for (w = 0; workloads[w]; w++) {
		struct kit kit = kit_defaults(workloads[w]);

		for (p = 0; p < 3; p++) {
			struct kit_world world;
			struct sample sample;

			kit_world_init(&world, names[p], 32);
			kit_run(&kit, 16, &world, &sample);
			assert_int_equal(sample.status, CELL_OK);
			sample_free(&sample);
			kit_world_free(&world);
		}
	}
}

/* --------------------------------------------------- what is in a sample */

static void run_named(const char *workload, const char *policy, u32 vcpus,
		      u64 seed, struct sample *sample)
{
	struct kit kit = kit_defaults(kit_workload(workload));
	struct kit_world world;

	kit_world_init(&world, policy, 32);
	world.setup.seed = seed;
	kit_run(&kit, vcpus, &world, sample);
	kit_world_free(&world);
}

static bool same_sample(const struct sample *a, const struct sample *b)
{
	size_t i;

	if (memcmp(a->value, b->value, metric_count() * sizeof(double)))
		return false;
	for (i = 0; i < metric_count(); i++) {
		if (!a->hist[i] != !b->hist[i])
			return false;
		if (a->hist[i] &&
		    memcmp(a->hist[i], b->hist[i], sizeof(struct hist)))
			return false;
	}
	return true;
}

static void same_seed_same_bytes(void **state)
{
	size_t w;

	(void)state;
	for (w = 0; workloads[w]; w++) {
		struct sample a, b, c;

		run_named(workloads[w]->name, "kick-once", 8, 7, &a);
		run_named(workloads[w]->name, "kick-once", 8, 7, &b);
		run_named(workloads[w]->name, "kick-once", 8, 8, &c);
		assert_true(same_sample(&a, &b));
		assert_false(same_sample(&a, &c));
		sample_free(&a);
		sample_free(&b);
		sample_free(&c);
	}
}

/* What is done before the measured part is in no metric. */
static void set_up_is_not_measured(void **state)
{
	struct sample sample;

	(void)state;
	run_named("accept", "kick-once", 4, 1, &sample);
	assert_true(isnan(kit_value(&sample, "tdh_vp_create.calls")));
	assert_true(isnan(kit_value(&sample, "tdh_mem_page_aug.calls")));
	assert_true(isnan(kit_value(&sample, "prefault.count")));
	assert_null(kit_hist(&sample, "tdh_mem_page_aug.latency"));
	assert_true(kit_value(&sample, "tdg_mem_page_accept.calls") == 4 * 128);
	assert_true(kit_value(&sample, "calls.total") == 4 * 128);
	sample_free(&sample);
	run_named("block-remove", "kick-once", 4, 1, &sample);
	assert_true(isnan(kit_value(&sample, "tdh_mem_page_aug.calls")));
	assert_true(isnan(kit_value(&sample, "fault.count")));
	assert_true(kit_value(&sample, "tdh_phymem_page_wbinvd.calls") == 512);
	sample_free(&sample);
}

/* One number, counted in several places. */
static void counts_agree(void **state)
{
	struct sample sample;
	double calls;

	(void)state;
	run_named("fault-in", "eagain", 8, 1, &sample);
	calls = kit_value(&sample, "tdh_mem_page_aug.calls") -
		kit_value(&sample, "tdh_mem_page_aug.busy");
	assert_true(calls == 6 * 128);
	assert_int_equal(kit_hist(&sample, "fault.latency")->count, 6 * 128);
	assert_true(kit_value(&sample, "fault.count") == 6 * 128);
	assert_true(kit_value(&sample, "zero_step.vcpus") >= 2);
	assert_true(kit_value(&sample, "zero_step.refused") > 0);
	assert_true(kit_value(&sample, "tdh_vp_enter.busy") ==
		    kit_value(&sample, "tdh_vp_enter.busy.sept_tree") +
			    kit_value(&sample, "tdh_vp_enter.busy.td_epoch"));
	assert_true(kit_value(&sample, "tdh_vp_enter.busy.other") == 0);
	assert_true(kit_value(&sample, "fairness.jain") > 0.9);
	assert_true(kit_value(&sample, "fairness.jain") <= 1);
	sample_free(&sample);
	run_named("block-remove", "kick-once", 8, 1, &sample);
	assert_int_equal(kit_hist(&sample, "kick.latency")->count,
			 (u64)kit_value(&sample, "kicks.rounds"));
	assert_true(kit_value(&sample, "kicks.rounds") >= 512);
	sample_free(&sample);
}

/* ------------------------------------------------- ends that are not good */

static void run_by_hand(struct scenario *s, struct kit_world *world,
			struct sample *sample)
{
	struct err err;

	s->operation = "fault";
	assert_false(s->failed);
	assert_true(sample_init(sample));
	assert_int_equal(backend_sim.run(s, &world->setup, sample, &err), 0);
	scenario_free(s);
	kit_world_free(world);
}

static void too_few_cpus(void **state)
{
	struct kit kit = kit_defaults(kit_workload("track"));
	struct kit_world world;
	struct sample sample;
	size_t i;

	(void)state;
	kit_world_init(&world, "spin", 8);
	kit_run(&kit, 8, &world, &sample);
	assert_int_equal(sample.status, CELL_UNSUPPORTED);
	assert_non_null(strstr(sample.reason, "8 vCPUs and 1 host"));
	for (i = 0; i < metric_count(); i++)
		assert_true(isnan(sample.value[i]) && !sample.hist[i]);
	sample_free(&sample);
	kit_world_free(&world);
}

/*
 * vCPU 0 touches a page that it has not accepted while the others, and host
 * threads, wait for it in every way there is.
 */
static void bugged_vm_releases_everybody(void **state)
{
	struct kit_world world;
	struct sample sample;
	struct scenario s;

	(void)state;
	kit_world_init(&world, "kick-once", 16);
	assert_true(scenario_init(&s, 1, 5, 3));
	s.pages = 1024;
	s.finalized = true;
	s.ve_disable = true;
	scenario_vcpu(&s, 0, 0,
		      (struct agent_op){.opcode = AGENT_MEASURE, .arg = 1});
	scenario_vcpu(&s, 0, 0,
		      (struct agent_op){.opcode = AGENT_TOUCH, .count = 1});
	scenario_vcpu(&s, 0, 0, (struct agent_op){.opcode = AGENT_BARRIER});
	scenario_vcpu(&s, 0, 1, (struct agent_op){.opcode = AGENT_BARRIER});
	scenario_vcpu(&s, 0, 2, (struct agent_op){.opcode = AGENT_SPIN});
	scenario_vcpu(&s, 0, 3, (struct agent_op){.opcode = AGENT_HALT});
	scenario_vcpu(&s, 0, 4,
		      (struct agent_op){.opcode = AGENT_TICK, .arg = 1000});
	scenario_host(&s, 0, (struct host_op){.opcode = HOST_BARRIER});
	scenario_host(&s, 1, (struct host_op){.opcode = HOST_JOIN});
	scenario_host(&s, 2, (struct host_op){.opcode = HOST_TEARDOWN});
	run_by_hand(&s, &world, &sample);
	assert_int_equal(sample.status, CELL_VM_BUGGED);
	assert_non_null(strstr(sample.reason, "not accepted"));
	/* measured as far as it came: no fault was done */
	assert_true(kit_value(&sample, "fault.count") == 0);
	assert_true(kit_value(&sample, "tdh_mem_page_aug.calls") == 1);
	sample_free(&sample);
}

static void run_one_vcpu(struct agent_op op, struct kit_world *world,
			 struct sample *sample)
{
	struct scenario s;

	assert_true(scenario_init(&s, 1, 1, 1));
	s.pages = 1024;
	s.finalized = true;
	scenario_vcpu(&s, 0, 0,
		      (struct agent_op){.opcode = AGENT_MEASURE, .arg = 1});
	scenario_vcpu(&s, 0, 0, op);
	run_by_hand(&s, world, sample);
}

static void hostile_script_fails(void **state)
{
	struct kit_world world;
	struct sample sample;

	(void)state;
	kit_world_init(&world, "spin", 4);
	run_one_vcpu((struct agent_op){.opcode = 999}, &world, &sample);
	assert_int_equal(sample.status, CELL_FAILED);
	assert_non_null(strstr(sample.reason, "vCPU 0"));
	sample_free(&sample);
	kit_world_init(&world, "spin", 4);
	run_one_vcpu((struct agent_op){.opcode = AGENT_TOUCH,
				       .count = 1,
				       .gpa = 1ull << 40},
		     &world, &sample);
	assert_int_equal(sample.status, CELL_FAILED);
	sample_free(&sample);
}

static void nobody_says_stop(void **state)
{
	struct kit_world world;
	struct sample sample;

	(void)state;
	kit_world_init(&world, "spin", 4);
	run_one_vcpu((struct agent_op){.opcode = AGENT_SPIN}, &world, &sample);
	assert_int_equal(sample.status, CELL_FAILED);
	assert_string_not_equal(sample.reason, "");
	sample_free(&sample);
	kit_world_init(&world, "spin", 4);
	run_one_vcpu((struct agent_op){.opcode = AGENT_TICK, .arg = 1000},
		     &world, &sample);
	assert_int_equal(sample.status, CELL_LIVELOCK);
	assert_true(kit_value(&sample, "time.guest") > 0);
	sample_free(&sample);
}

static void time_is_up(void **state)
{
	struct kit kit = kit_defaults(kit_workload("fault-in"));
	struct kit_world world;
	struct sample sample;

	(void)state;
	kit_set(&kit, "pages", 1000);
	kit_world_init(&world, "spin", 4);
	world.setup.max_ns = 1000000;
	kit_run(&kit, 2, &world, &sample);
	assert_int_equal(sample.status, CELL_TIMEOUT);
	assert_true(kit_value(&sample, "fault.count") > 0);
	assert_true(kit_value(&sample, "fault.count") < 2000);
	assert_true(kit_value(&sample, "fault.rate") > 0);
	sample_free(&sample);
	kit_world_free(&world);
}

static void interrupted_run(void **state)
{
	struct kit kit = kit_defaults(kit_workload("fault-in"));
	atomic_int stop = 1;
	struct kit_world world;
	struct sample sample;

	(void)state;
	kit_set(&kit, "pages", 1000);
	kit_world_init(&world, "spin", 4);
	world.setup.stop = &stop;
	kit_run(&kit, 2, &world, &sample);
	assert_int_equal(sample.status, CELL_STOPPED);
	sample_free(&sample);
	kit_world_free(&world);
}

/* Long pauses that a script asks for are no livelock. */
static void sleeping_is_no_livelock(void **state)
{
	struct kit_world world;
	struct sample sample;
	struct scenario s;

	(void)state;
	kit_world_init(&world, "spin", 4);
	world.setup.livelock_ns = 1000000;
	assert_true(scenario_init(&s, 1, 1, 1));
	s.pages = 1024;
	s.finalized = true;
	scenario_vcpu(&s, 0, 0,
		      (struct agent_op){.opcode = AGENT_SPIN, .arg = 10000000});
	scenario_vcpu(&s, 0, 0, (struct agent_op){.opcode = AGENT_HALT});
	scenario_host(&s, 0,
		      (struct host_op){.opcode = HOST_SLEEP, .arg = 20000000});
	scenario_host(&s, 0, (struct host_op){.opcode = HOST_STOP});
	run_by_hand(&s, &world, &sample);
	assert_int_equal(sample.status, CELL_OK);
	assert_true(kit_value(&sample, "run.virtual_time") > 18000000);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_workload_and_policy),
		cmocka_unit_test(compared_policies_are_ok),
		cmocka_unit_test(same_seed_same_bytes),
		cmocka_unit_test(set_up_is_not_measured),
		cmocka_unit_test(counts_agree),
		cmocka_unit_test(too_few_cpus),
		cmocka_unit_test(bugged_vm_releases_everybody),
		cmocka_unit_test(hostile_script_fails),
		cmocka_unit_test(nobody_says_stop),
		cmocka_unit_test(time_is_up),
		cmocka_unit_test(interrupted_run),
		cmocka_unit_test(sleeping_is_no_livelock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
