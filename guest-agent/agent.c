/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interpreter of vCPU scripts.  It trusts nothing in a script: whatever
 * the bytes are, it ends, reads only ops[0..nops) and calls only its port.
 */
#include "guest-agent/abi.h"

#define PAGE_BYTES    4096ull
#define PAGES_PER_2M  512u
#define LARGEST_LEVEL 1

/*
 * Bound of the steps of a script: operations, pages and repeated ACCEPTs.
 * Sixteen times the pages of a TiB.  Loops that run until the host says stop
 * are bounded by the host and start counting again.
 */
#ifndef AGENT_MAX_STEPS
#define AGENT_MAX_STEPS (1ull << 32)
#endif

/** A counted loop that is under way. */
struct loop {
	uint32_t at;   /* its AGENT_LOOP */
	uint32_t left; /* times that its body has still to end */
};

struct run {
	struct agent_port *port;
	const struct agent_op *ops;
	uint32_t nops;
	uint32_t next; /* operation to execute */
	uint64_t steps_left;
	uint32_t nloops;
	struct loop loops[AGENT_MAX_LOOPS];
};

typedef enum agent_result page_fn(struct run *run, const struct agent_op *op,
				  uint64_t gpa);

static bool step(struct run *run)
{
	if (!run->steps_left)
		return false;
	run->steps_left--;
	return true;
}

static bool stopped(struct run *run)
{
	return run->port->ops->stopped(run->port);
}

/* ----------------------------------------------------------------- pages */

/*
 * A mismatch can be a page that was mapped between the module's walk and its
 * lock: only a second one in a row is believed, and at 4K none at all.
 */
static enum agent_result accept_at(struct run *run, uint64_t gpa,
				   unsigned level)
{
	uint32_t mismatches = 0;
	enum agent_result r;

	do {
		if (!step(run))
			return AGENT_MISMATCH;
		r = run->port->ops->accept(run->port, gpa, level);
		mismatches = r == AGENT_MISMATCH ? mismatches + 1 : 0;
	} while (r == AGENT_BUSY || (mismatches && level == 0) ||
		 mismatches == 1);
	return r == AGENT_ALREADY ? AGENT_OK : r;
}

/* As guests do: the size that was asked for, and smaller if it is not so. */
static enum agent_result accept_page(struct run *run, const struct agent_op *op,
				     uint64_t gpa)
{
	enum agent_result r = accept_at(run, gpa, op->level);
	uint32_t i;

	if (r != AGENT_MISMATCH || op->level == 0)
		return r;
	for (i = 0, r = AGENT_OK; r == AGENT_OK && i < PAGES_PER_2M; i++)
		r = accept_at(run, gpa + i * PAGE_BYTES, 0);
	return r;
}

/*
 * A #VE in a script that does not accept is the end of the touch: the page
 * is there, and pending.  In one that does, it can also mean that the host
 * took an accepted page away and gave a new one.
 */
__attribute__((hot)) static enum agent_result
touch_page(struct run *run, const struct agent_op *op, uint64_t gpa)
{
	const struct agent_port_ops *port = run->port->ops;
	enum agent_result r = AGENT_OK;

	if (op->flags & AGENT_ACCEPT_FIRST)
		r = accept_page(run, op, gpa);
	if (r != AGENT_OK)
		return r;
	r = port->touch(run->port, gpa);
	if (!(op->flags & (AGENT_ACCEPT_FIRST | AGENT_ACCEPT_ON_VE)))
		return r == AGENT_VE ? AGENT_OK : r;
	while (r == AGENT_VE) {
		r = accept_page(run, op, gpa);
		if (r == AGENT_OK)
			r = port->touch(run->port, gpa);
	}
	return r;
}

static enum agent_result convert_page(struct run *run,
				      const struct agent_op *op, uint64_t gpa)
{
	uint64_t bytes = op->level ? PAGES_PER_2M * PAGE_BYTES : PAGE_BYTES;

	return run->port->ops->convert(run->port, gpa, bytes, op->arg != 0);
}

/* Does the range end below 2^64, and is its level one? */
static bool range_valid(const struct agent_op *op)
{
	uint64_t last;

	if (op->level > LARGEST_LEVEL)
		return false;
	return !__builtin_mul_overflow(op->stride, op->count, &last) &&
	       !__builtin_add_overflow(op->gpa, last, &last) &&
	       !__builtin_add_overflow(last, PAGES_PER_2M * PAGE_BYTES, &last);
}

static enum agent_result timed_page(struct run *run, const struct agent_op *op,
				    uint64_t gpa, page_fn *fn,
				    enum agent_latency what)
{
	struct agent_port *port = run->port;
	uint64_t begin = port->ops->now_ns(port), end;
	enum agent_result r = fn(run, op, gpa);

	if (r != AGENT_OK)
		return r;
	end = port->ops->now_ns(port);
	if (op->flags & AGENT_RECORD)
		port->ops->record(port, what, begin, end);
	if (op->pace_ns > end - begin)
		r = port->ops->spin(port, op->pace_ns - (end - begin));
	return r;
}

