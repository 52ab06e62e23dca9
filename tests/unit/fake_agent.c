/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent on a vCPU of the fake KVM: its own interpreter and TD side, on a
 * port like that of guest-agent/image/main.c.
 */
#include <time.h>
#include <unistd.h>

#include "guest-agent/image/mailbox.h"
#include "guest-agent/td.h"
#include "tests/unit/fake_kvm.h"

#define PAGE	   4096ull
#define SHARED_BIT (1ull << 47)

/** A vCPU as the agent sees it. */
struct guest {
	struct agent_port port; /* must be first */
	struct agent_box *box;
	bool apic_on;
};

/* -------------------------------------------------------------------- port */

static struct agent_shared *shared(void)
{
	return fake_shared(AGENT_CONTROL);
}

static uint32_t load(const uint32_t *word)
{
	fake_leave_if_kicked();
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static bool port_stopped(struct agent_port *port)
{
	(void)port;
	return load(&shared()->stop) || load(&shared()->gone);
}

enum agent_result fake_touch(uint64_t gpa)
{
	uint64_t value = gpa | 1;

	fake_fault_in(gpa);
	if (!fake_has(gpa, PAGE_ACCEPTED)) {
		if (fake_vm.ve_disable)
			fake_bug();
		fake_ve = gpa;
		return td_pending(fake_tdcall, &value) && value == gpa
			       ? AGENT_VE
			       : AGENT_STOP;
	}
	fake_lock();
	fake_private(gpa, &value, sizeof(value), true);
	fake_unlock();
	return AGENT_OK;
}

static enum agent_result port_touch(struct agent_port *port, uint64_t gpa)
{
	(void)port;
	return fake_touch(gpa);
}

static enum agent_result port_accept(struct agent_port *port, uint64_t gpa,
				     unsigned level)
{
	uint64_t status;

	(void)port;
	return td_accept(fake_tdcall, gpa, level, &status);
}

static enum agent_result port_convert(struct agent_port *port, uint64_t gpa,
				      uint64_t bytes, bool to_private)
{
	uint64_t status;

	(void)port;
	return td_convert(fake_tdcall, SHARED_BIT, gpa, bytes, to_private,
			  &status);
}

static enum agent_result port_stuck(struct agent_port *port, uint64_t gpa)
{
	(void)port;
	(void)gpa;
	return AGENT_MISMATCH;
}

static uint64_t port_now_ns(struct agent_port *port)
{
	struct timespec at;

	(void)port;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static enum agent_result port_spin(struct agent_port *port, uint64_t ns)
{
	uint64_t end = port_now_ns(port) + ns;

	while (!load(&shared()->gone)) {
		if (ns ? port_now_ns(port) >= end : port_stopped(port))
			return AGENT_OK;
		usleep(100);
	}
	return AGENT_STOP;
}

static enum agent_result port_halt(struct agent_port *port)
{
	struct guest *guest = (struct guest *)port;

	while (!port_stopped(port)) {
		if (guest->apic_on)
			td_halt(fake_tdcall);
		else if (td_wrmsr(fake_tdcall, 0x80F, 0x1FF))
			return AGENT_STOP;
		guest->apic_on = true;
	}
	return load(&shared()->gone) ? AGENT_STOP : AGENT_OK;
}

static enum agent_result port_leave(struct agent_port *port)
{
	(void)port;
	td_out(fake_tdcall, AGENT_PORT, AGENT_BELL_LEAVE);
	return load(&shared()->gone) ? AGENT_STOP : AGENT_OK;
}

static enum agent_result port_barrier(struct agent_port *port, unsigned id)
{
	struct agent_barrier *b = &shared()->barrier[id];

	(void)port;
	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == b->expected)
		__atomic_store_n(&b->open, 1, __ATOMIC_RELEASE);
	while (!load(&b->open)) {
		if (load(&shared()->gone))
			return AGENT_STOP;
		usleep(100);
	}
	return AGENT_OK;
}

static void port_measure(struct agent_port *port, bool begin)
{
	struct agent_box *box = ((struct guest *)port)->box;

	if (begin)
		td_out(fake_tdcall, AGENT_PORT, AGENT_BELL_BEGIN);
	if (!begin)
		box->end_ns = port_now_ns(port);
	else if (box->measured++ == 0)
		box->begin_ns = port_now_ns(port);
	if (!begin)
		td_out(fake_tdcall, AGENT_PORT, AGENT_BELL_END);
}

static void port_record(struct agent_port *port, enum agent_latency what,
			uint64_t begin, uint64_t end)
{
	hist_record(&((struct guest *)port)->box->hist[what], end - begin);
}

/* ----------------------------------------------- is memory what it must be? */

/* As guest-agent/image/check.c does it, on pages that are not mapped here. */
enum { WORDS = PAGE / 8, MARK_AT = 256 };

static uint64_t mark(uint64_t gpa, const struct agent_box *box)
{
	return (gpa ^ box->salt) | 1;
}

static void port_check(struct agent_port *port, uint64_t gpa)
{
	struct agent_box *box = ((struct guest *)port)->box;
	uint64_t at = gpa + MARK_AT * 8, value, marked = mark(gpa, box);

	if (!fake_has(gpa, PAGE_ACCEPTED))
		return;
	fake_lock();
	fake_private(at, &value, sizeof(value), false);
	fake_private(at, &marked, sizeof(marked), true);
	fake_unlock();
	box->check.touches++;
	box->check.fresh += value == 0;
	box->check.stale += value != 0 && value != marked;
}

static void check_page(struct agent_box *box, uint64_t gpa)
{
	uint64_t page[WORDS], status;
	unsigned i, other = 0;

	td_accept(fake_tdcall, gpa, 0, &status);
	fake_lock();
	fake_private(gpa, page, sizeof(page), false);
	fake_unlock();
	for (i = 1; i < WORDS; i++)
		other += i != MARK_AT && page[i];
	box->check.pages++;
	box->check.held += !other && page[0] == (gpa | 1) &&
			   page[MARK_AT] == mark(gpa, box);
	box->check.zero += !other && !page[0] && !page[MARK_AT];
	box->check.damaged += other != 0;
}

static void check_script(struct agent_box *box)
{
	const struct agent_op *op = agent_box_script(box);
	uint32_t i, k;

	for (i = 0; i < box->nops && op[i].opcode != AGENT_END; i++) {
		if (op[i].opcode != AGENT_TOUCH ||
		    (op[i].flags & AGENT_UNTIL_STOP))
			continue;
		for (k = 0; k < op[i].count; k++)
			check_page(box, op[i].gpa + k * op[i].stride);
	}
}

static const struct agent_port_ops ops = {
	.check = port_check,
	.touch = port_touch,
	.accept = port_accept,
	.convert = port_convert,
	.stuck = port_stuck,
	.spin = port_spin,
	.halt = port_halt,
	.leave = port_leave,
	.barrier = port_barrier,
	.measure = port_measure,
	.record = port_record,
	.stopped = port_stopped,
	.now_ns = port_now_ns,
};

void fake_agent(struct fake_vcpu *vcpu)
{
	struct agent_box *box = fake_shared(
		AGENT_CONTROL + ((vcpu->id + 1ull) << AGENT_BOX_SHIFT));
	struct guest guest = {{&ops}, box, false};

	box->result = agent_run(&guest.port, agent_box_script(box), box->nops);
	if (box->result == AGENT_OK) {
		td_out(fake_tdcall, AGENT_PORT, AGENT_BELL_OVER);
		check_script(box);
	}
	for (;;)
		td_out(fake_tdcall, AGENT_PORT, AGENT_BELL_DONE);
}
