/* SPDX-License-Identifier: GPL-2.0-only */
/* The interpreter of vCPU scripts against a port that writes down all calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A bound that a test can reach; the library's agent is then not linked. */
#define AGENT_MAX_STEPS 20000ull
#include "guest-agent/agent.c"

#define LOG_MAX 64

struct fake {
	struct agent_port port;
	char log[LOG_MAX][24]; /* the first calls */
	unsigned calls;	       /* all of them */
	unsigned busy;	       /* this many ACCEPTs find the entry busy */
	unsigned pending;      /* this many touches give a #VE */
	unsigned stop_after;   /* stopped() is true from this question on */
	unsigned asked;
	unsigned gone_after; /* calls until the VM is gone; 0: never */
	bool mapped_4k;	     /* 2M ACCEPTs find another size */
	unsigned races;	     /* this many ACCEPTs find what is just mapped */
	uint64_t clock;
	uint64_t begin[LOG_MAX], end[LOG_MAX];
	enum agent_latency what[LOG_MAX];
	unsigned records;
};

__attribute__((format(printf, 2, 3))) static enum agent_result
call(struct agent_port *port, const char *format, ...)
{
	struct fake *f = (struct fake *)port;
	va_list args;

	va_start(args, format);
	if (f->calls < LOG_MAX)
		vsnprintf(f->log[f->calls], sizeof(f->log[0]), format, args);
	va_end(args);
	f->calls++;
	f->clock += 100;
	return f->gone_after && f->calls >= f->gone_after ? AGENT_STOP
							  : AGENT_OK;
}

static enum agent_result fake_touch(struct agent_port *port, uint64_t gpa)
{
	struct fake *f = (struct fake *)port;
	enum agent_result r = call(port, "touch %llx", (long long)gpa);

	if (r != AGENT_OK || !f->pending)
		return r;
	f->pending--;
	return AGENT_VE;
}

static enum agent_result fake_accept(struct agent_port *port, uint64_t gpa,
				     unsigned level)
{
	struct fake *f = (struct fake *)port;
	enum agent_result r =
		call(port, "accept %llx %u", (long long)gpa, level);

	if (r != AGENT_OK)
		return r;
	if (f->busy) {
		f->busy--;
		return AGENT_BUSY;
	}
	if (f->races) {
		f->races--;
		return AGENT_MISMATCH;
	}
	return f->mapped_4k && level ? AGENT_MISMATCH : AGENT_ALREADY;
}

static enum agent_result fake_convert(struct agent_port *port, uint64_t gpa,
				      uint64_t bytes, bool to_private)
{
	return call(port, "convert %llx %llx %d", (long long)gpa,
		    (long long)bytes, to_private);
}

static enum agent_result fake_stuck(struct agent_port *port, uint64_t gpa)
{
	return call(port, "stuck %llx", (long long)gpa);
}

static enum agent_result fake_spin(struct agent_port *port, uint64_t ns)
{
	return call(port, "spin %llu", (long long)ns);
}

static enum agent_result fake_halt(struct agent_port *port)
{
	return call(port, "halt");
}

static enum agent_result fake_leave(struct agent_port *port)
{
	return call(port, "leave");
}

static enum agent_result fake_barrier(struct agent_port *port, unsigned id)
{
	return call(port, "barrier %u", id);
}

static void fake_measure(struct agent_port *port, bool begin)
{
	call(port, "measure %d", begin);
}

static void fake_record(struct agent_port *port, enum agent_latency what,
			uint64_t begin, uint64_t end)
{
	struct fake *f = (struct fake *)port;

	if (f->records < LOG_MAX) {
		f->what[f->records] = what;
		f->begin[f->records] = begin;
		f->end[f->records] = end;
	}
	f->records++;
}

static bool fake_stopped(struct agent_port *port)
{
	struct fake *f = (struct fake *)port;

	return ++f->asked > f->stop_after;
}

static uint64_t fake_now(struct agent_port *port)
{
	return ((struct fake *)port)->clock;
}

static const struct agent_port_ops fake_ops = {
	.touch = fake_touch,
	.accept = fake_accept,
	.convert = fake_convert,
	.stuck = fake_stuck,
	.spin = fake_spin,
	.halt = fake_halt,
	.leave = fake_leave,
	.barrier = fake_barrier,
	.measure = fake_measure,
	.record = fake_record,
	.stopped = fake_stopped,
	.now_ns = fake_now,
};

static enum agent_result run_ops(struct fake *f, const struct agent_op *ops,
				 size_t n)
{
	f->port.ops = &fake_ops;
	return agent_run(&f->port, ops, (uint32_t)n);
}