__attribute__((hot)) static enum agent_result
each_page(struct run *run, const struct agent_op *op, page_fn *fn,
	  enum agent_latency what)
{
	bool timed = op->pace_ns || (op->flags & AGENT_RECORD);
	enum agent_result r = AGENT_OK;
	uint64_t gpa = op->gpa;
	uint32_t i;

	if (!range_valid(op))
		return AGENT_MISMATCH;
	for (i = 0; r == AGENT_OK && i < op->count; i++, gpa += op->stride) {
		if ((op->flags & AGENT_UNTIL_STOP) && stopped(run))
			break;
		if (!step(run))
			return AGENT_MISMATCH;
		r = timed ? timed_page(run, op, gpa, fn, what)
			  : fn(run, op, gpa);
		if (r == AGENT_OK && what == AGENT_LAT_TOUCH &&
		    run->port->ops->check)
			run->port->ops->check(run->port, gpa);
	}
	return r;
}

/* ------------------------------------------------------ everything else */

/* Once more, of `count` times in all, or until told to stop? */
static bool once_more(struct run *run, uint32_t count, uint32_t done)
{
	if (count)
		return done < count;
	run->steps_left = AGENT_MAX_STEPS;
	return !stopped(run);
}

static enum agent_result stuck(struct run *run, const struct agent_op *op)
{
	enum agent_result r = AGENT_OK;
	uint32_t i;

	for (i = 0; r == AGENT_OK && once_more(run, op->count, i); i++) {
		if (!step(run))
			return AGENT_MISMATCH;
		r = run->port->ops->stuck(run->port, op->gpa);
		if (r == AGENT_OK && op->pace_ns)
			r = run->port->ops->spin(run->port, op->pace_ns);
	}
	return r;
}

static enum agent_result tick(struct run *run, const struct agent_op *op)
{
	const struct agent_port_ops *port = run->port->ops;
	enum agent_result r = AGENT_OK;

	while (r == AGENT_OK && !stopped(run)) {
		if (op->arg)
			r = port->spin(run->port, op->arg);
		if (r == AGENT_OK)
			r = port->leave(run->port);
	}
	return r;
}

/* The counter of the loop at `at`, begun if need be; NULL: too deep. */
static struct loop *loop_find(struct run *run, uint32_t at, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < run->nloops; i++) {
		if (run->loops[i].at == at)
			return &run->loops[i];
	}
	if (run->nloops == AGENT_MAX_LOOPS)
		return 0;
	run->loops[i].at = at;
	run->loops[i].left = count;
	run->nloops++;
	return &run->loops[i];
}

static enum agent_result loop(struct run *run, const struct agent_op *op)
{
	uint32_t at = run->next - 1;
	struct loop *l;

	if (op->arg >= at)
		return AGENT_MISMATCH;
	if (op->count == 0) {
		if (once_more(run, 0, 0))
			run->next = (uint32_t)op->arg;
		return AGENT_OK;
	}
	l = loop_find(run, at, op->count);
	if (!l)
		return AGENT_MISMATCH;
	if (--l->left) {
		run->next = (uint32_t)op->arg;
		return AGENT_OK;
	}
	*l = run->loops[--run->nloops];
	return AGENT_OK;
}

static enum agent_result execute(struct run *run, const struct agent_op *op)
{
	struct agent_port *port = run->port;

	switch (op->opcode) {
	case AGENT_BARRIER:
		return port->ops->barrier(port, (unsigned)op->arg);
	case AGENT_MEASURE:
		port->ops->measure(port, op->arg != 0);
		return AGENT_OK;
	case AGENT_TOUCH:
		return each_page(run, op, touch_page, AGENT_LAT_TOUCH);
	case AGENT_ACCEPT:
		return each_page(run, op, accept_page, AGENT_LAT_ACCEPT);
	case AGENT_CONVERT:
		return each_page(run, op, convert_page, AGENT_LAT_CONVERT);
	case AGENT_SPIN:
		return port->ops->spin(port, op->arg);
	case AGENT_HALT:
		return port->ops->halt(port);
	case AGENT_TICK:
		return tick(run, op);
	case AGENT_STUCK:
		return stuck(run, op);
	case AGENT_LOOP:
		return loop(run, op);
	default:
		return AGENT_MISMATCH;
	}
}

enum agent_result agent_run(struct agent_port *port, const struct agent_op *ops,
			    uint32_t nops)
{
	struct run run;
	enum agent_result r = AGENT_OK;

	run.port = port;
	run.ops = ops;
	run.nops = nops;
	run.next = 0;
	run.steps_left = AGENT_MAX_STEPS;
	run.nloops = 0;
	while (r == AGENT_OK && run.next < nops) {
		/* A copy, beside what else is needed from page to page. */
		const struct agent_op op = ops[run.next];

		if (op.opcode == AGENT_END)
			break;
		if (!step(&run))
			return AGENT_MISMATCH;
		run.next++;
		r = execute(&run, &op);
	}
	return r;
}
