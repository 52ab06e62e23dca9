/* SPDX-License-Identifier: GPL-2.0-only */
/* mmu_lock and the plain locks: exclusion, order of arrival, accounting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/host/lock.h"

enum { STRANDS = 24, ROUNDS = 200 };

struct world {
	struct qrwlock rw;
	struct qspinlock spin;
	struct qnode nodes[MACHINE_MAX_STRANDS];
	struct kvm_thread thread[STRANDS];
	struct cpu_place place[STRANDS];
	struct topology topology;
	u32 readers, writers; /* inside now */
	u32 overlaps;	      /* times somebody was inside who must not be */
	u32 max_readers;
	u32 taken;
	u32 order[STRANDS];
	u32 norder;
	bool contended;
};

static struct world *world_new(void)
{
	struct world *w = aligned_alloc(64, sizeof(*w));

	assert_non_null(w);
	memset(w, 0, sizeof(*w));
	qrw_init(&w->rw, w->nodes, WHERE_MMU_LOCK);
	qspin_init(&w->spin, w->nodes, WHERE_IDLE);
	for (u16 i = 0; i < STRANDS; i++)
		w->place[i] = (struct cpu_place){i, i / 8, i / 16};
	w->topology = (struct topology){STRANDS, 2, w->place};
	return w;
}

struct arg {
	struct world *w;
	u32 index;
};

/** Run fn on n strands until all have returned. */
static void run(struct world *w, u32 n, void (*fn)(struct strand *, void *))
{
	struct virtual_config config = {
		.topology = &w->topology,
		.line = {1000, 50000, 59000, 138000},
		.seed = 7,
		.jitter = 0.05,
		.max_strands = STRANDS,
	};
	struct machine *m = virtual_create(&config);
	struct arg args[STRANDS];

	assert_non_null(m);
	for (u32 i = 0; i < n; i++) {
		args[i] = (struct arg){w, i};
		w->thread[i].where = WHERE_KVM;
		w->thread[i].strand = machine_strand(m, i, fn, &args[i]);
		assert_non_null(w->thread[i].strand);
	}
	assert_int_equal(machine_run(m), MACHINE_DONE);
	machine_destroy(m);
}

/** Let time pass so that the others catch up. */
static void pass(struct world *w, struct strand *s, u64 ps)
{
	static const u32 never;
	struct line line = {0};

	(void)w;
	spend(s, ps);
	line_load32(s, &line, &never);
}

static void read_some(struct world *w, struct kvm_thread *t)
{
	qrw_read_lock(t, &w->rw);
	w->readers++;
	w->overlaps += w->writers != 0;
	if (w->readers > w->max_readers)
		w->max_readers = w->readers;
	pass(w, t->strand, strand_random(t->strand) % (3 * PS_PER_US));
	w->overlaps += w->writers != 0;
	w->readers--;
	w->taken++;
	qrw_read_unlock(t, &w->rw);
}

static void write_some(struct world *w, struct kvm_thread *t)
{
	qrw_write_lock(t, &w->rw);
	w->writers++;
	w->overlaps += w->writers != 1 || w->readers;
	pass(w, t->strand, strand_random(t->strand) % (3 * PS_PER_US));
	w->overlaps += w->writers != 1 || w->readers;
	w->writers--;
	w->taken++;
	qrw_write_unlock(t, &w->rw);
}

static void mixed_strand(struct strand *s, void *arg)
{
	struct world *w = ((struct arg *)arg)->w;
	struct kvm_thread *t = &w->thread[((struct arg *)arg)->index];

	for (u32 i = 0; i < ROUNDS; i++) {
		if (strand_random(s) % 4)
			read_some(w, t);
		else
			write_some(w, t);
		pass(w, s, strand_random(s) % PS_PER_US);
	}
}

static void test_exclusive(void **state)
{
	struct world *w = world_new();

	(void)state;
	run(w, STRANDS, mixed_strand);
	assert_int_equal(w->overlaps, 0);
	assert_int_equal(w->taken, STRANDS * ROUNDS);
	assert_true(w->max_readers > 1);
	assert_int_equal(w->rw.cnts, 0);
	assert_int_equal(w->rw.wait.word, 0);
	free(w);
}

