/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of another strand's CPU.
 *
 * membarrier() in its rseq flavour sends an IPI to one CPU and comes back
 * when that CPU has taken it.  The IPI alone does not make a loop stop: the
 * target's flag is set after it, so that an interrupt is never seen before it
 * has arrived, and loops of the guest look at the flag.  By then half of the
 * time is the way back, which the target makes up.  A signal's handler runs on
 * the target itself and sets the flag there.
 */
#define _GNU_SOURCE /* pthread_sigqueue */
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/machine/threads.h"

static long membarrier(int command, unsigned int flags, int cpu)
{
	return syscall(SYS_membarrier, command, flags, cpu);
}

static bool send_ipi(u32 os_cpu)
{
	return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
			  MEMBARRIER_CMD_FLAG_CPU, (int)os_cpu) == 0;
}

/* Since Linux 5.10; a container may forbid it. */
static bool membarrier_works(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0,
			  0) == 0 &&
	       send_ipi(0);
}

/* Pending first: a kick is on its way or it is pending. */
static void take(struct inbox *inbox)
{
	__atomic_store_n(&inbox->pending, 1, __ATOMIC_SEQ_CST);
	rouse(inbox);
	__atomic_fetch_add(&inbox->arrived, 1, __ATOMIC_SEQ_CST);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct inbox *inbox = info->si_value.sival_ptr;

	(void)number;
	(void)context;
	if (info->si_code == SI_QUEUE && inbox)
		take(inbox);
}

const char *kick_name(enum threads_kick kick)
{
	return kick == THREADS_KICK_MEMBARRIER ? "membarrier" : "signal";
}

/* The handler stays: it holds no state, and a late signal must find it. */
void kick_init(struct threads *m)
{
	struct sigaction action = {.sa_sigaction = on_signal,
				   .sa_flags = SA_SIGINFO | SA_RESTART};

	m->kick = THREADS_KICK_SIGNAL;
	if (m->config.kick != THREADS_KICK_SIGNAL && m->config.os_cpu &&
	    membarrier_works())
		m->kick = THREADS_KICK_MEMBARRIER;
	/* Also for strands that could not be pinned: where are they? */
	m->signal = SIGRTMIN + 6;
	sigemptyset(&action.sa_mask);
	sigaction(m->signal, &action, NULL);
}

static void send_signal(struct threads *m, struct tstrand *to)
{
	union sigval value = {.sival_ptr = &to->inbox};

	__atomic_fetch_add(&to->inbox.sent, 1, __ATOMIC_SEQ_CST);
	/* The queue of signals is full, or the thread has returned. */
	if (pthread_sigqueue(to->thread, m->signal, value))
		take(&to->inbox);
}

/* `most`: ticks of the way back, if nothing else happens on that CPU. */
static void send(struct threads *m, struct tstrand *to, u64 most)
{
	u64 begin, back;

	if (m->kick == THREADS_KICK_MEMBARRIER && to->pinned) {
		begin = tclock_glance(&m->clock);
		send_ipi(to->os_cpu);
		back = (tclock_glance(&m->clock) - begin) / 2;
		__atomic_store_n(&to->inbox.ago, back < most ? back : most,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&to->inbox.pending, 1, __ATOMIC_SEQ_CST);
		rouse(&to->inbox);
	} else {
		send_signal(m, to);
	}
}

/*
 * What sending took is a part of what the caller will spend for the round of
 * kicks, at most the whole round: twice the way there.
 */
void threads_interrupt(struct strand *s, struct strand *target, u64 latency_ps)
{
	struct threads *m = threads_of(s);
	struct tstrand *v = tstrand_of(s), *to = tstrand_of(target);
	u64 most = tclock_ticks(&m->clock, 2 * latency_ps);
	u64 begin = tclock_glance(&m->clock), took;

	v->events++;
	check_stop(m, v);
	if (!__atomic_load_n(&to->inbox.pending, __ATOMIC_SEQ_CST))
		send(m, to, most / 2);
	took = tclock_glance(&m->clock) - begin;
	v->paid += took < most ? took : most;
}
