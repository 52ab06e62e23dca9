/* SPDX-License-Identifier: GPL-2.0-only */
/* Contexts: what a switch keeps, where stacks lie, what guards them. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/machine/context.h"
#include "tests/unit/machine_kit.h"

struct player {
	struct context main, other;
	u64 got, rounds;
	uintptr_t frame;
};

/* Seven values that must survive in registers or wherever they are kept. */
static void keeps(struct player *p, struct context *from, struct context *to,
		  u64 salt)
{
	u64 a = salt, b = salt * 3, c = salt * 5, d = salt * 7, e = salt * 11,
	    f = salt * 13, g = salt * 17;
	double x = (double)salt / 3;

	for (u32 i = 0; i < 100; i++) {
		context_switch(from, to);
		a += 1, b += a, c ^= b, d += c, e ^= d, f += e, g ^= f;
		x += (double)i;
	}
	p->got ^= a ^ b ^ c ^ d ^ e ^ f ^ g ^ (u64)x;
}

static void ping(void *arg)
{
	struct player *p = arg;

	p->frame = (uintptr_t)__builtin_frame_address(0);
	keeps(p, &p->other, &p->main, 0x1234567);
	context_leave(&p->other, &p->main);
}

/** The same sums without any switch. */
static u64 sums(u64 salt)
{
	u64 a = salt, b = salt * 3, c = salt * 5, d = salt * 7, e = salt * 11,
	    f = salt * 13, g = salt * 17;
	double x = (double)salt / 3;

	for (u32 i = 0; i < 100; i++) {
		a += 1, b += a, c ^= b, d += c, e ^= d, f += e, g ^= f;
		x += (double)i;
	}
	return a ^ b ^ c ^ d ^ e ^ f ^ g ^ (u64)x;
}

static void values_survive_switches(void **state)
{
	struct player p = {0};

	(void)state;
	assert_int_equal(context_create(&p.other, 65536, 1, ping, &p), 0);
	keeps(&p, &p.main, &p.other, 0x7654321);
	/* It still has to come back from its last switch. */
	context_switch(&p.main, &p.other);
	assert_int_equal(p.got, sums(0x1234567) ^ sums(0x7654321));
	context_destroy(&p.other);
}

static void stacks_are_aligned(void *arg)
{
	struct player *p = arg;
	_Alignas(32) volatile char aligned[32];
	char text[64];

	aligned[0] = 1;
	p->frame = (uintptr_t)aligned;
	/* Uses vector registers that want an aligned stack. */
	snprintf(text, sizeof(text), "%.3f", (double)p->rounds / 3);
	p->got = text[0] == '1' && aligned[0] == 1;
	context_leave(&p->other, &p->main);
}

static void restart_begins_again(void **state)
{
	struct player p = {.rounds = 3};

	(void)state;
	assert_int_equal(context_create(&p.other, 65536, 1, ping, &p), 0);
	for (u32 i = 0; i < 10; i++) {
		p.got = 0;
		context_restart(&p.other, stacks_are_aligned, &p);
		context_switch(&p.main, &p.other);
		assert_int_equal(p.got, 1);
		assert_int_equal(p.frame % 32, 0);
	}
	context_destroy(&p.other);
}

static void note_frame(void *arg)
{
	struct player *p = arg;

	p->frame = (uintptr_t)__builtin_frame_address(0);
	context_leave(&p->other, &p->main);
}

#define MANY 1024

static void tops_spread_over_the_cache(void **state)
{
	static struct player p[MANY];
	u32 in_set[64] = {0}, most = 0, used = 0;

	(void)state;
	for (u32 i = 0; i < MANY; i++) {
		assert_int_equal(context_create(&p[i].other, 65536, i,
						note_frame, &p[i]),
				 0);
		context_switch(&p[i].main, &p[i].other);
		in_set[p[i].frame / 64 % 64]++;
	}
	for (u32 i = 0; i < 64; i++) {
		most = in_set[i] > most ? in_set[i] : most;
		used += in_set[i] != 0;
	}
	assert_int_equal(used, 64);
	assert_int_equal(most, MANY / 64);
	for (u32 i = 0; i < MANY; i++)
		context_destroy(&p[i].other);
}

static __attribute__((noinline)) u64 dig(u64 depth)
{
	char frame[1024];
	u64 deepest = 0;

	/* Somebody might look at the frame before and after. */
	__asm__ volatile("" : : "r"(frame) : "memory");
	if (depth)
		deepest = dig(depth - 1) + 1;
	__asm__ volatile("" : : "r"(frame) : "memory");
	return deepest;
}

static void dig_deep(void *arg)
{
	struct player *p = arg;

	p->got = dig(p->rounds);
	context_leave(&p->other, &p->main);
}

/** In a process of its own: dig so many KiB deep; returns how it ended. */
static int dig_in_child(u64 kib)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct player p = {.rounds = kib};

		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		fclose(stderr); /* a sanitizer would describe the crash */
		if (context_create(&p.other, 65536, 1, dig_deep, &p))
			_exit(99);
		context_switch(&p.main, &p.other);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void overflow_hits_the_guard_page(void **state)
{
	int status;

	(void)state;
	status = dig_in_child(20);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	status = dig_in_child(200);
	/* A sanitizer catches the signal and exits with a failure. */
	assert_true(WIFSIGNALED(status) ||
		    (WIFEXITED(status) && WEXITSTATUS(status)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_survive_switches),
		cmocka_unit_test(restart_begins_again),
		cmocka_unit_test(tops_spread_over_the_cache),
		cmocka_unit_test(overflow_hits_the_guard_page),
	};

	return cmocka_run_group_tests_name("machine context", tests, NULL,
					   NULL);
}
