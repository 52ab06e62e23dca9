/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts, and queues on the machine whose laws hold exactly. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/validate/queue.h"
#include "bench/validate/validate.h"

static const struct judged {
	double low, high, here, error, down, up;
	enum agreement verdict;
	double ratio;
} judged[] = {
	{10, 10, 10, 0, 1, 1, AGREES_OK, 1},
	{10, 10, 11, 0, 1, 1, AGREES_OFF, 1.1},
	{10, 10, 9, 0, 1, 1, AGREES_OFF, 0.9},
	{10, 10, 11, 0, 0.8, 1.25, AGREES_OK, 1.1},
	{10, 10, 7.9, 0, 0.8, 1.25, AGREES_OFF, 0.79},
	{10, 20, 15, 0, 1, 1, AGREES_OK, 1},
	{10, 20, 25, 0, 1, 1.2, AGREES_OFF, 1.25},
	{10, 20, 8, 0, 0.8, 1.2, AGREES_OK, 0.8},
	{0, 40, 32, 0, 0.8, 1.2, AGREES_OK, 1},
	{10, 10, 10.3, 0.4, 1, 1, AGREES_OK, 1.03},
	{10, 10, 10.3, 0.2, 1, 1, AGREES_OFF, 1.03},
	{10, 10, 10, 0.6, 1, 1, AGREES_UNCLEAR, 1},
	{10, 10, (double)NAN, 0, 1, 1, AGREES_NONE, (double)NAN},
};

static void test_verdicts(void **state)
{
	size_t n = sizeof(judged) / sizeof(judged[0]);
	struct validation v = {0};
	size_t all = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct judged *j = &judged[i];
		const struct check c = {.low = j->low,
					.high = j->high,
					.here = j->here,
					.error = j->error,
					.down = j->down,
					.up = j->up};

		validation_add(&v, &c);
		assert_int_equal(v.check[i].verdict, j->verdict);
		if (isnan(j->ratio))
			assert_true(isnan(v.check[i].ratio));
		else
			assert_true(fabs(v.check[i].ratio - j->ratio) < 1e-9);
	}
	for (int a = 0; a < NR_AGREEMENTS; a++)
		all += validation_count(&v, (enum agreement)a);
	assert_int_equal(all, n);
	assert_int_equal(validation_count(&v, AGREES_UNCLEAR), 1);
	validation_free(&v);
}

static struct queue_figures queue(enum queue_server server, bool exponential,
				  double load)
{
	const struct queue_rig rig = {server, exponential, load, PS_PER_US,
				      10000,  1000,	   3};
	struct queue_figures f;

	assert_int_equal(queue_run(&rig, &f), 0);
	assert_int_equal(f.late, 0);
	assert_int_equal(f.out_of_order, 0);
	return f;
}

static void assert_close(double a, double b, double share)
{
	if (fabs(a - b) > share * fabs(b))
		fail_msg("%g is not %g", a, b);
}

static void test_laws(void **state)
{
	static const enum queue_server servers[] = {QUEUE_MMU_LOCK,
						    QUEUE_SPINLOCK};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct queue_figures f = queue(servers[i], true, 0.7);
		double rate = 10000 / f.span;

		assert_close(f.in_system, rate * f.sojourn, 1e-6);
		assert_close(f.in_service, rate * f.service, 1e-6);
	}
}

/* The same arrivals at the same load wait as long for any of the servers. */
static void test_servers_alike(void **state)
{
	double lock = queue(QUEUE_SPINLOCK, false, 0.8).wait;

	(void)state;
	assert_close(queue(QUEUE_MMU_LOCK, false, 0.8).wait, lock, 1e-9);
	assert_close(queue(QUEUE_LINE, false, 0.8).wait, lock, 1e-3);
}

static void test_waits(void **state)
{
	double even = queue(QUEUE_LINE, false, 0.8).wait;

	(void)state;
	assert_close(even, 2, 0.15);
	assert_close(queue(QUEUE_LINE, false, 0.5).wait, 0.5, 0.1);
	assert_true(queue(QUEUE_SPINLOCK, true, 0.8).wait > 1.5 * even);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_laws),
		cmocka_unit_test(test_servers_alike),
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