#define RUN(f, ...)                                                            \
	run_ops(f, (const struct agent_op[]){__VA_ARGS__},                     \
		sizeof((const struct agent_op[]){__VA_ARGS__}) /               \
			sizeof(struct agent_op))

/* The calls that were made, all of them, as one line. */
static void assert_calls(const struct fake *f, const char *expected)
{
	char all[LOG_MAX * 26] = "";
	unsigned i;

	for (i = 0; i < f->calls && i < LOG_MAX; i++) {
		strcat(all, i ? "; " : "");
		strcat(all, f->log[i]);
	}
	assert_string_equal(all, expected);
}

/* ---------------------------------------------------------- each opcode */

static void simple_operations(void **state)
{
	struct fake f = {0};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_BARRIER, .arg = 3},
			     {.opcode = AGENT_MEASURE, .arg = 1},
			     {.opcode = AGENT_SPIN, .arg = 50},
			     {.opcode = AGENT_HALT}, {.opcode = AGENT_MEASURE},
			     {.opcode = AGENT_END}, {.opcode = AGENT_HALT}),
			 AGENT_OK);
	assert_calls(&f, "barrier 3; measure 1; spin 50; halt; measure 0");
}

static void touch_without_accept(void **state)
{
	struct fake f = {.pending = 1};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH,
				  .count = 3,
				  .gpa = 0x1000,
				  .stride = 0x4000}),
			 AGENT_OK);
	assert_calls(&f, "touch 1000; touch 5000; touch 9000");
	assert_int_equal(f.records, 0);
}

static void touch_accepts_first(void **state)
{
	struct fake f = {.busy = 1};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH,
				  .flags = AGENT_ACCEPT_FIRST,
				  .count = 2,
				  .stride = 0x1000}),
			 AGENT_OK);
	assert_calls(&f, "accept 0 0; accept 0 0; touch 0; "
			 "accept 1000 0; touch 1000");
}

/* Taken away and given anew between the ACCEPT and the store. */
static void touch_accepts_again(void **state)
{
	struct fake f = {.pending = 1};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH,
				  .flags = AGENT_ACCEPT_FIRST,
				  .count = 1}),
			 AGENT_OK);
	assert_calls(&f, "accept 0 0; touch 0; accept 0 0; touch 0");
}

static void touch_accepts_on_ve(void **state)
{
	struct fake f = {.pending = 1};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH,
				  .flags = AGENT_ACCEPT_ON_VE,
				  .count = 2,
				  .stride = 0x1000}),
			 AGENT_OK);
	assert_calls(&f, "touch 0; accept 0 0; touch 0; touch 1000");
}

static void accept_falls_back_to_4k(void **state)
{
	struct fake f = {.mapped_4k = true};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_ACCEPT,
				  .level = 1,
				  .flags = AGENT_RECORD,
				  .count = 1,
				  .gpa = 0x200000}),
			 AGENT_OK);
	assert_int_equal(f.calls, 2 + 512);
	assert_string_equal(f.log[0], "accept 200000 1");
	assert_string_equal(f.log[1], "accept 200000 1");
	assert_string_equal(f.log[2], "accept 200000 0");
	assert_string_equal(f.log[3], "accept 201000 0");
	assert_int_equal(f.records, 1);
	assert_int_equal(f.what[0], AGENT_LAT_ACCEPT);
	assert_int_equal(f.end[0] - f.begin[0], 514 * 100);
}

static void accept_loses_a_race(void **state)
{
	struct fake f = {.races = 1};

	(void)state;
	assert_int_equal(
		RUN(&f, {.opcode = AGENT_ACCEPT, .level = 1, .count = 1}),
		AGENT_OK);
	assert_calls(&f, "accept 0 1; accept 0 1");
	f = (struct fake){.races = 3};
	assert_int_equal(RUN(&f, {.opcode = AGENT_ACCEPT, .count = 1}),
			 AGENT_OK);
	assert_calls(&f, "accept 0 0; accept 0 0; accept 0 0; accept 0 0");
}

static void convert_both_sizes(void **state)
{
	struct fake f = {0};

	(void)state;
	assert_int_equal(RUN(&f,
			     {.opcode = AGENT_CONVERT,
			      .flags = AGENT_RECORD,
			      .count = 1,
			      .gpa = 0x3000},
			     {.opcode = AGENT_CONVERT,
			      .level = 1,
			      .arg = 1,
			      .count = 1}),
			 AGENT_OK);
	assert_calls(&f, "convert 3000 1000 0; convert 0 200000 1");
	assert_int_equal(f.records, 1);
	assert_int_equal(f.what[0], AGENT_LAT_CONVERT);
}

