/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold of the scripts of every workload, at every choice of its
 * knobs, before anybody executes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/workload_kit.h"

#define PAGE_BYTES 4096ull

static const uint32_t vcpu_counts[] = {1, 2, 3, 8, 64};

typedef void check_fn(const struct kit *kit, const struct scenario *s);

/* Is there an operation that does not end before the host says stop? */
static bool waits_for_stop(const struct agent_script *script)
{
	uint32_t i;

	for (i = 0; i < script->n; i++) {
		const struct agent_op *op = &script->op[i];

		switch (op->opcode) {
		case AGENT_SPIN:
			if (!op->arg)
				return true;
			break;
		case AGENT_HALT:
		case AGENT_TICK:
			return true;
		case AGENT_STUCK:
		case AGENT_LOOP:
			if (!op->count)
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

static void memory_is_inside(const struct kit *kit, const struct scenario *s)
{
	uint64_t end = s->pages * PAGE_BYTES;
	uint32_t i, k;

	(void)kit;
	for (i = 0; i < s->tds * s->vcpus; i++) {
		for (k = 0; k < s->vcpu[i].n; k++) {
			const struct agent_op *op = &s->vcpu[i].op[k];
			uint64_t size = PAGE_BYTES << (op->level ? 9 : 0);

			if (op->count > 1 && op->opcode != AGENT_LOOP)
				size += (op->count - 1) * op->stride;
			assert_true(op->gpa + size <= end);
			assert_true(!op->level || s->huge);
		}
	}
	for (i = 0; i < s->hosts; i++) {
		for (k = 0; k < s->host[i].n; k++) {
			const struct host_op *op = &s->host[i].op[k];

			assert_true(op->gpa + op->pages * PAGE_BYTES <= end);
			assert_true(op->td < s->tds);
		}
	}
}

static void measured_parts_are_bracketed(const struct kit *kit,
					 const struct scenario *s)
{
	bool any = false;
	uint32_t i, k;

	(void)kit;
	for (i = 0; i < s->tds * s->vcpus; i++) {
		bool on = false;

		for (k = 0; k < s->vcpu[i].n; k++) {
			const struct agent_op *op = &s->vcpu[i].op[k];

			assert_true(on || !(op->flags & AGENT_RECORD));
			if (op->opcode != AGENT_MEASURE)
				continue;
			assert_true(on != (op->arg != 0));
			on = op->arg;
			any = true;
		}
		assert_false(on);
	}
	for (i = 0; i < s->hosts; i++) {
		bool on = false;

		for (k = 0; k < s->host[i].n; k++) {
			const struct host_op *op = &s->host[i].op[k];

			if (op->opcode != HOST_MEASURE)
				continue;
			assert_true(on != (op->arg != 0));
			on = op->arg;
			any = true;
		}
		assert_false(on);
	}
	assert_true(any);
}

/* Whoever measures has been at barrier 0 before: see bench/scenario.h. */
static void nobody_measures_in_the_setup(const struct kit *kit,
					 const struct scenario *s)
{
	uint32_t i, k;

	(void)kit;
	for (i = 0; i < s->tds * s->vcpus; i++) {
		bool ready = false;

		for (k = 0; k < s->vcpu[i].n; k++) {
			const struct agent_op *op = &s->vcpu[i].op[k];

			ready |= op->opcode == AGENT_BARRIER && op->arg == 0;
			assert_true(ready || op->opcode != AGENT_MEASURE);
		}
	}
	for (i = 0; i < s->hosts; i++) {
		bool ready = false;

		for (k = 0; k < s->host[i].n; k++) {
			const struct host_op *op = &s->host[i].op[k];

			ready |= op->opcode == HOST_BARRIER && op->arg == 0;
			assert_true(ready || op->opcode != HOST_MEASURE);
		}
	}
}

/* Dense ids, in order in each script, and somebody to meet at each. */
static void barriers_meet(const struct kit *kit, const struct scenario *s)
{
	uint32_t count[20000] = {0}, ids = 0, i, k;

	(void)kit;
	for (i = 0; i < s->tds * s->vcpus; i++) {
		uint64_t next = 0;

		for (k = 0; k < s->vcpu[i].n; k++) {
			const struct agent_op *op = &s->vcpu[i].op[k];

			if (op->opcode != AGENT_BARRIER)
				continue;
			assert_true(op->arg >= next && op->arg < 20000);
			next = op->arg + 1;
			count[op->arg]++;
		}
		ids = next > ids ? (uint32_t)next : ids;
	}
	for (i = 0; i < s->hosts; i++) {
		uint64_t next = 0;

		for (k = 0; k < s->host[i].n; k++) {
			const struct host_op *op = &s->host[i].op[k];

			if (op->opcode != HOST_BARRIER)
				continue;
			assert_true(op->arg >= next && op->arg < 20000);
			next = op->arg + 1;
			count[op->arg]++;
		}
		ids = next > ids ? (uint32_t)next : ids;
	}
	for (i = 0; i < ids; i++)
		assert_true(count[i] > 0);
}

static void everybody_is_stopped(const struct kit *kit,
				 const struct scenario *s)
{
	bool stops = false, waits = false;
	uint32_t i, k;

	(void)kit;
	for (i = 0; i < s->tds * s->vcpus; i++)
		waits |= waits_for_stop(&s->vcpu[i]);
	for (i = 0; i < s->hosts; i++) {
		for (k = 0; k < s->host[i].n; k++)
			stops |= s->host[i].op[k].opcode == HOST_STOP;
	}
	assert_true(stops || !waits);
}

static void check(const struct kit *kit, uint32_t vcpus, check_fn *fn)
{
	struct scenario s;
	struct err err = {0};

	if (kit_make(kit, vcpus, &s, &err)) {
		assert_int_equal(err.status, EXIT_USAGE);
		assert_true(err.text[0]);
		return;
	}
	assert_int_equal(s.vcpus, vcpus);
	assert_string_equal(s.operation, kit->workload->operation);
	fn(kit, &s);
	scenario_free(&s);
}

/* Every knob in turn at every choice, or at its ends, others at defaults. */
static void check_knobs(const struct workload *w, uint32_t vcpus, check_fn *fn)
{
	size_t i;

	for (i = 0; w->knobs[i]; i++) {
		const struct knob *k = w->knobs[i];
		struct kit kit = kit_defaults(w);
		int64_t v, last = k->type == KNOB_CHOICE ? -1 : k->max;

		if (k->type == KNOB_CHOICE) {
			while (k->choices[last + 1])
				last++;
		}
		if (last > 1000)
			last = 1000;
		for (v = k->type == KNOB_CHOICE ? 0 : k->min; v <= last;
		     v += last > 10 ? last / 3 : 1) {
			kit.value[i] = v;
			check(&kit, vcpus, fn);
		}
	}
}

static void check_all(check_fn *fn)
{
	size_t w, i;

	for (w = 0; workloads[w]; w++) {
		for (i = 0; i < sizeof(vcpu_counts) / sizeof(uint32_t); i++) {
			struct kit kit = kit_defaults(workloads[w]);

			check(&kit, vcpu_counts[i], fn);
			check_knobs(workloads[w], vcpu_counts[i], fn);
		}
	}
}

static void test_memory(void **state)
{
	(void)state;
	check_all(memory_is_inside);
}

static void test_measure(void **state)
{
	(void)state;
	check_all(measured_parts_are_bracketed);
}

static void test_barriers(void **state)
{
	(void)state;
	check_all(barriers_meet);
}

static void test_setup(void **state)
{
	(void)state;
	check_all(nobody_measures_in_the_setup);
}

static void test_stop(void **state)
{
	(void)state;
	check_all(everybody_is_stopped);
}

static void knob_tables_are_sound(void **state)
{
	size_t w, i, j;

	(void)state;
	for (w = 0; workloads[w]; w++) {
		const struct knob *const *knobs = workloads[w]->knobs;

		assert_true(workloads[w]->summary[0]);
		for (i = 0; knobs[i]; i++) {
			int64_t n = 0;

			assert_true(knobs[i]->help[0]);
			assert_non_null(knobs[i]->unit);
			for (j = 0; j < i; j++)
				assert_string_not_equal(knobs[j]->name,
							knobs[i]->name);
			if (knobs[i]->type == KNOB_CHOICE) {
				while (knobs[i]->choices[n])
					n++;
				assert_in_range(knobs[i]->def, 0, n - 1);
				continue;
			}
			assert_true(knobs[i]->min <= knobs[i]->def);
			assert_true(knobs[i]->def <= knobs[i]->max);
		}
	}
}

/* The pages that the measured TOUCHes of fault-in name, by GPA. */
static uint32_t distinct_pages(int64_t layout, uint32_t vcpus,
			       uint32_t *touches)
{
	struct kit kit = kit_defaults(kit_workload("fault-in"));
	uint8_t seen[1 << 16] = {0};
	uint32_t distinct = 0, v, k, i;
	struct scenario s;
	struct err err;

	kit_set(&kit, "layout", layout);
	kit_set(&kit, "pages", 5);
	kit_set(&kit, "stuck_percent", 0);
	*touches = 0;
	assert_int_equal(kit_make(&kit, vcpus, &s, &err), 0);
	for (v = 0; v < vcpus; v++) {
		for (k = 0; k < s.vcpu[v].n; k++) {
			const struct agent_op *op = &s.vcpu[v].op[k];

			if (op->opcode != AGENT_TOUCH)
				continue;
			for (i = 0; i < op->count; i++, ++*touches) {
				uint8_t *page =
					&seen[(op->gpa + i * op->stride) >> 12];

				distinct += !*page;
				*page = 1;
			}
		}
	}
	scenario_free(&s);
	return distinct;
}

static void layouts_share_what_they_say(void **state)
{
	uint32_t touches;

	(void)state;
	assert_int_equal(distinct_pages(LAYOUT_DISJOINT, 7, &touches), 35);
	assert_int_equal(touches, 35);
	assert_int_equal(distinct_pages(LAYOUT_INTERLEAVED, 7, &touches), 35);
	assert_int_equal(touches, 35);
	assert_int_equal(distinct_pages(LAYOUT_SHARED, 7, &touches), 5);
	assert_int_equal(touches, 35);
}

static void total_pages_bounds(void **state)
{
	struct kit kit = kit_defaults(kit_workload("fault-in"));
	uint64_t pages = 0;
	struct scenario s;
	struct err err;
	uint32_t v, k;

	(void)state;
	kit_set(&kit, "total_pages", 1000);
	kit_set(&kit, "stuck_percent", 0);
	assert_int_equal(kit_make(&kit, 64, &s, &err), 0);
	for (v = 0; v < 64; v++) {
		for (k = 0; k < s.vcpu[v].n; k++) {
			if (s.vcpu[v].op[k].opcode == AGENT_TOUCH)
				pages += s.vcpu[v].op[k].count;
		}
	}
	assert_int_equal(pages, 64 * (1000 / 64));
	scenario_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knob_tables_are_sound),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_setup),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(layouts_share_what_they_say),
		cmocka_unit_test(total_pages_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
