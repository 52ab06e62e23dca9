/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that does what no agent does: whatever it is, the driver comes back
 * with a status and a reason.  With an argument: so many random guests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/backend.h"
#include "tests/guest/hostile.h"

enum { VCPUS = 2, PAGES = 512, SHORT_MS = 150, LONG_MS = 20000 };

extern const struct backend backend_kvm;

/** What is run: vCPU 0 attacks, and a host thread waits for its end. */
struct guest {
	enum attack attack;
	uint32_t seed;
	bool both;  /* vCPU 1 attacks too, else it does nothing */
	bool meets; /* all are to meet before, and no vCPU comes */
};

static void make(struct scenario *s, const struct guest *guest)
{
	struct agent_op op = {.opcode = AGENT_SPIN,
			      .count = guest->seed,
			      .arg = guest->attack};
	uint32_t i;

	assert_true(scenario_init(s, 1, VCPUS, 1));
	s->pages = PAGES;
	s->finalized = true;
	s->operation = "fault";
	for (i = 0; i < VCPUS; i++) {
		scenario_vcpu(s, 0, i, op);
		if (guest->meets)
			scenario_vcpu(
				s, 0, i,
				(struct agent_op){.opcode = AGENT_BARRIER});
		if (!guest->both)
			op.arg = ATTACK_NONE;
	}
	scenario_host(s, 0, (struct host_op){.opcode = HOST_BARRIER});
	scenario_host(s, 0, (struct host_op){.opcode = HOST_JOIN});
	assert_false(s->failed);
}

static void execute(struct sample *sample, struct guest guest, uint32_t max_ms)
{
	const struct cell_setup setup = {.max_ns = max_ms * 1000000ull};
	struct scenario s;
	struct err e;

	make(&s, &guest);
	assert_true(sample_init(sample));
	if (backend_kvm.run(&s, &setup, sample, &e))
		fail_msg("attack %u: %s", guest.attack, e.text);
	scenario_free(&s);
}

static const struct expected {
	enum attack attack;
	enum cell_status status;
	const char *reason;
	bool meets;
} rows[] = {
	{ATTACK_NONE, CELL_OK, "", false},
	{ATTACK_NONE, CELL_TIMEOUT, "not done after", true},
	{ATTACK_RESULT, CELL_FAILED, "a result that is none", false},
	{ATTACK_STOP_RESULT, CELL_FAILED, "the end of the VM", false},
	{ATTACK_COUNTERS, CELL_FAILED, "longer than the run", false},
	{ATTACK_BACKWARDS, CELL_FAILED, "ends before it begins", false},
	{ATTACK_RANDOM_BOX, CELL_FAILED, "vCPU 0: its", false},
	{ATTACK_MEASURE, CELL_OK, "", false},
	{ATTACK_CHECKS, CELL_FAILED, "more pages than", false},
	{ATTACK_LOOP, CELL_TIMEOUT, "not done after", false},
	{ATTACK_LEAVE, CELL_TIMEOUT, "not done after", false},
	{ATTACK_HALT, CELL_TIMEOUT, "not done after", false},
	{ATTACK_TRIPLE_FAULT, CELL_FAILED, "triple fault", false},
	{ATTACK_EXCEPTION, CELL_FAILED, "exception 6", false},
	{ATTACK_BEYOND, CELL_FAILED, "where no memory is", false},
	{ATTACK_HOLE, CELL_FAILED, "where no memory is", false},
	{ATTACK_UNMAPPED, CELL_FAILED, "exception 14", false},
	{ATTACK_PORT, CELL_FAILED, "port 0x3f8", false},
	{ATTACK_BELL, CELL_FAILED, "port 0xe0", false},
};

static bool absent(void)
{
	char why[256];

	if (backend_kvm.available(why, sizeof(why)))
		return false;
	print_message("skipped: %s\n", why);
	return true;
}

static void each_attack_has_its_report(void **state)
{
	size_t i;

	(void)state;
	if (absent())
		skip();
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct expected *row = &rows[i];
		struct sample sample;

		execute(&sample,
			(struct guest){row->attack, 1, true, row->meets},
			row->status == CELL_TIMEOUT ? SHORT_MS : LONG_MS);
		if (sample.status != row->status ||
		    !strstr(sample.reason, row->reason))
			fail_msg("attack %u: %s: %s", row->attack,
				 cell_status_name(sample.status),
				 sample.reason);
		sample_free(&sample);
	}
}

/* What comes of these depends on the bytes, or on how KVM emulates them. */
static void damage_ends(void **state)
{
	static const enum attack attacks[] = {ATTACK_BARRIERS, ATTACK_GONE,
					      ATTACK_TABLES, ATTACK_IMAGE,
					      ATTACK_STRING};
	size_t i;

	(void)state;
	if (absent())
		skip();
	for (i = 0; i < 2 * sizeof(attacks) / sizeof(*attacks); i++) {
		struct sample sample;

		execute(&sample,
			(struct guest){attacks[i / 2], (uint32_t)i, i & 1,
				       true},
			SHORT_MS);
		assert_true(sample.status == CELL_OK || sample.reason[0]);
		sample_free(&sample);
	}
}

/* One sound vCPU does not make up for one that is not. */
static void one_of_two_is_enough(void **state)
{
	struct sample sample;

	(void)state;
	if (absent())
		skip();
	execute(&sample, (struct guest){ATTACK_COUNTERS, 1, false, false},
		LONG_MS);
	assert_int_equal(sample.status, CELL_FAILED);
	sample_free(&sample);
	execute(&sample, (struct guest){ATTACK_NONE, 1, false, false}, LONG_MS);
	assert_int_equal(sample.status, CELL_OK);
	sample_free(&sample);
}

/* Of each seed the status, so that two runs can be compared. */
static int random_guests(uint32_t n)
{
	uint32_t count[CELL_STOPPED + 1] = {0}, seed;

	for (seed = 0; seed < n; seed++) {
		struct sample sample;

		execute(&sample,
			(struct guest){ATTACK_RANDOM, seed, seed & 1, seed & 2},
			SHORT_MS);
		if (sample.status > CELL_STOPPED ||
		    (sample.status != CELL_OK && !sample.reason[0])) {
			printf("seed %u: %d\n", seed, sample.status);
			return 1;
		}
		printf("%u %s %s\n", seed, cell_status_name(sample.status),
		       sample.reason);
		count[sample.status]++;
		sample_free(&sample);
	}
	for (seed = 0; seed <= CELL_STOPPED; seed++)
		printf("%s: %u\n", cell_status_name(seed), count[seed]);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attack_has_its_report),
		cmocka_unit_test(damage_ends),
		cmocka_unit_test(one_of_two_is_enough),
	};

	if (argc > 1)
		return random_guests((uint32_t)atoi(argv[1]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