/* Strand 0 holds; the others arrive one after the other. */
static void fifo_strand(struct strand *s, void *arg)
{
	struct world *w = ((struct arg *)arg)->w;
	u32 index = ((struct arg *)arg)->index;
	struct kvm_thread *t = &w->thread[index];
	bool writer = index % 3 == 0;

	spend(s, index * 10 * PS_PER_US);
	if (writer)
		qrw_write_lock(t, &w->rw);
	else
		qrw_read_lock(t, &w->rw);
	w->order[w->norder++] = index;
	if (index == 0) {
		pass(w, s, 1000 * PS_PER_US);
		w->contended = qrw_contended(t, &w->rw);
	} else {
		pass(w, s, 5 * PS_PER_US);
	}
	if (writer)
		qrw_write_unlock(t, &w->rw);
	else
		qrw_read_unlock(t, &w->rw);
}

static void test_fifo(void **state)
{
	struct world *w = world_new();

	(void)state;
	run(w, STRANDS, fifo_strand);
	assert_int_equal(w->norder, STRANDS);
	for (u32 i = 0; i < STRANDS; i++)
		assert_int_equal(w->order[i], i);
	assert_true(w->contended);
	for (u32 i = 1; i < STRANDS; i++)
		assert_true(w->thread[i].spent_ps[WHERE_MMU_LOCK] > 0);
	free(w);
}

/* Overlapping readers without end, and one writer: strand 0. */
static void starve_strand(struct strand *s, void *arg)
{
	struct world *w = ((struct arg *)arg)->w;
	u32 index = ((struct arg *)arg)->index;
	struct kvm_thread *t = &w->thread[index];

	if (index == 0) {
		pass(w, s, 50 * PS_PER_US);
		qrw_write_lock(t, &w->rw);
		w->norder = w->taken;
		w->overlaps += w->readers;
		qrw_write_unlock(t, &w->rw);
		return;
	}
	spend(s, index * PS_PER_US);
	for (u32 i = 0; i < ROUNDS; i++)
		read_some(w, t);
}

static void test_writer_is_not_starved(void **state)
{
	struct world *w = world_new();

	(void)state;
	run(w, STRANDS, starve_strand);
	assert_int_equal(w->overlaps, 0);
	assert_int_equal(w->taken, (STRANDS - 1) * ROUNDS);
	/* It came in among the first: far from all reads were done. */
	assert_true(w->norder < w->taken / 2);
	free(w);
}

static void spin_strand(struct strand *s, void *arg)
{
	struct world *w = ((struct arg *)arg)->w;
	u32 index = ((struct arg *)arg)->index;
	struct kvm_thread *t = &w->thread[index];

	spend(s, index * 10 * PS_PER_US);
	for (u32 i = 0; i < ROUNDS; i++) {
		qspin_lock(t, &w->spin);
		if (i == 0)
			w->order[w->norder++] = index;
		w->overlaps += w->writers++ != 0;
		pass(w, s, i ? PS_PER_US : 500 * PS_PER_US);
		w->overlaps += --w->writers != 0;
		w->taken++;
		qspin_unlock(t, &w->spin);
	}
}

static void test_spinlock(void **state)
{
	struct world *w = world_new();

	(void)state;
	run(w, STRANDS, spin_strand);
	assert_int_equal(w->overlaps, 0);
	assert_int_equal(w->taken, STRANDS * ROUNDS);
	for (u32 i = 0; i < STRANDS; i++)
		assert_int_equal(w->order[i], i);
	assert_int_equal(w->spin.q.word, 0);
	free(w);
}

static void alone_strand(struct strand *s, void *arg)
{
	struct world *w = ((struct arg *)arg)->w;
	struct kvm_thread *t = w->thread;

	(void)s;
	for (u32 i = 0; i < ROUNDS; i++) {
		read_some(w, t);
		w->contended |= qrw_contended(t, &w->rw);
		write_some(w, t);
	}
}

static void test_alone_nobody_waits(void **state)
{
	struct world *w = world_new();

	(void)state;
	run(w, 1, alone_strand);
	assert_int_equal(w->taken, 2 * ROUNDS);
	assert_int_equal(w->thread[0].spent_ps[WHERE_MMU_LOCK], 0);
	assert_int_equal(w->thread[0].where, WHERE_KVM);
	assert_false(w->contended);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_writer_is_not_starved),
		cmocka_unit_test(test_spinlock),
		cmocka_unit_test(test_alone_nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