/* A touch takes 100 ns of the fake: with a pace of 250 it waits for 150. */
static void pace_is_kept(void **state)
{
	struct fake f = {0};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH,
				  .flags = AGENT_RECORD,
				  .count = 2,
				  .pace_ns = 250}),
			 AGENT_OK);
	assert_calls(&f, "touch 0; spin 150; touch 0; spin 150");
	assert_int_equal(f.records, 2);
	assert_int_equal(f.what[1], AGENT_LAT_TOUCH);
	assert_int_equal(f.end[1] - f.begin[1], 100);
}

static void until_stop_ends_a_range(void **state)
{
	struct fake f = {.stop_after = 2};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH,
				  .flags = AGENT_UNTIL_STOP,
				  .count = 1000}),
			 AGENT_OK);
	assert_int_equal(f.calls, 2);
}

static void tick_until_stopped(void **state)
{
	struct fake f = {.stop_after = 2};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TICK, .arg = 7}), AGENT_OK);
	assert_calls(&f, "spin 7; leave; spin 7; leave");
}

static void stuck_counted_and_until_stopped(void **state)
{
	struct fake f = {.stop_after = 3};

	(void)state;
	assert_int_equal(RUN(&f,
			     {.opcode = AGENT_STUCK,
			      .count = 2,
			      .gpa = 0x5000,
			      .pace_ns = 9},
			     {.opcode = AGENT_STUCK, .gpa = 0x6000}),
			 AGENT_OK);
	assert_calls(&f, "stuck 5000; spin 9; stuck 5000; spin 9; "
			 "stuck 6000; stuck 6000; stuck 6000");
}

static void loops_nest(void **state)
{
	struct fake f = {0};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_BARRIER, .arg = 1},
			     {.opcode = AGENT_BARRIER, .arg = 2},
			     {.opcode = AGENT_LOOP, .arg = 1, .count = 2},
			     {.opcode = AGENT_LOOP, .arg = 0, .count = 2},
			     {.opcode = AGENT_BARRIER, .arg = 3}),
			 AGENT_OK);
	assert_calls(&f, "barrier 1; barrier 2; barrier 2; "
			 "barrier 1; barrier 2; barrier 2; barrier 3");
}

static void loop_until_stopped(void **state)
{
	struct fake f = {.stop_after = 100000};

	(void)state;
	assert_int_equal(
		RUN(&f, {.opcode = AGENT_HALT}, {.opcode = AGENT_LOOP}),
		AGENT_OK);
	/* once more than it was told to go on; not bounded by the steps */
	assert_int_equal(f.calls, 100001);
}

static void gone_vm_ends_everything(void **state)
{
	static const struct agent_op each[] = {
		{.opcode = AGENT_TOUCH, .count = 9, .pace_ns = 1000},
		{.opcode = AGENT_TOUCH,
		 .flags = AGENT_ACCEPT_FIRST,
		 .count = 9},
		{.opcode = AGENT_ACCEPT, .level = 1, .count = 9},
		{.opcode = AGENT_CONVERT, .count = 9},
		{.opcode = AGENT_TICK, .arg = 1},
		{.opcode = AGENT_STUCK},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct fake f = {
			.gone_after = 3, .stop_after = 1000, .mapped_4k = true};

		assert_int_equal(run_ops(&f, &each[i], 1), AGENT_STOP);
		assert_int_equal(f.calls, 3);
	}
}

/* ------------------------------------------------------ hostile scripts */

static void bad_scripts_are_refused(void **state)
{
	static const struct agent_op bad[] = {
		{.opcode = NR_AGENT_OPCODES},
		{.opcode = 0xffff},
		{.opcode = AGENT_TOUCH, .level = 2, .count = 1},
		{.opcode = AGENT_TOUCH, .count = 2, .stride = UINT64_MAX},
		{.opcode = AGENT_TOUCH,
		 .count = UINT32_MAX,
		 .stride = 1ull << 33},
		{.opcode = AGENT_ACCEPT, .count = 1, .gpa = UINT64_MAX - 4096},
		{.opcode = AGENT_CONVERT, .count = 1, .gpa = UINT64_MAX},
		{.opcode = AGENT_LOOP, .arg = 0, .count = 1},
		{.opcode = AGENT_LOOP, .arg = 7, .count = 1},
		{.opcode = AGENT_LOOP, .arg = UINT64_MAX},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fake f = {0};

		assert_int_equal(run_ops(&f, &bad[i], 1), AGENT_MISMATCH);
		assert_int_equal(f.calls, 0);
	}
}

