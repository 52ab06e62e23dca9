/* SPDX-License-Identifier: GPL-2.0-only */
/* The laws of laws.h on the sim backend. */
#include "tests/unit/laws.h"

static const u32 vcpu_counts[] = {1, 3, 8};

enum { VCPU_COUNTS = 3 };

static void every_cell_keeps_the_laws(void **state)
{
	size_t v, p, n;

	(void)state;
	for (v = 0; variants[v].workload; v++) {
		for (p = 0; retry_policies[p].name; p++) {
			for (n = 0; n < VCPU_COUNTS; n++) {
				struct cell c;

				begin_cell(&c, &backend_sim, &variants[v],
					   &retry_policies[p], vcpu_counts[n],
					   default_world, 0);
				check(&c);
				end_cell(&c);
			}
		}
	}
}

/* ------------------------------------------------- cells that are cut off */

static void short_world(struct kit_world *world, u64 max_ns)
{
	default_world(world, 0);
	world->setup.max_ns = max_ns;
}

/* Time runs out somewhere, in the middle of whatever is going on. */
static void cut_cells_keep_what_was_measured(void **state)
{
	size_t v, p, n;

	(void)state;
	for (v = 0; variants[v].workload; v++) {
		for (p = 0; retry_policies[p].name; p++) {
			struct cell whole, c;
			double ns;

			begin_cell(&whole, &backend_sim, &variants[v],
				   &retry_policies[p], 4, default_world, 0);
			ns = value(&whole, "run.virtual_time");
			for (n = 1; n < 8; n++) {
				begin_cell(&c, &backend_sim, &variants[v],
					   &retry_policies[p], 4, short_world,
					   (u64)(ns * (double)n / 8));
				assert_int_equal(c.sample.status, CELL_TIMEOUT);
				check(&c);
				at_most(&c, "calls", number(&c, "calls.total"),
					number(&whole, "calls.total"));
				end_cell(&c);
			}
			end_cell(&whole);
		}
	}
}

static const struct variant storm = {
	"block-remove",
	{{"pages", 64}, {"stuck_percent", 99}, {"host_threads", 3}}};

static void limited_world(struct kit_world *world, u64 limit)
{
	default_world(world, 0);
	world->setup.retry_limit = (u32)limit;
}

/* The VM dies of one BUSY too many; what it did before is still there. */
static void bugged_cells_keep_what_was_measured(void **state)
{
	struct cell c;
	u64 limit, bugged = 0;

	(void)state;
	for (limit = 1; limit < 8; limit++) {
		begin_cell(&c, &backend_sim, &storm, kit_policy("spin"), 24,
			   limited_world, limit);
		check(&c);
		if (c.sample.status == CELL_OK) {
			end_cell(&c);
			continue;
		}
		assert_int_equal(c.sample.status, CELL_VM_BUGGED);
		bugged++;
		assert_true(number(&c, "calls.busy") >= (double)limit);
		assert_true(
			fmax(most(&c, "tdh_mem_range_block.retries"),
			     fmax(most(&c, "tdh_mem_track.retries"),
				  most(&c, "tdh_mem_page_remove.retries"))) ==
			(double)limit);
		end_cell(&c);
	}
	assert_true(bugged >= 3);
}

/* --------------------------------------------------- without contention */

static const struct variant quiet = {
	"block-remove",
	{{"pages", 40}, {"piece", 8}, {"others", OTHERS_INSIDE}}};

/* One kick a page, one flush a piece, an IPI to each vCPU with either. */
/* Without jitter all begin to measure at one instant. */
static void exact_world(struct kit_world *world, u64 arg)
{
	default_world(world, arg);
	world->setup.jitter = 0;
}

static void quiet_removals_cost_what_they_must(void **state)
{
	static const char *const calls[] = {
		"tdh_mem_range_block.calls", "tdh_mem_track.calls",
		"tdh_mem_page_remove.calls", "tdh_phymem_page_wbinvd.calls"};
	size_t p, i;

	(void)state;
	for (p = 0; retry_policies[p].name; p++) {
		struct cell c;
		double kicks;

		begin_cell(&c, &backend_sim, &quiet, &retry_policies[p], 4,
			   exact_world, 0);
		kicks = removal_is(&c, "kick-first") ? 2 : 1;
		for (i = 0; i < 4; i++)
			same(&c, calls[i], number(&c, calls[i]), 40);
		same(&c, "rounds", number(&c, "kicks.rounds"), 40 * kicks);
		same(&c, "flushes", number(&c, "kicks.flushes"), 5);
		/* vCPUs that are held out need no second one. */
		same(&c, "IPIs", number(&c, "kicks.ipis"), 4 * 45);
		same(&c, "kicked", number(&c, "kicks.taken"), 4 * 45);
		end_cell(&c);
	}
}

/* -------------------------------------------------------------- fairness */

static void touch_then_wait(struct scenario *s, u32 vcpu, u32 pages)
{
	const struct agent_op script[] = {
		{.opcode = AGENT_MEASURE, .arg = 1},
		{.opcode = AGENT_TOUCH,
		 .flags = AGENT_ACCEPT_FIRST | AGENT_RECORD,
		 .count = pages,
		 .gpa = (u64)vcpu << 21,
		 .stride = 4096},
		{.opcode = AGENT_TICK, .arg = 10000},
	};
	size_t i;

	for (i = 0; i < 3; i++)
		scenario_vcpu(s, 0, vcpu, script[i]);
}

/* In a run without end, vCPUs that wait are not slow. */
static void waiting_is_not_unfair(void **state)
{
	struct kit_world world;
	struct sample sample;
	struct scenario s;
	struct err err;
	u32 v;

	(void)state;
	kit_world_init(&world, "kick-once", NR_CPUS);
	default_world(&world, 0);
	assert_true(scenario_init(&s, 1, 4, 0));
	s.pages = 4096;
	s.finalized = true;
	s.operation = "fault";
	for (v = 0; v < 4; v++)
		touch_then_wait(&s, v, 4u << v);
	assert_true(sample_init(&sample));
	assert_int_equal(backend_sim.run(&s, &world.setup, &sample, &err), 0);
	assert_int_equal(sample.status, CELL_LIVELOCK);
	assert_true(kit_value(&sample, "fault.count") == 60);
	assert_true(kit_value(&sample, "fairness.jain") > 0.95);
	sample_free(&sample);
	scenario_free(&s);
	kit_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_keeps_the_laws),
		cmocka_unit_test(cut_cells_keep_what_was_measured),
		cmocka_unit_test(bugged_cells_keep_what_was_measured),
		cmocka_unit_test(quiet_removals_cost_what_they_must),
		cmocka_unit_test(waiting_is_not_unfair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
