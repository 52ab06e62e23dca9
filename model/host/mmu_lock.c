/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmu_lock and the plain locks.
 *
 * Counter of the read-write lock: a writer's byte, a bit for a writer that
 * waits for readers to drain, and the number of readers above them.  Readers
 * that find a writer holding or waiting queue up behind it, so a stream of
 * readers cannot starve a writer and the order of arrival is kept.
 */
#include "model/host/lock.h"

enum {
	QW_LOCKED = 0xff,
	QW_WAITING = 0x100,
	QW_ANY = 0x1ff,
	QR_ONE = 0x200,
};

/* ---------------------------------------------------- the queue itself */

static bool queue_try(struct strand *s, struct line *line, union qword *q)
{
	return line_cmpxchg32(s, line, &q->word, 0, 1) == 0;
}

/** Join the queue and wait until this strand is its head. */
static void queue_join(struct strand *s, struct qnode *nodes, struct line *line,
		       union qword *q)
{
	struct qnode *node = &nodes[s->id];
	u16 me = (u16)(s->id + 1);
	u16 before;

	__atomic_store_n(&node->next, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&node->ready, 0, __ATOMIC_RELAXED);
	before = line_xchg16(s, line, &q->tail, me);
	if (!before)
		return;
	line_store32(s, &nodes[before - 1].line, &nodes[before - 1].next, me);
	line_await_change32(s, &node->line, &node->ready, 0);
}

/** Make the strand behind this one the head. */
static void queue_pass(struct strand *s, struct qnode *nodes)
{
	struct qnode *node = &nodes[s->id];
	u32 next = line_await_change32(s, &node->line, &node->next, 0);

	line_store32(s, &nodes[next - 1].line, &nodes[next - 1].ready, 1);
}

static void queue_wait(struct strand *s, struct qnode *nodes, struct line *line,
		       union qword *q)
{
	u32 alone = (s->id + 1) << 16;
	u32 seen;

	queue_join(s, nodes, line, q);
	seen = line_await32(s, line, &q->word, 0, 0xffff);
	if (seen == alone &&
	    line_cmpxchg32(s, line, &q->word, alone, 1) == alone)
		return;
	/* Nobody else can take it: the word is not 0 while there is a tail. */
	line_xchg16(s, line, &q->locked, 1);
	queue_pass(s, nodes);
}

static void queue_lock(struct strand *s, struct qnode *nodes, struct line *line,
		       union qword *q)
{
	if (!queue_try(s, line, q))
		queue_wait(s, nodes, line, q);
}

static void queue_unlock(struct strand *s, struct line *line, union qword *q)
{
	line_xchg16(s, line, &q->locked, 0);
}

/* ------------------------------------------------------------ spinlocks */

void qspin_init(struct qspinlock *lock, struct qnode *nodes, enum where where)
{
	*lock = (struct qspinlock){.nodes = nodes, .where = where};
}

void qspin_lock(struct kvm_thread *t, struct qspinlock *lock)
{
	enum where before;

	if (line_take32(t->strand, &lock->q.word, QW_LOCKED, 1) ||
	    queue_try(t->strand, &lock->line, &lock->q))
		return;
	before = account(t, lock->where);
	trace_emit(t->strand, span, "lock", true);
	queue_wait(t->strand, lock->nodes, &lock->line, &lock->q);
	account(t, before);
	trace_emit(t->strand, span, "lock", false);
}

void qspin_unlock(struct kvm_thread *t, struct qspinlock *lock)
{
	queue_unlock(t->strand, &lock->line, &lock->q);
}

/* ------------------------------------------------------ read-write lock */

void qrw_init(struct qrwlock *lock, struct qnode *nodes, enum where where)
{
	*lock = (struct qrwlock){.nodes = nodes, .where = where};
}

static void read_slow(struct strand *s, struct qrwlock *lock)
{
	line_add32(s, &lock->line, &lock->cnts, 0u - QR_ONE, 0);
	queue_lock(s, lock->nodes, &lock->line, &lock->wait);
	line_add32(s, &lock->line, &lock->cnts, QR_ONE, 0);
	line_await32(s, &lock->line, &lock->cnts, 0, QW_LOCKED);
	queue_unlock(s, &lock->line, &lock->wait);
}

void qrw_read_lock(struct kvm_thread *t, struct qrwlock *lock)
{
	enum where before;

	if (line_take32(t->strand, &lock->cnts, QW_LOCKED, QR_ONE) ||
	    !line_add32(t->strand, &lock->line, &lock->cnts, QR_ONE, QW_ANY))
		return;
	before = account(t, lock->where);
	trace_emit(t->strand, span, where_name(lock->where), true);
	read_slow(t->strand, lock);
	account(t, before);
	trace_emit(t->strand, span, where_name(lock->where), false);
}

void qrw_read_unlock(struct kvm_thread *t, struct qrwlock *lock)
{
	line_add32(t->strand, &lock->line, &lock->cnts, 0u - QR_ONE, 0);
}

/** One try to become the writer, from no users or from waiting. */
static bool write_try(struct strand *s, struct qrwlock *lock, u32 from)
{
	return line_cmpxchg32(s, &lock->line, &lock->cnts, from, QW_LOCKED) ==
	       from;
}

static void write_slow(struct strand *s, struct qrwlock *lock)
{
	queue_lock(s, lock->nodes, &lock->line, &lock->wait);
	if (!write_try(s, lock, 0)) {
		/* Only the head of the queue sets it, so adding is an or. */
		line_add32(s, &lock->line, &lock->cnts, QW_WAITING, 0);
		do
			line_await32(s, &lock->line, &lock->cnts, QW_WAITING,
				     UINT32_MAX);
		while (!write_try(s, lock, QW_WAITING));
	}
	queue_unlock(s, &lock->line, &lock->wait);
}

void qrw_write_lock(struct kvm_thread *t, struct qrwlock *lock)
{
	enum where before;

	if (line_take32(t->strand, &lock->cnts, UINT32_MAX, QW_LOCKED) ||
	    write_try(t->strand, lock, 0))
		return;
	before = account(t, lock->where);
	trace_emit(t->strand, span, where_name(lock->where), true);
	write_slow(t->strand, lock);
	account(t, before);
	trace_emit(t->strand, span, where_name(lock->where), false);
}

void qrw_write_unlock(struct kvm_thread *t, struct qrwlock *lock)
{
	line_add32(t->strand, &lock->line, &lock->cnts, 0u - QW_LOCKED, 0);
}

bool qrw_contended(struct kvm_thread *t, struct qrwlock *lock)
{
	return line_load32(t->strand, &lock->line, &lock->wait.word) != 0;
}