static void endless_scripts_end(void **state)
{
	struct fake f = {.busy = UINT32_MAX};

	(void)state;
	assert_int_equal(RUN(&f, {.opcode = AGENT_MEASURE},
			     {.opcode = AGENT_LOOP, .count = UINT32_MAX}),
			 AGENT_MISMATCH);
	assert_in_range(f.calls, 1, AGENT_MAX_STEPS);
	f.calls = 0;
	assert_int_equal(RUN(&f, {.opcode = AGENT_ACCEPT, .count = 1}),
			 AGENT_MISMATCH);
	assert_in_range(f.calls, 1, AGENT_MAX_STEPS);
	f.calls = 0;
	assert_int_equal(RUN(&f, {.opcode = AGENT_TOUCH, .count = UINT32_MAX}),
			 AGENT_MISMATCH);
	assert_in_range(f.calls, 1, AGENT_MAX_STEPS);
}

static void loops_too_deep(void **state)
{
	struct agent_op ops[AGENT_MAX_LOOPS + 2] = {0};
	struct fake f = {0};
	uint32_t i;

	(void)state;
	ops[0].opcode = AGENT_MEASURE;
	for (i = 1; i < AGENT_MAX_LOOPS + 2; i++) {
		ops[i].opcode = AGENT_LOOP;
		ops[i].count = 2;
	}
	assert_int_equal(run_ops(&f, ops, AGENT_MAX_LOOPS + 1), AGENT_OK);
	assert_int_equal(f.calls, 1 << AGENT_MAX_LOOPS);
	assert_int_equal(run_ops(&f, ops, AGENT_MAX_LOOPS + 2), AGENT_MISMATCH);
}

/* Random bytes: whatever they are, it ends and says something. */
static void random_scripts_end(void **state)
{
	uint64_t seed = 1;
	unsigned n, results[AGENT_BUSY + 1] = {0};

	(void)state;
	for (n = 0; n < 2000; n++) {
		struct fake f = {
			.stop_after = 50, .busy = n % 3, .pending = n % 5};
		struct agent_op ops[8];
		uint8_t *byte = (uint8_t *)ops;
		size_t i;

		for (i = 0; i < sizeof(ops); i++) {
			seed = seed * 6364136223846793005ull + 1;
			byte[i] = (uint8_t)(seed >> 56);
		}
		for (i = 0; i < 8; i++) {
			ops[i].opcode =
				(uint16_t)(ops[i].opcode %
					   (NR_AGENT_OPCODES + (n & 1)));
			ops[i].level &= 1;
			ops[i].arg &= n & 2 ? 7 : UINT64_MAX;
			ops[i].count &= n & 4 ? 15 : UINT32_MAX;
			ops[i].gpa &= n & 8 ? UINT32_MAX : UINT64_MAX;
			ops[i].stride &= n & 8 ? 0xffff : UINT64_MAX;
		}
		results[run_ops(&f, ops, n % 9)]++;
	}
	assert_int_equal(results[AGENT_OK] + results[AGENT_MISMATCH], 2000);
	assert_true(results[AGENT_OK] > 100);
	assert_true(results[AGENT_MISMATCH] > 100);
}

/* Freestanding and without a library: nothing may be left undefined. */
static void compiles_freestanding(void **state)
{
	const char *cc = getenv("CC");
	char command[512];

	(void)state;
	if (system("command -v nm >/dev/null 2>&1")) {
		print_message("there is no nm to look at the object with\n");
		skip();
	}
	snprintf(command, sizeof(command),
		 "o=$(mktemp) && %s -std=gnu11 -O2 -I. -ffreestanding "
		 "-mno-sse -mgeneral-regs-only -fno-stack-protector -Wall "
		 "-Werror -c guest-agent/agent.c -o $o && "
		 "nm -u $o >$o.nm; r=$?; [ $r = 0 ] && [ ! -s $o.nm ]; r=$?; "
		 "rm -f $o $o.nm; exit $r",
		 cc ? cc : "cc");
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple_operations),
		cmocka_unit_test(touch_without_accept),
		cmocka_unit_test(touch_accepts_first),
		cmocka_unit_test(touch_accepts_again),
		cmocka_unit_test(touch_accepts_on_ve),
		cmocka_unit_test(accept_falls_back_to_4k),
		cmocka_unit_test(accept_loses_a_race),
		cmocka_unit_test(convert_both_sizes),
		cmocka_unit_test(pace_is_kept),
		cmocka_unit_test(until_stop_ends_a_range),
		cmocka_unit_test(tick_until_stopped),
		cmocka_unit_test(stuck_counted_and_until_stopped),
		cmocka_unit_test(loops_nest),
		cmocka_unit_test(loop_until_stopped),
		cmocka_unit_test(gone_vm_ends_everything),
		cmocka_unit_test(bad_scripts_are_refused),
		cmocka_unit_test(endless_scripts_end),
		cmocka_unit_test(loops_too_deep),
		cmocka_unit_test(random_scripts_end),
		cmocka_unit_test(compiles_freestanding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
