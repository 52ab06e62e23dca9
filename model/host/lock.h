/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's locks as far as KVM's behaviour depends on them: queued
 * spinlocks, and the fair read-write lock that mmu_lock is.  Both are FIFO
 * once somebody has to wait, and nobody polls: a waiter waits for its line.
 */
#ifndef TDMEM_HOST_LOCK_H
#define TDMEM_HOST_LOCK_H

#include "model/host/host.h"

/** A strand's place in the one queue that it can wait in at a time. */
struct qnode {
	u32 next;  /* strand after this one + 1; 0: none yet */
	u32 ready; /* it is at the head */
	struct line line;
} __attribute__((aligned(64)));

/** Lock byte and tail of the queue, together one word. */
union qword {
	u32 word;
	struct {
		u16 locked;
		u16 tail; /* last waiting strand + 1; 0: no queue */
	};
};

/**
 * A queued spinlock; also stands for the kernel's mutexes, whose waiters
 * spin in a queue of the same kind while the owner runs.
 */
struct qspinlock {
	union qword q;
	enum where where; /* the account of waiting */
	struct line line;
	struct qnode *nodes; /* MACHINE_MAX_STRANDS of them, borrowed */
} __attribute__((aligned(64)));

/**
 * The queued read-write lock: counter and wait lock share one cache line, as
 * they do in the kernel.
 */
struct qrwlock {
	u32 cnts;
	union qword wait;
	enum where where;
	struct line line;
	struct qnode *nodes;
} __attribute__((aligned(64)));

void qspin_init(struct qspinlock *lock, struct qnode *nodes, enum where where);
void qspin_lock(struct kvm_thread *t, struct qspinlock *lock);
void qspin_unlock(struct kvm_thread *t, struct qspinlock *lock);

void qrw_init(struct qrwlock *lock, struct qnode *nodes, enum where where);
void qrw_read_lock(struct kvm_thread *t, struct qrwlock *lock);
void qrw_read_unlock(struct kvm_thread *t, struct qrwlock *lock);
void qrw_write_lock(struct kvm_thread *t, struct qrwlock *lock);
void qrw_write_unlock(struct kvm_thread *t, struct qrwlock *lock);
/** Does anybody wait in the queue? */
bool qrw_contended(struct kvm_thread *t, struct qrwlock *lock);

#endif
